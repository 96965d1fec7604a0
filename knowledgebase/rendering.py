"""Markdown with tokens and citations -> safe HTML. Raw HTML is shown as text; nh3 keeps only what Markdown writes.

Tokens `{{ winst }}` and `{{ winst:niveau:lager }}` are filled from values that the caller gives; a citation `[@key]`
becomes a link to the source in the reference list. Glossary marks are added per page, after rendering.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from xml.etree.ElementTree import Element

import markdown
import nh3
from django.utils.translation import gettext as _
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor

from knowledgebase.models import ConceptLabel, RenderedText, Scheme, SiteState, Version

RENDERER = 1  # raise it when the same text would give other HTML; `manage.py render_texts` then makes it anew

MAX_CHARACTERS = 100_000
MAX_LINES = 3_000  # Python-Markdown is quadratic on headings and open fences
MAX_OPEN = 100  # brackets or parentheses open at once: Python-Markdown is worse than quadratic on them
# Left out on purpose: attr_list and md_in_html (any attribute), def_list and abbr (quadratic).
EXTENSIONS = ["fenced_code", "sane_lists", "tables"]
TAGS = {
    "a", "blockquote", "br", "code", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre",
    "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title", "class"},
    "code": {"class"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class", "scope"},
}
CLASSES = {
    "a": {"cite"},
    "div": {"table-scroll"},
    "td": {"align-left", "align-center", "align-right"},
    "th": {"align-left", "align-center", "align-right"},
}
CITATION_PREFIX = "bron-"
_ADDRESS = re.compile(r"https?:|mailto:|[/#]|[^:]*\Z", re.IGNORECASE)  # of a link: one we know, or without a scheme
_LANGUAGE = re.compile(r"language-[\w+#-]{1,20}\Z")
_TOKEN = re.compile(r"\{\{\s*([a-z][a-z0-9:-]*)\s*\}\}")
_CITATION = r"\[@([a-z0-9-]{1,80})\]"


_CITATION_LINK = re.compile(rf'\s*<a href="#{CITATION_PREFIX}[^>]*>[^<]*</a>')


class TextTooComplex(ValueError):
    """A text that Markdown would chew on for minutes; the message says what to change."""


class _Tidy(Treeprocessor):
    """Headings below the page's own, cell alignment as a class, scope on header cells, scrollable tables, local images."""

    def run(self, root: Element) -> None:
        for element in list(root.iter()):
            tag = element.tag
            if tag in ("td", "th"):
                align = re.match(r"text-align: (left|center|right);", element.attrib.pop("style", ""))
                if align:
                    element.set("class", f"align-{align[1]}")
                if tag == "th":
                    element.set("scope", "col")
            elif tag == "img" and not element.get("src", "").startswith(("/media/", "/static/")):
                element.tag, element.text = "em", element.get("alt", "")
                element.attrib.clear()
            elif tag == "h1":
                element.tag = "h2"
        for parent in list(root.iter()):
            for index, child in enumerate(list(parent)):
                if child.tag == "table":
                    box = Element(
                        "div", {"class": "table-scroll", "role": "region", "tabindex": "0", "aria-label": "Tabel"}
                    )
                    box.tail, child.tail = child.tail, None
                    parent.remove(child)
                    box.append(child)
                    parent.insert(index, box)


class _Citation(InlineProcessor):
    """`[@key]` -> a link to the reference, with the words that the caller gives; an unknown key stays as written."""

    def __init__(self, pattern: str, md: markdown.Markdown, citations: Mapping[str, str]) -> None:
        super().__init__(pattern, md)
        self.citations = citations

    def handleMatch(  # type: ignore[override]  # noqa: N802  # the library's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        words = self.citations.get(m[1])
        if words is None:
            return None, None, None
        link = Element("a", {"href": f"#{CITATION_PREFIX}{m[1]}", "class": "cite"})
        link.text = f"({words})"
        return link, m.start(0), m.end(0)


class _Plain(Extension):
    """Raw HTML is text: shown as written, never parsed."""

    def __init__(self, citations: Mapping[str, str]) -> None:
        super().__init__()
        self.citations = citations

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802  # the library's name
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.inlinePatterns.register(_Citation(_CITATION, md, self.citations), "citation", 175)
        md.treeprocessors.register(_Tidy(md), "tidy", 5)  # after the inline patterns


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        if tag == "code":
            return value if _LANGUAGE.match(value) else None
        return " ".join(word for word in value.split() if word in CLASSES[tag]) or None
    if name == "src":
        return value if value.startswith(("/media/", "/static/")) else None
    if name == "href" and (value.startswith("//") or "\\" in value or not _ADDRESS.match(value.strip())):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer",
    strip_comments=True,
    generic_attribute_prefixes=set(),
    clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math"},
)


def check_size(text: str) -> None:
    """Raises TextTooComplex for text beyond what Markdown handles quickly."""
    if len(text) > MAX_CHARACTERS:
        raise TextTooComplex(
            _("This text is longer than %(limit)s characters. Make it shorter.") % {"limit": MAX_CHARACTERS}
        )
    if text.count("\n") > MAX_LINES:
        raise TextTooComplex(_("This text has more than %(limit)s lines. Make it shorter.") % {"limit": MAX_LINES})
    for opening, closing in ("[]", "()"):
        depth = 0
        for character in text:
            if character == opening:
                depth += 1
                if depth > MAX_OPEN:
                    raise TextTooComplex(
                        _("More than %(limit)s brackets %(bracket)s are open at once. Close them.")
                        % {"limit": MAX_OPEN, "bracket": opening}
                    )
            elif character == closing:
                depth = max(depth - 1, 0)


