"""References as others give them: records of RIS and BibTeX files, and what a registry knows of a DOI (CSL-JSON).

The parsers are rispy and bibtexparser, LaTeX is read by pylatexenc. What comes out is a Reference, in which nothing is
made up: what a record does not say stays empty. RIS: https://en.wikipedia.org/wiki/RIS_(file_format); CSL-JSON:
https://docs.citationstyles.org/en/stable/specification.html#appendix-iv-variables.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import rispy
from bibtexparser.entrypoint import parse_string
from bibtexparser.library import Library
from bibtexparser.middlewares import NameParts, SeparateCoAuthors, SplitNameParts
from bibtexparser.model import DuplicateBlockKeyBlock, Entry, ParsingFailedBlock
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from knowledgebase.citations import Reference
from knowledgebase.models import Source, normalise_doi

MAX_CHARACTERS = 200_000  # of a text with records
MAX_RECORDS = 50  # in one go
MAX_FIELD = 10_000  # characters of one field of a record: the parser is quadratic on the names in it
OTHERS = {"family": "et al."}
LANGUAGES = {
    "english": "en", "engels": "en", "eng": "en", "dutch": "nl", "nederlands": "nl", "dut": "nl", "nld": "nl",
    "flemish": "nl", "french": "fr", "français": "fr", "frans": "fr", "fre": "fr", "fra": "fr", "german": "de",
    "deutsch": "de", "duits": "de", "ger": "de", "deu": "de",
}  # fmt: skip
PARTICLES = frozenset({
    "van", "vande", "vanden", "vander", "de", "der", "den", "ter", "ten", "het", "'t", "von", "vom", "zu", "zum",
    "zur", "af", "av", "del", "della", "di", "da", "dos",
})  # fmt: skip
_MARKUP = re.compile(r"</?(?:i|b|u|em|strong|su[bp]|scp?|span|p|br|(?:jats|mml):[\w-]+)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_RETRACTED = re.compile(r"\W*retracted(?:\s+article)?\s*:", re.IGNORECASE)
_DOI_ADDRESS = re.compile(r"https?://(?:dx\.|www\.)?doi\.org/", re.IGNORECASE)
_ENTRY = re.compile(r"@[ \t]*\w+[ \t]*[{(]")
Kind = Source.Kind


class NoRecords(Exception):
    """A text in which nothing can be read; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """One record as it was read: a reference, or why there is none. `place` says which one it was."""

    place: str
    reference: Reference | None = None
    refused: str = ""
    is_retracted: bool = False


def read(text: str) -> list[Record]:
    """The records in a text of RIS or BibTeX, whichever it is. Raises NoRecords."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CHARACTERS:
        message = _("This is more than %(limit)s characters. Add the records in smaller parts.")
        raise NoRecords(message % {"limit": MAX_CHARACTERS})
    if re.search(r"^TY  ?- ?", text, re.MULTILINE):
        records = list(read_ris(text))
    elif starts := len(_ENTRY.findall(text)):
        if starts > 2 * MAX_RECORDS:  # comments and macros are no records
            raise NoRecords(_too_many(starts))
        records = list(read_bibtex(text))
    else:
        raise NoRecords(
            _("This is no RIS and no BibTeX. RIS begins with “TY  - ”, BibTeX with something like “@article{”.")
        )
    if not records:
        raise NoRecords(_("We found no complete record. A record of RIS ends with “ER  - ”, one of BibTeX with “}”."))
    if len(records) > MAX_RECORDS:
        raise NoRecords(_too_many(len(records)))
    return records


def _too_many(count: int) -> str:
    message = _("These are %(count)s records. Add at most %(limit)s in one go.")
    return message % {"count": count, "limit": MAX_RECORDS}


def of_csl(doi: str, data: Mapping[str, Any]) -> Record:
    """The record that a registry has of a DOI."""
    title = _csl_text(data.get("title"))
    subtitle = _csl_text(data.get("subtitle"))
    if subtitle and subtitle.casefold() not in title.casefold():
        title = f"{title}: {subtitle}"
    authors = [_csl_person(row) for row in data.get("author") or () if isinstance(row, dict)]
    container = _csl_text(data.get("container-title")) or _csl_text(data.get("publisher"))
    kind = {
        "report": Kind.REPORT, "report-component": Kind.REPORT, "webpage": Kind.WEBSITE, "post-weblog": Kind.WEBSITE,
    }.get(str(data.get("type", "")), "")  # fmt: skip
    pages = _csl_text(data.get("page")) or _csl_text(data.get("article-number")) or _csl_text(data.get("number"))
    return _record(
        doi,
        doi=doi,
        kind=kind,
        title=title,
        authors=[author for author in authors if author],
        year=_csl_year(data),
        container=container,
        volume=_csl_text(data.get("volume")),
        issue=_csl_text(data.get("issue")),
        pages=pages,
        url=_csl_text(data.get("URL")),
        language=_csl_text(data.get("language")),
    )


def _csl_text(value: Any) -> str:
    """Plain text: registries give lists, tags of HTML or JATS, and entities."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return _line(unescape(_MARKUP.sub("", unescape(str(value)))))


