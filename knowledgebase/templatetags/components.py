from typing import Any

from django import template
from django.template import Context
from django.template.defaultfilters import stringfilter

from knowledgebase import wording

register = template.Library()

register.filter("number", wording.number)


@register.inclusion_tag("components/nav_link.html", takes_context=True)
def nav_link(context: Context, href: str, label: str) -> dict[str, Any]:
    """A link of the main menu; it says so when the reader is at or below it."""
    request = context.get("request")
    return {"href": href, "label": label, "current": request is not None and request.path.startswith(href)}


@register.filter
@stringfilter
def first_sentence(text: str) -> str:
    """What stands before the first full stop, for lists."""
    head, stop, _rest = text.partition(". ")
    return head + stop.strip()


@register.filter
def decimals(value: float, places: int) -> str:
    """A number with this many decimals, with a comma."""
    return wording.decimal(value, f"1e-{places}")


@register.filter
@stringfilter
def tied(sentence: str) -> str:
    """A sentence in which no line breaks at an equals sign: g = 0,24 stays together."""
    return sentence.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
