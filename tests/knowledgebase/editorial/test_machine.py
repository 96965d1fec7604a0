"""Random people make random moves, and write where they may not; after every step all invariants hold.

What readers get, every public page and the search index, changes when a text is published or withdrawn, when both
commissions confirm that it still holds, and never else. A move that is refused leaves no trace.
"""

import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from knowledgebase.editorial import audit, reviews, transitions
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.editorial.transitions import EDGES
from knowledgebase.editorial.versions import OpenVersionNotEditable
from knowledgebase.models import (
    EDITABLE,
    AuditEvent,
    Comment,
    Commission,
    ConceptLink,
    Criterion,
    Decision,
    Item,
    Membership,
    Review,
    ReviewRound,
    SiteState,
    SourceLink,
    User,
    Version,
)
from tests import invariants
from tests.factories import make_concept, make_practice, make_source, make_summary, make_user

State = Version.State
FROZEN = [state for state in State.values if state not in EDITABLE]
REFUSED = (MoveRefused, OpenVersionNotEditable)
# Edges that one row shows to be legal, made without a verb: they publish nothing, and the trail lacks the event.
UNSEEN = {
    (State.APPROVED, State.CHANGES_REQUESTED), (State.PUBLISHED, State.SUPERSEDED), (State.DRAFT, State.DISCARDED),
    (State.CHANGES_REQUESTED, State.DISCARDED),
}  # fmt: skip
RIGHT = "who may"
CODES = tuple(Commission.Code.values)
SEATS = {  # name -> (role among the editors, seats)
    "redacteur": ("redacteur", {}),
    "eindredacteur": ("eindredacteur", {}),
    "beheerder": ("beheerder", {}),
    "oppergebruiker": ("", {}),
    "niemand": ("", {}),
    "voorzitter-user": ("", {"user": "chair"}),
    "voorzitter-scientific": ("", {"scientific": "chair"}),
    "lid-user": ("", {"user": "member"}),
    "lid-scientific": ("", {"scientific": "member"}),
    "in-beide": ("", {"user": "deputy", "scientific": "deputy"}),
    "schrijvend-lid": ("redacteur", {"user": "member"}),
}
anyone = st.one_of(st.just(RIGHT), st.just(RIGHT), st.sampled_from(sorted(SEATS)))
texts = st.sampled_from([0, 0, 1])
codes = st.sampled_from(CODES)
rarely = st.integers(0, 7).map(lambda number: number == 0)


def people_and_texts() -> list[Item]:
    """Everybody who acts, both commissions with a small quorum and one criterion, and two drafts."""
    for name, (role, seats) in SEATS.items():
        user = make_user(name, role=role, is_superuser=name == "oppergebruiker")
        for code, seat in seats.items():
            commission = Commission.objects.get(code=code)
            Membership.objects.create(commission=commission, user=user, role=seat, valid_from=date(2020, 1, 1))
    Commission.objects.filter(code="user").update(quorum=1)
    kept = [Criterion.objects.filter(commission__code=code).first().pk for code in CODES]
    Criterion.objects.exclude(pk__in=kept).update(is_active=False)
    editor = User.objects.get(username="redacteur")
    drafts = [make_practice("feedback", state="draft", by=editor), make_summary("toetsen", state="draft", by=editor)]
    return [draft.item for draft in drafts]


@dataclass
class Public:
    """What readers get."""

    pages: dict[str, tuple[int, bytes]]
    index: list[tuple]
    content_version: int

    @classmethod
    def now(cls, items: list[Item]) -> "Public":
        reader = Client()
        addresses = ["/praktijken/", "/samenvattingen/", "/feed/", "/sitemap.xml"]
        addresses += [item.get_absolute_url() for item in items]
        answers = {address: reader.get(address) for address in addresses}
        assert all(answer.status_code < 500 for answer in answers.values())
        pages = {address: (answer.status_code, answer.content) for address, answer in answers.items()}
        # A feed without entries says that it is of now; those of the entries are compared.
        pages["/feed/"] = (200, re.sub(rb"<updated>.*?</updated>", b"", pages["/feed/"][1], count=1))
        return cls(pages, invariants.index(), SiteState.current().content_version)

    def differing(self, other: "Public") -> list[str]:
        """What a reader finds changed: addresses, and the index behind the search."""
        pages = [address for address, page in self.pages.items() if page != other.pages[address]]
        return pages + (["index"] if self.index != other.index else [])


