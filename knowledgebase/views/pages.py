from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from knowledgebase.editorial.public import PublishedTextView
from knowledgebase.models import ROOT_PAGES, PageVersion


class PageDetail(PublishedTextView):
    model = PageVersion
    template_name = "knowledgebase/page_detail.html"
    body_template = "knowledgebase/_page_body.html"

    def get(self, request: HttpRequest, slug: str, number: int | None = None, **kwargs: Any) -> HttpResponse:
        if slug in ROOT_PAGES and request.path.startswith(f"/over/{slug}/"):
            raise Http404  # a root page has one address
        return super().get(request, slug, number, **kwargs)
