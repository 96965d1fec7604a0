import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

from knowledgebase.models import Concept, ConceptLabel, Scheme, SiteState
from tests.factories import make_concept, make_source, make_summary

pytestmark = pytest.mark.django_db


def test_a_concept_comes_with_its_preferred_label(django_assert_num_queries):
    make_concept(slug="lager", name="Lager onderwijs")
    ConceptLabel.objects.create(concept=Concept.objects.get(), label="lagere school", weight=200)
    with django_assert_num_queries(1):
        [concept] = Concept.objects.in_scheme(Scheme.LEVEL)
        assert (concept.name, str(concept)) == ("Lager onderwijs", "Lager onderwijs")


def test_linked_concepts_come_with_their_name_too(django_assert_num_queries):
    version = make_summary()
    with django_assert_num_queries(2):
        links = list(version.concept_links.prefetch_related("concept"))
        assert [str(link.concept) for link in links] == ["Lager"]


def test_without_label_a_concept_is_called_by_its_address():
    assert str(Concept(scheme="niveau", slug="lager")) == "lager"
    assert str(Concept.objects.create(scheme="niveau", slug="kleuter")) == "kleuter"


def test_slug_is_unique_in_its_vocabulary():
    make_concept("niveau", "lezen")
    make_concept("vak", "lezen")
    with pytest.raises(IntegrityError):
        Concept.objects.create(scheme="vak", slug="lezen")


def test_a_concept_has_one_preferred_label_per_language_and_no_label_twice():
    concept = make_concept()
    with pytest.raises(IntegrityError):
        ConceptLabel.objects.bulk_create([ConceptLabel(concept=concept, label="Anders", relation="pref")])


def test_the_same_label_twice_is_refused():
    concept = make_concept(name="Lager")
    with pytest.raises(IntegrityError):
        ConceptLabel.objects.create(concept=concept, label="Lager")


def test_no_concept_is_broader_than_itself():
    concept = make_concept()
    with pytest.raises(IntegrityError, match="broader_than_itself"):
        Concept.objects.filter(pk=concept.pk).update(broader=concept)


def test_no_circle_of_broader_concepts():
    top = make_concept(slug="basis")
    middle = make_concept(slug="lager", broader=top)
    top.broader = make_concept(slug="eerste", broader=middle)
    with pytest.raises(ValidationError) as error:
        top.clean()
    assert set(error.value.message_dict) == {"broader"}
    middle.clean()


def test_broader_stays_in_the_vocabulary():
    with pytest.raises(ValidationError) as error:
        Concept(scheme="vak", slug="lezen", broader=make_concept("niveau", "lager")).clean()
    assert set(error.value.message_dict) == {"broader"}


def test_natural_keys():
    concept = make_concept("vak", "lezen", "Lezen")
    label = concept.labels.get()
    assert Concept.objects.get_by_natural_key("vak", "lezen") == concept
    assert label.natural_key() == ("vak", "lezen", "nl", "Lezen")
    assert ConceptLabel.objects.get_by_natural_key(*label.natural_key()) == label


def test_a_concept_in_use_cannot_be_deleted():
    version = make_summary()
    with pytest.raises(models.ProtectedError):
        version.concept_links.get().concept.delete()


CHANGES = {
    "concept saved": lambda concept: concept.save(),
    "label saved": lambda concept: concept.labels.get().save(),
    "label deleted": lambda concept: concept.labels.get().delete(),
    "concept deleted": lambda concept: concept.delete(),
    "source made": lambda concept: make_source(),
}


@pytest.mark.parametrize("deed", CHANGES.values(), ids=CHANGES)
def test_every_change_of_reference_data_makes_the_site_new(deed):
    concept = make_concept()
    before = SiteState.current().content_version
    deed(concept)
    assert SiteState.current().content_version > before
