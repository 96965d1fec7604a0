"""The demonstration: nine accounts with seats, all texts through both commissions, and work left for every role.

Everything goes through the verbs of knowledgebase.editorial, as people would do it. Each reason that a reader may see
says that this is a demonstration and that no real commission judged the text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from knowledgebase.editorial import reviews, transitions
from knowledgebase.editorial.reviews import Answer
from knowledgebase.models import (
    Commission,
    Criterion,
    CriterionAnswer,
    Decision,
    Item,
    Membership,
    OutboxMessage,
    Review,
    ReviewRound,
    User,
    Version,
)

ACCOUNTS = {
    "beheerder": "beheerder",
    "eindredacteur": "eindredacteur",
    "redacteur": "redacteur",
    "voorzitter-gebruikers": "voorzitter",
    "lid-gebruikers-1": "lid",
    "lid-gebruikers-2": "lid",
    "voorzitter-wetenschap": "voorzitter",
    "lid-wetenschap-1": "lid",
    "lid-wetenschap-2": "lid",
}
SEATS: dict[str, tuple[str, str, str]] = {
    Commission.Code.USER: ("voorzitter-gebruikers", "lid-gebruikers-1", "lid-gebruikers-2"),
    Commission.Code.SCIENTIFIC: ("voorzitter-wetenschap", "lid-wetenschap-1", "lid-wetenschap-2"),
}
RATIONALE: dict[str, str] = {
    Commission.Code.USER: "Dit is een demonstratie: geen echte gebruikerscommissie heeft deze tekst beoordeeld.",
    Commission.Code.SCIENTIFIC: "Dit is een demonstratie: geen echte wetenschapscommissie heeft deze tekst beoordeeld.",
}
ABOVE_NORM = "Dit is een demonstratie: we lieten deze tekst staan zoals hij is."
WITHDRAWN = "demonstratie-ingetrokken"
APPROVE, CHANGES = Review.Recommendation.APPROVE, Review.Recommendation.CHANGES


def make_accounts(password: str, *, chosen: bool) -> None:
    """The accounts and their roles. One that exists keeps its password, unless somebody chose another for this start.

    Members work at the desk only; chairs enter the admin to set the norms of their commission.
    """
    keep = set(accounts_with(password)) if chosen else set(ACCOUNTS)
    encoded = ""
    groups = {group.name: group for group in Group.objects.filter(name__in=set(ACCOUNTS.values()))}
    for username, role in ACCOUNTS.items():
        user, created = User.objects.get_or_create(username=username, defaults={"is_staff": role != "lid"})
        if created or username not in keep:
            user.password = encoded = encoded or make_password(password)
            user.save(update_fields=["password"])
        user.groups.set([groups[role]])


def accounts_with(password: str) -> list[str]:
    """Which of the accounts this password opens now."""
    stored = dict(User.objects.filter(username__in=ACCOUNTS).values_list("username", "password"))
    opens = {encoded: check_password(password, encoded) for encoded in set(stored.values())}
    return [username for username in ACCOUNTS if username in stored and opens[stored[username]]]


@transaction.atomic
def seat_accounts() -> None:
    """A chair and two members for each commission, in a database where nobody has a seat yet."""
    if Membership.objects.exists():
        return
    for code, usernames in SEATS.items():
        commission = Commission.objects.get(code=code)
        for place, username in enumerate(usernames):
            role = Membership.Role.MEMBER if place else Membership.Role.CHAIR
            Membership.objects.create(commission=commission, user=User.objects.get(username=username), role=role)


@transaction.atomic
def play() -> None:
    """Publish every draft there is, then leave work in every state. Call it once, when the texts are loaded."""
    stage = Stage()
    drafts = Version.objects.filter(state=Version.State.DRAFT).select_related("item").order_by("item")
    for draft in list(drafts):
        stage.publish(draft)
    leave_work(stage)
    hush()


@dataclass(frozen=True)
class Panel:
    """A commission with who sits in it and what it asks."""

    commission: Commission
    chair: User
    members: tuple[User, ...]
    criteria: tuple[Criterion, ...]


class Stage:
    """The accounts, doing what their roles do."""

    def __init__(self) -> None:
        people = {user.username: user for user in User.objects.filter(username__in=ACCOUNTS)}
        self.writer, self.publisher = people["redacteur"], people["eindredacteur"]
        self.users, self.science = (
            Panel(
                commission,
                people[SEATS[commission.code][0]],
                tuple(people[username] for username in SEATS[commission.code][1:]),
                tuple(commission.criteria.filter(is_active=True)),
            )
            for commission in (Commission.objects.get(code=code) for code in SEATS)
        )

    def revise(self, key: str, *, note: str, **additions: str) -> Any:
        """A next version of a text with a line more in these fields, and the public note that says so."""
        draft = transitions.begin(Item.objects.get(key=key), by=self.writer)
        for name, addition in additions.items():
            setattr(draft, name, f"{getattr(draft, name).rstrip()}{addition}")
        draft.change_type = Version.ChangeType.LANGUAGE
        draft.conclusion_changed, draft.change_note = Version.ConclusionChanged.NO, note
        draft.full_clean()
        draft.save()
        transitions.saved(draft, by=self.writer)
        return draft

    def submit(self, draft: Version, *, remark: str = "") -> ReviewRound:
        return transitions.submit(draft, by=self.writer, remark=remark, readability_reason=ABOVE_NORM)

    def review(self, round: ReviewRound, panel: Panel, members: Iterable[User], **fields: Any) -> None:
        """The members approve, with every criterion answered; or what `fields` says."""
        for member in members:
            reviews.submit_review(
                round,
                commission=panel.commission,
                by=member,
                seen=round.content_hash,
                answers=[Answer(criterion, CriterionAnswer.Value.YES) for criterion in panel.criteria],
                **{"recommendation": APPROVE, "interest": Review.Interest.NONE} | fields,
            )

    def decide(
        self, round: ReviewRound, panel: Panel, *, outcome: str = Decision.Outcome.APPROVE, why: str = ""
    ) -> None:
        reviews.decide(
            round,
            commission=panel.commission,
            by=panel.chair,
            seen=round.content_hash,
            outcome=outcome,
            rationale=f"{why} {RATIONALE[panel.commission.code]}".strip(),
        )

    def approve(self, draft: Version) -> None:
        round = self.submit(draft)
        for panel in (self.users, self.science):
            self.review(round, panel, panel.members)
            self.decide(round, panel)

    def publish(self, draft: Version) -> Any:
        self.approve(draft)
        return transitions.publish(draft, by=self.publisher)


def leave_work(stage: Stage) -> None:
    """Something to do for everybody: a text in each state, and one whose review date has passed."""
    stage.revise(
        "homework",
        note="We voegen een valkuil toe.",
        pitfalls="\n- Taken stapelen omdat elke leerkracht alleen naar het eigen vak kijkt.",
    )
    _waits_for_members(stage)
    _waits_for_chairs(stage)
    _changes_requested(stage)
    stage.approve(
        stage.revise(
            "retrieval-practice",
            note="We voegen een valkuil toe.",
            pitfalls="\n- Punten geven, waardoor leerlingen gaan gokken in plaats van nadenken.",
        )
    )
    planned = stage.revise(
        "reading-comprehension-strategies",
        note="We voegen een valkuil toe.",
        pitfalls="\n- Een strategie oefenen zonder te vragen waar de tekst over gaat.",
    )
    stage.approve(planned)
    transitions.schedule(planned, by=stage.publisher, at=next_monday())
    stage.publish(
        stage.revise(
            "metacognition-self-regulation",
            note="We noemen een valkuil die ontbrak, en zeggen wanneer je terugkijkt.",
            pitfalls="\n- Leerlingen laten plannen zonder later naar dat plan terug te keren.",
            time_and_roles=" Kies een vast moment in de week waarop de klas even terugkijkt.",
        )
    )
    _withdrawn(stage)
    _review_date_passed()


def _waits_for_members(stage: Stage) -> None:
    draft = stage.revise(
        "feedback",
        note="We voegen een valkuil toe.",
        pitfalls="\n- Een tip geven en er nooit meer naar vragen.",
    )
    round = stage.submit(draft, remark="Er is één valkuil bijgekomen. De rest van de tekst is dezelfde.")
    stage.review(round, stage.users, stage.users.members[:1])


def _waits_for_chairs(stage: Stage) -> None:
    draft = stage.revise(
        "peer-tutoring",
        note="We zeggen ook wie de duo’s begeleidt als jij er niet bent.",
        time_and_roles=" Spreek vooraf af wie de duo’s begeleidt als jij er niet bent.",
    )
    round = stage.submit(draft)
    stage.review(round, stage.users, stage.users.members)
    stage.review(round, stage.science, stage.science.members[:1])
    stage.review(
        round,
        stage.science,
        stage.science.members[1:],
        recommendation=CHANGES,
        interest=Review.Interest.DECLARED,
        interest_text="Demonstratie: hier staat welk belang een lid meldt.",
        body="Zeg dat de nieuwe zin een raad is van de redactie en niet uit onderzoek komt.",
    )


def _changes_requested(stage: Stage) -> None:
    addition = "Bespreek met ouders wat hun kind al kan lezen, en wat nog niet."
    draft = stage.revise("phonics", note="We zeggen ook wat je met ouders bespreekt.", time_and_roles=f" {addition}")
    round = stage.submit(draft)
    stage.review(round, stage.users, stage.users.members)
    stage.review(round, stage.science, stage.science.members[:1])
    stage.review(
        round,
        stage.science,
        stage.science.members[1:],
        recommendation=CHANGES,
        body="De nieuwe zin staat tussen zinnen met een bron, maar heeft er zelf geen.",
    )
    for panel, member, body, is_blocking in (
        (stage.users, 0, "Zeg ook wanneer je dat doet: op het oudercontact, of vroeger?", False),
        (stage.science, 1, "Komt dit uit onderzoek? Noem de bron, of zeg dat het een raad is.", True),
    ):
        reviews.comment(
            round, commission=panel.commission, by=panel.members[member], field="time_and_roles", quote=addition,
            body=body, is_blocking=is_blocking,
        )  # fmt: skip
    stage.decide(round, stage.users)
    why = "Maak duidelijk of de nieuwe zin uit onderzoek komt."
    stage.decide(round, stage.science, outcome=Decision.Outcome.CHANGES, why=why)


def _withdrawn(stage: Stage) -> None:
    item = Item.objects.create(kind=Item.Kind.PAGE, slug=WITHDRAWN, key=WITHDRAWN)
    page = transitions.begin(item, by=stage.writer)
    page.title, page.is_demo = "Een ingetrokken tekst", True
    page.lead = "Deze pagina dient alleen om te tonen wat een lezer ziet van een tekst die niet meer geldt."
    page.body = "Wat hier stond, was nooit meer dan een voorbeeld."
    page.full_clean()
    page.save()
    transitions.saved(page, by=stage.writer)
    stage.publish(page)
    reason = "Dit is een demonstratie: zo zie je waarom een tekst niet meer op het portaal staat."
    transitions.withdraw(page, by=stage.science.chair, reason=reason)


def _review_date_passed() -> None:
    item = Item.objects.get(key="learning-styles")
    item.review_due_on = timezone.localdate() - timedelta(days=7)
    item.save(update_fields=["review_due_on"])
    reviews.start_revalidation(item.versions.published().get())


def next_monday() -> datetime:
    """Eight o'clock on the Monday after today."""
    today = timezone.localdate()
    return timezone.make_aware(datetime.combine(today + timedelta(days=7 - today.weekday()), time(8)))


def hush() -> None:
    """Keep the mails about what still waits for somebody; those about what is over would be hundreds."""
    waiting = ReviewRound.objects.open().values("version__item")
    open_versions = Version.objects.open().values("item")
    OutboxMessage.objects.waiting().exclude(item__in=waiting).exclude(item__in=open_versions).update(
        skipped_at=timezone.now(), last_error="Klaargezet voor de demonstratie."
    )
