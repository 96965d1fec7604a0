"""What an editor looks at before a text is submitted: what is missing, and what readers would find broken.

Only what would make the public page wrong is blocking; the rest is advice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from knowledgebase import rendering
from knowledgebase.models import PUBLIC_ONCE, Concept, Item, Scheme, SlugRedirect, Source, Version

State = Version.State
FILES = ("/static/", "/media/")


@dataclass(frozen=True)
class Finding:
    """Something to look at: `field` names a field of the version, or one of its kinds of child rows."""

    field: str
    message: str
    blocking: bool = False


def findings(version: Version) -> list[Finding]:
    """Everything found in a version (as the model of its kind), what blocks it first."""
    found = [
        *(Finding(name, sentence, blocking=True) for name, sentence in version.publication_gaps()),
        *_change(version),
        *_texts(version),
        *_around(version),
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
        yield Finding(empty[0], message, blocking=True)


def _around(version: Version) -> Iterator[Finding]:
    """What stands around the texts: the lead, the contexts, the sources and the related texts."""
    if version.kind == Item.Kind.PRACTICE and not version.lead.strip():
        yield Finding("lead", _("Write a lead: lists and the search show it."))
    if version.kind in (Item.Kind.PRACTICE, Item.Kind.SUMMARY):
        linked = set(version.concept_links.values_list("concept__scheme", flat=True))
        if Scheme.THEME not in linked:
            yield Finding("concept_links", _("Choose a theme, so that readers find the text there."))
    for source in Source.objects.filter(links__version=version.pk, retraction=Source.Retraction.RETRACTED):
        yield Finding("source_links", _("%(source)s was retracted. Say so in the text.") % {"source": source.short})
    links = version.item_links.values_list("item__pk", "item__slug")
    public = set(
        Version.objects.published().filter(item__linked_from__version=version.pk).values_list("item", flat=True)
    )
    for pk, slug in links:
        if pk not in public:
            yield Finding(
                "item_links",
                _("“%(slug)s” is not public now: readers will not see this related text.") % {"slug": slug},
            )


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
                yield Finding(name, _("The token %(token)s has no value here.") % {"token": f"{{{{ {token} }}}}"}, True)
        for key in dict.fromkeys(rendering.citations_in(text)):
            if key not in citations:
                message = _("[@%(key)s] is cited but is no source of this version: add it to the sources.")
                yield Finding(name, message % {"key": key}, True)
        try:
            html = rendering.render(text, tokens=tokens, citations=citations)
        except rendering.TextTooComplex as error:
            yield Finding(name, str(error), True)
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
                yield Finding(name, message % {"term": marks.used[slug].name}, True)
    yield from _links(addresses)


def _headings(name: str, levels: list[int]) -> Iterator[Finding]:
    before = 3  # the page gives every text a heading of the second or third level
    for level in levels:
        if level > before + 1:
            message = _("A heading of level %(level)s follows one of level %(before)s: do not skip a level.")
            yield Finding(name, message % {"level": level, "before": before})
            return
        before = level


def _images(name: str, images: list[dict[str, str]]) -> Iterator[Finding]:
    for image in images:
        source = image.get("src", "")
        if not image.get("alt", "").strip():
            yield Finding(name, _("Describe the image %(image)s in words (alt text).") % {"image": source}, True)
        if not image.get("title", "").strip():
            yield Finding(name, _("Say who made the image %(image)s.") % {"image": source})
        if source.startswith("/static/") and finders.find(source.removeprefix("/static/")) is None:
            yield Finding(name, _("There is no image %(image)s.") % {"image": source}, True)


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
            yield Finding(name, message % {"address": href}, True)
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
                yield Finding(name, message % {"address": href})
            else:
                yield _nowhere(name, href)


def _coming() -> set[str]:
    return {*State.values} - {*PUBLIC_ONCE, State.DISCARDED}


def _nowhere(name: str, href: str) -> Finding:
    return Finding(name, _("The link to %(address)s leads nowhere.") % {"address": href or "…"}, True)


def blocking(found: Iterable[Finding]) -> list[str]:
    """The sentences of what keeps a version from being submitted."""
    return list(dict.fromkeys(finding.message for finding in found if finding.blocking))
