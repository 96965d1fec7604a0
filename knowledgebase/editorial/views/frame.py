"""The frame of the desk: who comes in, and what every page of it shows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from knowledgebase.editorial.desk import Viewer

DeskView = Callable[..., HttpResponse]


def at_the_desk(view: DeskView) -> DeskView:
    """For who has business at the desk (`viewer`); others log in first, or read why they may not enter."""

    @login_required
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        viewer = Viewer.of(request.user)  # type: ignore[arg-type]  # somebody who is logged in
        if not viewer.has_business:
            return show(request, "redactie/no_business.html", viewer, status=403)
        return view(request, viewer, *args, **kwargs)

    return guarded


def show(
    request: HttpRequest, template: str, viewer: Viewer, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page of the desk: of one person, so for no cache and no search engine."""
    everywhere = {"viewer": viewer, "noindex": True}
    response = render(request, template, everywhere | (context or {}), status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
