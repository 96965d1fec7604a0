import unicodedata
import uuid
from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial import versions
from knowledgebase.editorial.versions import (
    BOOKKEEPING,
    CHANGE_FIELDS,
    OpenVersionNotEditable,
    canonical,
    children_of,
    content_hash,
    copy,
    next_number,
    start_draft,
    text_fields,
)
from knowledgebase.models import ConceptLink, Item, PageVersion, SummaryVersion, ThemeVersion, Version, VersionChild
from practices.models import EvidenceRating, ExternalVerdict, PracticeVersion
from tests.factories import (
    anybody,
    bring_to,
    make_concept,
    make_effect,
    make_item,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_theme,
    make_user,
    make_version,
    rating,
    select,
    verdict,
)

pytestmark = pytest.mark.django_db
State = Version.State
COMMON = {"concept_links", "source_links", "item_links", "selections", "selected_effects"}
CHILDREN = COMMON | {"ratings", "verdicts"}


def full_practice(**fields):
    """A practice with every kind of child, two of each."""
    make_concept("niveau", "lager")
    state = fields.pop("state", State.PUBLISHED)
    version = make_practice(
        state=State.DRAFT,
        effects=[make_effect(0.3), (make_effect(-0.1), "Geen controlegroep.")],
        related=[make_item(), make_item()],
        sources=[make_source("jansen-2020"), make_source()],
        ratings=[
            rating("0.48", ci_low="0.35", ci_high="0.61", studies=9, cost=2),
            rating("0.2", context_key="niveau:lager"),
        ],
        verdicts=[verdict(6, previous=[{"edition": "2018", "months": 8}]), verdict(None, issuer="Campbell")],
        **fields,
    )
    select(version, context_key="niveau:lager")
    return bring_to(version, state)


def again(version):
    """The version as the database holds it, its children too."""
    return type(version).objects.get(pk=version.pk)


# -- drafts ---------------------------------------------------------------------------------------


def test_first_draft_is_empty_and_not_saved_yet():
    draft = start_draft(make_item("summary"), by=anybody())
    assert (type(draft), draft.pk, draft.number, draft.state) == (SummaryVersion, None, 1, State.DRAFT)


def test_draft_of_a_published_text_says_the_same_and_remembers_what_it_was_based_on():
    version, author = full_practice(), make_user()
    draft = start_draft(version.item, by=author)
    assert (draft.number, draft.state, draft.based_on_id, draft.created_by) == (2, State.DRAFT, version.pk, author)
    assert start_draft(version.item, by=anybody()) == draft
    assert version.item.versions.count() == 2


@pytest.mark.parametrize("state", [State.DRAFT, State.CHANGES_REQUESTED])
def test_an_open_version_is_taken_up_by_whoever_comes(state):
    version = make_summary(state=state)
    assert start_draft(version.item, by=make_user()) == version


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.APPROVED])
def test_a_version_with_the_commissions_is_not_taken_up_nor_doubled(state):
    version = make_summary(state=state)
    with pytest.raises(OpenVersionNotEditable):
        start_draft(version.item, by=anybody())
    assert version.item.versions.count() == 1


def test_a_draft_can_be_based_on_an_older_version():
    first = make_summary(answer="Vroeger.")
    make_version(first.item, answer="Nu.", state=State.PUBLISHED)
    draft = start_draft(first.item, by=anybody(), based_on=first)
    assert (draft.answer, draft.based_on_id, draft.number) == ("Vroeger.", first.pk, 3)


def test_a_discarded_number_is_not_given_again():
    draft = make_summary(state=State.DRAFT)
    Version.objects.filter(pk=draft.pk).update(state=State.DISCARDED)
    assert next_number(draft.item) == 2
    assert next_number(make_item("page")) == 1


# -- copies ---------------------------------------------------------------------------------------


def test_children_of_every_kind_are_known():
    assert {name for name, _model in children_of(PracticeVersion)} == CHILDREN
    for model in (SummaryVersion, ThemeVersion, PageVersion):
        assert {name for name, _model in children_of(model)} == COMMON


