from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from knowledgebase.editorial.desk import Viewer, deeds, desk_of, place_of, told
from knowledgebase.editorial.desk_forms import WithdrawalForm
from knowledgebase.editorial.norms import readability_of_public
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import Version
from knowledgebase.search import fold, words_of
from knowledgebase.search.fields import page_number, read_query

from .frame import at_the_desk, show

LATEST = 5
PAGE_SIZE = 50


@require_safe
@at_the_desk
def desk(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    done = deeds(viewer.user)
    context = {"desk": desk_of(viewer), "deeds": told(done[:LATEST]), "more_deeds": len(done) > LATEST}
    return show(request, "redactie/desk.html", viewer, context)


@require_safe
@at_the_desk
def history(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    paginator = Paginator(deeds(viewer.user), PAGE_SIZE)
    number = page_number(request.GET.get("pagina", ""), paginator.num_pages)
    page = paginator.page(number or 1)
    notices = [] if number else [_("That page does not exist, so you see the first one.")]
    context = {"page": page, "deeds": told(list(page.object_list)), "notices": notices}
    return show(request, "redactie/history.html", viewer, context)


@require_safe
@at_the_desk
def published(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The texts that are public, for who may withdraw them."""
    _check_withdraws(viewer)
    query, notices = read_query(request.GET.get("q", ""))
    words = words_of(query)
    titles = [
        (fold(title), pk)
        for pk, title in Version.objects.published().order_by().values_list("pk", "title")
        if all(word in fold(title) for word in words)
    ]
    paginator = Paginator(sorted(titles), PAGE_SIZE)
    number = page_number(request.GET.get("pagina", ""), paginator.num_pages)
    if number is None:
        notices.append(_("That page does not exist, so you see the first one."))
    page = paginator.page(number or 1)
    found = Version.objects.select_related("item").in_bulk([pk for _title, pk in page.object_list])
    context = {
        "page": page,
        "versions": [(found[pk], place_of(found[pk])) for _title, pk in page.object_list],
        "query": query,
        "notices": notices,
    }
    return show(request, "redactie/published.html", viewer, context)


@require_safe
@at_the_desk
def readability(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """How easy every public text reads, the ones above the norm first."""
    return show(request, "redactie/readability.html", viewer, {"rows": readability_of_public()})


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def withdrawal(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    """Take a public text offline: one chair or the editor in chief is enough."""
    _check_withdraws(viewer)
    version = get_object_or_404(Version.objects.select_related("item"), pk=pk)
    form = WithdrawalForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        try:
            withdraw(version, by=viewer.user, **form.cleaned_data)
        except AlreadyDone as done:
            messages.info(request, str(done))
            return redirect("desk-published")
        except MoveRefused as refusal:
            form.refuse(refusal)
            status = 403 if isinstance(refusal, NotAllowed) else 422
        else:
            messages.success(request, _("“%(title)s” is offline. Its address says why.") % {"title": version.title})
            return redirect("desk-published")
    return show(request, "redactie/withdrawal.html", viewer, {"version": version, "form": form}, status=status)


def _check_withdraws(viewer: Viewer) -> None:
    if not viewer.withdraws:
        raise PermissionDenied(_("Only the editor in chief and the chairs of the commissions withdraw a text."))
