"""What an editor looks at before a text is submitted: what is missing, and what readers would find broken.

Only what would make the public page wrong is blocking; the rest is advice.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase import figures, rendering, results
from knowledgebase.evidence.records import Interval, Result
from knowledgebase.models import (
    PUBLIC_ONCE,
    Concept,
    Item,
    Measure,
    Scheme,
    SlugRedirect,
    Source,
    SourceLink,
    Study,
    Version,
)

from . import norms, study_checks

State = Version.State
MOST_FIGURES = 3  # of the data, that are held against one that was typed
FILES = ("/static/", "/media/")


class Rule(StrEnum):
    """What a finding is about."""

    MISSING = "missing"
    CHANGE = "change"
    LEAD = "lead"
    THEME = "theme"
    RETRACTED = "retracted"
    RELATED = "related"
    NEVER_CITED = "never-cited"
    IDLE_SOURCE = "idle-source"
    TOKEN = "token"  # noqa: S105  # no password
    CITATION = "citation"
    TOO_COMPLEX = "too-complex"
    HEADING = "heading"
    IMAGE = "image"
    LINK = "link"
    TERM = "term"
    FIGURE_DIFFERS = "figure-differs"
    FIGURE_WITHOUT_SOURCE = "figure-without-source"
    FIGURE_UNKNOWN = "figure-unknown"
    READABILITY = "readability"
    STUDY_ROWS = "study-rows"
    STUDY_DOUBT = "study-doubt"


# What an editor may leave as it is: the site is not wrong because of it.
OPINIONS = frozenset({Rule.LEAD, Rule.THEME, Rule.FIGURE_UNKNOWN, Rule.READABILITY, Rule.STUDY_DOUBT})


@dataclass(frozen=True)
class Finding:
    """Something to look at: `field` names a field of the version, or one of its kinds of child rows.

    Of a typed figure also the line in the field, the words, and what the data says.
    """

    field: str
    message: str
    blocking: bool = False
    rule: Rule = Rule.MISSING
    line: int | None = None
    value: str = ""
    says: str = ""


def findings(version: Version) -> list[Finding]:
    """Everything found in a version (as the model of its kind), what blocks it first."""
    found = [
        *(Finding(name, sentence, blocking=True) for name, sentence in version.publication_gaps()),
        *_change(version),
        *_texts(version),
        *_figures(version),
        *_around(version),
        *_studies(version),
        *_readability(version),
    ]
    return sorted(found, key=lambda finding: not finding.blocking)


def _change(version: Version) -> Iterator[Finding]:
    """Every version after the first says what changed."""
    values = {
        "change_type": version.change_type,
        "conclusion_changed": version.conclusion_changed,
        "change_note": version.change_note.strip(),
    }
    empty = [name for name, value in values.items() if not value]
    if version.number > 1 and empty:
        message = _("Say what kind of change this is, whether the conclusion changed, and what changed.")
        yield Finding(empty[0], message, blocking=True, rule=Rule.CHANGE)


def _around(version: Version) -> Iterator[Finding]:
    """What stands around the texts: the lead, the contexts, the sources and the related texts."""
    if version.kind == Item.Kind.PRACTICE and not version.lead.strip():
        yield Finding("lead", _("Write a lead: lists and the search show it."), rule=Rule.LEAD)
    if version.kind in (Item.Kind.PRACTICE, Item.Kind.SUMMARY):
        linked = set(version.concept_links.values_list("concept__scheme", flat=True))
        if Scheme.THEME not in linked:
            message = _("Choose a theme, so that readers find the text there.")
            yield Finding("concept_links", message, rule=Rule.THEME)
    yield from _sources(version)
    links = version.item_links.values_list("item__pk", "item__slug")
    public = set(
        Version.objects.published().filter(item__linked_from__version=version.pk).values_list("item", flat=True)
    )
    for pk, slug in links:
        if pk not in public:
            yield Finding(
                "item_links",
                _("“%(slug)s” is not public now: readers will not see this related text.") % {"slug": slug},
                rule=Rule.RELATED,
            )


def _sources(version: Version) -> Iterator[Finding]:
    """Sources that nothing in the text relies on, and retracted ones of which the text does not say so."""
    blocks = [
        block
        for name in version.markdown_fields
        for block in re.split(r"\n\s*\n|\n(?=\s*[-*] )", getattr(version, name))
    ]
    cited = {key for block in blocks for key in rendering.citations_in(block)}
    cited |= {known.source for known in version.stated_figures()}
    for link in version.source_links.select_related("source"):
        source = link.source
        if source.key not in cited:
            message = _("[@%(key)s] is a source of this version, but nothing cites it: cite it or take it out.")
            yield Finding("source_links", message % {"key": source.key}, rule=Rule.NEVER_CITED)
        if source.is_retracted and not any(
            source.key in rendering.citations_in(block) and _RETRACTED.search(rendering.uncited(block))
            for block in blocks
        ):
            message = _("%(source)s was retracted. Say so in the text.") % {"source": source.short}
            yield Finding("source_links", message, rule=Rule.RETRACTED)


def idle_sources() -> QuerySet[Source]:
    """The sources that no public or coming text relies on, and that gave no study rows."""
    used = SourceLink.objects.filter(version__in=Version.objects.live()).values("source")
    studies = Study.objects.filter(Q(synthesis=OuterRef("pk")) | Q(source=OuterRef("pk")))
    return Source.objects.exclude(pk__in=used).exclude(Exists(studies)).order_by("key")


_RETRACTED = re.compile(r"\b(?:in|terug)getrokken\b|\btrok\b.*\b(?:in|terug)\b", re.IGNORECASE | re.DOTALL)


def _studies(version: Version) -> Iterator[Finding]:
    for doubt in study_checks.doubts(version):
        rule = Rule.STUDY_ROWS if doubt.blocking else Rule.STUDY_DOUBT
        yield Finding("selections", doubt.message, doubt.blocking, rule)


# -- typed figures


def known_figures(version: Version) -> list[figures.Known]:
    """What the data holds of the sources of a version (as the model of its kind).

    A text without ratings of its own is compared with those of the texts that name it as related.
    """
    known = [figure for link in version.source_links.select_related("source") for figure in link.source.figures()]
    known += computed_figures(version)
    stated = version.stated_figures()
    if not stated:
        for other in Version.objects.live().filter(item_links__item=version.item_id).select_related("item"):
            stated += other.specific().stated_figures()
    return list(dict.fromkeys([*known, *stated]))


def computed_figures(version: Version) -> list[figures.Known]:
    """What the study rows of a version say, under the synthesis that gave them."""
    found: list[figures.Known] = []
    for selection in version.selections.select_related("synthesis"):
        selection.version = version
        if selection.synthesis is not None:
            found += _figures_of(results.result_for(selection), selection.synthesis.key, str(selection))
    return found


def _figures_of(result: Result, key: str, where: str) -> Iterator[figures.Known]:
    def known(kind: figures.Kind, value: float | None, what: str = "") -> Iterator[figures.Known]:
        if value is not None:
            yield figures.Known(kind, Decimal(f"{value:.6f}"), key, what or where)

    def effects(estimate: float | None, intervals: Iterable[Interval | None], what: str = "") -> Iterator[Any]:
        ends = [end for interval in intervals if interval for end in (interval.low, interval.high)]
        for value in (estimate, *ends):
            yield from known(figures.Kind.EFFECT, value, what)
            if value is not None and result.measure == Measure.Z:
                yield from known(figures.Kind.EFFECT, math.tanh(value), what)

    yield from effects(result.estimate, (result.ci, result.share_interval, result.pi))
    yield from known(figures.Kind.STUDIES, result.k_studies)
    yield from known(figures.Kind.STUDIES, result.total_studies)
    yield from known(figures.Kind.PUPILS, result.pupils)
    yield from known(figures.Kind.SHARE, None if result.I2 is None else float(round(result.I2)))
    for part in result.subgroups:
        for group in part.groups:
            yield from effects(group.estimate, [group.ci], f"{part.moderator}: {group.name}")
            yield from known(figures.Kind.STUDIES, group.k_studies, f"{part.moderator}: {group.name}")
    for slope in result.slopes:
        yield from effects(slope.estimate, [slope.ci], slope.moderator)
        yield from known(figures.Kind.STUDIES, slope.k_studies, slope.moderator)


def _figures(version: Version) -> Iterator[Finding]:
    names = [name for name in version.markdown_fields if name not in version.invented_fields]
    texts = {name: getattr(version, name) for name in names}
    found = {name: list(figures.typed(text)) for name, text in texts.items()}
    plain = {name: text for name in version.plain_fields if (text := getattr(version, name))}
    if not any(found.values()) and not any(True for text in plain.values() for _figure in figures.typed(text)):
        return
    known = known_figures(version)
    restated = [figure for typed in found.values() for figure in typed if figure.sources]
    everywhere = set(version.source_links.values_list("source__key", flat=True))
    for name, text in (texts | plain).items():
        said = everywhere if name in plain else ()
        for remark in figures.remarks(text, known, everywhere=said, restated=restated):
            yield _of_figure(name, remark)


def _of_figure(name: str, remark: figures.Remark) -> Finding:
    typed = remark.typed
    says = "; ".join(remark.nearest[:MOST_FIGURES])
    if (more := len(remark.nearest) - MOST_FIGURES) > 0:
        says += ngettext("; and %(count)s other figure", "; and %(count)s other figures", more) % {"count": more}
    facts = {"line": typed.line, "words": typed.words, "says": says, "sources": ", ".join(sorted(typed.sources))}
    if remark.problem == figures.Problem.CONTRADICTION:
        rule, message = Rule.FIGURE_DIFFERS, _("Line %(line)s: “%(words)s” is not what the data says: %(says)s.")
    elif remark.problem == figures.Problem.NO_SOURCE:
        rule = Rule.FIGURE_WITHOUT_SOURCE
        message = _(
            "Line %(line)s: “%(words)s” stands without a source. Cite it in the same paragraph, or use a token."
        )
    else:
        rule = Rule.FIGURE_UNKNOWN
        message = _("Line %(line)s: “%(words)s” cannot be compared: we keep no such figure of %(sources)s.")
    return Finding(name, message % facts, rule != Rule.FIGURE_UNKNOWN, rule, typed.line, typed.words, says)


def _readability(version: Version) -> Iterator[Finding]:
    """Where the text is above the norm; the first field of a part stands for the part."""
    try:
        report = norms.readability_of(version)
    except rendering.TextTooComplex:
        return
    names = [score.name for score in report.fields]
    for part in report.parts:
        short = part.name == norms.Part.SHORT
        field = next((name for name in names if (name in version.short_fields) == short), "title")
        for sentence in part.over:
            yield Finding(field, f"{part.label}: {sentence}", rule=Rule.READABILITY)


# -- what the Markdown fields hold


@dataclass
class _Read:
    """What stands in the HTML of one field."""

    headings: list[int] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = _Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("h2", "h3", "h4", "h5", "h6"):
            self.read.headings.append(int(tag[1]))
        elif tag == "a" and values.get("class") != "cite":
            self.read.links.append(values.get("href", ""))
        elif tag == "img":
            self.read.images.append(values)


def _texts(version: Version) -> Iterator[Finding]:
    tokens, citations = version.token_values(), rendering.citations_of(version)
    marks = rendering.GlossaryMarks(rendering.lexicon())
    addresses: list[tuple[str, str]] = []
    for name in version.markdown_fields:
        text = getattr(version, name).strip()
        if not text:
            continue
        for token in dict.fromkeys(rendering.tokens_in(text)):
            if token not in tokens:
                yield Finding(
                    name,
                    _("The token %(token)s has no value here.") % {"token": f"{{{{ {token} }}}}"},
                    True,
                    Rule.TOKEN,
                )
        for key in dict.fromkeys(rendering.citations_in(text)):
            if key not in citations:
                message = _("[@%(key)s] is cited but is no source of this version: add it to the sources.")
                yield Finding(name, message % {"key": key}, True, Rule.CITATION)
        try:
            html = rendering.render(text, tokens=tokens, citations=citations)
        except rendering.TextTooComplex as error:
            yield Finding(name, str(error), True, Rule.TOO_COMPLEX)
            continue
        reader = _Reader()
        reader.feed(html)
        yield from _headings(name, reader.read.headings)
        yield from _images(name, reader.read.images)
        addresses += [(name, href) for href in reader.read.links]
        known = set(marks.used)
        marks.mark(html)
        for slug in marks.used.keys() - known:
            if not marks.used[slug].definition.strip():
                message = _("The term “%(term)s” has no explanation yet. Ask the editor in chief to write one.")
                yield Finding(name, message % {"term": marks.used[slug].name}, True, Rule.TERM)
    yield from _links(addresses)


def _headings(name: str, levels: list[int]) -> Iterator[Finding]:
    before = 3  # the page gives every text a heading of the second or third level
    for level in levels:
        if level > before + 1:
            message = _("A heading of level %(level)s follows one of level %(before)s: do not skip a level.")
            yield Finding(name, message % {"level": level, "before": before}, rule=Rule.HEADING)
            return
        before = level


def _images(name: str, images: list[dict[str, str]]) -> Iterator[Finding]:
    for image in images:
        source = image.get("src", "")
        if not image.get("alt", "").strip():
            yield Finding(
                name, _("Describe the image %(image)s in words (alt text).") % {"image": source}, True, Rule.IMAGE
            )
        if not image.get("title", "").strip():
            yield Finding(name, _("Say who made the image %(image)s.") % {"image": source}, rule=Rule.IMAGE)
        if source.startswith("/static/") and finders.find(source.removeprefix("/static/")) is None:
            yield Finding(name, _("There is no image %(image)s.") % {"image": source}, True, Rule.IMAGE)


def _links(addresses: list[tuple[str, str]]) -> Iterator[Finding]:
    """Links to this site that lead nowhere, all asked in a few queries."""
    texts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    sources: dict[str, list[tuple[str, str]]] = {}
    terms: dict[str, list[tuple[str, str]]] = {}
    for name, href in addresses:
        path = href.removeprefix(settings.SITE_URL)
        parts = urlsplit(path)
        if parts.scheme in ("http", "https", "mailto") or (path.startswith("#") and len(path) > 1):
            continue
        if not path.startswith("/"):
            message = _("The link to “%(address)s” does not work: begin with https:// or with /.")
            yield Finding(name, message % {"address": href}, True, Rule.LINK)
            continue
        if parts.path.startswith(FILES):
            continue
        named = _named(parts.path)
        if named is None:
            yield _nowhere(name, href)
            continue
        url_name, slug = named
        if url_name in Item.Kind.values:
            texts.setdefault((url_name, slug), []).append((name, href))
        elif url_name == "source":
            sources.setdefault(slug, []).append((name, href))
        elif url_name == "glossary" and parts.fragment:
            terms.setdefault(parts.fragment, []).append((name, href))
    yield from _text_links(texts)
    known_sources = set(Source.objects.filter(key__in=sources).values_list("key", flat=True)) if sources else set()
    known_terms = (
        set(Concept.objects.in_scheme(Scheme.TERM).filter(slug__in=terms).values_list("slug", flat=True))
        if terms
        else set()
    )
    for asked, known in ((sources, known_sources), (terms, known_terms)):
        for slug, places in asked.items():
            if slug not in known:
                yield from (_nowhere(*place) for place in places)


def _named(path: str) -> tuple[str, str] | None:
    """The name of the page at a path, and the slug in it; a text about the portal counts as a page by its slug."""
    for candidate in (path, f"{path}/"):
        try:
            match = resolve(candidate)
        except Resolver404:
            continue
        slug = str(match.kwargs.get("slug", ""))
        name = match.url_name or ""
        return (Item.Kind.PAGE, slug) if name.startswith("page-") else (name, slug)
    return None


def _text_links(texts: dict[tuple[str, str], list[tuple[str, str]]]) -> Iterator[Finding]:
    if not texts:
        return
    slugs = {slug for _kind, slug in texts}
    states: dict[tuple[str, str], set[str]] = {}
    for kind, slug, state in Item.objects.filter(slug__in=slugs).values_list("kind", "slug", "versions__state"):
        states.setdefault((kind, slug), set()).add(state)
    moved = SlugRedirect.objects.filter(slug__in=slugs).values_list("kind", "slug", "item__versions__state")
    for kind, slug, state in moved:
        states.setdefault((kind, slug), set()).add(state)
    for key, places in texts.items():
        found = states.get(key, set())
        if State.PUBLISHED in found:
            continue
        for name, href in places:
            if found & _coming():
                message = _("The text at %(address)s is not public yet. Publish it first, or leave the link out.")
                yield Finding(name, message % {"address": href}, rule=Rule.LINK)
            else:
                yield _nowhere(name, href)


def _coming() -> set[str]:
    return {*State.values} - {*PUBLIC_ONCE, State.DISCARDED}


def _nowhere(name: str, href: str) -> Finding:
    return Finding(name, _("The link to %(address)s leads nowhere.") % {"address": href or "…"}, True, Rule.LINK)


def blocking(found: Iterable[Finding]) -> list[str]:
    """The sentences of what keeps a version from being submitted."""
    return list(dict.fromkeys(finding.message for finding in found if finding.blocking))
