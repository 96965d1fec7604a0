"""Forms of the desk. They hold what was typed; whether it may be done is for the verbs to say."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.models import Commission, Criterion, CriterionAnswer, Decision, Review, ReviewRound, Version

from .differences import differences
from .refusals import MoveRefused
from .reviews import Answer


class DeskForm(forms.Form):
    """A form at the desk, told apart from others on its page by `name`."""

    use_required_attribute = False
    name = ""

    def __init__(self, data: Any = None, *, commission: Commission | None = None, **kwargs: Any) -> None:
        self.commission = commission
        self.key = f"{self.name}-{commission.code}" if commission else self.name
        super().__init__(data, auto_id=f"{self.key}-%s", **kwargs)

    def refuse(self, refusal: MoveRefused) -> None:
        """Say why the deed was refused; what was typed stays."""
        for reason in refusal.reasons:
            self.add_error(None, reason)

    def typed(self) -> list[tuple[str, str]]:
        """The texts that were typed, with their labels, for when the form itself can no longer be shown."""
        return [
            (str(field.label), str(field.value()))
            for field in self
            if isinstance(field.field.widget, forms.Textarea) and field.value()
        ]


def text(label: Any, *, help_text: Any = "", rows: int = 4, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def choice(label: Any, choices: Any, *, missing: Any, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        help_text=help_text,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
    )


class ReviewForm(DeskForm):
    """What a member recommends, with the checklist of the commission."""

    name = "review"
    recommendation = choice(
        gettext_lazy("What do you recommend?"), Review.Recommendation, missing=gettext_lazy("Choose a recommendation.")
    )
    body = text(
        gettext_lazy("Explanation"),
        rows=6,
        help_text=gettext_lazy("What should change, and why? Needed unless you recommend to approve."),
    )
    interest = choice(
        gettext_lazy("Do you have an interest in this text?"),
        Review.Interest,
        missing=gettext_lazy("Say whether you have an interest."),
        help_text=gettext_lazy(
            "You wrote about it, sell it, are paid for it, or know the makers well. When you cannot judge freely, "
            "step back instead."
        ),
    )
    interest_text = text(
        gettext_lazy("Which interest?"), rows=2, help_text=gettext_lazy("Readers see it with the approval.")
    )

    def __init__(self, *args: Any, criteria: Iterable[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = list(criteria)
        for criterion in self.criteria:
            name = f"criterion-{criterion.pk}"
            self.fields[name] = choice(
                criterion.text,
                CriterionAnswer.Value,
                missing=_("Answer this question. “Does not apply” is an answer too."),
                help_text=criterion.help,
            )
            self.fields[f"{name}-comment"] = text(_("Remark (need not be)"), rows=1)

    def checklist(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each question of the commission with the remark that goes with it."""
        names = [f"criterion-{criterion.pk}" for criterion in self.criteria]
        return [(self[name], self[f"{name}-comment"]) for name in names]

    def answers(self) -> list[Answer]:
        return [
            Answer(
                criterion,
                self.cleaned_data[f"criterion-{criterion.pk}"],
                self.cleaned_data[f"criterion-{criterion.pk}-comment"],
            )
            for criterion in self.criteria
        ]


class RecuseForm(DeskForm):
    name = "recuse"
    reason = text(
        gettext_lazy("Why do you step back?"),
        rows=2,
        help_text=gettext_lazy("Your commission and the editors see it."),
    )


class DecisionForm(DeskForm):
    """What a commission decides; for a published text, whether it still holds."""

    name = "decide"
    outcome = choice(
        gettext_lazy("What does your commission decide?"),
        Decision.Outcome,
        missing=gettext_lazy("Choose whether your commission approves the text."),
    )
    rationale = text(
        gettext_lazy("Reasons"),
        help_text=gettext_lazy("Public: readers see them with the text, under the name of your commission."),
    )
    minority_note = text(
        gettext_lazy("Minority note (need not be)"),
        rows=3,
        help_text=gettext_lazy("Public: what those who see it otherwise want to say."),
    )
    interest_text = text(
        gettext_lazy("Your own interest, if you have one"),
        rows=2,
        help_text=gettext_lazy("Readers see it with the decision."),
    )

    def __init__(self, *args: Any, round: ReviewRound, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcome = self.fields["outcome"]
        if round.kind == ReviewRound.Kind.REVALIDATION:
            outcome.label = _("Does the text still hold?")
            outcome.choices = [  # type: ignore[attr-defined]  # a ChoiceField
                (Decision.Outcome.APPROVE, _("It still holds")),
                (Decision.Outcome.CHANGES, _("It needs changes")),
            ]
        else:
            outcome.choices = [  # type: ignore[attr-defined]  # a ChoiceField
                (Decision.Outcome.APPROVE, _("We approve the text")),
                (Decision.Outcome.CHANGES, _("We ask for changes")),
            ]


class RevokeForm(DeskForm):
    name = "revoke"
    reason = text(
        gettext_lazy("Why do you revoke the decision?"),
        rows=2,
        help_text=gettext_lazy("The editors and the other commission see it."),
    )


class CommentForm(DeskForm):
    """A remark on a field, a row or a passage; `anchors` are the places in the text (see anchors_of)."""

    name = "comment"
    anchor = forms.ChoiceField(
        label=gettext_lazy("About which part?"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a part of this text.")},
    )
    quote = text(gettext_lazy("Passage (need not be)"), rows=2, help_text=gettext_lazy("Copy the words that you mean."))
    body = text(gettext_lazy("Your comment"))
    is_blocking = forms.BooleanField(
        label=gettext_lazy("This must be settled before my commission approves"), required=False
    )

    def __init__(self, *args: Any, anchors: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["anchor"].choices = [("", _("The text as a whole")), *anchors]  # type: ignore[attr-defined]

    def target(self) -> tuple[str, UUID | None]:
        """The field, and the row of it, that the comment is about."""
        name, _colon, uid = self.cleaned_data["anchor"].partition(":")
        return name, UUID(uid) if uid else None


class WithdrawalForm(DeskForm):
    name = "withdraw"
    reason = text(
        gettext_lazy("Why is the text withdrawn?"),
        help_text=gettext_lazy("Public: readers see it at the address of the text."),
    )
    note = text(
        gettext_lazy("Internal note (need not be)"), rows=2, help_text=gettext_lazy("Kept in the audit trail only.")
    )


def anchors_of(round: ReviewRound, model: type[Version]) -> list[tuple[str, str]]:
    """The parts of a text that a comment may be about: (field, or kind of row with its uid, and words for it)."""
    found = []
    for part in differences(None, round.content, model=model):
        words = f"{part.label}: {part.row}" if part.row else part.label
        found.append((f"{part.name}:{part.uid}" if part.uid else part.name, words))
    return found
