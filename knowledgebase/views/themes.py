from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from knowledgebase.editorial.public import PublishedTextView
from knowledgebase.models import Source, SummaryVersion, ThemeVersion, Version


def theme_list(request: HttpRequest) -> HttpResponse:
    themes = ThemeVersion.objects.published().select_related("item").order_by("concept__order", "title")
    return render(request, "knowledgebase/theme_list.html", {"themes": themes})


class ThemeDetail(PublishedTextView):
    model = ThemeVersion
    template_name = "knowledgebase/theme_detail.html"

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("concept")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        theme: ThemeVersion = kwargs["version"]
        about = Version.objects.published().filter(concept_links__concept=theme.concept_id)
        return super().get_context_data(**kwargs) | {
            "summaries": list(
                SummaryVersion.objects.filter(pk__in=about.values("pk")).select_related("item").order_by("title")
            ),
            "theme_sources": list(Source.objects.filter(links__version__in=about.values("pk")).distinct()),
        }
