from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase import search
from knowledgebase.citations import Reference
from knowledgebase.editorial.public import PublishedTextView, by_title, linked_items
from knowledgebase.editorial.recount import in_text
from knowledgebase.models import Concept, Item, Scheme, SummaryVersion
from knowledgebase.search.fields import read_query
from knowledgebase.structured_data import article, graph


@require_safe
def summary_list(request: HttpRequest) -> HttpResponse:
    summaries = SummaryVersion.objects.published().select_related("item")
    themes = list(Concept.objects.in_scheme(Scheme.THEME).filter(links__version__in=summaries.values("pk")).distinct())
    theme = request.GET.get("thema", "")
    query, notices = read_query(request.GET.get("q", ""))
    if theme:
        if theme in {concept.slug for concept in themes}:
            summaries = summaries.filter(
                concept_links__concept__scheme=Scheme.THEME, concept_links__concept__slug=theme
            )
        else:
            notices.append(_("We do not know this theme, so you see the summaries of every theme."))
            theme = ""
    if (found := search.matching(query, Item.Kind.SUMMARY)) is not None:
        summaries = summaries.filter(item__in=found)
    context = {
        "summaries": sorted(summaries, key=by_title),
        "themes": themes,
        "theme": theme,
        "query": query,
        "notices": notices,
    }
    return render(request, "knowledgebase/summary_list.html", context)


class SummaryDetail(PublishedTextView):
    model = SummaryVersion
    template_name = "knowledgebase/summary_detail.html"
    body_template = "knowledgebase/_summary_body.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        version: SummaryVersion = kwargs["version"]
        concepts = list(Concept.objects.filter(links__version=version.pk).order_by("scheme", "links__order"))
        return context | {
            "concepts": concepts,
            "practices": linked_items(version, Item.Kind.PRACTICE),
            "recount": in_text(version),
            "reference": Reference.of_version(version, context["full_url"]),
            "structured": graph(
                article(
                    version,
                    url=context["full_url"],
                    site_url=settings.SITE_URL,
                    concepts=concepts,
                    sources=context["sources"],
                ),
                context["reviewed"],
            ),
        }
