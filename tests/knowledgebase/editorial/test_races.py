"""Two people at the same moment: real threads with connections of their own, released by one barrier.

On PostgreSQL they work side by side. SQLite lets one transaction write at a time, here too: these tests then have a
database in a file, as the connections of one in memory do not wait for each other.
"""

# ruff: noqa: B023  # the threads of a turn have ended before the next one begins

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from knowledgebase.editorial import audit, reviews, transitions
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused
from knowledgebase.editorial.versions import OpenVersionNotEditable, content_hash
from knowledgebase.models import (
    AuditEvent,
    ConceptLink,
    Decision,
    EffectSize,
    Item,
    ItemLink,
    Membership,
    OutboxMessage,
    Review,
    ReviewRound,
    SearchEntry,
    Version,
    VersionContributor,
)
from practices.models import EvidenceRating, PracticeVersion
from tests import invariants
from tests.admin import change_url, form_data, logged_in
from tests.factories import (
    CHANGE,
    chair,
    commission,
    make_concept,
    make_effect,
    make_member,
    make_practice,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db(transaction=True)
State = Version.State
RUNS = 3  # a race is not lost every time
LONGEST = 30  # seconds: whoever waits longer waits for ever


@pytest.fixture(autouse=True)
def _connections_that_wait(transactional_db, tmp_path) -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return
    memory = connections["default"]
    memory.ensure_connection()
    name, path = memory.settings_dict["NAME"], tmp_path / "races.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        memory.connection.backup(file)
    memory.settings_dict["NAME"] = str(path)
    del connections["default"]  # of this thread; the next question opens the file
    yield
    connections["default"].close()
    memory.settings_dict["NAME"] = name
    connections["default"] = memory


def together(*deeds: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, and look whether all is still sound."""
    outcomes = at_once(*deeds)
    assert invariants.faults() == []
    return outcomes


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, each on a connection of its own. Gives what each returned, or why it was refused."""
    barrier, outcomes = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number: int, deed: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(LONGEST)
            outcomes[number] = deed()
        except BaseException as error:  # noqa: BLE001  # looked at below, in the thread of the test
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number, deed)) for number, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST)
        assert not thread.is_alive(), "stuck"
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, MoveRefused | IntegrityError):
            raise outcome
    return outcomes


def refusals(outcomes: list[Any]) -> list[MoveRefused]:
    return [outcome for outcome in outcomes if isinstance(outcome, MoveRefused)]


def submitted() -> ReviewRound:
    """A new practice before the commissions, written and submitted through the verbs."""
    editor = make_user(role="redacteur")
    return transitions.submit(make_practice(state=State.DRAFT, by=editor), by=editor)


def review(round: ReviewRound, seat: Any) -> Review:
    answers = [reviews.Answer(criterion, "yes") for criterion in seat.commission.criteria.all()]
    return reviews.submit_review(
        round, commission=seat.commission, by=seat.user, seen=round.content_hash, recommendation="approve",
        interest="none", answers=answers,
    )  # fmt: skip


def ready() -> ReviewRound:
    """A round in which both commissions have their recommendations."""
    seats = [*seats_of("user"), *seats_of("scientific")]
    round = submitted()
    for seat in seats:
        review(round, seat)
    return round


def seats_of(code: str) -> list[Membership]:
    """The chair and one member of a commission, the same every time."""
    member = commission(code).memberships.filter(role="member").first()
    return [chair(code), member or make_member(code)]


def decide(round: ReviewRound, code: str, outcome: str = "approve", by: Any = None) -> Decision:
    return reviews.decide(
        round, commission=commission(code), by=by or chair(code).user, seen=round.content_hash, outcome=outcome,
        rationale="De commissie vindt het zo.",
    )  # fmt: skip


def approved() -> Version:
    round = ready()
    decide(round, "user")
    decide(round, "scientific")
    return Version.objects.get(pk=round.version_id)


def events(version: Version, action: str) -> int:
    return AuditEvent.objects.filter(item=version.item_id, version_number=version.number, action=action).count()


def state_of(version: Any) -> str:
    return Version.objects.get(pk=getattr(version, "version_id", version.pk)).state


# -- decisions


def test_both_chairs_approve_at_once():
    for _ in range(RUNS):
        round = ready()
        outcomes = together(lambda: decide(round, "user"), lambda: decide(round, "scientific"))
        assert refusals(outcomes) == []
        assert state_of(round) == State.APPROVED
        assert round.decisions.standing().count() == 2
        assert events(round.version, "settle") == 1
        assert OutboxMessage.objects.filter(item=round.version.item_id, kind="publish").count() <= 1


