from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from knowledgebase.editorial.downloads import Download
from knowledgebase.editorial.recount import Recount, plain_scale
from knowledgebase.models import Selection
from knowledgebase.wording import Scale
from practices.models import EvidenceRating, PracticeVersion, RatingRule
from practices.ratings import CONVERSION, CONVERSIONS, OWN, Figure, gain_of, strength_of
from practices.wording import Months, strength_steps


def scale_of(selection: Selection) -> Scale:
    """In months, by the table of the rating, where the selection says that the table applies."""
    if not selection.months:
        return plain_scale(selection)
    rated = _ratings(selection).values_list("conversion", flat=True).first()
    return Months(selection.measure, table=CONVERSIONS[rated or CONVERSION])


class PracticeRecount(Recount):
    """The sums of a practice: in months where its selection says that the table applies, and why the strength is so."""

    model = PracticeVersion

    def scale_of(self, selection: Selection) -> Scale:
        return scale_of(selection)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        rating = _ratings(context["selection"]).filter(basis=EvidenceRating.Basis.STUDIES).first()
        rule = RatingRule.of_version(rating.strength_scale) if rating else None
        if rating is None or rule is None:
            return context
        found = context["recount"]
        waterfall = strength_of(found.rows, found.base, rating.levels(), rule)
        rating.version = kwargs["version"]
        return context | {
            "strength_template": "practices/_recount_strength.html",
            "strength": Figure(waterfall.strength, OWN),
            "steps": strength_steps(waterfall, rule),
            "rule": rule,
            "rating": rating,
        }


class PracticeDownload(Download):
    """The files of a practice: its result with the rating that rests on it (without switches), and by which rules."""

    model = PracticeVersion

    def rated(self, selection: Selection) -> Mapping[str, Any]:
        rating = _ratings(selection).filter(basis=EvidenceRating.Basis.STUDIES).first()
        if rating is None:
            return {}
        rating.version = selection.version
        waterfall, rule = rating.waterfall(), RatingRule.of_version(rating.strength_scale)
        gain = gain_of(rating)
        return {
            "rating": {
                "effect": _as_text(rating.effect),
                "ci": [_as_text(rating.ci_low), _as_text(rating.ci_high)],
                "months": gain.value,
                "months_ci": [gain.low, gain.high],
                "months_table": rating.conversion,
                "strength": rating.strength,
                "strength_rule": asdict(rule) if rule else rating.strength_scale,
                "strength_steps": [asdict(step) for step in waterfall.steps] if waterfall else [],
            }
        }


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _ratings(selection: Selection) -> Any:
    return EvidenceRating.objects.filter(version=selection.version_id, context_key=selection.context_key)
