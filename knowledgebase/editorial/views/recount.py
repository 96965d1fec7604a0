"""The sums of a version that need not be public yet, made by the views of its public addresses."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase.editorial.desk import Viewer
from knowledgebase.models import Version
from knowledgebase.recount import BELOW

from .frame import at_the_desk, show


@require_safe
@at_the_desk
def recount(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    """The page as readers will see it."""
    version = _readable(viewer, pk)
    view = _view(request, version, "")
    frozen = view.get_queryset().get(pk=version.pk)
    context = view.get_context_data(version=frozen) | {"round": version.rounds.order_by("-number").first()}
    return show(request, "redactie/recount.html", viewer, context)


@require_safe
@at_the_desk
def download(request: HttpRequest, viewer: Viewer, pk: int, name: str) -> HttpResponse:
    """A file that readers will get."""
    version = _readable(viewer, pk)
    view = _view(request, version, name)
    response: HttpResponse = view.file(view.get_queryset().get(pk=version.pk), name)
    del response.headers["Access-Control-Allow-Origin"]  # for whoever is logged in only
    return response


def _readable(viewer: Viewer, pk: int) -> Version:
    """A version that the viewer may read: submitted, or for editors also before."""
    version = get_object_or_404(Version.objects.select_related("item"), pk=pk)
    if not viewer.writes and not version.rounds.exists():
        raise PermissionDenied(_("The editors have not submitted this version yet: ask them to."))
    return version


def _view(request: HttpRequest, version: Version, name: str) -> Any:
    """The view of a public address below the text; another address is not found."""
    match = resolve(f"{version.item.get_absolute_url()}{BELOW}{name}")
    made_by: Any = match.func
    view = made_by.view_class(**made_by.view_initkwargs)
    view.setup(request, *match.args, **match.kwargs)
    return view
