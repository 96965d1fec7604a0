from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from knowledgebase import plots
from knowledgebase.editorial.differences import CHANGED, Change, Difference, compare_texts
from knowledgebase.models import Item, Scheme, SummaryVersion, ThemeVersion
from knowledgebase.views.search import Result
from practices import cards
from practices.filters import PracticeFilter

SHOWN = 4


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    selection = PracticeFilter(QueryDict("sorteer=gewijzigd"))
    levels = next(group for group in selection.groups() if group.name == Scheme.LEVEL)
    context = {
        "total": selection.total,
        "levels": [option for option in levels.options if option.depth == 0],
        "cards": cards.cards_of_items(selection.bitmaps.ordered(selection.bits, 0, SHOWN)),
        "themes": ThemeVersion.objects.published().select_related("item").order_by("concept__order", "title"),
        "summaries": SummaryVersion.objects.published().select_related("item").order_by("-published_at", "title")[:3],
    }
    return render(request, "leerpunt/home.html", context)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """The components side by side, for who builds the site: with DEBUG, or for staff."""
    if not (settings.DEBUG or getattr(request.user, "is_staff", False)):
        raise Http404
    selection = PracticeFilter(QueryDict())
    shown = cards.cards_of_items(selection.bitmaps.ordered(selection.bits, 0, 3))
    sample = compare_texts("Je geeft vaak feedback aan je klas.", "Je geeft elke week feedback aan je klas.")
    change = Change("lead", _("lead"), paragraphs=tuple(sample))
    differences = [Difference("lead", _("lead"), CHANGED, (change,))]
    study = plots.Entry("Jansen 2020", 0.4, 0.1, 0.7, "0,40", "(0,10 – 0,70)", share=1)
    small = plots.Entry("Peeters 2021", -0.1, -0.9, 3.0, "−0,10", "(−0,90 – 3,00)", share=0.2)
    average = plots.Entry(_("Average"), 0.3, 0.05, 0.55, "0,30", "(0,05 – 0,55)", kind="average")
    title, passage = _("Feedback"), mark_safe(_("What a reader looked for is <mark>marked</mark>."))  # noqa: S308  # ours
    context = {
        "cards": shown,
        "result": Result("term", _("Term"), "", 0, "#search-result", title, passage),
        "groups": selection.groups(),
        "kinds": Item.Kind.choices,
        "differences": differences,
        "rows_plot": plots.rows([study, small, average], average=0.3),
        "funnel_plot": plots.funnel([(0.4, 0.15), (-0.1, 0.4), (0.6, 0.3)], average=0.3),
    }
    return render(request, "leerpunt/gallery.html", context)