def test_one_approves_and_one_asks_for_changes_at_once():
    for _ in range(RUNS):
        round = ready()
        outcomes = together(lambda: decide(round, "user"), lambda: decide(round, "scientific", "changes"))
        assert refusals(outcomes) == []
        assert state_of(round) == State.CHANGES_REQUESTED
        assert events(round.version, "settle") == 1


def test_one_chair_decides_twice():
    for _ in range(RUNS):
        round = ready()
        outcomes = together(*[lambda: decide(round, "user")] * 3)
        assert [type(refusal) for refusal in refusals(outcomes)] == [AlreadyDone] * 2
        assert round.decisions.count() == 1
        assert state_of(round) == State.IN_REVIEW


def test_the_chair_approves_while_the_deputy_asks_for_changes():
    deputy = make_member("user", role="deputy")
    for _ in range(RUNS):
        round = ready()
        outcomes = together(lambda: decide(round, "user"), lambda: decide(round, "user", "changes", deputy.user))
        assert [type(refusal) for refusal in refusals(outcomes)] == [AlreadyDone]
        assert round.decisions.count() == 1


def test_who_leads_both_commissions_decides_for_one():
    both = chair("user").user
    chair("scientific").commission.memberships.create(user=both, role="deputy")
    for _ in range(RUNS):
        round = ready()
        outcomes = together(lambda: decide(round, "user", by=both), lambda: decide(round, "scientific", by=both))
        assert len(refusals(outcomes)) == 1
        assert round.decisions.count() == 1
        assert state_of(round) == State.IN_REVIEW


def test_a_decision_against_a_recall():
    for _ in range(RUNS):
        round = ready()
        outcomes = together(
            lambda: decide(round, "user"), lambda: transitions.recall(round.version, by=round.opened_by)
        )
        assert len(refusals(outcomes)) == 1
        assert (state_of(round), round.decisions.count()) in {(State.DRAFT, 0), (State.IN_REVIEW, 1)}


def test_a_member_submits_a_review_twice():
    for _ in range(RUNS):
        seat, _other = chair("user"), chair("scientific")
        round = submitted()
        outcomes = together(*[lambda: review(round, seat)] * 3)
        assert [type(refusal) for refusal in refusals(outcomes)] == [AlreadyDone] * 2
        assert Review.objects.filter(round=round).count() == 1
        assert events(round.version, "review") == 1


def test_the_last_review_against_the_decision():
    """The chair decides with the quorum or is told to wait, and never without."""
    for _ in range(RUNS):
        seats, _other = seats_of("user"), chair("scientific")
        round = submitted()
        review(round, seats[0])
        outcomes = together(lambda: review(round, seats[1]), lambda: decide(round, "user"))
        assert isinstance(outcomes[0], Review)
        assert isinstance(outcomes[1], Decision | MoveRefused)


# -- publication


def test_publishing_twice():
    chief = make_user(role="eindredacteur")
    for _ in range(RUNS):
        version = approved()
        outcomes = together(*[lambda: transitions.publish(version, by=chief)] * 3)
        assert [type(refusal) for refusal in refusals(outcomes)] == [AlreadyDone] * 2
        assert state_of(version) == State.PUBLISHED
        assert events(version, "publish") == 1


def second_version_approved() -> tuple[Version, Version]:
    """A published version, and the next one of the same text, approved."""
    first, editor = approved(), make_user(role="redacteur")
    transitions.publish(first, by=make_user(role="eindredacteur"))
    draft = transitions.begin(first.item, by=editor)
    for name, value in CHANGE.items():
        setattr(draft, name, value)
    draft.save()
    round = transitions.submit(draft, by=editor)
    for code in ("user", "scientific"):
        for seat in seats_of(code):
            review(round, seat)
        decide(round, code)
    return Version.objects.get(pk=first.pk), Version.objects.get(pk=draft.pk)


def test_publishing_the_next_version_while_the_old_one_is_withdrawn():
    chief = make_user(role="eindredacteur")
    for _ in range(RUNS):
        first, second = second_version_approved()
        outcomes = together(
            lambda: transitions.publish(second, by=chief),
            lambda: transitions.withdraw(first, by=chair("user").user, reason="Er staat een fout in."),
        )
        assert isinstance(outcomes[0], Version)
        assert state_of(second) == State.PUBLISHED
        assert state_of(first) == (State.SUPERSEDED if refusals(outcomes) else State.WITHDRAWN)
        assert SearchEntry.objects.filter(kind="practice", object_id=first.item_id).count() == 1


