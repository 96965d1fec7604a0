import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from knowledgebase.editorial import guards
from knowledgebase.models import EDITABLE, OPEN, PUBLIC_ONCE, Item, Page, Summary, SummaryVersion, Theme, Version
from practices.models import Practice, PracticeVersion
from tests.factories import (
    CHANGE,
    anybody,
    make_item,
    make_page,
    make_practice,
    make_summary,
    make_theme,
    make_version,
)

pytestmark = pytest.mark.django_db
State = Version.State


def public(**fields):
    """What a version that was public must carry."""
    return {
        "published_at": timezone.now(),
        "published_by": anybody(),
        "content_hash": "0" * 64,
        "created_by": anybody(),
        **CHANGE,
    } | fields


def refused(constraint):
    """A write that the database refuses; the name of the constraint is only in PostgreSQL's and CHECK messages."""
    return pytest.raises(IntegrityError, match=f"{constraint}|UNIQUE constraint failed")


@pytest.fixture
def _without_guards():
    """The guards refuse these writes first (test_guards.py); the constraints stand behind them."""
    with guards.door("the constraint itself is the point"):
        yield


without_guards = pytest.mark.usefixtures("_without_guards")


def test_slug_is_unique_within_a_kind_only():
    make_item(Item.Kind.PRACTICE, "feedback")
    make_item(Item.Kind.SUMMARY, "feedback", key=None)
    with refused("slug_is_unique_in_kind"):
        make_item(Item.Kind.PRACTICE, "feedback", key="another")


def test_key_is_unique_where_it_is_set():
    make_item(key="feedback")
    make_item(key=None)
    make_item(key=None)
    with refused("knowledgebase_item_key"), transaction.atomic():
        make_item(key="feedback")
    with refused("item_key_is_null_or_filled"):
        make_item(key="")


@without_guards
@pytest.mark.parametrize("door", ["save", "bulk_create", "update"])
def test_an_item_has_one_published_version(door):
    first = make_summary()
    second = make_version(first.item, state=State.APPROVED)
    with refused("item_has_one_published_version"):
        if door == "save":
            for name, value in public(state=State.PUBLISHED).items():
                setattr(second, name, value)
            second.save()
        elif door == "update":
            Version.objects.filter(pk=second.pk).update(**public(state=State.PUBLISHED))
        else:
            Version.objects.bulk_create(
                [Version(item=first.item, number=9, title="x", **public(state=State.PUBLISHED))]
            )


@without_guards
@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("door", ["create", "bulk_create", "update"])
def test_an_item_has_one_open_version(door, state):
    item = make_summary(state=State.DRAFT).item
    fields = {"item": item, "number": 2, "title": "x", "created_by": anybody()}
    with refused("item_has_one_open_version"):
        if door == "create":
            Version.objects.create(state=state, **fields)
        elif door == "bulk_create":
            Version.objects.bulk_create([Version(state=state, **fields)])
        else:
            closed = Version.objects.create(state=State.DISCARDED, **fields)
            Version.objects.filter(pk=closed.pk).update(state=state)


@without_guards
def test_versions_that_are_past_may_be_many():
    item = make_summary().item
    for number in (2, 3):
        Version.objects.create(item=item, number=number, title="x", **public(state=State.SUPERSEDED))
    Version.objects.create(item=item, number=4, title="x", created_by=anybody(), state=State.DISCARDED)
    assert item.versions.count() == 4


@without_guards
def test_a_number_is_given_once():
    item = make_summary().item
    with refused("version_number_is_unique"):
        Version.objects.create(item=item, number=1, title="x", created_by=anybody(), state=State.DISCARDED)


@without_guards
@pytest.mark.parametrize("state", PUBLIC_ONCE)
@pytest.mark.parametrize("missing", [{"published_at": None}, {"published_by": None}, {"content_hash": ""}])
def test_public_version_says_when_who_and_what(state, missing):
    draft = make_summary(state=State.DRAFT)
    gone = {"withdrawn_at": timezone.now(), "withdrawal_reason": "Fout."} if state == State.WITHDRAWN else {}
    with refused("public_version_says_when_who_and_what"):
        Version.objects.filter(pk=draft.pk).update(**public(state=state, **gone) | missing)


