from datetime import date, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from knowledgebase import rendering
from knowledgebase.editorial import norms
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.editorial.transitions import (
    EDGES,
    begin,
    discard,
    next_review,
    publish,
    recall,
    saved,
    schedule,
    submit,
    unschedule,
    withdraw,
)
from knowledgebase.editorial.versions import content_hash, hash_of, start_draft
from knowledgebase.models import (
    AuditEvent,
    Commission,
    Item,
    OutboxMessage,
    RenderedText,
    ReviewRound,
    SearchEntry,
    SiteState,
    User,
    Version,
    VersionContributor,
)
from knowledgebase.search import matching
from practices import facets
from practices.facets import Bitmaps
from practices.models import FacetIndex
from tests.factories import (
    anybody,
    approve,
    chair,
    decision,
    make_item,
    make_member,
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
    assert SearchEntry.objects.filter(kind__in=Item.Kind).count() == 1


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
    assert refused.value.reasons == [sentence for _field, sentence in version.publication_gaps()]
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
    assert SearchEntry.objects.filter(kind="summary", object_id=first.item_id).exists()


# -- withdraw -------------------------------------------------------------------------------------


def test_withdrawing_takes_a_text_out_of_all_lists_and_says_why():
    version, stays = make_practice(), make_practice()
    before = SiteState.current().content_version
    gone = withdraw(version, by=anybody(), reason="De studie is ingetrokken.")
    assert (gone.state, gone.withdrawal_reason) == (State.WITHDRAWN, "De studie is ingetrokken.")
    assert gone.withdrawn_at is not None
    assert list(SearchEntry.objects.filter(kind="practice").values_list("object_id", flat=True)) == [stays.item_id]
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


# -- begin, save


@pytest.fixture
def writer():
    return make_user("schrijver", role="redacteur")


@pytest.fixture
def publisher():
    return make_user("chef", role="eindredacteur")


@pytest.fixture
def _chairs():
    for code in ("user", "scientific"):
        chair(code)


def deeds(item):
    """The trail of a text: what, by whom, in which role, from which state to which."""
    names = {user.pk: user.username for user in User.objects.all()}
    events = AuditEvent.objects.filter(item=item).order_by("seq")
    return [(e.action, names.get(e.actor_id), e.actor_role, e.from_state, e.to_state) for e in events]


def told(kind):
    """Who was told, but for the account behind texts of which nobody asks who wrote them."""
    messages = OutboxMessage.objects.filter(kind=kind).exclude(recipient__username="iemand")
    return sorted(messages.values_list("recipient__username", flat=True))


def refused(kind, match, call, *args, **kwargs):
    """The call is refused for this reason, and nothing at all is written."""

    def written():
        models = (Version, ReviewRound, VersionContributor, AuditEvent, OutboxMessage, SearchEntry)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = written()
    with pytest.raises(MoveRefused, match=match) as raised:
        call(*args, **kwargs)
    assert type(raised.value) is kind
    assert written() == before


def test_a_new_version_is_a_copy_and_names_who_began_it(writer):
    first = make_summary(answer="Nu.")
    draft = begin(first.item, by=writer)
    assert (draft.number, draft.state, draft.answer, draft.based_on_id) == (2, State.DRAFT, "Nu.", first.pk)
    assert [row.user for row in draft.contributors.all()] == [writer]
    assert deeds(first.item)[-1] == ("begin", "schrijver", "redacteur", "", "draft")
    assert AuditEvent.objects.latest("pk").data == {"based_on": 1}
    assert begin(first.item, by=make_user(role="eindredacteur")) == draft
    assert draft.contributors.count() == 1


def test_a_version_is_begun_from_an_older_one(writer):
    first = make_summary(answer="Vroeger.")
    make_version(first.item, answer="Nu.", state=State.PUBLISHED)
    assert begin(first.item, by=writer, based_on=first).answer == "Vroeger."


def test_a_first_draft_is_saved_by_whoever_fills_it(writer):
    draft = begin(make_item("page", "over"), by=writer)
    assert draft.pk is None
    draft.title, draft.body = "Over ons", "Wij zijn één."
    draft.save()
    saved(draft, by=writer)
    saved(draft, by=writer)
    assert draft.lock_version == 2
    assert [(deed[0], deed[1]) for deed in deeds(draft.item)] == [("begin", "schrijver"), ("save", "schrijver")]


@pytest.mark.parametrize("role", ["", "beheerder", "voorzitter", "lid"])
def test_only_editors_write(role, writer):
    version, somebody = make_summary(state=State.DRAFT, by=writer), make_user(role=role)
    for call in (saved, submit, discard):
        refused(NotAllowed, "Only editors", call, version, by=somebody)
    refused(NotAllowed, "Only editors", begin, version.item, by=somebody)


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.APPROVED, State.PUBLISHED])
def test_what_is_frozen_is_not_saved(state, writer):
    refused(MoveRefused, "frozen", saved, make_summary(state=state), by=writer)