def test_revoking_against_publishing():
    chief = make_user(role="eindredacteur")
    for _ in range(RUNS):
        version = approved()
        given = Decision.objects.get(round__version=version, commission__code="user")
        outcomes = together(
            lambda: reviews.revoke(given, by=chair("user").user, reason="Er staat een fout in."),
            lambda: transitions.publish(version, by=chief),
        )
        assert len(refusals(outcomes)) == 1
        given.refresh_from_db()
        assert (state_of(version), given.revoked_at is None) in {
            (State.PUBLISHED, True), (State.CHANGES_REQUESTED, False),
        }  # fmt: skip


def test_texts_published_side_by_side_are_all_found():
    chief = make_user(role="eindredacteur")
    versions = [approved() for _ in range(4)]
    together(*[lambda version=version: transitions.publish(version, by=chief) for version in versions])
    found = SearchEntry.objects.filter(kind="practice").values_list("object_id", flat=True)
    assert set(found) == {version.item_id for version in versions}


# -- drafts


def test_three_editors_begin_at_once_and_get_one_draft():
    editors, chief = [make_user(role="redacteur") for _ in range(3)], make_user(role="eindredacteur")
    for _ in range(RUNS):
        item = transitions.publish(approved(), by=chief).item
        drafts = together(*[lambda by=editor: transitions.begin(item, by=by) for editor in editors])
        assert len({draft.pk for draft in drafts}) == 1
        assert item.versions.open().count() == 1


def test_of_two_saves_of_one_form_one_wins():
    for _ in range(RUNS):
        version = make_practice(state=State.DRAFT)
        clients = [logged_in("redacteur"), logged_in("eindredacteur")]
        url = change_url(version)
        forms = [form_data(client.get(url), title=f"Titel {n}") for n, client in enumerate(clients)]
        outcomes = together(
            lambda: clients[0].post(url, forms[0]).status_code, lambda: clients[1].post(url, forms[1]).status_code
        )
        assert max(outcomes) == 302
        assert outcomes.count(302) == 1
        assert Version.objects.get(pk=version.pk).title == f"Titel {outcomes.index(302)}"


def test_saving_against_submitting():
    """The form is saved before the text is frozen, and then its words are what is judged; or it is refused."""
    for _ in range(RUNS):
        chair("user"), chair("scientific")
        version, client = make_practice(state=State.DRAFT), logged_in("redacteur")
        editor, url = make_user(role="redacteur"), change_url(version)
        form = form_data(client.get(url), title="Een andere titel")
        status, _round = together(
            lambda: client.post(url, form).status_code, lambda: transitions.submit(version, by=editor)
        )
        round = ReviewRound.objects.get(version=version)
        assert (round.content["title"] == "Een andere titel") == (status == 302)


def test_submitting_twice_and_discarding_meanwhile():
    for _ in range(RUNS):
        chair("user"), chair("scientific")
        editor = make_user(role="redacteur")
        version = make_practice(state=State.DRAFT, by=editor)
        outcomes = together(
            lambda: transitions.submit(version, by=editor),
            lambda: transitions.submit(version, by=editor),
            lambda: transitions.discard(version, by=editor),
        )
        assert len(refusals(outcomes)) == 2
        left = Version.objects.filter(pk=version.pk).first()
        assert left is None or (left.state == State.IN_REVIEW and left.rounds.count() == 1)


# -- what is written while somebody submits (I5)


def add(version: Version) -> None:
    ConceptLink.objects.create(version=version, concept=make_concept("subject", "wiskunde"), order=9)


def change(version: Version) -> None:
    EvidenceRating.objects.filter(version=version).update(note="Anders")


def remove(version: Version) -> None:
    version.concept_links.filter(concept__slug="geschiedenis").delete()


def rewrite(version: Version) -> None:
    PracticeVersion.objects.filter(pk=version.pk).update(in_short="- Anders.")


def retitle(version: Version) -> None:
    Version.objects.filter(pk=version.pk).update(title="Een andere titel")


def flip(version: Version) -> None:
    EffectSize.objects.filter(selected__version=version).update(effect=-0.3)


WRITES = [add, change, rewrite, retitle, flip]


