from typing import Any

from django import template

from knowledgebase.editorial.public import by_title
from knowledgebase.models import Concept, Scheme
from practices import cards, plots, wording
from practices.models import PracticeVersion
from practices.ratings import CONVERSION, CONVERSIONS, COST_BANDS, COST_SCALE, Figure, Gain

register = template.Library()

register.filter("months", wording.months)
register.filter("signed_months", wording.signed_months)
register.filter("signed", wording.signed)
register.filter("two_decimals", wording.decimal)
register.filter("number", wording.number)
register.filter("studies", wording.studies)
register.filter("out_of_five", wording.out_of_five)
register.filter("by_whom", wording.by_whom)
register.filter("interval", wording.interval)
register.filter("gained", wording.gained)
register.filter("spoken_gain", wording.spoken_gain)


@register.inclusion_tag("components/axis.html")
def axis(gain: Gain, *, size: str = "row") -> dict[str, Any]:
    """The mark of a learning gain on the axis; `size` is row or large."""
    return {
        "mark": plots.mark(gain),
        "label": wording.spoken_gain(gain),
        "width": plots.WIDTH,
        "ticks": plots.ticks(),
        "large": size == "large",
    }


@register.inclusion_tag("components/axis_head.html")
def axis_head() -> dict[str, Any]:
    return {"ticks": plots.ticks(), "width": plots.WIDTH}


@register.inclusion_tag("components/points.html")
def points(figure: Figure) -> dict[str, Any]:
    """Five points, filled or open, with the words."""
    value = figure.value
    dots = [] if value is None else [(index * 19 + 10, index < value) for index in range(5)]
    return {"figure": figure, "dots": dots}


@register.simple_tag
def related_practices(concept: Concept) -> list[cards.Card]:
    """Cards of the published practices about a concept, from A to Z."""
    found = PracticeVersion.objects.published().filter(concept_links__concept=concept).select_related("item")
    return cards.cards_of(sorted(found, key=by_title))


@register.inclusion_tag("components/scales.html")
def rating_scales() -> dict[str, Any]:
    """The tables behind the ratings, straight from the code that uses them."""
    return {"conversion": CONVERSIONS[CONVERSION], "cost_scale": COST_SCALE, "bands": COST_BANDS[COST_SCALE]}


@register.filter
def of_scheme(concepts: dict[str, list[Concept]], scheme: str) -> list[Concept]:
    return concepts.get(Scheme(scheme), [])
