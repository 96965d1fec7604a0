from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import resolve
from django.views.decorators.http import require_safe

from knowledgebase.editorial import previews

PRIVATE = {
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


@require_safe
def shared_preview(request: HttpRequest, secret: str) -> HttpResponse:
    """A version that is not public, for whoever has the link; every dead link gives the same answer."""
    version = previews.resolve(secret)
    if version is None:
        response = render(request, "knowledgebase/preview_gone.html", {"noindex": True}, status=404)
    else:
        response = _as_published(request, version)
    for name, value in PRIVATE.items():
        response.headers[name] = value
    return response


def _as_published(request: HttpRequest, version: Any) -> HttpResponse:
    """The page that readers will see, made by the view of its public address."""
    match = resolve(version.item.get_absolute_url())
    made_by: Any = match.func
    view = made_by.view_class()
    view.setup(request, *match.args, **match.kwargs)
    kwargs = {name: value for name, value in match.kwargs.items() if name != "slug"}
    context = view.get_context_data(version=version, **kwargs) | {
        "noindex": True,
        "preview_of": version,
        "structured": None,
        "reviewed": None,
    }
    return render(request, view.template_name, context)
