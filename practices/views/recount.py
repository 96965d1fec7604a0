from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from knowledgebase.editorial.downloads import Download
from knowledgebase.editorial.public import site_state
from knowledgebase.editorial.recount import Recount, plain_scale
from knowledgebase.evidence.records import Result, Row
from knowledgebase.models import Selection
from knowledgebase.results import kept, result_for, rows_of
from knowledgebase.wording import Scale
from practices.models import EvidenceRating, PracticeVersion, RatingRule
from practices.ratings import CONVERSION, CONVERSIONS, OWN, Figure, StrengthRule, Waterfall, gain_of, strength_of
from practices.wording import Months, StepWords, strength_steps


def scale_of(selection: Selection) -> Scale:
    """In months, by the table of the rating, where the selection says that the table applies."""
    return _scale(selection, _rating(selection)) if selection.months else plain_scale(selection)


def _scale(selection: Selection, rating: EvidenceRating | None) -> Scale:
    if not selection.months:
        return plain_scale(selection)
    return Months(selection.measure, table=CONVERSIONS[rating.conversion if rating else CONVERSION])


@dataclass(frozen=True)
class Strength:
    """Why a rating on study rows is so strong; looked up when it is drawn, since no switch changes it."""

    rating: EvidenceRating
    rows: Sequence[Row]
    base: Result  # without switches

    @cached_property
    def rule(self) -> StrengthRule | None:
        return RatingRule.of_version(self.rating.strength_scale)

    @cached_property
    def waterfall(self) -> Waterfall | None:
        return strength_of(self.rows, self.base, self.rating.levels(), self.rule) if self.rule else None

    @property
    def figure(self) -> Figure:
        return Figure(self.waterfall.strength, OWN) if self.waterfall else Figure()

    @property
    def steps(self) -> Sequence[StepWords]:
        return strength_steps(self.waterfall, self.rule) if self.waterfall and self.rule else []


class PracticeRecount(Recount):
    """The sums of a practice: in months where its selection says that the table applies, and why the strength is so."""

    model = PracticeVersion

    def scale_of(self, selection: Selection) -> Scale:
        key = site_state(self.request).content_key
        self.rating = kept(selection.version, ("rating", selection.context_key), lambda: _rating(selection), key)
        return _scale(selection, self.rating)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.rating is None or not self.rating.is_computed:
            return context
        found = context["recount"]
        return context | {
            "strength_template": "practices/_recount_strength.html",
            "strength": Strength(self.rating, found.rows, found.base),
        }


class PracticeDownload(Download):
    """The files of a practice: its result with the rating that rests on it (without switches), and by which rules."""

    model = PracticeVersion

    def rated(self, selection: Selection) -> Mapping[str, Any]:
        rating = _rating(selection)
        if rating is None or not rating.is_computed:
            return {}
        why, gain = Strength(rating, rows_of(selection), result_for(selection)), gain_of(rating)
        return {
            "rating": {
                "effect": _as_text(rating.effect),
                "ci": [_as_text(rating.ci_low), _as_text(rating.ci_high)],
                "months": gain.value,
                "months_ci": [gain.low, gain.high],
                "months_table": rating.conversion,
                "strength": rating.strength,
                "strength_rule": asdict(why.rule) if why.rule else rating.strength_scale,
                "strength_steps": [asdict(step) for step in why.waterfall.steps] if why.waterfall else [],
            }
        }


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _rating(selection: Selection) -> EvidenceRating | None:
    """The rating of the context that a selection is made for."""
    return EvidenceRating.objects.filter(version=selection.version_id, context_key=selection.context_key).first()
