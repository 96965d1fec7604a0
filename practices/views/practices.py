import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase import rendering
from knowledgebase.citations import Reference
from knowledgebase.editorial.public import PublishedTextView, linked_items
from knowledgebase.editorial.recount import in_text
from knowledgebase.models import Concept, Item, Scheme, Version
from knowledgebase.search.fields import page_number, seen
from knowledgebase.search.filters import TITLES, replaced
from knowledgebase.structured_data import breadcrumbs, graph, learning_resource
from practices import cards, plots
from practices.filters import PAGE_SIZE, VIEWS, PracticeFilter
from practices.models import PracticeVersion
from practices.ratings import NORM_SHARE

from .recount import scale_of

MOST_COMPARED = 4
MOST_NAMED = 5  # in a notice
FACT_SCHEMES = (Scheme.LEVEL, Scheme.SUBJECT, Scheme.PUPIL_GROUP, Scheme.AUDIENCE)


@require_safe
def practice_list(request: HttpRequest) -> HttpResponse:
    selection = PracticeFilter(request.GET)
    notices = selection.notices()
    number, notice = _page_number(request.GET.get("pagina", ""), selection.pages)
    shown = cards.cards_of_items(selection.page(number))
    context = {
        "selection": selection,
        "groups": selection.groups(),
        "cards": shown,
        "notices": [*notices, *([notice] if notice else [])],
        "orders": selection.orders.items(),
        "views": [(name, label, replaced(request.GET, weergave=name)) for name, label in VIEWS.items()],
        "number": number,
        "previous": replaced(request.GET, pagina=str(number - 1)) if number > 1 else "",
        "next": replaced(request.GET, pagina=str(number + 1)) if number < selection.pages else "",
        "first": (number - 1) * PAGE_SIZE,
        "theme_headings": selection.order == "thema",
    }
    if selection.view == "grafiek":
        context |= _plot(shown)
    return render(request, "practices/practice_list.html", context)


def _plot(shown: list[cards.Card]) -> dict[str, Any]:
    numbered = list(enumerate(shown, start=1))
    drawn = [
        (number, card.figures.gain, card.figures.strength.value, card.figures.cost.value)
        for number, card in numbered
        if card.figures.gain.value is not None
    ]
    left_out = [card.version.title for number, card in numbered if number not in {entry[0] for entry in drawn}]
    return {"plot": plots.plot(drawn), "sentence": cards.plot_sentence(shown), "left_out": left_out}


def _page_number(text: str, pages: int) -> tuple[int, str]:
    """The page to show and a notice where it is not the one that was asked for."""
    number = page_number(text, pages)
    return (1, _("That page does not exist, so you see the first one.")) if number is None else (number, "")


class PracticeDetail(PublishedTextView):
    model = PracticeVersion
    template_name = "practices/practice_detail.html"
    body_template = "practices/_practice_body.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        version: PracticeVersion = kwargs["version"]
        metric, share, notices = _metric(self.request.GET)
        ratings, verdicts, figures = cards.overall_of(version)
        names = cards.names_of([*ratings, *verdicts])
        concepts = cards.concepts_of([version.pk])[version.pk]
        return context | {
            "figures": figures,
            "mark": plots.mark(figures.gain),
            "headline": cards.headline(figures.gain, metric, share),
            "overall": next((row for row in ratings if row.is_overall), None),
            "contexts": cards.context_rows([r for r in ratings if not r.is_overall], names, metric, share),
            "verdicts": cards.verdict_rows(verdicts, names),
            "recount": in_text(version, scale_of),
            "metric": metric,
            "metrics": _metrics(self.request.path, share),
            "share": share,
            "notices": notices,
            "concepts": concepts,
            "fact_schemes": [(scheme.value, TITLES[scheme]) for scheme in FACT_SCHEMES],
            "theme": next(iter(concepts.get(Scheme.THEME, [])), None),
            "related": cards.cards_of(_as_practices(linked_items(version, Item.Kind.PRACTICE))),
            "summaries": linked_items(version, Item.Kind.SUMMARY),
            "reference": Reference.of_version(version, context["full_url"]),
            "structured": _structured(version, context, concepts),
        }


