from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase.editorial.desk import Viewer
from knowledgebase.models import Version

from .frame import at_the_desk, show

BELOW = "cijfers/"


@require_safe
@at_the_desk
def recount(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    """The sums of a version as readers will do them, for who works on it: made by the view of its public address."""
    version = get_object_or_404(Version.objects.select_related("item"), pk=pk)
    if not viewer.writes and not version.rounds.exists():
        raise PermissionDenied(_("The editors have not submitted this version yet: ask them to."))
    match = resolve(version.item.get_absolute_url() + BELOW)
    made_by: Any = match.func
    view = made_by.view_class(**made_by.view_initkwargs)
    view.setup(request, *match.args, **match.kwargs)
    frozen = view.get_queryset().get(pk=version.pk)
    round = version.rounds.order_by("-number").first()
    return show(
        request, "redactie/recount.html", viewer, view.get_context_data(version=frozen, desk=True) | {"round": round}
    )
