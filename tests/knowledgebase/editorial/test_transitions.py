import pytest
from django.db import transaction
from django.utils import translation

from knowledgebase import rendering
from knowledgebase.editorial.transitions import EDGES, MoveRefused, publish, submit, withdraw
from knowledgebase.editorial.versions import content_hash, start_draft
from knowledgebase.models import RenderedText, SearchEntry, SiteState, Version
from knowledgebase.search import matching
from practices import facets
from practices.facets import Bitmaps
from practices.models import FacetIndex
from tests.factories import (
    anybody,
    approve,
    chair,
    make_page,
    make_practice,
    make_summary,
    make_theme,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db
State = Version.State


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def everything():
    """All that a publication writes, to compare before and after."""
    return {
        "versions": list(Version.objects.order_by("pk").values()),
        "rendered": list(RenderedText.objects.order_by("pk").values()),
        "search": list(SearchEntry.objects.order_by("pk").values()),
        "facets": {row.name: bytes(row.data) for row in FacetIndex.objects.all()},
        "site": SiteState.current().content_version,
    }


def listed():
    index = Bitmaps("naam")
    return index.ordered(index[facets.EVERYTHING], 0, 100)


# -- publish --------------------------------------------------------------------------------------


def test_publishing_a_first_version_fills_all_that_readers_need():
    editor = make_user(role="eindredacteur")
    draft = make_practice("feedback", state=State.APPROVED, title="Feedback", what_it_is="Wat je **zegt**.")
    before = SiteState.current().content_version
    version = publish(draft, by=editor)
    assert (version.state, version.published_by, version.is_published) == (State.PUBLISHED, editor, True)
    assert version.published_at is not None
    assert version.content_hash == content_hash(type(version).objects.get(pk=version.pk))
    html = dict(RenderedText.objects.filter(version=version).values_list("field", "html"))
    assert html["what_it_is"] == "<p>Wat je <strong>zegt</strong>.</p>"
    assert set(html) == {"in_short", "when_not", "what_it_is"}
    assert set(RenderedText.objects.values_list("renderer", flat=True)) == {rendering.RENDERER}
    assert matching("feedback", "practice") == [version.item_id]
    assert listed() == [version.item_id]
    assert SiteState.current().content_version > before


def test_publishing_again_supersedes_and_replaces_what_was_derived():
    first = make_practice("feedback", title="Feedback")
    second = make_version(first.item, title="Terugkoppeling", when_not="Bij haast.", state=State.PUBLISHED)
    first.refresh_from_db()
    assert (first.state, second.state) == (State.SUPERSEDED, State.PUBLISHED)
    assert first.content_hash != second.content_hash
    assert (matching("feedback", "practice"), matching("terugkoppeling", "practice")) == ([], [second.item_id])
    assert listed() == [second.item_id]
    assert RenderedText.objects.filter(version=first).exists()
    assert SearchEntry.objects.count() == 1


def test_superseding_changes_nothing_of_the_old_version_but_its_state():
    first = make_summary()
    old = Version.objects.filter(pk=first.pk).values().get()
    make_version(first.item, state=State.PUBLISHED)
    changed = {"state": State.SUPERSEDED, "lock_version": old["lock_version"] + 1}
    assert Version.objects.filter(pk=first.pk).values().get() == old | changed


def test_a_draft_changes_nothing_that_is_public():
    version = make_practice()
    before = everything()
    draft = start_draft(version.item, by=anybody())
    draft.title = "Heel anders"
    draft.save()
    draft.ratings.all().delete()
    after = everything()
    after["versions"] = [row for row in after["versions"] if row["id"] != draft.pk]
    assert after == before


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_every_kind_of_text_that_was_approved_is_published(make):
    assert publish(make(state=State.APPROVED), by=anybody()).state == State.PUBLISHED


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.APPROVED, State.PUBLISHED, State.DISCARDED}]
)
def test_no_other_state_is_published(state):
    version = make_summary(state=state)
    before = everything()
    with pytest.raises(MoveRefused) as refused:
        publish(version, by=anybody())
    assert len(refused.value.reasons) == 1
    assert "cannot become “published”" in refused.value.reasons[0]
    assert everything() == before


