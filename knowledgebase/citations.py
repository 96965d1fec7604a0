"""References as people and their tools want them: APA 7 with Dutch words, RIS, BibTeX.

RIS: https://en.wikipedia.org/wiki/RIS_(file_format); BibTeX: https://www.ctan.org/pkg/bibtex.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from knowledgebase.models import Source, Version

TEXT = "text"  # the kind of a text of our own, beside the kinds of Source
IN_FULL = 20  # APA 7 names this many authors, and of more the first nineteen and the last
_OTHERS = re.compile(r"(?:et al|e\.?\s?a)\.?\Z", re.IGNORECASE)
_PAGES = re.compile(r"\s*[-–—]+\s*")
_ARTICLE_NUMBER = re.compile(r"[A-Za-z]\w*|\d{4,}")


class Run(NamedTuple):
    """A piece of a printed reference. `lang` is the language of a title that is not Dutch, `href` where a link goes."""

    text: str
    emphasised: bool = False
    lang: str = ""
    href: str = ""


@dataclass(frozen=True)
class Reference:
    """A publication, or a version of one of our texts, with what the three formats need. Empty is unknown."""

    key: str
    kind: str
    title: str
    authors: Sequence[Mapping[str, str]] = ()  # {"family", "given"}; an organisation has only a family name
    year: int | None = None
    container: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    url: str = ""
    language: str = "nl"
    published: date | None = None
    version: int | None = None
    accessed: date | None = None

    @classmethod
    def of_source(cls, source: Source) -> Reference:
        return cls(
            key=source.key,
            kind=source.kind,
            title=source.title,
            authors=source.authors,
            year=source.year,
            container=source.container,
            volume=source.volume,
            issue=source.issue,
            pages=source.pages,
            doi=source.doi or "",
            url=source.url,
            language=source.language,
        )

    @classmethod
    def of_version(cls, version: Version, url: str) -> Reference:
        """A version of a text of ours, at its full address."""
        published = timezone.localdate(version.published_at) if version.published_at else None
        return cls(
            key=f"leerpunt-{version.item.slug}-v{version.number}",
            kind=TEXT,
            title=version.title,
            authors=({"family": "Leerpunt"},),
            year=published.year if published else None,
            url=url,
            published=published,
            version=version.number,
        )

    @property
    def people(self) -> list[Mapping[str, str]]:
        """The authors that are named."""
        return [person for person in self.authors if not _OTHERS.match(person["family"].strip())]

    @property
    def has_others(self) -> bool:
        """There are more authors than are named."""
        return len(self.people) < len(self.authors)

    @property
    def link(self) -> str:
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def is_article(self) -> bool:
        """Part of a journal or a book, rather than a work of its own."""
        return bool(self.container) and (bool(self.volume or self.pages or self.doi) or not self.url)


def _line(text: str) -> str:
    """Text on one line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# -- APA ------------------------------------------------------------------------------------------


def apa(reference: Reference) -> list[Run]:
    """The reference in APA 7, as plain text in runs, so that a template can emphasise, link and name languages."""
    return [run for run in _apa(reference) if run.text]


def _apa(reference: Reference) -> Iterator[Run]:
    whole = not reference.is_article
    title = Run(_line(reference.title), emphasised=whole, lang="" if reference.language == "nl" else reference.language)
    edition = f" ({_('Version %(number)s') % {'number': reference.version}})" if reference.version else ""
    stop = "" if title.text.endswith((".", "?", "!", "…")) and not edition else "."
    if reference.authors:
        names = _names(reference)
        yield Run(f"{names}{'' if names.endswith('.') else '.'} ({_when(reference)}). ")
        yield title
        yield Run(f"{edition}{stop} ")
    else:
        yield title
        yield Run(f"{edition}{stop} ({_when(reference)}). ")
    container = _line(reference.container)
    if container and not whole:
        volume = _line(reference.volume)
        yield Run(f"{container}, {volume}" if volume else container, emphasised=True)
        issue = f"({_line(reference.issue)})" if reference.issue else ""
        yield Run(f"{'' if volume or not issue else ', '}{issue}{_pages(reference)}. ")
    elif container and [container] != [_line(person["family"]) for person in reference.people]:
        yield Run(f"{container}. ")
    if reference.accessed and not reference.doi and reference.url:
        day = date_format(reference.accessed, "j F Y")
        yield Run(_("Retrieved on %(date)s, from") % {"date": day} + " ")
    link = _line(reference.link)
    yield Run(link, href=link if link.startswith(("https://", "http://")) else "")


def apa_text(reference: Reference) -> str:
    """The reference in APA 7 as one string."""
    return "".join(run.text for run in apa(reference)).strip()


def _when(reference: Reference) -> str:
    if reference.published:
        return f"{reference.published.year}, {date_format(reference.published, 'j F')}"
    return str(reference.year or _("n.d."))


def _pages(reference: Reference) -> str:
    pages = _line(reference.pages)
    if not pages:
        return ""
    if _ARTICLE_NUMBER.fullmatch(pages):
        return ", " + _("Article %(number)s") % {"number": pages}
    return ", " + _PAGES.sub("–", pages)


