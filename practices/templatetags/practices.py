from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

from knowledgebase.editorial.public import by_title
from knowledgebase.models import Concept, Scheme
from knowledgebase.search.options import Option
from practices import cards, plots, wording
from practices.entries import PRACTICE
from practices.models import PracticeVersion
from practices.ratings import CONVERSION, CONVERSIONS, COST_BANDS, COST_SCALE, Figure, Gain, KeyFigures

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


Context = Callable[..., dict[str, Any]]


def drawn_once(component: str) -> Callable[[Context], Context]:
    """A tag that renders a component whose HTML depends on the tag's arguments alone: once for each, and kept.

    The rows of a list repeat a few figures many times, and drawing them is most of the cost of the page.
    """

    def decorate(context_of: Context) -> Context:
        @lru_cache(maxsize=4096)
        def kept(_language: str | None, values: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> str:
            return render_to_string(component, context_of(*values, **dict(options)))

        @register.simple_tag(name=context_of.__name__)
        @wraps(context_of)
        def tag(*values: Any, **options: Any) -> str:
            if settings.DEBUG:  # so that a changed template shows
                return render_to_string(component, context_of(*values, **options))
            return kept(get_language(), values, tuple(options.items()))

        return context_of

    return decorate


@drawn_once("components/axis.html")
def axis(gain: Gain, *, size: str = "row") -> dict[str, Any]:
    """The mark of a learning gain on the axis; `size` is row or large."""
    return {
        "mark": plots.mark(gain),
        "label": wording.spoken_gain(gain),
        "ticks": plots.ticks(),
        "size": size,
    }


@drawn_once("components/axis_head.html")
def axis_head() -> dict[str, Any]:
    return {"ticks": plots.ticks()}


@drawn_once("components/points.html")
def points(figure: Figure) -> dict[str, Any]:
    """Five points, filled or open; the words stand beside them."""
    value = figure.value
    dots = [] if value is None else [(index * 19 + 10, index < value) for index in range(5)]
    return {"figure": figure, "dots": dots}


@drawn_once("components/gain_cell.html")
def gain_cell(gain: Gain) -> dict[str, Any]:
    return {"gain": gain}


@drawn_once("components/figure_cell.html")
def figure_cell(figure: Figure, label: str) -> dict[str, Any]:
    return {"figure": figure, "label": label}


@drawn_once("components/filter_option.html")
def filter_option(option: Option, group: str, single: bool) -> dict[str, Any]:
    """One choice of a filter with its count."""
    return {"option": option, "name": group, "kind": "radio" if single else "checkbox"}


@register.simple_tag
def related_practices(concept: Concept) -> list[cards.Card]:
    """Cards of the published practices about a concept, from A to Z."""
    found = PracticeVersion.objects.published().filter(concept_links__concept=concept).select_related("item")
    return cards.cards_of(sorted(found, key=by_title))


@register.simple_tag
def practice_figures(results: Iterable[Any]) -> dict[int, KeyFigures]:
    """The key figures of the practices among the results of a search, by item id."""
    ids = [result.object_id for result in results if result.kind == PRACTICE]
    return cards.figures_of_items(ids) if ids else {}


@register.filter
def of_result(found: dict[int, KeyFigures], result: Any) -> KeyFigures | None:
    return found.get(result.object_id) if result.kind == PRACTICE else None


@register.inclusion_tag("components/scales.html")
def rating_scales() -> dict[str, Any]:
    """The tables behind the ratings, straight from the code that uses them."""
    return {"conversion": CONVERSIONS[CONVERSION], "cost_scale": COST_SCALE, "bands": COST_BANDS[COST_SCALE]}


@register.filter
def of_scheme(concepts: dict[str, list[Concept]], scheme: str) -> list[Concept]:
    return concepts.get(Scheme(scheme), [])
