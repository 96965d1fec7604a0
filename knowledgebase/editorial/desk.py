"""What the desk at /redactie/ shows: who is looking, what waits for whom, and what somebody did. It only reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import Commission, Decision, Membership, Recusal, Review, ReviewRound, User, Version

from .permissions import may_publish, may_write, role_of
from .reviews import Standing, standings

State = Version.State


@dataclass(frozen=True)
class Viewer:
    """Somebody at the desk: their seats, and what their role lets them do."""

    user: User
    seats: tuple[Membership, ...]
    writes: bool
    publishes: bool
    role: str

    @classmethod
    def of(cls, user: User) -> Viewer:
        seats = Membership.objects.active().filter(user=user).select_related("commission", "user")
        return cls(user, tuple(seats), may_write(user), may_publish(user), role_of(user))

    @property
    def has_business(self) -> bool:
        """Whether the desk is theirs to see: a seat, or a role that reads texts before they are public."""
        return bool(self.seats) or self.user.has_perm("knowledgebase.view_item")

    @property
    def name(self) -> str:
        return name_of(self.user)

    @property
    def roles(self) -> list[str]:
        """What they are here, in words."""
        seats = [
            _("%(role)s of the %(commission)s") % {"role": seat.get_role_display(), "commission": seat.commission}
            for seat in self.seats
        ]
        return [*seats, *([self.role] if self.role else [])] or [_("reader of the desk")]

    @property
    def withdraws(self) -> bool:
        return self.publishes or any(seat.is_leading for seat in self.seats)


@dataclass(frozen=True)
class Progress:
    """Where a commission stands, as far as the viewer may know it."""

    standing: Standing
    kind: str
    is_open: bool
    shows_numbers: bool
    shows_outcome: bool

    @property
    def words(self) -> str:
        state = self.standing.state
        if state in {"approved", "changes"}:
            if not self.shows_outcome:
                return _("has decided")
            return _("approved the text") if state == "approved" else _("asks for changes")
        if not self.is_open:
            return _("did not decide")
        if not self.shows_numbers:
            return _("is working on it")
        if self.kind == ReviewRound.Kind.REVALIDATION:
            return _("has not confirmed yet")
        return _("%(reached)s of the %(needed)s recommendations are there") % {
            "reached": self.standing.reviews,
            "needed": self.standing.commission.quorum,
        }

    @property
    def sentence(self) -> str:
        """The same, with the names of those it waits for."""
        parts = [self.words]
        if self.is_open and self.shows_numbers and self.standing.decision is None:
            if self.standing.expected:
                parts.append(_("still awaited: %(names)s") % {"names": names_of(self.standing.expected)})
            if self.standing.state == "ready" and self.standing.deciding:
                parts.append(_("may decide: %(names)s") % {"names": names_of(self.standing.deciding)})
        return "; ".join(parts) + "."

    @property
    def is_stuck(self) -> bool:
        """Neither the chair nor the deputy may decide: the round waits for another one."""
        return self.is_open and self.standing.decision is None and not self.standing.deciding


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def names_of(seats: Iterable[Membership]) -> str:
    return ", ".join(name_of(seat.user) for seat in seats)


def progress(round: ReviewRound, found: Iterable[Standing], viewer: Viewer) -> list[Progress]:
    """Where both commissions stand. What another commission decided is known when the round is over."""
    own = {seat.commission_id for seat in viewer.seats}
    return [
        Progress(
            standing,
            kind=round.kind,
            is_open=round.is_open,
            shows_numbers=not own or standing.commission.pk in own,
            shows_outcome=not round.is_open or standing.commission.pk in own,
        )
        for standing in found
    ]


# -- what a seat may do


@dataclass(frozen=True)
class Part:
    """What the holder of a seat may do in a round, or why they may not."""

    seat: Membership
    standing: Standing
    refusal: str = ""
    may_review: bool = False
    may_recuse: bool = False
    may_comment: bool = False
    may_decide: bool = False
    may_revoke: bool = False
    may_close_early: bool = False
    waits_for_quorum: bool = False
    decided_for_other: bool = False

    @property
    def shows_colleagues(self) -> bool:
        """Whether there is a place for the reviews of colleagues: not before one's own, and not for an outsider."""
        return not self.may_review and not self.refusal

    @property
    def still_to_come(self) -> str:
        """The names of those who may still give a recommendation."""
        return names_of(seat for seat in self.standing.expected if seat.pk != self.seat.pk)

    @property
    def commission(self) -> Commission:
        return self.seat.commission

    @property
    def deed(self) -> str:
        """What the desk asks for: a decision goes before a review."""
        return "decide" if self.may_decide else "review" if self.may_review else ""