def rows() -> dict[str, list]:
    """Every row of the workflow and of the texts."""
    models = {*invariants.WRITTEN_ONCE, Version, *Version.__subclasses__(), Item, SiteState, Membership}
    models |= {relation.related_model for model in models for relation in model._meta.related_objects}
    ours = [model for model in models if model._meta.app_label in {"knowledgebase", "practices"}]
    with connection.cursor() as cursor:
        found = {}
        for table in sorted({model._meta.db_table for model in ours}):
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608  # a name of our own
            found[table] = cursor.fetchall()
    return found


class Workflow(RuleBasedStateMachine):
    items: list[Item]

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()  # of its own: PostgreSQL slows down on thousands of savepoints in one
        self.example.__enter__()
        self.users = {user.username: user for user in User.objects.filter(username__in=SEATS)}
        self.count, self.is_checking = 0, True
        self.written, self.public = invariants.Written.now(), Public.now(self.items)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    # -- a step and what must hold after it

    def move(self, verb: Callable[[], Any], *, shows: bool | None = False) -> None:
        """Make a move; `shows` says whether readers see it (None: they may)."""
        if not self.is_checking:
            verb()
            return
        before = rows()
        try:
            with transaction.atomic():
                verb()
        except REFUSED:
            assert rows() == before
            return
        assert invariants.faults() == []
        assert invariants.half_done() == []
        written, public = invariants.Written.now(), Public.now(self.items)
        assert written.faults_since(self.written) == []
        changed = public.differing(self.public)
        assert shows is None or bool(changed) == shows, changed
        assert not changed or public.content_version > self.public.content_version, (
            "a reader's copy would be taken for new"
        )
        self.written, self.public = written, public

    def who(self, name: str, right: str) -> User:
        return self.users[right if name == RIGHT else name]

    def open(self, text: int) -> Any:
        return self.items[text].versions.open().first()

    def published(self, text: int) -> Any:
        return self.items[text].versions.published().first()

    def some(self, text: int) -> Any:
        """The open version, else the public one, else the newest."""
        return self.open(text) or self.published(text) or self.items[text].versions.order_by("-number").first()

    def round(self, text: int) -> ReviewRound | None:
        """The open round; else the last one."""
        rounds = ReviewRound.objects.filter(version__item=self.items[text])
        return rounds.open().first() or rounds.order_by("pk").last()

    def new_word(self) -> str:
        self.count += 1
        return f"woord{self.count}"

    # -- editors

    @rule(text=texts, who=anyone, older=rarely)
    def begin(self, text: int, who: str, older: bool) -> None:
        item = self.items[text]
        based_on = item.versions.order_by("number").first() if older else None
        if item.versions.exists():
            self.move(lambda: transitions.begin(item, by=self.who(who, "redacteur"), based_on=based_on))

    @rule(text=texts, who=anyone, field=st.sampled_from(["title", "lead", "checked_on", "licence", "sources"]))
    def save(self, text: int, who: str, field: str) -> None:
        version, by = self.open(text), self.who(who, "redacteur")
        if version is None or version.state not in EDITABLE:
            return

        def write() -> None:
            Item.objects.locked().get(pk=version.item_id)
            draft = version.specific()
            if draft.number > 1:
                draft.change_type, draft.conclusion_changed, draft.change_note = "taal", "nee", self.new_word()
            if field == "sources":
                SourceLink.objects.create(version=draft, source=make_source(self.new_word()), order=5)
            elif field == "checked_on":
                draft.checked_on = date(2026, 1, 1) + timedelta(days=self.count + 1)
                self.count += 1
            else:
                setattr(draft, field, f"{draft.title} {self.new_word()}"[-60:])
            draft.save()
            transitions.saved(draft, by=by)

        with patch.object(SiteState, "touch"):  # a new source is reference data, which this is not about
            self.move(write)

    @rule(text=texts, who=anyone)
    def submit(self, text: int, who: str) -> None:
        self.move(partial(transitions.submit, self.some(text), by=self.who(who, "redacteur")))

    @rule(text=texts, who=anyone)
    def recall(self, text: int, who: str) -> None:
        version = self.some(text)
        name = version.submitted_by.username if version.submitted_by else "redacteur"
        if version.state != State.PUBLISHED:
            self.move(partial(transitions.recall, version, by=self.who(who, name)))

    @rule(text=texts, who=anyone, sure=rarely)
    def discard(self, text: int, who: str, sure: bool) -> None:
        version = self.some(text)
        if sure and (version.round_no > 0 or version.number > 1):
            self.move(partial(transitions.discard, version, by=self.who(who, "redacteur")))

    # -- commissions

    @rule(
        text=texts, code=codes, who=anyone, recommendation=st.sampled_from(Review.Recommendation.values), stale=rarely
    )
    def review(self, text: int, code: str, who: str, recommendation: str, stale: bool) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is None:
            return
        done = round.reviews.filter(commission=commission).values_list("membership__user__username", flat=True)
        free = [name for name, (role, seats) in SEATS.items() if code in seats and not role and name not in done]
        answers = [reviews.Answer(criterion, "yes") for criterion in commission.criteria.filter(is_active=True)]
        self.move(
            lambda: reviews.submit_review(
                round, commission=commission, by=self.who(who, free[0] if free else f"lid-{code}"),
                seen="0" * 64 if stale else round.content_hash, recommendation=recommendation, interest="declared",
                interest_text="Een nicht werkt er.", body="Goed zo.", answers=answers,
            )
        )  # fmt: skip

    @rule(text=texts, code=codes, who=anyone, sure=rarely)
    def recuse(self, text: int, code: str, who: str, sure: bool) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is not None and sure:
            by = self.who(who, f"lid-{code}")
            self.move(lambda: reviews.recuse(round, commission=commission, by=by, reason="Mijn school doet mee."))

    @rule(text=texts, code=codes, who=anyone, changes=rarely, stale=rarely)
    def decide(self, text: int, code: str, who: str, changes: bool, stale: bool) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is None:
            return
        revalidates = round.is_open and round.kind == ReviewRound.Kind.REVALIDATION
        self.move(
            lambda: reviews.decide(
                round, commission=commission, by=self.who(who, f"voorzitter-{code}"),
                seen="0" * 64 if stale else round.content_hash, outcome="changes" if changes else "approve",
                rationale="De commissie vindt het zo.", minority_note="Eén lid twijfelt.",
            ),
            shows=None if revalidates else False,
        )  # fmt: skip

    @rule(text=texts, code=codes, who=anyone)
    def confirm_earlier(self, text: int, code: str, who: str) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is not None and round.number > 1:
            by = self.who(who, f"voorzitter-{code}")
            self.move(lambda: reviews.confirm_earlier(round, commission=commission, by=by, seen=round.content_hash))

    @rule(text=texts, code=codes, who=anyone, sure=rarely)
    def revoke(self, text: int, code: str, who: str, sure: bool) -> None:
        given = Decision.objects.filter(round__version__item=self.items[text], commission__code=code).last()
        if given is not None and sure:
            by = self.who(who, f"voorzitter-{code}")
            self.move(lambda: reviews.revoke(given, by=by, reason="Er staat een fout in."))

    @rule(text=texts, code=codes, who=anyone)
    def close_early(self, text: int, code: str, who: str) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is not None and round.decisions.filter(outcome="changes").exists():
            by = self.who(who, f"voorzitter-{code}")
            self.move(lambda: reviews.close_early(round, commission=commission, by=by))

    @rule(text=texts)
    def term_passes(self, text: int) -> None:
        round = self.round(text)
        if round is not None and round.kind == ReviewRound.Kind.REVIEW:
            with patch.object(timezone, "localdate", return_value=date(2090, 1, 1)):
                settled = partial(transitions.settle, round, by=None, role=audit.SYSTEM)
                with transaction.atomic():
                    settled()
            self.move(lambda: None)

    @rule(text=texts, code=codes, who=anyone, blocking=st.booleans())
    def comment(self, text: int, code: str, who: str, blocking: bool) -> None:
        round, commission = self.round(text), Commission.objects.get(code=code)
        if round is not None:
            by = self.who(who, f"lid-{code}")
            self.move(
                lambda: reviews.comment(
                    round, commission=commission, by=by, field="title", body="Kan dit korter?", is_blocking=blocking
                )
            )

    @rule(text=texts, who=anyone)
    def resolve(self, text: int, who: str) -> None:
        comment = Comment.objects.unresolved().filter(version__item=self.items[text]).first()
        if comment is not None:
            by = self.who(who, comment.author.username)
            self.move(partial(reviews.resolve, comment, by=by))

    @rule(who=st.sampled_from(["voorzitter-user", "lid-scientific", "in-beide"]), sure=rarely)
    def new_seat(self, who: str, sure: bool) -> None:
        """The administrator closes a seat and gives the same person another one: they stay one person."""

        def reseat() -> None:
            for seat in Membership.objects.active().filter(user=self.users[who]):
                seat.valid_to = timezone.localdate() - timedelta(days=1)
                seat.save()
                Membership.objects.create(
                    commission=seat.commission, user=seat.user, role=seat.role, valid_from=date(2020, 1, 1)
                )

        if sure:
            self.move(reseat)

    # -- publication

    @rule(text=texts, who=anyone)
    def publish(self, text: int, who: str) -> None:
        version = self.some(text)
        self.move(partial(transitions.publish, version, by=self.who(who, "eindredacteur")), shows=True)

    @rule(text=texts, who=anyone)
    def schedule(self, text: int, who: str) -> None:
        at = timezone.now() + timedelta(hours=1)
        self.move(partial(transitions.schedule, self.some(text), by=self.who(who, "eindredacteur"), at=at))

    @rule(text=texts, who=anyone, sure=rarely)
    def unschedule(self, text: int, who: str, sure: bool) -> None:
        if sure:
            self.move(partial(transitions.unschedule, self.some(text), by=self.who(who, "eindredacteur")))

    @rule(text=texts, later=st.booleans())
    def publish_as_planned(self, text: int, later: bool) -> None:
        moment = timezone.now() + timedelta(hours=2 if later else 0)
        version = self.some(text)

        def verb() -> None:
            with patch.object(timezone, "now", return_value=moment):
                transitions.publish(version)

        self.move(verb, shows=True)

    @rule(text=texts, who=anyone, sure=rarely)
    def withdraw(self, text: int, who: str, sure: bool) -> None:
        version = self.published(text) or self.some(text)
        if sure:
            by = self.who(who, "voorzitter-user")
            self.move(partial(transitions.withdraw, version, by=by, reason="Er staat een fout in."), shows=True)

    @rule(text=texts, who=anyone)
    def start_revalidation(self, text: int, who: str) -> None:
        version = self.published(text)
        if version is not None:
            self.move(partial(reviews.start_revalidation, version, by=self.who(who, "eindredacteur")))

    # -- straight to the end

    @initialize(first=st.integers(0, 17), second=st.integers(0, 8))
    def somewhere_on_the_way(self, first: int, second: int) -> None:
        """The first text may be in its second version by then, the second one published."""
        self.is_checking = False
        for text, moves in ((0, first), (1, second)):
            for _ in range(moves):
                self.next_right_move(text)
        self.is_checking = True
        self.written, self.public = invariants.Written.now(), Public.now(self.items)
        assert [*invariants.faults(), *invariants.half_done()] == []

    @rule(text=texts)
    def next_right_move(self, text: int) -> None:
        """What has to happen next on the way to publication, by somebody who may."""
        version = self.open(text)
        if version is None:
            self.begin(text, RIGHT, False)
        elif version.state == State.DRAFT and version.number > 1 and not version.change_note:
            self.save(text, RIGHT, "title")
        elif version.state == State.CHANGES_REQUESTED:
            self.save(text, RIGHT, "title")
            self.submit(text, RIGHT)
        elif version.state == State.DRAFT:
            self.submit(text, RIGHT)
        elif version.state == State.APPROVED:
            self.publish(text, RIGHT)
        else:
            round = version.rounds.open().get()
            for code in CODES:
                stands = reviews.standing(round, Commission.objects.get(code=code))
                if stands.state in {"waiting", "reviewing"}:
                    self.review(text, code, RIGHT, "approve", False)
                    return
                if stands.state == "ready":
                    self.decide(text, code, RIGHT, False, False)
                    return

    @rule(text=texts)
    def three_right_moves(self, text: int) -> None:
        for _ in range(3):
            self.next_right_move(text)

    # -- past the verbs

    @precondition(lambda self: ReviewRound.objects.exists())
    @rule(text=texts, number=st.integers(0, 99), to=st.sampled_from(State.values))
    def write_directly(self, text: int, number: int, to: str) -> None:
        """update(), bulk_update(), delete() and SQL, each of which a guard refuses."""
        attempts = list(forbidden(self.items[text], to))
        name, attempt = attempts[number % len(attempts)]
        before = rows()
        refused = False
        try:
            with transaction.atomic():
                attempt()
        except (IntegrityError, ProtectedError):
            refused = True
        assert rows() == before, name
        assert refused or name.endswith("?"), name