def _csl_person(row: Mapping[str, Any]) -> dict[str, str]:
    parts = (row.get("dropping-particle"), row.get("non-dropping-particle"), row.get("family"))
    family = " ".join(filter(None, map(_csl_text, parts))) or _csl_text(row.get("literal") or row.get("name"))
    given = ", ".join(filter(None, (_csl_text(row.get("given")), _csl_text(row.get("suffix")))))
    return person(family, given)


def _csl_year(data: Mapping[str, Any]) -> int | None:
    for name in ("published-print", "issued", "published", "published-online", "created"):
        try:
            return int(data[name]["date-parts"][0][0])
        except (KeyError, IndexError, TypeError, ValueError):
            continue
    return None


# -- RIS ------------------------------------------------------------------------------------------

_RIS_KINDS = {"RPRT": Kind.REPORT, "ELEC": Kind.WEBSITE, "WEB": Kind.WEBSITE, "BLOG": Kind.WEBSITE}


def read_ris(text: str) -> Iterator[Record]:
    """A record for each `TY  - ` … `ER  - ` in a text."""
    # The parser wants the tag and both blanks; a record that another one begins in would swallow it.
    text = re.sub(r"^([A-Z][A-Z0-9]) {1,2}-[ \t]?", r"\1  - ", text, flags=re.MULTILINE)
    pieces = re.split(r"^(?=TY  - )", text, flags=re.MULTILINE)
    for number, piece in enumerate((piece for piece in pieces if piece.startswith("TY  - ")), start=1):
        place = _("Record %(number)s") % {"number": number}
        rows = rispy.loads(piece)
        if not rows:
            yield Record(place, refused=_("The record has no end: write a line “ER  - ” below it."))
        else:
            yield _of_ris(place, rows[0])


def _of_ris(place: str, row: Mapping[str, Any]) -> Record:
    def first(*names: str) -> str:
        values = (row.get(name) for name in names)
        texts = (value[0] if isinstance(value, list) else value for value in values if value)
        return next((text for text in texts if text), "")

    names = [*row.get("first_authors", ()), *row.get("authors", ())]
    people = [person(*_divided(name)) for name in names]
    if any(re.fullmatch(r"et al\.?", note.strip()) for note in row.get("notes", ())):
        people.append(dict(OTHERS))
    start, end = first("start_page"), first("end_page")
    links = [*row.get("urls", ()), *row.get("file_attachments1", ())]
    doi = first("doi") or next((link for link in links if _DOI_ADDRESS.match(link)), "")
    kind = _kind(first("type_of_work")) or _RIS_KINDS.get(first("type_of_reference"), "")
    title = first("title", "primary_title", "translated_title")
    return _record(
        f"{place}: {title[:80]}" if title else place,
        key=first("id"),
        kind=kind,
        title=title,
        authors=[one for one in people if one],
        year=_year(first("year", "publication_year", "date")),
        container=first("secondary_title", "journal_name", "alternate_title3", "alternate_title1", "publisher"),
        volume=first("volume"),
        issue=first("number"),
        pages=f"{start}-{end}" if end and end != start and not start.endswith(f"-{end}") else start,
        doi=doi,
        url=next((link for link in links if not _DOI_ADDRESS.match(link)), ""),
        language=first("language"),
    )