def part(round: ReviewRound, seat: Membership, standing: Standing) -> Part:
    """Worked out from what was read for many rounds at once; the verbs look again."""
    who = seat.user_id
    contributed, recused = who in standing.contributed, who in standing.recused
    independent = round.is_open and not contributed and not recused
    decided = standing.decision is not None
    refusal = ""
    if contributed:
        refusal = _("You wrote in this text. Who writes in a text never judges it.")
    elif recused:
        refusal = _("You stepped back from this round, so you no longer take part in it.")
    current = round.is_open or (round.number == round.version.round_no and round.version.state == State.APPROVED)
    asks = standing.state == "changes"
    leads = any(leading.pk == seat.pk for leading in standing.deciding)
    return Part(
        seat,
        standing,
        refusal=refusal,
        may_review=independent and not decided and who not in standing.reviewed,
        may_recuse=independent and not (standing.decision and standing.decision.decided_by_id == who),
        may_comment=independent,
        may_decide=independent and not decided and leads and standing.state == "ready",
        may_revoke=seat.is_leading and decided and current,
        may_close_early=seat.is_leading and asks and round.is_open and round.kind == ReviewRound.Kind.REVIEW,
        waits_for_quorum=independent and leads and standing.state in {"waiting", "reviewing"},
        decided_for_other=independent and not decided and seat.is_leading and not leads,
    )


# -- what waits


@dataclass(frozen=True)
class Line:
    """One text on the desk."""

    version: Version
    href: str
    asked: str = ""
    commission: Commission | None = None
    round: ReviewRound | None = None
    progress: list[Progress] = field(default_factory=list)
    note: str = ""
    said: str = ""  # where editors read what the commissions said

    @property
    def place(self) -> str:
        return place_of(self.version, self.round)

    @property
    def due(self) -> str:
        return due_in_words(self.round.due_on) if self.round else ""

    @property
    def is_overdue(self) -> bool:
        return self.round is not None and self.round.due_on < timezone.localdate()


@dataclass(frozen=True)
class Desk:
    """What waits for somebody, and what waits for others."""

    mine: list[Line]
    others: list[Line]


def place_of(version: Version, round: ReviewRound | None = None) -> str:
    """Which text this is: “Praktijk, versie 2, ronde 1”."""
    parts = [str(version.item.get_kind_display()).capitalize(), _("version %(number)s") % {"number": version.number}]
    if round is not None:
        parts.append(_("round %(number)s") % {"number": round.number})
        if round.kind == ReviewRound.Kind.REVALIDATION:
            parts.append(_("looked at again"))
    return ", ".join(parts)


def due_in_words(day: date, today: date | None = None) -> str:
    days = (day - (today or timezone.localdate())).days
    if days == 0:
        return _("due today")
    if days > 0:
        return ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}


def open_rounds() -> list[ReviewRound]:
    """The rounds that are open, the most urgent first; without their content, which is long."""
    rounds = ReviewRound.objects.open().select_related("version__item").defer("content")
    return list(rounds.order_by("due_on", "pk"))


def desk_of(viewer: Viewer) -> Desk:
    """Everything on the desk of somebody, in as many queries for one text as for many."""
    rounds = open_rounds()
    found = standings(rounds)
    mine: list[Line] = []
    others: list[Line] = []
    for round in rounds:
        parts = [part(round, seat, standing) for seat in viewer.seats for standing in found[round.pk]
                 if standing.commission.pk == seat.commission_id]  # fmt: skip
        known = progress(round, found[round.pk], viewer)
        href = reverse("desk-round", args=[round.pk])
        asked = [own for own in parts if own.deed]
        mine += [
            Line(round.version, f"{href}#{own.deed}-{own.commission.code}", _asked(own, round), own.commission, round,
                 known)
            for own in asked
        ]  # fmt: skip
        if not asked:
            note = next((own.refusal for own in parts if own.refusal), "")
            others.append(Line(round.version, href, round=round, progress=known, note=note))
    mine.sort(key=lambda line: line.round.due_on if line.round else date.max)
    for version in _with_editors():
        line = _editors_line(version, viewer)
        (mine if line.asked else others).append(line)
    return Desk(mine, others)