def fill_tokens(text: str, values: Mapping[str, str]) -> str:
    """Replace every token that has a value; one without stays as written, so that an editor sees it."""
    return _TOKEN.sub(lambda match: values.get(match[1], match[0]), text)


def tokens_in(text: str) -> list[str]:
    return _TOKEN.findall(text)


def citations_in(text: str) -> list[str]:
    return re.findall(_CITATION, text)


def uncited(text: str) -> str:
    """The same Markdown without its citations."""
    return re.sub(_CITATION, "", text)


def render(text: str, *, tokens: Mapping[str, str] | None = None, citations: Mapping[str, str] | None = None) -> str:
    """HTML that may be marked safe. `tokens` and `citations` map names to plain words. Raises TextTooComplex."""
    check_size(text)
    md = markdown.Markdown(extensions=[*EXTENSIONS, _Plain(citations or {})], output_format="html")
    return _CLEANER.clean(md.convert(fill_tokens(text, tokens or {})))


def without_citations(html: str) -> str:
    """The same HTML without links to a reference list, for a page that has none."""
    return _CITATION_LINK.sub("", html)


def plain(text: str, *, tokens: Mapping[str, str] | None = None) -> str:
    """The words of a Markdown text, for search and descriptions: no marks, no citations."""
    return " ".join(nh3.clean(render(uncited(text), tokens=tokens), tags=set()).split())


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", label).lower()


@dataclass(frozen=True)
class Term:
    """A glossary term as a page needs it."""

    slug: str
    name: str
    definition: str


@dataclass(frozen=True)
class Lexicon:
    """All glossary terms, and one pattern that finds any of their labels (the longest wins)."""

    terms: Mapping[str, Term]  # by label in lower case, as it stands in HTML
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, labels: Iterable[tuple[str, Term]]) -> "Lexicon":
        terms = {escape(_folded(label), quote=False): term for label, term in labels}
        if not terms:
            return cls({}, None)
        words = "|".join(re.escape(label) for label in sorted(terms, key=len, reverse=True))
        return cls(terms, re.compile(rf"(?<![\w&-])(?:{words})(?![\w-])", re.IGNORECASE))


class GlossaryMarks:
    """Marks the first use of each term in the texts of one page. One instance serves one page.

    A term becomes a button that opens its explanation (the popover attribute: keyboard and touch, no JavaScript);
    `used` then holds the terms whose explanations belong below the texts.
    """

    _SKIP = re.compile(r"<(a|code|pre|h[1-6]|th|button)\b[^>]*>.*?</\1>|<[^>]*>", re.DOTALL)

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.used: dict[str, Term] = {}

    def mark(self, html: str) -> str:
        """The same safe HTML with a button on each first use; links, headings and code are left alone."""
        pattern = self.lexicon.pattern
        if pattern is None:
            return html
        marked, end = [], 0
        html = unicodedata.normalize("NFC", html)
        for skipped in self._SKIP.finditer(html):
            marked += [pattern.sub(self._button, html[end : skipped.start()]), skipped[0]]
            end = skipped.end()
        return "".join([*marked, pattern.sub(self._button, html[end:])])

    def _button(self, match: re.Match[str]) -> str:
        term = self.lexicon.terms.get(_folded(match[0]))
        if term is None or term.slug in self.used:
            return match[0]
        self.used[term.slug] = term
        return f'<button type="button" class="term" popovertarget="begrip-{term.slug}">{match[0]}</button>'


def lexicon() -> Lexicon:
    """The glossary of this moment, read once per content version of the site."""
    return _lexicon(SiteState.current().content_key)


@lru_cache(maxsize=2)
def _lexicon(_content_key: str) -> Lexicon:
    labels = ConceptLabel.objects.filter(concept__scheme=Scheme.TERM, language="nl")
    names_of_it = labels.exclude(relation__in=ConceptLabel.ONLY_TO_FIND)
    rows = list(names_of_it.values_list("label", "relation", "concept__slug", "concept__definition"))
    names = {slug: label for label, relation, slug, _definition in rows if relation == ConceptLabel.Relation.PREFERRED}
    return Lexicon.of((label, Term(slug, names.get(slug, label), text)) for label, _r, slug, text in rows)


def citations_of(version: Version) -> dict[str, str]:
    """What the citations in a version read as, by key."""
    return {link.source.key: link.source.short for link in version.source_links.select_related("source")}


def render_version(version: Version) -> dict[str, str]:
    """Safe HTML per Markdown field of a version (as the model of its kind), rendered now."""
    citations, tokens = citations_of(version), version.token_values()
    return {
        name: render(text, tokens=tokens, citations=citations)
        for name in version.markdown_fields
        if (text := getattr(version, name).strip())
    }


def store(version: Version) -> None:
    """Keep the HTML of a version; only stored HTML is served to readers."""
    RenderedText.objects.filter(version=version).delete()
    RenderedText.objects.bulk_create(
        RenderedText(version_id=version.pk, renderer=RENDERER, field=name, html=html)
        for name, html in render_version(version).items()
    )


def html_of_all(versions: Sequence[Version]) -> dict[int, dict[str, str]]:
    """The HTML of versions by id: what was stored, or rendered now where nothing of this renderer was (a draft)."""
    stored: dict[int, dict[str, str]] = {version.pk: {} for version in versions}
    rows = RenderedText.objects.filter(version__in=stored, renderer=RENDERER)
    for pk, name, html in rows.values_list("version_id", "field", "html"):
        stored[pk][name] = html
    return {version.pk: stored[version.pk] or render_version(version) for version in versions}


def html_of(version: Version) -> dict[str, str]:
    """The HTML of one version, per field."""
    return html_of_all([version])[version.pk]
