from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from knowledgebase.models import ThemeVersion
from knowledgebase.search import misses
from knowledgebase.search.engine import PAGE_SIZE, STRENGTH, Found, Hit, search, suggest
from knowledgebase.search.entries import KINDS
from knowledgebase.search.fields import page_number, read_query
from knowledgebase.search.filters import replaced
from knowledgebase.search.question import Question
from knowledgebase.search.snippets import Marks
from knowledgebase.search.understanding import understand

MOST_PAGES = 10_000
NEAREST = 5
SHORTEST = 4  # letters of the beginning of a word that is like another
SUGGESTED = 8
FRESH = 60  # seconds that a browser may keep suggestions


@dataclass(frozen=True)
class Result:
    """One hit as a page shows it."""

    kind: str
    label: str
    key: str
    object_id: int
    url: str
    title: str
    passage: str


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    question = Question(request.GET)
    understood = understand(question.query, literal=question.literal)
    notices = list(dict.fromkeys([*question.notices(), *understood.notices]))
    context: dict[str, Any] = {"question": question, "searched_for": question.query, "notices": notices}
    found = search(understood, filters=question.filters, page=_asked_page(request.GET, MOST_PAGES) or 1)
    if _asked_page(request.GET, found.pages) is None:
        notices.append(_("That page does not exist, so you see the first one."))
        found = search(understood, filters=question.filters)
    if not (understood.clauses or understood.phrases):
        return render(request, "knowledgebase/search.html", context | {"examples": _examples(), "themes": _themes()})
    if found.too_slow:
        notices.append(_("This search took too long, so we stopped it. Try fewer words."))
    elif not found.total and not question.filters and request.method == "GET":
        misses.count(question.query)
    return render(request, "knowledgebase/search.html", context | _shown(request.GET, question, found))


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What somebody who is typing may mean, with the sentence that a screen reader says."""
    query, _notices = read_query(request.GET.get("q", ""))
    search_address = reverse("search")
    listed = [
        {
            "text": suggestion.text,
            "kind": str(KINDS[suggestion.kind].one) if suggestion.kind else "",
            "url": suggestion.url or f"{search_address}?{urlencode({'q': suggestion.text})}",
        }
        for suggestion in suggest(query, limit=SUGGESTED)
    ]
    counted = ngettext(
        "%(count)s suggestion. Choose with the arrow keys.",
        "%(count)s suggestions. Choose with the arrow keys.",
        len(listed),
    )
    status = counted % {"count": len(listed)} if listed else _("No suggestions. Press Enter to search.")
    response = JsonResponse({"suggestions": listed, "status": status if query else ""})
    response.headers["Cache-Control"] = f"public, max-age={FRESH}"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _asked_page(query: QueryDict, pages: int) -> int | None:
    return page_number(query.get("pagina", ""), pages)


def _shown(query: QueryDict, question: Question, found: Found) -> dict[str, Any]:
    """The results as the page shows them, with the filters and the ways on."""
    marks = Marks(found.understood)
    unlimited = found.total
    if STRENGTH in question.filters:
        others = {name: values for name, values in question.filters.items() if name != STRENGTH}
        unlimited = search(found.understood, filters=others, size=1).total
    return {
        "found": found,
        "groups": question.groups(found.facets, unlimited),
        "sentence": question.sentence(found.total, found.understood.corrected or question.query),
        "per_kind": question.per_kind(found.facets),
        "results": [_result(hit, marks) for hit in found.hits],
        "literally": replaced(query, letterlijk="1"),
        "suggested": replaced(query, q=found.understood.suggestion),
        "without_filters": f"?{urlencode({'q': question.query})}",
        **({} if found.total else {"nearest": _nearest(found), "themes": _themes()}),
        "number": found.page,
        "pages": found.pages,
        "first": (found.page - 1) * PAGE_SIZE + 1,
        "previous": replaced(query, pagina=str(found.page - 1)) if found.page > 1 else "",
        "next": replaced(query, pagina=str(found.page + 1)) if found.page < found.pages else "",
    }


def _result(hit: Hit, marks: Marks) -> Result:
    kind = KINDS[hit.kind]
    return Result(
        kind=kind.slug,
        label=str(kind.one),
        key=hit.key,
        object_id=hit.object_id,
        url=hit.url,
        title=marks.in_full(hit.title),
        passage=marks.passage([hit.summary, hit.body]),
    )


def _nearest(found: Found) -> list[tuple[str, str]]:
    """Words that texts hold and that begin as the words of the query do, with the address that searches for each."""
    nearest: dict[str, None] = {}
    for clause in found.understood.clauses[:NEAREST]:
        for length in (len(clause.text) * 2 // 3, len(clause.text) // 2, SHORTEST):
            listed = suggest(clause.text[: max(length, SHORTEST)], limit=NEAREST)
            if begun := [suggestion.text for suggestion in listed if not suggestion.url]:
                nearest |= dict.fromkeys(begun)
                break
    address = reverse("search")
    return [(text, f"{address}?{urlencode({'q': text})}") for text in list(nearest)[:NEAREST]]


def _examples() -> list[str]:
    """Questions as teachers ask them, to try."""
    return [_("how do I get my class quiet"), _("homework"), _("“formative assessment”")]


def _themes() -> list[ThemeVersion]:
    return list(ThemeVersion.objects.published().select_related("item").order_by("concept__order", "title"))