@without_guards
@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.WITHDRAWN},
        {"state": State.WITHDRAWN, "withdrawn_at": timezone.now()},
        {"state": State.WITHDRAWN, "withdrawal_reason": "Fout."},
        {"withdrawn_at": timezone.now()},
    ],
)
def test_withdrawn_version_says_when_and_why(fields):
    version = make_summary()
    with refused("withdrawn_version_says_when_and_why"):
        Version.objects.filter(pk=version.pk).update(**fields)


@without_guards
@pytest.mark.parametrize("missing", CHANGE)
def test_later_version_says_what_changed(missing):
    first = make_summary()
    draft = make_version(first.item)
    Version.objects.filter(pk=first.pk).update(state=State.SUPERSEDED)
    with refused("later_version_says_what_changed"):
        Version.objects.filter(pk=draft.pk).update(**public(state=State.PUBLISHED) | {missing: ""})


def test_sets_of_states_leave_none_out():
    assert set(OPEN) | set(PUBLIC_ONCE) | {State.DISCARDED} == set(State)
    assert set(EDITABLE) < set(OPEN)


def test_published_and_withdrawn_items():
    published, withdrawn, draft = make_summary(), make_summary(state=State.WITHDRAWN), make_summary(state=State.DRAFT)
    again = make_summary(state=State.WITHDRAWN)
    make_version(again.item, title="Opnieuw", state=State.PUBLISHED)
    assert set(Item.objects.published()) == {published.item, again.item}
    assert list(Item.objects.withdrawn()) == [withdrawn.item]
    assert draft.item not in Item.objects.published()


def test_item_that_was_withdrawn_twice_is_listed_once():
    first = make_summary(state=State.WITHDRAWN)
    make_version(first.item, title="Opnieuw", state=State.WITHDRAWN)
    assert list(Item.objects.withdrawn()) == [first.item]


def test_published_and_open_versions_of_every_kind_of_queryset():
    practice = make_practice()
    draft = make_version(practice.item)
    assert list(PracticeVersion.objects.published()) == [practice]
    assert list(PracticeVersion.objects.open()) == [draft]
    assert [v.pk for v in Version.objects.published()] == [practice.pk]
    assert [v.pk for v in practice.item.versions.open()] == [draft.pk]


def test_proxies_hold_their_kind_only():
    made = {Practice: make_practice(), Summary: make_summary(), Theme: make_theme(), Page: make_page()}
    for model, version in made.items():
        assert [item.pk for item in model.objects.published()] == [version.item_id]


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_specific_is_the_version_as_the_model_of_its_kind(make, django_assert_num_queries):
    version = make()
    plain = Version.objects.select_related("item").get(pk=version.pk)
    assert type(plain.specific()) is type(version)
    assert plain.specific() == version
    with django_assert_num_queries(0):
        assert version.specific() is version


def test_natural_keys():
    item = make_item(Item.Kind.SUMMARY, "lezen")
    assert Item.objects.get_by_natural_key(*item.natural_key()) == item


def test_item_with_versions_cannot_be_deleted():
    item = make_summary().item
    with pytest.raises(Exception, match="protected"):
        item.delete()


def test_summary_says_what_it_lacks():
    draft = make_summary(state=State.DRAFT, title=" ", key_findings=" ", sources=[])
    assert len(draft.publication_gaps()) == 3
    assert make_summary(state=State.DRAFT).publication_gaps() == []


def test_summary_form_needs_its_question():
    with pytest.raises(ValidationError) as error:
        SummaryVersion(item=make_item("summary"), number=1, created_by=anybody(), title="Lezen").full_clean()
    assert set(error.value.message_dict) == {"question", "answer"}


def test_words_and_moments():
    version = make_summary("lezen", title="Lezen")
    draft = make_version(version.item)
    assert (str(version.item), str(version)) == ("lezen", "Lezen (v1)")
    assert (version.is_published, version.is_editable) == (True, False)
    assert (draft.is_published, draft.is_editable) == (False, True)
    assert version.changed_at == version.published_at
    assert draft.changed_at == draft.created_at
