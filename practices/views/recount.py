from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any

from knowledgebase.editorial.downloads import Download
from knowledgebase.editorial.public import site_state
from knowledgebase.editorial.recount import Recount, plain_scale
from knowledgebase.models import Selection
from knowledgebase.results import read_once
from knowledgebase.wording import Scale
from practices.models import EvidenceRating, PracticeVersion, RatingRule
from practices.ratings import CONVERSION, CONVERSIONS, OWN, Figure, StrengthRule, Waterfall, gain_of
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
    """Why a rating is so strong: its steps, by the rule it is pinned to. No switch changes it."""

    rating: EvidenceRating

    @cached_property
    def rule(self) -> StrengthRule | None:
        """None where the rating does not rest on study rows."""
        return RatingRule.of_version(self.rating.strength_scale) if self.rating.is_computed else None

    @cached_property
    def waterfall(self) -> Waterfall | None:
        return self.rating.waterfall(self.rule) if self.rule else None

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
        self.strength = read_once(
            selection.version, ("strength", selection.context_key), partial(_strength, selection), key
        )
        return _scale(selection, self.strength.rating if self.strength else None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.strength is None or self.strength.rule is None:
            return context
        return context | {"strength_template": "practices/_recount_strength.html", "strength": self.strength}


class PracticeDownload(Download):
    """The files of a practice: its result with the rating that rests on it (without switches), and by which rules."""

    model = PracticeVersion

    def rated(self, selection: Selection) -> Mapping[str, Any]:
        why = _strength(selection)
        if why is None or not why.rating.is_computed:
            return {}
        rating, gain = why.rating, gain_of(why.rating)
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


def _strength(selection: Selection) -> Strength | None:
    rating = _rating(selection)
    return Strength(rating) if rating else None