def _asked(own: Part, round: ReviewRound) -> str:
    if own.may_decide and round.kind == ReviewRound.Kind.REVALIDATION:
        return _("Say for your commission whether the text still holds")
    if own.may_decide:
        return _("Record the decision of your commission")
    if round.kind == ReviewRound.Kind.REVALIDATION:
        return _("Say whether the text still holds")
    return _("Give your review")


def _with_editors() -> list[Any]:
    """What the commissions gave back, and what they approved; each with the id of its last round."""
    last = ReviewRound.objects.filter(version=OuterRef("pk"), number=OuterRef("round_no")).values("pk")
    waiting = Version.objects.filter(state__in=[State.CHANGES_REQUESTED, State.APPROVED]).select_related("item")
    return list(waiting.annotate(last_round=Subquery(last)).order_by("-submitted_at", "pk"))


def _editors_line(version: Any, viewer: Viewer) -> Line:
    asked, note = "", ""
    said = reverse("desk-round", args=[version.last_round])
    if version.state == State.CHANGES_REQUESTED:
        asked = _("Make the changes that the commissions ask for") if viewer.writes else ""
        note = "" if asked else _("Waits for the editors: a commission asked for changes.")
    elif version.publish_at:
        note = _("Approved. It goes public on %(moment)s.") % {
            "moment": date_format(timezone.localtime(version.publish_at), "DATETIME_FORMAT")
        }
    else:
        asked = _("Publish: both commissions approved") if viewer.publishes else ""
        note = "" if asked else _("Approved. Waits for the editor in chief, who publishes it.")
    return Line(version, admin_url(version) if asked else said, asked, note=note, said=said if asked else "")


def admin_url(version: Version) -> str:
    """Where editors write in a version."""
    opts = Version.model_for(version.item.kind)._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[version.pk])


# -- what somebody did


@dataclass(frozen=True)
class Deed:
    """A review, a recusal or a decision of the viewer."""

    at: datetime
    words: str
    round: ReviewRound
    note: str = ""

    @property
    def place(self) -> str:
        return place_of(self.round.version, self.round)


def deeds(user: User) -> list[tuple[datetime, str, int]]:
    """When and what somebody did in the rounds, the newest first, as (moment, kind, id)."""
    found: list[tuple[datetime, str, int]] = []
    for kind, rows, moment in (
        ("review", Review.objects.filter(membership__user=user), "submitted_at"),
        ("recusal", Recusal.objects.filter(membership__user=user), "declared_at"),
        ("decision", Decision.objects.filter(decided_by=user), "decided_at"),
    ):
        found += [(at, kind, pk) for at, pk in rows.order_by().values_list(moment, "pk")]
    return sorted(found, reverse=True)


def told(found: list[tuple[datetime, str, int]]) -> list[Deed]:
    """These deeds in words, in the same order; three queries however many there are."""
    models: dict[str, Any] = {"review": Review, "recusal": Recusal, "decision": Decision}
    rows: dict[tuple[str, int], Any] = {}
    for kind, model in models.items():
        wanted = [pk for _at, other, pk in found if other == kind]
        if wanted:
            related = model.objects.filter(pk__in=wanted).select_related("round__version__item")
            rows |= {(kind, row.pk): row for row in related.defer("round__content")}
    return [_deed(at, kind, rows[kind, pk]) for at, kind, pk in found]


def _deed(at: datetime, kind: str, row: Any) -> Deed:
    if kind == "review":
        words = _("You recommended: %(what)s") % {"what": row.get_recommendation_display()}
        return Deed(at, words, row.round)
    if kind == "recusal":
        return Deed(at, _("You stepped back"), row.round, row.reason)
    words = _("You recorded the decision: %(what)s") % {"what": row.get_outcome_display()}
    return Deed(at, words, row.round, _("Revoked: %(why)s") % {"why": row.revoked_reason} if row.revoked_at else "")
