from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from practices import facets, wording
from practices.models import PracticeVersion
from practices.plots import FIRST, LAST
from practices.ratings import OWN


@require_safe
def practice_image(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture to share of a published practice."""
    from practices.share import SharedCard, share_image  # the site starts without Pillow; only this page needs it

    version = (
        PracticeVersion.objects.published()
        .filter(item__kind=PracticeVersion.kind, item__slug=slug)
        .only("title", "lead", "is_demo")
        .first()
    )
    if version is None:
        raise Http404(_("There is no text at this address."))
    figures = facets.figures_of([version.pk])[version.pk]
    gain = figures.gain
    interval = None
    if gain.has_interval:
        low = gain.low if gain.low is not None else FIRST - 1
        high = gain.high if gain.high is not None else LAST + 1
        interval = (low, high)
    words = _("no reliable figure yet") if gain.value is None else wording.signed_months(gain.value)
    card = SharedCard(
        title=version.title,
        lead=version.lead,
        gain=(_("Learning gain"), words, wording.interval(gain) or wording.by_whom(gain)),
        facts=tuple(
            (label, wording.out_of_five(figure), wording.by_whom(figure))
            for label, figure in ((_("Strength of the evidence"), figures.strength), (_("Cost"), figures.cost))
        ),
        months=gain.value,
        interval=interval,
        is_open=gain.known and gain.origin != OWN,
        note=_("Demonstration") if version.is_demo else "",
    )
    return HttpResponse(share_image(card), content_type="image/png")