# -- submit


@pytest.mark.usefixtures("_chairs")
def test_submitting_freezes_the_text_and_asks_both_commissions(writer):
    version = make_summary("lezen", state=State.DRAFT, by=writer)
    member = make_member("user", "u1")
    make_member("user", "weg", valid_from=date(2020, 1, 1), valid_to=date(2021, 1, 1))
    round = submit(version, by=writer, remark=" Alleen de taal. ")
    version.refresh_from_db()
    assert (version.state, version.round_no, version.submitted_by) == (State.IN_REVIEW, 1, writer)
    assert version.content_hash == round.content_hash == content_hash(version) == hash_of(round.content)
    assert (round.number, round.kind, round.remark, round.opened_by) == (1, "review", "Alleen de taal.", writer)
    assert round.due_on == timezone.localdate() + timedelta(days=21)
    assert told("review") == ["chair-scientific", "chair-user", "u1"]
    assert deeds(version.item) == [("submit", "schrijver", "redacteur", "draft", "in_review")]
    data = AuditEvent.objects.get(action="submit").data
    assert data["seats"] == sorted(seat.pk for seat in (chair("user"), chair("scientific"), member))
    assert (data["round"], data["due_on"]) == (1, round.due_on.isoformat())


@pytest.mark.usefixtures("_chairs")
def test_submitting_above_the_norm_for_readability_needs_a_reason(writer):
    hard = f"- {' '.join(['kat'] * 40)}."
    version = make_summary(state=State.DRAFT, by=writer, key_findings=hard)
    above = norms.readability_of(version).over
    refused(MoveRefused, "harder to read than the norm", submit, version, by=writer, readability_reason="  ")
    with pytest.raises(MoveRefused) as error:
        submit(version, by=writer, remark="Klaar.")
    assert above
    assert error.value.reasons[1:] == above
    round = submit(version, by=writer, remark=" Klaar. ", readability_reason=" Het is een opsomming.\n")
    told = _("Above the norm for readability, because: %(reason)s") % {"reason": "Het is een opsomming."}
    assert round.remark == f"Klaar.\n\n{told}"


@pytest.mark.usefixtures("_chairs")
def test_a_text_within_the_norm_keeps_no_reason(writer):
    round = submit(make_summary(state=State.DRAFT, by=writer), by=writer, readability_reason="Er is geen reden.")
    assert round.remark == ""


@pytest.mark.usefixtures("_chairs")
def test_who_wrote_in_the_text_is_not_asked(writer):
    member = make_member("user", "u1")
    version = make_summary(state=State.DRAFT, by=writer)
    version.contributors.create(user=member.user)
    submit(version, by=writer)
    assert told("review") == ["chair-scientific", "chair-user"]


@pytest.mark.usefixtures("_chairs")
def test_the_commission_that_takes_longest_sets_the_day(writer):
    Commission.objects.filter(code="scientific").update(review_days=40)
    round = submit(make_summary(state=State.DRAFT, by=writer), by=writer)
    assert round.due_on == timezone.localdate() + timedelta(days=40)


def test_without_a_chair_nothing_is_submitted(writer):
    version = make_summary(state=State.DRAFT, by=writer)
    refused(MoveRefused, "Nobody chairs the user commission and the scientific commission", submit, version, by=writer)
    chair("user")
    refused(MoveRefused, "Nobody chairs the scientific commission now", submit, version, by=writer)


