import pytest
from django.core.management import CommandError, call_command

from knowledgebase.editorial import guards
from knowledgebase.editorial.transitions import approval_gaps
from knowledgebase.editorial.versions import content_hash
from knowledgebase.models import Decision, Item, ReviewRound, Version
from knowledgebase.rendering import html_of
from practices.facets import EVERYTHING, Bitmaps, rebuild
from practices.models import EvidenceRating, FacetIndex, PracticeVersion
from tests.factories import make_concept, make_page, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def _reference():
    for scheme in ("niveau", "vak", "doelgroep", "publiek", "thema", "uitkomst"):
        for number in range(4):
            make_concept(scheme, f"{scheme}-{number}", order=number)
    for number in range(8):
        make_source(f"bron-{number}")


def said():
    titles = list(Version.objects.order_by("item__slug").values_list("item__slug", "title", "published_at"))
    return titles, list(EvidenceRating.objects.order_by("uid").values_list("uid", "effect", "strength", "context_key"))


def throw_away():
    with guards.door("the same once more"):
        for model in (Decision, ReviewRound, Version, Item):
            model.objects.all().delete()


@pytest.mark.usefixtures("_reference")
def test_practices_look_like_published_ones():
    call_command("generate_corpus", practices=30, seed=7, verbosity=0)
    assert PracticeVersion.objects.published().count() == Item.objects.count() == 30
    for version in PracticeVersion.objects.all():
        assert version.publication_gaps() == []
        assert approval_gaps(version) == []
        assert version.content_hash == content_hash(version)
        assert version.contributors.get().user == version.created_by
        assert set(html_of(version)) == set(PracticeVersion.markdown_fields)
        for rating in version.ratings.all():
            rating.full_clean()
        for verdict in version.verdicts.all():
            verdict.full_clean()
    assert Bitmaps("naam")[EVERYTHING].bit_count() == 30
    index = dict(FacetIndex.objects.values_list("name", "data"))
    rebuild()
    assert dict(FacetIndex.objects.values_list("name", "data")) == index


@pytest.mark.usefixtures("_reference")
def test_the_same_seed_gives_the_same_practices(capsys):
    call_command("generate_corpus", practices=10, seed=7)
    first = said()
    throw_away()
    call_command("generate_corpus", practices=10, seed=7)
    assert said() == first
    throw_away()
    call_command("generate_corpus", practices=10, seed=8)
    assert said() != first
    assert capsys.readouterr().out == "10 practices.\n" * 3


def test_never_beside_texts():
    make_page()
    with pytest.raises(CommandError, match="empty database"):
        call_command("generate_corpus", practices=1)
    assert Item.objects.count() == 1