def test_copy_keeps_every_field_and_every_child_with_its_uid():
    version = full_practice(lead="Kort.", steps="1. Doe dit.", checked_on=date(2026, 11, 1), is_demo=True)
    new = again(copy(version, by=anybody()))
    for field in text_fields(version):
        expected = "" if field.name in CHANGE_FIELDS else getattr(version, field.name)
        assert getattr(new, field.name) == expected, field.name
    for accessor, model in children_of(PracticeVersion):
        old_rows, new_rows = ({row.uid: row for row in getattr(v, accessor).all()} for v in (version, new))
        assert len(old_rows) == 2
        assert set(old_rows) == set(new_rows)
        for uid, row in old_rows.items():
            twin = new_rows[uid]
            assert twin.pk != row.pk
            for field in model._meta.concrete_fields:
                if field.name not in {"id", "version"}:
                    assert getattr(twin, field.attname) == getattr(row, field.attname), field.name


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_copy_of_every_kind_says_the_same(make):
    version = make(lead="Kort.")
    assert content_hash(again(copy(version, by=anybody()))) == content_hash(version) == version.content_hash


def test_copy_leaves_the_original_alone():
    version = full_practice()
    before = {row.pk for row in version.ratings.all()}
    new = copy(version, by=anybody())
    new.ratings.update(note="Anders.")
    assert {row.pk for row in version.ratings.all()} == before
    assert content_hash(again(version)) == version.content_hash


def test_copy_is_made_whole_or_not_at_all(monkeypatch):
    version = full_practice()

    def broken(_rows):
        raise IntegrityError("no")

    monkeypatch.setattr(ExternalVerdict._base_manager, "bulk_create", broken, raising=False)
    with pytest.raises(IntegrityError):
        copy(version, by=anybody())
    assert version.item.versions.count() == 1
    assert ConceptLink.objects.filter(version__item=version.item).count() == 2


def test_copying_many_children_takes_no_more_queries(django_assert_num_queries):
    version = full_practice()
    single = make_practice(ratings=[rating()], verdicts=[verdict(1)], related=[make_item()], effects=[make_effect()])
    with CaptureQueriesContext(connection) as first:
        copy(single, by=anybody())
    with django_assert_num_queries(len(first)):
        copy(version, by=anybody())


# -- the hash -------------------------------------------------------------------------------------


def other(field, value):
    """Another good value for a field."""
    if field.choices:
        return next((key for key, _label in field.choices if key != value), f"{value}!")
    kind = field.get_internal_type()
    values = {
        "DateField": date(2001, 2, 3),
        "BooleanField": not value,
        "DecimalField": Decimal("0.5"),
        "UUIDField": uuid.uuid4(),
        "JSONField": [{"edition": "2011"}],
    }
    if kind in {"PositiveIntegerField", "PositiveSmallIntegerField", "SmallIntegerField"}:
        return (value or 0) + 1
    return values.get(kind, f"{value}!")


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_every_field_of_a_text_is_in_the_hash(make):
    version = make()
    before = content_hash(version)
    for field in text_fields(version):
        old = getattr(version, field.name)
        new = make_concept("thema", "iets-anders") if field.name == "concept" else other(field, old)
        setattr(version, field.name, new)
        assert content_hash(version) != before, field.name
        setattr(version, field.name, old)
        assert content_hash(version) == before, field.name


def test_every_value_of_a_figure_is_in_the_hash():
    version = full_practice()
    left_out = {"id", "version", "concept"}  # the concept is in the key of the context
    before = content_hash(version)
    for accessor, model in (("ratings", EvidenceRating), ("verdicts", ExternalVerdict)):
        row = getattr(version, accessor).first()
        for field in model._meta.concrete_fields:
            if field.name in left_out:
                continue
            old = getattr(row, field.name)
            setattr(row, field.name, make_source() if field.name == "source" else other(field, old))
            version._prefetched_objects_cache = {
                accessor: [row, *getattr(type(version).objects.get(pk=version.pk), accessor).all()[1:]]
            }
            assert content_hash(version) != before, field.name
            setattr(row, field.name, old)
            assert content_hash(version) == before, field.name
        version._prefetched_objects_cache = {}


@pytest.mark.parametrize("accessor", sorted(CHILDREN))
def test_a_child_more_or_less_is_another_hash(accessor):
    version = full_practice(state=State.DRAFT)
    before = content_hash(version)
    getattr(version, accessor).last().delete()
    assert content_hash(again(version)) != before


@pytest.mark.parametrize("accessor", ["concept_links", "source_links", "item_links"])
def test_the_order_in_which_readers_see_links_is_in_the_hash(accessor):
    version = full_practice(state=State.DRAFT)
    before = content_hash(version)
    first, last = getattr(version, accessor).all()
    first.order, last.order = last.order, first.order
    type(first).objects.bulk_update([first, last], ["order"])
    assert content_hash(again(version)) != before


