from typing import Any

from knowledgebase.editorial.recount import Recount, plain_scale
from knowledgebase.models import Selection
from knowledgebase.wording import Scale
from practices.models import EvidenceRating, PracticeVersion, RatingRule
from practices.ratings import CONVERSION, CONVERSIONS, OWN, Figure
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
        if rating is None:
            return context
        rating.version = kwargs["version"]
        waterfall, rule = rating.waterfall(), RatingRule.of_version(rating.strength_scale)
        if waterfall is None or rule is None:
            return context
        return context | {
            "strength_template": "practices/_recount_strength.html",
            "strength": Figure(waterfall.strength, OWN),
            "steps": strength_steps(waterfall, rule),
            "rule": rule,
            "rating": rating,
        }


def _ratings(selection: Selection) -> Any:
    return EvidenceRating.objects.filter(version=selection.version_id, context_key=selection.context_key)
