"""What a rule for the strength would do, and its adoption. Nothing here changes a published page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledgebase.editorial import audit
from knowledgebase.editorial.guards import Guard, differ
from knowledgebase.editorial.permissions import role_of
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.models import User, Version

from .models import EvidenceRating, PracticeVersion, RatingRule
from .ratings import FIRST_RULE, StrengthRule, Waterfall

State = RatingRule.State


@dataclass(frozen=True)
class Change:
    """A rating on study rows, and what a rule would make of it."""

    rating: EvidenceRating
    version: PracticeVersion
    before: int | None
    waterfall: Waterfall

    @property
    def after(self) -> int:
        return self.waterfall.strength

    @property
    def differs(self) -> bool:
        return self.before != self.after


def rule_guards() -> Iterator[Guard]:
    """What a rule said when it was adopted stays, and who decided when; it is only replaced."""
    table, adopted = RatingRule._meta.db_table, "OLD.state <> 'proposed'"
    kept = differ([*RatingRule.FIXED, "adopted_at", "adopted_by_id", "decision"])
    yield Guard(
        "adopted_rule_stays", table, "UPDATE", f"{adopted} AND ({kept} OR NEW.state = 'proposed')",
        "an adopted rule does not change: propose another version",
    )  # fmt: skip
    yield Guard("adopted_rule_is_kept", table, "DELETE", adopted, "ratings are pinned to this rule")


def sync_rules() -> None:
    """The first rule, where there is none; run after every migrate."""
    if not RatingRule.objects.exists():
        RatingRule.objects.create(
            version=FIRST_RULE, state=State.ADOPTED, adopted_at=timezone.now(), decision="De eerste regel van de site."
        )


def under(rule: StrengthRule) -> Iterator[Change]:
    """Every rating on study rows of a public or open version, as it would be under a rule. Nothing is written."""
    versions = PracticeVersion.objects.live().filter(ratings__basis=EvidenceRating.Basis.STUDIES).distinct()
    for version in versions.select_related("item").order_by("item__slug", "number"):
        for rating in version.ratings.filter(basis=EvidenceRating.Basis.STUDIES):
            rating.version = version
            waterfall = rating.waterfall(rule)
            if waterfall is not None:
                yield Change(rating, version, rating.strength, waterfall)


def to_open(rule: StrengthRule) -> list[Change]:
    """The published ratings that an adopted rule leaves behind: editors begin a draft of these texts."""
    return [
        change
        for change in under(rule)
        if change.version.state == Version.State.PUBLISHED
        and (change.differs or change.rating.strength_scale != rule.version)
    ]


def may_propose(user: User) -> bool:
    return user.has_perm("practices.change_ratingrule")


def adopt(rule: RatingRule, *, by: User, decision: str) -> RatingRule:
    """Make a proposed rule the one that drafts follow, as the commissions decided; the one before stays as it is.

    Published pages keep their rule until a new version of them is published (`to_open` names them). Returns the rule.
    """
    with transaction.atomic():
        rule = RatingRule.objects.select_for_update().get(pk=rule.pk)
        if not may_propose(by):
            raise NotAllowed(_("Only the administrator records which rule the commissions adopted."))
        if rule.state == State.ADOPTED:
            raise AlreadyDone(_("This rule was adopted already: nothing was changed."))
        if rule.state == State.REPLACED:
            raise MoveRefused(_("This rule was replaced. Propose another version."))
        if not decision.strip():
            raise MoveRefused(_("Say when and where the commissions decided this."))
        before = RatingRule.objects.select_for_update().filter(state=State.ADOPTED).first()
        if before is not None:
            before.state = State.REPLACED
            before.save(update_fields=["state"])
        rule.state, rule.decision = State.ADOPTED, decision.strip()
        rule.adopted_at, rule.adopted_by = timezone.now(), by
        rule.save(update_fields=["state", "decision", "adopted_at", "adopted_by"])
        audit.record(
            "adopt_rule", by=by, role=role_of(by), from_state=before.version if before else "", to_state=rule.version,
            data={"decision": rule.decision},
        )  # fmt: skip
    return rule