# -- BibTeX ---------------------------------------------------------------------------------------

_BIBTEX_KINDS = {
    "techreport": Kind.REPORT, "report": Kind.REPORT, "online": Kind.WEBSITE, "electronic": Kind.WEBSITE,
    "www": Kind.WEBSITE,
}  # fmt: skip


def _decoder() -> LatexNodes2Text:
    macros = get_default_latex_context_db()
    signs = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^", "url": "%s"}
    ours = [MacroTextSpec(name, simplify_repl=sign) for name, sign in signs.items()]
    macros.add_context_category("ours", prepend=True, macros=ours)
    return LatexNodes2Text(latex_context=macros, math_mode="text")


def read_bibtex(text: str) -> Iterator[Record]:
    """A record for each entry in a text; comments, preambles and words between entries are no records."""
    number = 0
    decoder = _decoder()
    for block in parse_string(text).blocks:
        if isinstance(block, DuplicateBlockKeyBlock) and isinstance(block.ignore_error_block, Entry):
            block = block.ignore_error_block  # noqa: PLW2901  # another publication under the same key
        if not isinstance(block, Entry | ParsingFailedBlock):
            continue
        number += 1
        place = _("Record %(number)s") % {"number": number}
        if isinstance(block, Entry):
            place = f"{place}: {block.key[:80]}"
            if any(len(str(field.value)) > MAX_FIELD for field in block.fields):
                message = _("A field of this record is longer than %(limit)s characters.")
                yield Record(place, refused=message % {"limit": MAX_FIELD})
            else:
                yield _of_bibtex(place, block, decoder)
        else:
            line = (block.start_line or 0) + 1
            message = _("From line %(line)s on we cannot read it: look for a brace or a comma that is missing.")
            yield Record(place, refused=message % {"line": line})


def _of_bibtex(place: str, entry: Entry, decoder: LatexNodes2Text) -> Record:
    named = SplitNameParts().transform(SeparateCoAuthors().transform(Library([entry])))
    fields = {field.key.lower(): field.value for block in named.entries for field in block.fields}

    def first(*names: str) -> str:
        return next((_text(decoder, str(fields[name])) for name in names if fields.get(name)), "")

    def address(*names: str) -> str:
        return next((_bare(str(fields[name])) for name in names if fields.get(name)), "")

    people = fields.get("author") or fields.get("editor") or []
    if not isinstance(people, list):  # names that the parser could not take apart
        people = [NameParts(last=[str(people)])]
    if r"\url" in str(fields.get("howpublished", "")):  # a common way to give an address
        fields.setdefault("url", fields.pop("howpublished"))
    link = address("url")
    return _record(
        place,
        key=entry.key,
        kind=_kind(first("entrysubtype")) or _BIBTEX_KINDS.get(entry.entry_type.lower(), ""),
        title=": ".join(filter(None, (first("title"), first("subtitle")))),
        authors=[one for name in people if (one := _bibtex_person(name, decoder))],
        year=_year(first("year", "date")),
        container=first(
            "journal", "journaltitle", "booktitle", "institution", "school", "howpublished", "organization", "publisher"
        ),
        volume=first("volume"),
        issue=first("number", "issue"),
        pages=re.sub(r"\s*[-–—]+\s*", "-", first("pages", "eid", "articleno")),
        doi=address("doi") or (link if _DOI_ADDRESS.match(link) else ""),
        url=link,
        language=first("language", "langid"),
    )


def _bibtex_person(name: Any, decoder: LatexNodes2Text) -> dict[str, str]:
    if not isinstance(name, NameParts):
        return person(_text(decoder, str(name)), "")
    family = _text(decoder, " ".join([*name.von, *name.last]))
    given = ", ".join(filter(None, (_text(decoder, " ".join(part)) for part in (name.first, name.jr))))
    if family == "others" and not given:
        return dict(OTHERS)
    return person(family, given)


