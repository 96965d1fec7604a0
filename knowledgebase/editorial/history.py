"""Every version of a text that was public: what changed, who approved it, and the difference between any two."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import View

from knowledgebase import rendering
from knowledgebase.models import ReviewRound, Version
from knowledgebase.search.fields import seen

from .approvals import Approvals, approvals_of
from .differences import Difference, differences
from .public import moved_item, public_versions
from .versions import CHANGE_FIELDS

State = Version.State
LONGEST_SEEN = 20  # characters of a wrong value that are shown again


@dataclass(frozen=True)
class Entry:
    """One version in the list. `url` is empty for a text that was withdrawn: it stays unread."""

    version: Version
    approvals: Approvals
    url: str
    is_current: bool
    previous: int | None  # the readable version before it, to compare with


class VersionHistory(View):
    """The versions of one text, newest first, with `?van=1&naar=3` what differs between two of them."""

    model: type[Version] = Version

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        public = public_versions(self.model.kind, slug)
        if not public:
            if (moved := moved_item(self.model.kind, slug)) is not None:
                return HttpResponsePermanentRedirect(moved.get_versions_url())
            raise Http404(_("There is no text at this address."))
        item = public[0].item
        if request.path != item.get_versions_url():
            raise Http404  # a text has one address
        current = next((version for version in public if version.is_published), None)
        readable = {version.number: version for version in public if current and version.state != State.WITHDRAWN}
        pair, notices = _asked(request.GET, [*readable], [version.number for version in public])
        old, new = (readable[number] for number in pair) if pair else (None, None)
        context = {
            "item": item,
            "version": current or public[-1],
            "current": current,
            "entries": _entries(public, readable),
            "readable": [*reversed(readable)],
            "chosen": pair or (([*readable][-2:]) if len(readable) > 1 else None),
            "old": old,
            "new": new,
            "differences": self.compare(old, new) if old and new else [],
            "notices": notices,
            "canonical": item.get_versions_url(),
            "noindex": current is None,
        }
        return render(request, "editorial/version_list.html", context)

    def compare(self, old: Version, new: Version) -> list[Difference]:
        """What readers of `new` read otherwise than readers of `old` did."""
        contents = contents_as_read(self.model, [old, new])
        return differences(contents[old.pk], contents[new.pk], model=self.model, without=CHANGE_FIELDS)


def _entries(public: list[Version], readable: dict[int, Version]) -> list[Entry]:
    approvals = approvals_of(public)
    entries, previous = [], None
    for version in public:
        url = ""
        if version.number in readable:
            url = version.get_absolute_url() if version.is_published else version.get_archive_url()
        entries.append(Entry(version, approvals[version.pk], url, version.is_published, previous if url else None))
        previous = version.number if url else previous
    return entries[::-1]


def _asked(query: QueryDict, readable: list[int], public: list[int]) -> tuple[tuple[int, int] | None, list[str]]:
    """The two versions to compare, with a notice where those are not what the reader asked for."""
    texts = query.get("van", "").strip(), query.get("naar", "").strip()
    if not any(texts):
        return None, []
    if len(readable) < 2:
        return None, [_("There are no two versions to compare.")]
    notices, numbers = [], []
    for text in texts:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
        if number in readable:
            numbers.append(number)
        elif number in public:
            notices.append(_("Version %(number)s was withdrawn, so we show its text no more.") % {"number": number})
        elif text:
            wrong = seen(text[:LONGEST_SEEN])
            notices.append(_("There is no version “%(number)s” that was public.") % {"number": wrong})
    if notices:
        return None, [*notices, _("Choose two versions from the list.")]
    if len(numbers) < 2:
        return None, [_("Choose two versions from the list.")]
    if numbers[0] == numbers[1]:
        return None, [_("Choose two different versions: these are the same.")]
    return (numbers[0], numbers[1]), []


def contents_as_read(model: type[Version], versions: list[Version]) -> dict[int, dict[str, Any]]:
    """The approved contents of versions by id, with texts as readers saw them: figures filled in, no Markdown."""
    approved = {version.pk: version.round_no for version in versions}
    rounds = ReviewRound.objects.filter(
        version__in=approved, number__in=approved.values(), kind=ReviewRound.Kind.REVIEW
    )
    contents = {round.version_id: dict(round.content) for round in rounds if approved[round.version_id] == round.number}
    html = rendering.html_of_all(list(model.objects.filter(pk__in=approved).select_related("item")))
    for pk, content in contents.items():
        content.update({name: text_of(field) for name, field in html[pk].items()})
    return contents


def text_of(html: str) -> str:
    """The words of safe HTML, a paragraph, list item or table row at a time."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end_block()
    return "\n\n".join(reader.blocks)


class _Reader(HTMLParser):
    BLOCKS = frozenset({
        "blockquote", "div", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "table", "tr", "ul",
    })  # fmt: skip

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.words = ""
        self.item = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self.BLOCKS:
            self.end_block()
        if tag == "li":
            self.item = "- "
        elif tag in ("td", "th") and self.words:
            self.words += " | "
        elif tag == "br":
            self.words += " "
        elif tag == "img":
            self.words += dict(attrs).get("alt") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        self.words += data

    def end_block(self) -> None:
        """Keep the words so far as one paragraph."""
        if words := " ".join(self.words.split()):
            self.blocks.append(self.item + words)
            self.item = ""
        self.words = ""
