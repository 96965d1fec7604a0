from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from knowledgebase import readability, rendering
from knowledgebase.editorial import norms
from knowledgebase.models import Version
from knowledgebase.readability import Kind


@never_cache
@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The posted Markdown as readers would see it in this version; what is wrong with it comes as text, status 422."""
    if not (request.user.is_active and request.user.is_staff):
        raise PermissionDenied
    version = get_object_or_404(Version.objects.select_related("item"), pk=pk).specific()
    opts = version._meta
    if not request.user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"):
        raise PermissionDenied
    try:
        html = rendering.render(
            request.POST.get("text", ""), tokens=version.token_values(), citations=rendering.citations_of(version)
        )
    except rendering.TextTooComplex as error:
        return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(html + _scores(html))


def _scores(html: str) -> str:
    """How easy it reads, and the sentences that make it hard, below the text."""
    score = readability.measure(norms.prose(html), terms=rendering.lexicon().terms)
    if not score.words:
        return ""
    labels = {
        Kind.LONG: _("long sentence, words"),
        Kind.PASSIVE: _("passive"),
        Kind.NOMINAL: _("verb as a noun"),
        Kind.ABBREVIATION: _("abbreviation"),
        Kind.JARGON: _("jargon without explanation"),
    }
    remarks = [(labels[remark.kind], remark) for remark in score.remarks]
    return render_to_string("admin/editorial/_preview_scores.html", {"score": score, "remarks": remarks})