def test_what_is_missing_is_said_at_once_and_nothing_changes():
    chair("user"), chair("scientific")
    version = make_practice(state=State.DRAFT, when_not="", ratings=[], sources=[])
    before = everything()
    with pytest.raises(MoveRefused) as refused:
        submit(version, by=anybody())
    assert refused.value.reasons == version.publication_problems()
    assert len(refused.value.reasons) == 3
    assert str(refused.value) == " ".join(refused.value.reasons)
    assert everything() == before


@pytest.mark.parametrize("lacking", [{"change_type": ""}, {"conclusion_changed": ""}, {"change_note": " "}])
def test_a_later_version_says_what_changed(lacking):
    chair("user"), chair("scientific")
    draft = make_version(make_summary().item, **lacking)
    with pytest.raises(MoveRefused, match="what changed"):
        submit(draft, by=anybody())


def test_what_is_in_the_database_is_published_not_what_the_caller_holds():
    draft = make_summary(state=State.APPROVED, title="Wat er staat")
    draft.title = "Wat ik denk"
    published = publish(draft, by=anybody())
    assert published.title == Version.objects.get(pk=draft.pk).title == "Wat er staat"


def test_publishing_is_done_whole_or_not_at_all(monkeypatch):
    first = make_practice()
    draft = make_version(first.item, state=State.APPROVED)
    before = everything()

    def broken(_version):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(facets, "put", broken)
    with pytest.raises(RuntimeError):
        publish(draft, by=anybody())
    assert everything() == before


def test_a_text_that_markdown_cannot_handle_is_not_published():
    draft = make_summary(state=State.APPROVED, method="[" * 500)
    before = everything()
    with pytest.raises(rendering.TextTooComplex):
        publish(draft, by=anybody())
    assert everything() == before


def test_an_item_that_was_withdrawn_can_be_published_anew():
    first = make_summary(state=State.WITHDRAWN)
    draft = start_draft(first.item, by=anybody(), based_on=first)
    draft.change_type, draft.conclusion_changed, draft.change_note = "correctie", "ja", "De fout is hersteld."
    draft.save()
    second = publish(approve(draft), by=anybody())
    first.refresh_from_db()
    assert (first.state, second.state) == (State.WITHDRAWN, State.PUBLISHED)
    assert SearchEntry.objects.filter(item=first.item).exists()


# -- withdraw -------------------------------------------------------------------------------------


def test_withdrawing_takes_a_text_out_of_all_lists_and_says_why():
    version, stays = make_practice(), make_practice()
    before = SiteState.current().content_version
    gone = withdraw(version, by=anybody(), reason="De studie is ingetrokken.")
    assert (gone.state, gone.withdrawal_reason) == (State.WITHDRAWN, "De studie is ingetrokken.")
    assert gone.withdrawn_at is not None
    assert list(SearchEntry.objects.values_list("item", flat=True)) == [stays.item_id]
    assert listed() == [stays.item_id]
    assert SiteState.current().content_version > before


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_withdrawing_needs_a_reason(reason):
    version = make_practice()
    before = everything()
    with pytest.raises(MoveRefused, match="readers will see"):
        withdraw(version, by=anybody(), reason=reason)
    assert everything() == before


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.APPROVED, State.SUPERSEDED])
def test_only_what_is_public_is_withdrawn(state):
    version = make_summary(state=state)
    before = everything()
    with pytest.raises(MoveRefused, match="cannot become “withdrawn”"):
        withdraw(version, by=anybody(), reason="Fout.")
    assert everything() == before


def test_moves_lead_from_state_to_state():
    for before, after in EDGES:
        assert before in State
        assert after in State
        assert before != after
    assert not [edge for edge in EDGES if edge[0] in {State.SUPERSEDED, State.WITHDRAWN, State.DISCARDED}]


def test_a_refused_move_in_a_larger_transaction_leaves_no_trace():
    version = make_summary(state=State.IN_REVIEW)
    with transaction.atomic():
        before = everything()
        with pytest.raises(MoveRefused):
            publish(version, by=anybody())
        assert everything() == before