@pytest.mark.usefixtures("_chairs")
def test_submitting_twice_says_that_it_is_done(writer):
    version = make_summary(state=State.DRAFT, by=writer)
    submit(version, by=writer)
    refused(AlreadyDone, "already", submit, version, by=writer)


@pytest.mark.usefixtures("_chairs")
@pytest.mark.parametrize("state", [State.APPROVED, State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN, State.DISCARDED])
def test_only_what_editors_hold_is_submitted(state, writer):
    refused(MoveRefused, "cannot become “in review”", submit, make_summary(state=state), by=writer)


@pytest.mark.usefixtures("_chairs")
def test_a_text_that_did_not_change_is_not_submitted_again(writer):
    version = make_summary(state=State.CHANGES_REQUESTED, by=writer)
    refused(MoveRefused, "Nothing was changed since the last round", submit, version, by=writer)
    version.answer = "Soms, bij jonge lezers."
    version.save()
    assert submit(version, by=writer).number == 2


@pytest.mark.usefixtures("_chairs")
def test_changing_and_changing_back_around_a_recall_is_no_change(writer):
    version = make_summary(state=State.CHANGES_REQUESTED, by=writer)
    before = version.answer
    version.answer = "Anders."
    version.save()
    submit(version, by=writer)
    version = recall(version, by=writer)
    version.answer = before
    version.save()
    refused(MoveRefused, "Nothing was changed", submit, version, by=writer)


# -- recall


@pytest.mark.usefixtures("_chairs")
def test_a_recalled_text_is_a_draft_again_and_may_go_back_unchanged(writer):
    version = make_summary(state=State.DRAFT, by=writer)
    round = submit(version, by=writer)
    draft = recall(version, by=writer)
    round.refresh_from_db()
    assert (draft.state, round.outcome, round.is_open) == (State.DRAFT, "recalled", False)
    assert told("recalled") == ["chair-scientific", "chair-user"]
    assert deeds(version.item)[-1] == ("recall", "schrijver", "redacteur", "in_review", "draft")
    refused(AlreadyDone, "already", recall, version, by=writer)
    assert submit(draft, by=writer).number == 2


@pytest.mark.usefixtures("_chairs")
def test_who_recalls_and_until_when(writer, publisher):
    version = make_summary(state=State.DRAFT, by=writer)
    round = submit(version, by=writer)
    refused(NotAllowed, "Only who submitted", recall, version, by=publisher)
    decision(round, "user")
    refused(MoveRefused, "A commission has decided", recall, version, by=writer)


# -- plan


def test_a_moment_is_planned_moved_and_forgotten(publisher):
    version = make_summary(state=State.APPROVED)
    first, second = (timezone.now() + timedelta(days=days) for days in (1, 2))
    assert schedule(version, by=publisher, at=first).publish_at == first
    planned = schedule(version, by=publisher, at=second)
    assert (planned.publish_at, planned.scheduled_by, planned.state) == (second, publisher, State.APPROVED)
    assert planned.lock_version == version.lock_version + 2
    gone = unschedule(version, by=publisher)
    assert (gone.publish_at, gone.scheduled_by) == (None, None)
    refused(AlreadyDone, "No publication is planned", unschedule, version, by=publisher)
    assert [deed[:3] for deed in deeds(version.item)] == [
        ("schedule", "chef", "eindredacteur"), ("schedule", "chef", "eindredacteur"), ("unschedule", "chef", "eindredacteur"),
    ]  # fmt: skip


def test_what_is_planned_lies_ahead_and_is_approved(publisher):
    approved = make_summary(state=State.APPROVED)
    now = timezone.now()
    refused(MoveRefused, "a moment in the future", schedule, approved, by=publisher, at=now)
    for state in (State.DRAFT, State.IN_REVIEW, State.CHANGES_REQUESTED, State.WITHDRAWN):
        later = {"by": publisher, "at": now + timedelta(days=1)}
        refused(MoveRefused, "cannot become “published”", schedule, make_summary(state=state), **later)