def _names(reference: Reference) -> str:
    names = [_name(person) for person in reference.people]
    if reference.has_others:
        return ", ".join([*names, "et al."])
    if len(names) > IN_FULL:
        return f"{', '.join(names[: IN_FULL - 1])}, … {names[-1]}"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])}, & {names[-1]}"


def _name(person: Mapping[str, str]) -> str:
    family, given = _line(person["family"]), _initials(_line(person.get("given", "")))
    return f"{family}, {given}" if given else family


def _initials(given: str) -> str:
    """M. A. for Marloes Anna, J.-P. for Jean-Pierre; what is an initial already stays."""
    parts = [part for part in re.split(r"(?<=\.)|\s+|(?=-)", given) if part.strip(" -")]
    letters = (part if part.endswith(".") else re.sub(r"(-?\w).*", r"\1.", part) for part in parts)
    return " ".join(part.strip() for part in letters).replace(" -", "-")


# -- RIS ------------------------------------------------------------------------------------------


def ris(reference: Reference) -> str:
    """One record of RIS, lines ended by CRLF."""
    pages = [part for part in _PAGES.split(reference.pages) if part]
    lines = [
        ("TY", _ris_type(reference)),
        ("ID", reference.key),
        ("M3", _kind_in_words(reference)),
        *(("AU", _ris_name(person)) for person in reference.people),
        ("PY", str(reference.year or "")),
        ("DA", f"{reference.published:%Y/%m/%d}" if reference.published else ""),
        ("TI", reference.title),
        ("T2", reference.container),
        ("VL", reference.volume),
        ("IS", reference.issue),
        ("SP", pages[0] if pages else ""),
        ("EP", pages[1] if len(pages) > 1 else ""),
        ("ET", str(reference.version or "")),
        ("DO", reference.doi),
        ("UR", reference.link),
        ("UR", reference.url if reference.doi else ""),
        ("LA", reference.language),
        ("N1", "et al." if reference.has_others else ""),
        ("Y2", f"{reference.accessed:%Y/%m/%d}" if reference.accessed else ""),
    ]
    written = [f"{tag}  - {text}" for tag, value in lines if (text := _line(value))]
    return "\r\n".join([*written, "ER  - ", ""])


def _ris_type(reference: Reference) -> str:
    if reference.kind == "report":
        return "RPRT"
    if reference.is_article and reference.kind != "website":
        return "JOUR"
    return "ELEC" if reference.url else "GEN"


def _kind_in_words(reference: Reference) -> str:
    """What kind of publication it is, more precisely than the formats have types for."""
    return "" if reference.kind == TEXT else reference.kind.replace("_", " ")


def _ris_name(person: Mapping[str, str]) -> str:
    given = person.get("given", "")
    return f"{person['family']}, {given}" if given else person["family"]


# -- BibTeX ---------------------------------------------------------------------------------------

# BibTeX counts braces even behind a backslash, so a brace in a text becomes a command.
_BIBTEX = str.maketrans({
    "\\": r"{\textbackslash}", "{": r"{\textbraceleft}", "}": r"{\textbraceright}", "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
})  # fmt: skip
_BIBTEX_LINK = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C", " ": "%20"})


def bibtex(reference: Reference) -> str:
    """One entry of BibTeX in UTF-8."""
    pages = "--".join(part for part in _PAGES.split(_line(reference.pages)) if part)
    container = "journal" if reference.is_article else "institution" if reference.kind == "report" else "howpublished"
    fields = {
        "author": " and ".join([*map(_bibtex_name, reference.people), *(["others"] if reference.has_others else [])]),
        "title": f"{{{_bibtex_text(reference.title)}}}",
        "year": str(reference.year or ""),
        "date": reference.published.isoformat() if reference.published else "",
        container: _bibtex_text(reference.container),
        "volume": _bibtex_text(reference.volume),
        "number": _bibtex_text(reference.issue),
        "pages": _bibtex_text(pages),
        "edition": str(reference.version or ""),
        "doi": _line(reference.doi).translate(_BIBTEX_LINK),
        "url": _line(reference.url or reference.link).translate(_BIBTEX_LINK),
        "urldate": reference.accessed.isoformat() if reference.accessed else "",
        "language": _bibtex_text(reference.language),
        "entrysubtype": _kind_in_words(reference),
    }
    kind = "techreport" if reference.kind == "report" else "article" if reference.is_article else "misc"
    key = re.sub(r"[^a-z0-9-]", "", reference.key.lower()) or "bron"
    written = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{written}}}\n"


def _bibtex_text(text: str) -> str:
    return _line(text).translate(_BIBTEX)


def _bibtex_name(person: Mapping[str, str]) -> str:
    """An organisation stands in braces, so that its name is not taken apart."""
    given = person.get("given", "")
    if not given:
        return f"{{{_bibtex_text(person['family'])}}}"
    return f"{_bibtex_part(person['family'])}, {_bibtex_part(given)}"


def _bibtex_part(name: str) -> str:
    text = _bibtex_text(name)
    return f"{{{text}}}" if "," in text or " and " in f" {text} " else text


def as_file(references: Sequence[Reference], form: str) -> tuple[str, str]:
    """References for reference software, with the media type; `form` is ris or bib."""
    if form == "ris":
        return "\r\n".join(map(ris, references)), "application/x-research-info-systems; charset=utf-8"
    return "\n".join(map(bibtex, references)), "application/x-bibtex; charset=utf-8"
