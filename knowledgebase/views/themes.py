from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from knowledgebase.editorial.public import PublishedTextView, by_title
from knowledgebase.models import Source, SummaryVersion, ThemeVersion, Version


@require_safe
def theme_list(request: HttpRequest) -> HttpResponse:
    themes = ThemeVersion.objects.published().select_related("item").order_by("concept__order", "title")
    return render(request, "knowledgebase/theme_list.html", {"themes": themes})


class ThemeDetail(PublishedTextView):
    model = ThemeVersion
    template_name = "knowledgebase/theme_detail.html"
    body_template = "knowledgebase/_theme_body.html"

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("concept")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        theme: ThemeVersion = kwargs["version"]
        about = Version.objects.published().filter(concept_links__concept=theme.concept_id)
        sources = Source.objects.filter(Q(links__version__in=about.values("pk")) | Q(links__version=theme.pk))
        context = super().get_context_data(**kwargs) | {"theme_sources": list(sources.distinct())}
        return context | {
            "retracted": any(source.is_retracted for source in context["theme_sources"]),
            "summaries": sorted(
                SummaryVersion.objects.filter(pk__in=about.values("pk")).select_related("item"), key=by_title
            ),
        }
