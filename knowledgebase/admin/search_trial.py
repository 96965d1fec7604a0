"""Trying a search: what a query becomes, what it finds, and why a page ranks where it does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.models import SearchText
from knowledgebase.search import analysis
from knowledgebase.search.engine import Found, explain, search
from knowledgebase.search.entries import KINDS
from knowledgebase.search.lexicon import fold
from knowledgebase.search.understanding import LONGEST_QUERY, is_small, is_soft, understand

if TYPE_CHECKING:
    from .taxonomy import ConceptAdmin

TEMPLATE = "admin/knowledgebase/concept/search_trial.html"
SHOWN = 10
SMALL, SOFT, COUNTS = gettext_lazy("small word: left out"), gettext_lazy("orders only"), gettext_lazy("counts")


class TrialForm(forms.Form):
    """The query, and the page to explain."""

    q = forms.CharField(
        label=gettext_lazy("What a reader types"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "maxlength": LONGEST_QUERY}),
    )
    page = forms.CharField(
        label=gettext_lazy("Explain this page"),
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("Its address or its title. Leave it empty for the first result."),
    )
    literal = forms.BooleanField(label=gettext_lazy("Leave misspelt words as they are"), required=False)


@dataclass(frozen=True)
class ReadWord:
    """A word of the query, as the analysis sees it."""

    word: analysis.Word
    role: str | Promise
    exists: bool


@dataclass(frozen=True)
class Page:
    """What is explained."""

    kind: str
    object_id: int
    title: str
    url: str


def try_search(admin: "ConceptAdmin", request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not admin.has_view_permission(request):
        raise PermissionDenied
    form = TrialForm(request.GET)
    form.full_clean()
    query, literal = form.cleaned_data.get("q", ""), form.cleaned_data.get("literal", False)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Try a search"),
        "form": form,
        "query": query,
    }
    if query.strip():
        context |= _tried(query, form.cleaned_data.get("page", ""), literal=literal)
    return TemplateResponse(request, TEMPLATE, context)


def _tried(query: str, page: str, *, literal: bool) -> dict[str, Any]:
    understood = understand(query, literal=literal)
    found = search(understood, size=SHOWN)
    asked = page.strip()
    chosen = _page(asked) if asked else _first(found)
    return {
        "words": [_read(word) for word in analysis.words((understood.corrected or query)[:LONGEST_QUERY])],
        "understood": understood,
        "found": found,
        "results": [(hit, KINDS[hit.kind].title, _address(query, hit.url, literal=literal)) for hit in found.hits],
        "chosen": chosen,
        "unknown_page": asked if asked and chosen is None else "",
        "explanation": explain(understood, chosen.kind, chosen.object_id) if chosen else None,
    }


def _read(word: analysis.Word) -> ReadWord:
    role = SMALL if is_small(word) else SOFT if is_soft(word) else COUNTS
    return ReadWord(word, role, analysis.is_word(fold(word.text)))


def _address(query: str, page: str, *, literal: bool) -> str:
    """This page, explaining another one."""
    return "?" + urlencode({"q": query, "page": page} | ({"literal": "on"} if literal else {}))


def _first(found: Found) -> Page | None:
    return next((Page(hit.kind, hit.object_id, hit.title, hit.url) for hit in found.hits), None)


def _page(asked: str) -> Page | None:
    """The page with this address or title, or with the first title that holds it."""
    texts = SearchText.objects.filter(entry__index__is_live=True).select_related("entry").only("title", "url", "entry")
    address = Q(url=_local(asked)) if "/" in asked else Q(title__iexact=asked)
    text = texts.filter(address).order_by("entry__tie").first()
    text = text or texts.filter(title__icontains=asked).order_by("entry__tie").first()
    return Page(text.entry.kind, text.entry.object_id, text.title, text.url) if text else None


def _local(address: str) -> str:
    """An address as it was copied, without the name of the site."""
    try:
        return urlsplit(address)._replace(scheme="", netloc="").geturl()
    except ValueError:  # such as "http://[": no address
        return address