@pytest.mark.parametrize("write", [*WRITES, remove])
def test_what_an_open_transaction_wrote_before_the_submission_is_in_the_hash(write):
    make_concept("subject", "wiskunde")
    chair("user"), chair("scientific")
    editor = make_user(role="redacteur")
    version = make_practice(state=State.DRAFT, by=editor, effects=[make_effect(0.3)])
    ConceptLink.objects.create(version=version, concept=make_concept("subject", "geschiedenis"), order=8)
    before = content_hash(version)
    written = threading.Event()

    def writer() -> None:
        with transaction.atomic():
            write(version)
            written.set()
            time.sleep(0.3)  # the other one is waiting by now

    def submitter() -> ReviewRound:
        written.wait(LONGEST)
        return transitions.submit(version, by=editor)

    _nothing, outcome = together(writer, submitter)  # and the invariants hold: the hash is of what is there
    assert isinstance(outcome, ReviewRound)
    assert outcome.content_hash != before


@pytest.mark.parametrize("write", WRITES)
def test_what_is_written_during_the_submission_is_refused(write):
    make_concept("subject", "wiskunde")
    chair("user"), chair("scientific")
    editor = make_user(role="redacteur")
    version = make_practice(state=State.DRAFT, by=editor, effects=[make_effect(0.3)])
    begun = threading.Event()

    def submitter() -> ReviewRound:
        with transaction.atomic():
            round = transitions.submit(version, by=editor)
            begun.set()
            time.sleep(0.3)
        return round

    def writer() -> None:
        begun.wait(LONGEST)
        with transaction.atomic():
            write(version)

    round, outcome = together(submitter, writer)
    assert isinstance(round, ReviewRound)
    assert isinstance(outcome, IntegrityError)
    assert "frozen" in str(outcome) or "used_update_effectsize" in str(outcome)


# -- in one order


def test_whoever_takes_the_item_first_never_waits_in_a_ring():
    """Item, then version, then children: five people on one text, many times."""
    chair("user"), chair("scientific")
    editor = make_user(role="redacteur")
    version = make_practice(state=State.DRAFT, by=editor, effects=[make_effect(0.3)])

    def save(number: int) -> None:
        for turn in range(4):
            try:
                with transaction.atomic():
                    draft = transitions.begin(version.item, by=editor)
                    draft.concept_links.update(order=number)
                    EvidenceRating.objects.filter(version=draft).update(note=f"{number}, {turn}")
                    draft.title = f"Titel {number}, {turn}"
                    draft.save(update_fields=["title"])
                    transitions.saved(draft, by=editor)
            except OpenVersionNotEditable:
                continue

    def there_and_back() -> None:
        for _ in range(4):
            try:
                transitions.submit(version, by=editor)
                transitions.recall(version, by=editor)
            except MoveRefused:
                continue

    outcomes = together(lambda: save(1), lambda: save(2), lambda: save(3), there_and_back, there_and_back)
    assert outcomes == [None] * 5
    assert list(audit.broken_links()) == []


def test_texts_that_name_each_other_are_copied_at_once():
    """A copy refers to the other text while that one is locked by its own copy."""
    editor = make_user(role="redacteur")
    for _ in range(RUNS):
        one, other = make_practice(state=State.DRAFT), make_practice(state=State.DRAFT)
        ItemLink.objects.create(version=one, item=other.item)
        ItemLink.objects.create(version=other, item=one.item)

        def save(version: Any, named: Item) -> None:
            with transaction.atomic():
                Item.objects.locked().get(pk=version.item_id)
                version.item_links.all().delete()
                time.sleep(0.1)
                ItemLink.objects.create(version=version, item=named)
                transitions.saved(version, by=editor)

        outcomes = together(lambda: save(one, other.item), lambda: save(other, one.item))
        assert outcomes == [None, None]
        assert VersionContributor.objects.filter(user=editor, version__in=[one.pk, other.pk]).count() == 2


def test_a_hundred_events_side_by_side_make_one_chain():
    item, person = make_practice(state=State.DRAFT).item, make_user()

    def write() -> None:
        for _ in range(25):
            audit.record("test", by=person, role="", item=item)

    together(*[write] * 4)
    numbers = AuditEvent.objects.filter(item=item, action="test").order_by("seq").values_list("seq", flat=True)
    first = numbers[0]
    assert list(numbers) == list(range(first, first + 100))
    assert list(audit.broken_links()) == []


def test_a_first_draft_is_made_once():
    """Nobody locks a version that is not there yet: the number is unique."""
    editor = make_user(role="redacteur")
    item = make_version(Item.objects.create(kind="practice", slug="eerst", key="eerst"), state=State.DRAFT).item
    Version.objects.filter(item=item).get().delete()

    def begin() -> Any:
        draft = transitions.begin(item, by=editor)
        draft.title = "Eerst"
        draft.save()
        return draft

    outcomes = together(begin, begin)
    assert Version.objects.filter(item=item).count() == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, IntegrityError)]) in {0, 1}
