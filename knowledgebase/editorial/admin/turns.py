"""Whose turn it is, as columns of a list: computed by the database, in the query of the list itself."""

from django.db.models import Case, CharField, Exists, OuterRef, Q, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from knowledgebase.models import EDITABLE, Commission, Decision, ReviewRound, Version

State = Version.State
Code = Commission.Code


class Turn(TextChoices):
    """Who has to act now."""

    EDITORS = "redactie", _("editors")
    USER = "gebruikers", _("user commission")
    SCIENTIFIC = "wetenschap", _("scientific commission")
    BOTH = "beide", _("both commissions")
    CHIEF = "eindredactie", _("editor in chief")
    PLANNED = "gepland", _("nobody: planned")


def waiting_column(kind: str) -> Case:
    """The commissions that have not decided yet in the open round of this kind of an item; empty without such a round."""
    rounds = ReviewRound.objects.open().filter(version__item=OuterRef("pk"), kind=kind)
    decisions = Decision.objects.standing().filter(
        round__version__item=OuterRef("pk"), round__closed_at=None, round__kind=kind
    )
    user = Exists(decisions.filter(commission__code=Code.USER))
    scientific = Exists(decisions.filter(commission__code=Code.SCIENTIFIC))
    return Case(
        When(~Exists(rounds), then=Value("")),
        When(Q(user) & Q(scientific), then=Value("")),
        When(user, then=Value(Turn.SCIENTIFIC.value)),
        When(scientific, then=Value(Turn.USER.value)),
        default=Value(Turn.BOTH.value),
        output_field=CharField(),
    )


def turn_column() -> Case:
    """Who has to act on the open version of an item, which is annotated with `open_state` and `publish_at`."""
    return Case(
        When(open_state__in=EDITABLE, then=Value(Turn.EDITORS.value)),
        When(open_state=State.IN_REVIEW, then=waiting_column(ReviewRound.Kind.REVIEW)),
        When(open_state=State.APPROVED, publish_at=None, then=Value(Turn.CHIEF.value)),
        When(open_state=State.APPROVED, then=Value(Turn.PLANNED.value)),
        default=Value(""),
        output_field=CharField(),
    )