def test_the_scheduler_publishes_what_is_due_for_who_planned_it(publisher):
    version = make_summary(state=State.APPROVED)
    refused(MoveRefused, "No publication is planned for now", publish, version)
    at = timezone.now() + timedelta(hours=1)
    schedule(version, by=publisher, at=at)
    refused(MoveRefused, "No publication is planned for now", publish, version)
    with time_machine.travel(at + timedelta(seconds=1)):
        done = publish(version)
    assert (done.state, done.published_by, done.publish_at, done.scheduled_by) == (
        State.PUBLISHED,
        publisher,
        None,
        None,
    )
    event = AuditEvent.objects.get(action="publish")
    assert (event.actor_id, event.actor_role, event.on_behalf_of) == (None, "system", publisher.pk)


def test_who_wrote_and_who_decided_hear_that_it_is_public(writer, publisher):
    version = make_summary(state=State.APPROVED, by=writer)
    publish(version, by=publisher)
    assert told("published") == ["chair-scientific", "chair-user", "schrijver"]
    assert deeds(version.item)[-1] == ("publish", "chef", "eindredacteur", "approved", "published")
    version.item.refresh_from_db()
    assert version.item.review_due_on == next_review()
    second = publish(approve(make_version(version.item, by=writer)), by=publisher)
    assert [deed[0] for deed in deeds(second.item)[-2:]] == ["supersede", "publish"]


@pytest.mark.parametrize("role", ["redacteur", "beheerder", "voorzitter", "lid", ""])
def test_only_the_editor_in_chief_publishes(role):
    version, somebody = make_summary(state=State.APPROVED), make_user(role=role)
    at = timezone.now() + timedelta(days=1)
    refused(NotAllowed, "Only the editor in chief", publish, version, by=somebody)
    refused(NotAllowed, "Only the editor in chief", schedule, version, by=somebody, at=at)
    refused(NotAllowed, "Only the editor in chief", unschedule, version, by=somebody)


@pytest.mark.parametrize(
    ("today", "due"),
    [
        ("2026-11-22", "2028-11-22"),
        ("2028-02-29", "2030-02-28"),
        ("2026-12-31", "2028-12-28"),
        ("2026-01-01", "2028-01-01"),
    ],
)
def test_a_text_is_looked_at_again_after_two_years(today, due):
    assert next_review(date.fromisoformat(today)).isoformat() == due


# -- who withdraws


@pytest.mark.parametrize("code", ["user", "scientific"])
def test_either_chair_withdraws_alone(code, writer):
    version = make_summary(by=writer)
    leader = chair(code)
    gone = withdraw(version, by=leader.user, reason=" Fout. ", note=" Intern. ")
    assert (gone.withdrawn_by, gone.withdrawal_reason) == (leader.user, "Fout.")
    event = AuditEvent.objects.get(action="withdraw")
    assert (event.actor_role, event.data) == (f"chair {code}", {"reason": "Fout.", "note": "Intern."})
    assert set(told("withdrawn")) == {"schrijver", "chair-user", "chair-scientific"} - {leader.user.username}
    refused(AlreadyDone, "already", withdraw, version, by=leader.user, reason="Nog eens.")


def test_nobody_else_withdraws(writer):
    version = make_summary()
    for somebody in (writer, make_member("user").user, make_user(role="voorzitter"), make_user()):
        refused(NotAllowed, "Only the editor in chief and the chairs", withdraw, version, by=somebody, reason="Fout.")


# -- throw away


def test_a_draft_that_was_never_submitted_leaves_the_database(writer):
    draft = make_summary(state=State.DRAFT, by=writer)
    discard(draft, by=writer)
    assert not Version.objects.filter(pk=draft.pk).exists()
    assert deeds(draft.item) == [("delete", "schrijver", "redacteur", "draft", "")]
    refused(AlreadyDone, "thrown away", discard, draft, by=writer)


@pytest.mark.usefixtures("_chairs")
def test_what_was_submitted_once_is_kept_as_thrown_away(writer):
    draft = make_summary(state=State.DRAFT, by=writer)
    submit(draft, by=writer)
    discard(recall(draft, by=writer), by=writer)
    assert Version.objects.get(pk=draft.pk).state == State.DISCARDED
    assert deeds(draft.item)[-1] == ("discard", "schrijver", "redacteur", "draft", "discarded")
    refused(AlreadyDone, "already", discard, draft, by=writer)


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.APPROVED, State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN])
def test_only_what_editors_hold_is_thrown_away(state, writer):
    refused(MoveRefused, "cannot become “discarded”", discard, make_summary(state=state), by=writer)