def forbidden(item: Item, to: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Writes that are refused in the state that a text is in now; with a question mark: or that find nothing."""

    def sql(statement: str, *parameters: Any) -> Callable[[], Any]:
        def execute() -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)

        return execute

    for version in item.versions.order_by("-number")[:2]:
        rows = Version.objects.filter(pk=version.pk)
        text = type(version.specific()).objects.filter(pk=version.pk)
        if version.state != to and ((version.state, to) not in EDGES or (version.state, to) not in UNSEEN):
            yield f"{version.state} to {to}", partial(rows.update, state=to)
            yield (
                f"{version.state} to {to} in SQL",
                sql("UPDATE knowledgebase_version SET state = %s WHERE id = %s", to, version.pk),
            )
            moved = copy(version)
            moved.state = to
            yield f"to {to} in bulk", partial(Version.objects.bulk_update, [moved], ["state"])
        yield "publication", partial(rows.update, published_at=timezone.now())
        yield "hash", partial(rows.update, content_hash="f" * 64)
        yield "number", partial(rows.update, number=77)
        if version.state in FROZEN:
            yield "title", partial(rows.update, title="Stiekem")
            yield "title of the text", partial(text.update, title="Stiekem")
            yield (
                "text",
                sql(
                    f"DELETE FROM {text.model._meta.db_table} WHERE version_ptr_id = %s",  # noqa: S608  # our own name
                    version.pk,
                ),
            )
            yield "children changed?", partial(version.concept_links.update, order=7)
            yield "children deleted?", version.source_links.all().delete
            yield (
                "child added",
                lambda version=version: ConceptLink.objects.bulk_create(
                    [ConceptLink(version=version, concept=make_concept("subject", "stiekem"))]
                ),
            )
            yield "version deleted", rows.delete
        if version.round_no:
            yield "author forgotten?", version.contributors.all().delete
    decisions = Decision.objects.filter(round__version__item=item)
    yield "rationale?", partial(decisions.update, rationale="Anders")
    yield "approval?", partial(decisions.filter(outcome="changes").update, outcome="approve")
    yield "decisions deleted?", sql(
        "DELETE FROM knowledgebase_decision WHERE round_id IN (SELECT r.id FROM knowledgebase_reviewround r "
        "JOIN knowledgebase_version v ON v.id = r.version_id WHERE v.item_id = %s)", item.pk
    )  # fmt: skip
    over = decisions.filter(round__version__state__in=["published", "superseded", "withdrawn"], revoked_at=None)
    over = over.filter(round__closed_at__isnull=False)
    yield (
        "revoked after publication?",
        partial(
            over.update,
            revoked_at=timezone.now(),
            revoked_by=User.objects.get(username="beheerder"),
            revoked_reason="Nee.",
        ),
    )
    given = Review.objects.filter(round__version__item=item)
    yield "recommendation?", partial(given.update, recommendation="abstain", body="Anders")
    yield "reviews deleted?", given.delete
    rounds = ReviewRound.objects.filter(version__item=item)
    yield "hash of rounds?", partial(rounds.update, content_hash="f" * 64)
    yield "rounds deleted?", rounds.delete
    for round in rounds:
        for member in Membership.objects.filter(role="member"):
            yield "a member decides", partial(
                Decision.objects.create, round=round, commission=member.commission, membership=member,
                outcome="approve", content_hash=round.content_hash, decided_by=member.user, quorum_needed=0,
                quorum_reached=9, rationale="Zomaar.",
            )  # fmt: skip
    events = AuditEvent.objects.filter(item=item)
    yield "events?", partial(events.update, action="anders")
    yield "events deleted?", events.delete
    yield "seats", Membership.objects.all().delete
    yield "seats rewritten", partial(Membership.objects.filter(role="member").update, role="deputy")
    actors = events.exclude(actor_id=None).values_list("actor_id", flat=True)
    yield "people who acted?", sql("DELETE FROM knowledgebase_user WHERE id = %s", actors.first())


def run(*, examples: int, steps: int) -> None:
    class Here(Workflow):
        items = people_and_texts()

    profile = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
        print_blob=True, database=None,
    )  # fmt: skip
    with patch("django.core.handlers.base.log_response"), patch("django.core.handlers.exception.log_response"):
        run_state_machine_as_test(Here, settings=profile)


@pytest.mark.django_db(transaction=True)
def test_random_moves_keep_every_promise():
    run(examples=4, steps=15)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_random_moves_keep_every_promise():
    run(examples=10, steps=25)