def test_a_source_as_printed_is_in_the_hash_but_not_what_we_note_about_it():
    version = full_practice()
    source = version.source_links.first().source
    source.note, source.open_access = "Nagelezen.", "yes"
    source.save()
    assert content_hash(again(version)) == version.content_hash
    source.year = 2019
    source.save()
    assert content_hash(again(version)) != version.content_hash


def test_rows_may_stand_in_any_order_in_the_database():
    version = full_practice(state=State.DRAFT)
    before = content_hash(version)
    for _accessor, model in children_of(PracticeVersion):
        rows = list(model.objects.filter(version=version).order_by("-pk"))
        model.objects.filter(version=version).delete()
        for row in rows:
            row.pk = None
        model.objects.bulk_create(rows)
    assert content_hash(again(version)) == before


def test_bookkeeping_is_not_in_the_hash():
    version = full_practice()
    before = content_hash(version)
    version.lock_version, version.number, version.state = 9, 8, State.SUPERSEDED
    version.published_at = version.published_by = None
    assert content_hash(version) == before
    assert BOOKKEEPING.isdisjoint(canonical(version).keys() - {"item"})


def test_hash_is_the_same_whatever_keys_the_database_gave():
    def made():
        version = make_practice(
            "feedback", state=State.DRAFT, sources=[make_source("hattie-2007", title="The Power of Feedback")]
        )
        for accessor, _model in children_of(PracticeVersion):
            for number, row in enumerate(getattr(version, accessor).all()):
                row.uid = uuid.UUID(int=number)
                row.save()
        return version

    first = made()
    expected, pk = content_hash(first), first.pk
    make_item()
    first.delete()
    first.item.delete()
    second = made()
    assert second.pk != pk or second.item_id != first.item_id
    assert content_hash(second) == expected


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_is_left_out_so_that_a_new_field_changes_no_old_hash(empty, monkeypatch):
    version = full_practice()
    before = content_hash(version)
    real = canonical(version)
    row = version.ratings.first()
    monkeypatch.setattr(EvidenceRating, "hash_fields", (*EvidenceRating.hash_fields, "new"))
    monkeypatch.setattr(EvidenceRating, "new", empty, raising=False)
    assert content_hash(version) == before
    assert "ci_low" in real["ratings"][0] or "ci_low" in real["ratings"][1]
    assert "lead" in real
    assert "steps" not in real
    assert row.content()["new"] == empty


def test_zero_and_false_are_values():
    version = make_practice(state="draft", ratings=[rating(strength=0)])
    with_zero = content_hash(version)
    version.ratings.update(strength=None)
    assert content_hash(again(version)) != with_zero


def test_composed_and_decomposed_letters_are_the_same_text():
    version = make_summary(title="Één idee, coëfficiënt")
    before = content_hash(version)
    version.title = unicodedata.normalize("NFD", version.title)
    assert version.title != unicodedata.normalize("NFC", version.title)
    assert content_hash(version) == before


def test_numbers_are_hashed_as_values_not_as_they_are_written():
    version = make_practice(state="draft", ratings=[rating("0.48")])
    stored = content_hash(again(version))
    row = version.ratings.get()
    for written in (Decimal("0.48"), Decimal("0.480"), Decimal("4.8E-1")):
        row.effect = written
        version._prefetched_objects_cache = {"ratings": [row]}
        assert content_hash(version) == stored


def test_hash_names_its_own_version(monkeypatch):
    version = make_summary()
    assert len(version.content_hash) == 64
    monkeypatch.setattr(versions, "HASH_VERSION", 2)
    assert content_hash(version) != version.content_hash


def test_hash_of_a_known_text_never_changes():
    """Frozen versions keep their hash for years: whoever breaks this test raises HASH_VERSION."""
    item = Item.objects.create(kind="page", slug="over", key="page-over")
    version = PageVersion(item=item, number=1, title="Over ons", body="Wij zijn één.", created_by=anybody())
    version.save()
    text = (
        '{"body":"Wij zijn één.","hash_version":1,"is_demo":false,"item":"page-over","kind":"page",'
        '"licence":"CC BY 4.0","title":"Over ons"}'
    )
    assert content_hash(version) == sha256(text.encode()).hexdigest()


def test_every_child_of_a_version_has_a_uid_and_content():
    models = {model for parent in Version.__subclasses__() for _name, model in children_of(parent)}
    assert len(models) == 7
    for model in models:
        assert issubclass(model, VersionChild)
        assert model.hash_fields or model.content is not VersionChild.content