def _structured(
    version: PracticeVersion, context: dict[str, Any], concepts: dict[str, list[Concept]]
) -> dict[str, Any]:
    """What programs read of the page."""
    site, url = settings.SITE_URL, context["full_url"]
    return graph(
        learning_resource(
            version,
            url=url,
            site_url=site,
            concepts=[concept for group in concepts.values() for concept in group],
            sources=context["sources"],
            image=site + reverse("practice-image", args=[version.item.slug]),
        ),
        context["reviewed"],
        breadcrumbs((_("Home"), f"{site}/"), (_("Practices"), site + reverse("practices")), (version.title, url)),
    )


def _as_practices(versions: list[Version]) -> list[PracticeVersion]:
    pks = [version.pk for version in versions]
    found = PracticeVersion.objects.in_bulk(pks)
    for version in versions:
        found[version.pk].item = version.item
    return [found[pk] for pk in pks]


def _metric(query: QueryDict) -> tuple[str, int, list[str]]:
    """The metric and the starting share that the reader chose, with notices about what was left out."""
    metric, share, notices = query.get("maat", "maanden"), NORM_SHARE, []
    if metric not in cards.METRICS:
        notices.append(_("We do not know this measure, so you see months."))
        metric = "maanden"
    if text := query.get("norm", ""):
        if len(text) <= 2 and text.isascii() and text.isdigit() and int(text):
            share = int(text)
        else:
            notices.append(_("Choose a number from 1 to 99 for the pupils who reach the norm. We took 50."))
    return metric, share, notices


def _metrics(path: str, share: int) -> list[tuple[str, str, str]]:
    labels = {"maanden": _("months"), "effect": _("effect size"), "leerlingen": _("pupils in 100")}
    suffix = f"&norm={share}" if share != NORM_SHARE else ""
    return [(name, label, f"{path}?maat={name}{suffix}#kerncijfers") for name, label in labels.items()]


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    asked = [slug for slug in request.GET.getlist("p") if slug]
    unique = list(dict.fromkeys(asked))
    slugs = [slug for slug in unique if re.fullmatch(r"[-\w]{1,80}", slug, re.ASCII)]
    published = PracticeVersion.objects.published().filter(item__slug__in=slugs).select_related("item")
    found = {version.item.slug: version for version in published.defer(*PracticeVersion.markdown_fields)}
    known = [slug for slug in unique if slug in found]
    shown = cards.cards_of([found[slug] for slug in known[:MOST_COMPARED]])
    notices = []
    if len(unique) < len(asked):
        notices.append(_("You chose a practice twice; it is shown once."))
    if unknown := [slug for slug in unique if slug not in found]:
        notices.append(_("We left out what we do not (or no longer) have: %(names)s.") % {
            "names": ", ".join(seen(slug[:60]) for slug in unknown[:MOST_NAMED])})  # fmt: skip
    if len(known) > MOST_COMPARED:
        rest = [found[slug].title for slug in known[MOST_COMPARED:][:MOST_NAMED]]
        notices.append(_("You see the first four. We left out: %(names)s.") % {"names": ", ".join(rest)})
    context = {
        "cards": shown,
        "rows": _texts(shown),
        "notices": notices,
        "differences": cards.differences(shown) if len(shown) > 1 else [],
    }
    return render(request, "practices/practice_compare.html", context)


def _texts(shown: list[cards.Card]) -> list[tuple[str, list[str]]]:
    fields = (("when_not", _("When not")), ("active_ingredients", _("Active ingredients")),
              ("time_and_roles", _("Time and roles")))  # fmt: skip
    html = rendering.html_of_all([card.version for card in shown])
    return [
        (label, [rendering.without_citations(html[card.version.pk].get(name, "")) for card in shown])
        for name, label in fields
    ]
