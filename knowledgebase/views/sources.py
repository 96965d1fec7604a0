from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase import search
from knowledgebase.citations import Reference
from knowledgebase.editorial.public import by_title, citation_file
from knowledgebase.models import Source, Version
from knowledgebase.search.fields import page_number, read_query
from knowledgebase.structured_data import graph, publication

PAGE_SIZE = 50


@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    sources = Source.objects.cited().order_by("key")
    kind = request.GET.get("soort", "")
    query, notices = read_query(request.GET.get("q", ""))
    if kind:
        if kind in Source.Kind:
            sources = sources.filter(kind=kind)
        else:
            notices.append(_("We do not know this kind of source, so you see every kind."))
            kind = ""
    if (found := search.matching(query, "source")) is not None:
        places = {pk: place for place, pk in enumerate(found)}
        listed = sorted(sources.filter(pk__in=found), key=lambda source: places[source.pk])  # best match first
    paginator = Paginator(sources if found is None else listed, PAGE_SIZE)
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


@require_safe
def source_detail(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(Source, key=slug)
    texts = sorted(Version.objects.published().filter(source_links__source=source).select_related("item"), key=by_title)
    structured = graph(publication(source, url=settings.SITE_URL + source.get_absolute_url()))
    return render(
        request, "knowledgebase/source_detail.html", {"source": source, "texts": texts, "structured": structured}
    )


@require_safe
def cite(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """The citation of a source as a file for reference software."""
    source = Source.objects.filter(key=slug).first()
    if source is None:
        raise Http404(_("There is no source at this address."))
    return citation_file([Reference.of_source(source)], slug, form)