def _text(decoder: LatexNodes2Text, text: str) -> str:
    """LaTeX as plain text; a bare % is a per cent sign that somebody forgot to escape, not a comment."""
    try:
        return _line(decoder.latex_to_text(re.sub(r"(?<!\\)%", r"\\%", text)).replace("\xa0", " "))
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError):
        return _line(text)


def _bare(text: str) -> str:
    """An address or a DOI: only its braces, its \\url and its escapes go."""
    text = re.sub(r"\\url\s*\{([^{}]*)\}", r"\1", text)
    return re.sub(r"\\([%&#_{}~$])", r"\1", text.replace("{\\_}", "_")).strip("{} \t\n")


# -- what they have in common ---------------------------------------------------------------------


def person(family: str, given: str = "") -> dict[str, str]:
    """An author. Particles that stand behind the given name belong to the family name: De Smedt, B., not Smedt, B. De.

    An organisation has a family name only; nobody is an empty dict.
    """
    family, names = _line(family).strip(" ,;"), _line(given).strip(" ,;").split()
    if re.fullmatch(r"et al\.?|others", family) and not names:
        return dict(OTHERS)
    moved: list[str] = []
    while len(names) > 1 and names[-1].casefold() in PARTICLES:
        moved.insert(0, names.pop())
    if not family and names:
        return {"family": " ".join([*moved, *names])}
    if not family:
        return {}
    whole = " ".join([*moved, family])
    return {"family": whole, "given": " ".join(names)} if names else {"family": whole}


def _divided(name: str) -> tuple[str, str]:
    """`Family, Given, Suffix` -> family name and the rest; a name without a comma is that of an organisation."""
    family, _comma, given = name.partition(",")
    return family, given


def _record(place: str, *, title: str, is_retracted: bool = False, **given: Any) -> Record:
    """A record with what the model can hold, or why not."""
    title = _line(title)
    if _RETRACTED.match(title):
        title, is_retracted = _line(_RETRACTED.sub("", title, count=1)), True
    if not title:
        return Record(place, refused=_("The record has no title."))
    doi, url = str(given.get("doi", "")), str(given.get("url", ""))
    try:
        doi = normalise_doi(doi) if doi.strip() else ""
    except ValidationError:
        message = _("“%(doi)s” is not a DOI. A DOI looks like 10.1234/abcd.")
        return Record(place, refused=message % {"doi": doi})
    if _DOI_ADDRESS.match(url) or not re.match(r"https?://", url, re.IGNORECASE):
        url = ""
    texts: dict[str, Any] = {
        name: _line(given.get(name, "")) for name in ("key", "container", "volume", "issue", "pages")
    }
    reference = Reference(
        kind=given.get("kind") or _guessed(title),
        title=title,
        authors=tuple(given.get("authors", ())),
        year=given.get("year"),
        doi=doi,
        url=url,
        language=_language(given.get("language", "")),
        **texts,
    )
    return Record(place, reference, is_retracted=is_retracted)


def _guessed(title: str) -> str:
    """What the title itself says that it is; an article says nothing more."""
    words = title.casefold()
    if re.search(r"\bmeta-?\s?analys[ei]", words):
        return Kind.META_ANALYSIS
    return Kind.SYSTEMATIC_REVIEW if "systematic review" in words else Kind.ARTICLE


def _kind(words: str) -> str:
    """A kind as our own files name it, `meta analysis`; empty for other words."""
    name = re.sub(r"[\s-]+", "_", words.strip().lower())
    return name if name in Kind.values else ""


def _year(text: str) -> int | None:
    found = re.search(r"\b(1[89]\d\d|20\d\d)\b", text)
    return int(found[1]) if found else None


def _language(text: str) -> str:
    """A code of two letters, perhaps with a country; English where a record does not say."""
    word = _line(text).lower().replace("_", "-")
    if word in LANGUAGES:
        return LANGUAGES[word]
    if not re.fullmatch(r"[a-z]{2}(-[a-z]{2})?", word):
        return "en"
    return re.sub(r"-\w\w\Z", lambda match: match[0].upper(), word)


def _line(text: Any) -> str:
    """Text on one line, composed, without control characters."""
    kept = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", str(text)))
    return " ".join(kept.split())
