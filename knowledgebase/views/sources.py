from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from knowledgebase.citations import Reference, bibtex, ris
from knowledgebase.models import Source, Version
from knowledgebase.search.fields import page_number
from knowledgebase.structured_data import graph, publication

PAGE_SIZE = 50


def source_list(request: HttpRequest) -> HttpResponse:
    sources = Source.objects.cited().order_by("key")
    notices, kind, query = [], request.GET.get("soort", ""), request.GET.get("q", "").strip()[:200]
    if kind:
        if kind in Source.Kind:
            sources = sources.filter(kind=kind)
        else:
            notices.append(_("We do not know this kind of source, so you see every kind."))
            kind = ""
    for word in query.split()[:8]:
        sources = sources.filter(Q(title__icontains=word) | Q(key__icontains=word) | Q(container__icontains=word))
    paginator = Paginator(sources, PAGE_SIZE)
    number = page_number(request.GET.get("pagina", ""), paginator.num_pages)
    if number is None:
        notices.append(_("That page does not exist, so you see the first one."))
    context = {
        "page": paginator.page(number or 1),
        "kinds": Source.Kind.choices,
        "kind": kind,
        "query": query,
        "notices": notices,
    }
    return render(request, "knowledgebase/source_list.html", context)


def source_detail(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(Source, key=slug)
    texts = Version.objects.published().filter(source_links__source=source).select_related("item").order_by("title")
    structured = graph(publication(source, url=settings.SITE_URL + source.get_absolute_url()))
    return render(
        request, "knowledgebase/source_detail.html", {"source": source, "texts": texts, "structured": structured}
    )


def cite(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """The citation of a source as a file for reference software."""
    source = Source.objects.filter(key=slug).first()
    if source is None:
        raise Http404(_("There is no source at this address."))
    reference = Reference.of_source(source)
    text, kind = (ris(reference), "application/x-research-info-systems") if form == "ris" else (
        bibtex(reference), "application/x-bibtex")  # fmt: skip
    return HttpResponse(
        text,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{slug}.{form}"'},
    )
