"""Figures that were typed in a text: which they are, whether a source stands with them, whether the data says otherwise.

Pure: Markdown and known figures in, remarks out. A figure belongs to the sentence it stands in, else to the next one
in its block that cites (a paragraph, a list item, a table with the paragraph before it): the citation there is its source.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a figure counts."""

    MONTHS = "months"  # of learning gain
    EFFECT = "effect"  # a standardised effect size
    STUDIES = "studies"
    PUPILS = "pupils"
    SHARE = "share"  # percent
    RATING = "rating"  # out of five


class Problem(StrEnum):
    """What is wrong with a typed figure."""

    CONTRADICTION = "contradiction"  # the data of its source says otherwise
    NO_SOURCE = "no_source"
    UNKNOWN = "unknown"  # the data holds no such figure of its source: nobody can compare


@dataclass(frozen=True)
class Known:
    """A figure that the data holds: of which source (its citation key), and what it is, in words."""

    kind: Kind
    value: Decimal
    source: str
    where: str = ""

    @property
    def words(self) -> str:
        """−0,18 as it would be typed, with its key and what it is."""
        number = f"{self.value.normalize():f}".replace(".", ",").replace("-", "\N{MINUS SIGN}")
        return f"{self.source}: {number}" + (f" ({self.where})" if self.where else "")

    def rounded(self, places: int) -> "Known":
        """The same with so many digits after its comma at most."""
        step = Decimal(1).scaleb(-places)
        return replace(self, value=self.value.quantize(step, rounding=ROUND_HALF_UP)) if self.value % step else self


@dataclass(frozen=True)
class Typed:
    """A figure as somebody typed it: the line (from 1), the words, the value, the digits after its comma, its sources.

    `signless` when the sentence speaks of a loss, so that a value without a sign may be one below zero.
    """

    kind: Kind
    line: int
    words: str
    value: Decimal
    sources: frozenset[str]
    places: int = 0
    signless: bool = False

    def agrees(self, known: Decimal) -> bool:
        """Whether it is that value, rounded to the digits that were typed."""
        near = known.quantize(Decimal(1).scaleb(-self.places), rounding=ROUND_HALF_UP)
        return self.value in {known, near} or (self.signless and self.value in {abs(known), abs(near)})


@dataclass(frozen=True)
class Remark:
    """What is wrong with a typed figure; `says` holds what the data says of its sources."""

    problem: Problem
    typed: Typed
    says: tuple[Known, ...] = ()

    @property
    def nearest(self) -> list[str]:
        """What the data says in words, the nearest figure first, with one digit more than was typed."""
        near = sorted(self.says, key=lambda known: abs(known.value - self.typed.value))
        return list(dict.fromkeys(known.rounded(self.typed.places + 1).words for known in near))


_UNITS = [
    "nul",
    "een",
    "twee",
    "drie",
    "vier",
    "vijf",
    "zes",
    "zeven",
    "acht",
    "negen",
    "tien",
    "elf",
    "twaalf",
    "dertien",
    "veertien",
    "vijftien",
    "zestien",
    "zeventien",
    "achttien",
    "negentien",
    "twintig",
]
_TENS = {
    "dertig": 30,
    "veertig": 40,
    "vijftig": 50,
    "zestig": 60,
    "zeventig": 70,
    "tachtig": 80,
    "negentig": 90,
    "honderd": 100,
}
NUMERALS = {word: value for value, word in enumerate(_UNITS)} | {"één": 1} | _TENS
NUMERALS |= {
    f"{unit}{'ën' if unit.endswith('e') else 'en'}{ten}": value + count
    for ten, value in {"twintig": 20, **_TENS}.items()
    if value < 100
    for count, unit in enumerate(_UNITS[1:10], start=1)
}
_NUMERAL = "|".join(sorted(NUMERALS, key=len, reverse=True))
_SIGN = r"(?:[-−–+]\s?|(?:plus|min|minus)\s)?"
_AMOUNT = rf"{_SIGN}(?:\d{{1,3}}(?:[.\u00a0\u202f ]\d{{3}})+\b|\d+(?:,\d+)?|(?:{_NUMERAL})\b)"
_RANGE = rf"(?:({_AMOUNT})\s+(?:tot|à|en|of)\s+)?({_AMOUNT})"
_START = r"(?<![\w,.€-])(?<!€\s)"
_RESEARCHES = r"studies|studie|onderzoeken|experimenten|proeven|meta-analyses"
_PEOPLE = r"leerlingen|deelnemers|kinderen|jongeren|leraren|leerkrachten|studenten"
_PATTERNS = {
    Kind.MONTHS: re.compile(rf"{_START}{_RANGE}\s+maand(?:en)?\b", re.IGNORECASE),
    Kind.STUDIES: re.compile(rf"{_START}({_AMOUNT})\s+(?:[\w-]+\s)?(?:{_RESEARCHES})\b", re.IGNORECASE),
    Kind.PUPILS: re.compile(
        rf"{_START}({_AMOUNT})\s+(?:(?!(?:groepen|bij|van|voor|met|in|op|en)\b)[\w-]+\s)?(?:{_PEOPLE})\b(?!\s+of\s+meer)",
        re.IGNORECASE,
    ),
    Kind.SHARE: re.compile(rf"{_START}{_RANGE}\s?(?:%|procent\b)", re.IGNORECASE),
    Kind.RATING: re.compile(
        rf"{_START}({_AMOUNT})\s+op\s+(?:5|vijf)\b(?!,\d|\s+(?:van|{_PEOPLE}|scholen|ouders|{_RESEARCHES})\b)",
        re.IGNORECASE,
    ),
    Kind.EFFECT: re.compile(
        rf"{_START}({_SIGN}\d,\d{{1,3}})"
        r"(?!\d|,\d|\s?(?:%|procent|keer|maal|euro|uur|jaar|punt|liter|l\b|kilo|kg|g\b|meter|m\b|cm|km|graden|seconde|minu))"
    ),
}
# Months of learning gain are spoken of in such words; months of time are not.
_GAIN = re.compile(
    r"\b(?:leer)?winst|\bvooruitgang|\bvoorsprong|\bachterstand|\bvooruit\b|\bachteruit|verlies|\bextra\b|\bhaalt\b|"
    r"\bhalen\b|\bkomt op\b|\blevert\b|\bmeldt\b|\bziet\b|\bscoort\b|\bschat|\bEEF\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:lang|duurt?|(?:loop|tijds)?duur van|looptijd van|later|geleden|gedurende|na|voor|elke|per|om de|binnen|eerste|laatste)\s*$",
    re.IGNORECASE,
)
_AFTER_TIME = re.compile(
    r"^\s*(?:lang|later|geleden|oud|na|nadien|tijd|per|school|vol|volhouden|duren)\b", re.IGNORECASE
)
_LOST = re.compile(r"^\s*(?:leer)?(?:verlies|achterstand|achteruit\w*|achter|minder|trager)\b", re.IGNORECASE)
_LOSS = re.compile(
    r"verlies|achterstand|achteruit|\bminder\b|\bdaal|\bdaling|\blager\b|negatie|\bnadeel", re.IGNORECASE
)
_RESEARCH = re.compile(
    r"onderzoek|studie|meta-analyse|overzicht|gemiddeld|proef|proeven|experiment|synthese|deelnemers|\bEEF\b",
    re.IGNORECASE,
)
_CITATION = re.compile(r"\[@([a-z0-9-]{1,80})\]")
_MASKED = re.compile(r"\{\{[^}]*\}\}|^[ \t]*(?:[-*+]|\d+\.)(?=\s)", re.MULTILINE)  # tokens, and marks of list items
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s")
_HEADING = re.compile(r"^\s{0,3}#")


def typed(markdown: str) -> Iterator[Typed]:
    """The figures in a Markdown text, tokens left out, in reading order within each block."""
    for first, lines in _blocks(markdown):
        block = "\n".join(lines)
        text = _MASKED.sub(lambda mark: "\u2007" * len(mark[0]), block)
        parts = list(_sentences(text))
        cited = [frozenset(_CITATION.findall(sentence)) for sentence, _start in parts]
        for place, (sentence, start) in enumerate(parts):
            # its own citation, else the next one, else the one before
            sources: frozenset[str] = next(
                (keys for keys in (*cited[place:], *reversed(cited[:place])) if keys), frozenset()
            )
            for kind, pattern in _PATTERNS.items():
                for found in pattern.finditer(sentence):
                    if _is_meant(kind, sentence, found):
                        line = first + text[: start + found.start()].count("\n")
                        words = " ".join(found.group().split())
                        for amount in filter(None, found.groups()):
                            yield _figure(kind, line, words, amount, sentence, found.end(), sources)


def _figure(kind: Kind, line: int, words: str, amount: str, sentence: str, end: int, sources: frozenset[str]) -> Typed:
    value, signed = value_of(amount), bool(re.match(_SIGN, amount, re.IGNORECASE)[0])  # type: ignore[index]  # may be empty
    lost = kind == Kind.MONTHS and not signed and bool(_LOST.match(sentence[end:]))
    signless = kind in (Kind.MONTHS, Kind.EFFECT) and not signed and not lost and bool(_LOSS.search(sentence))
    places = len(amount.partition(",")[2])
    return Typed(kind, line, words, -value if lost else value, sources, places, signless)


def _is_meant(kind: Kind, sentence: str, found: re.Match[str]) -> bool:
    """Whether a match is a figure about research: months of gain rather than of time, pupils of a study, not of a class."""
    last, research = found.groups()[-1], bool(_RESEARCH.search(sentence) or _CITATION.search(sentence))
    if kind == Kind.MONTHS:
        before, after = sentence[: found.start()], sentence[found.end() :]
        gain = _GAIN.search(sentence) or (last.lower() != "een" and _CITATION.search(sentence))
        return bool(gain) and not _TIME.search(before) and not _AFTER_TIME.match(after)
    if kind == Kind.PUPILS:
        return value_of(last) >= (20 if "deelnemers" in found.group() else 100) and research
    if kind == Kind.STUDIES:
        return value_of(last) >= (2 if last[-1].isdigit() else 5) and research
    return True


def value_of(words: str) -> Decimal:
    """A number as typed: 0,48, −2, 61 000, 1.500, zes, minus twee."""
    text = " ".join(words.lower().replace("−", "-").replace("–", "-").split())
    negative = text.startswith(("-", "min ", "minus "))
    text = re.sub(r"^(?:[-+]|plus\b|minus\b|min\b)\s*", "", text)
    if text in NUMERALS:
        number = Decimal(NUMERALS[text])
    else:
        number = Decimal(re.sub(r"(?<=\d)[.\u00a0\u202f ](?=\d{3}(?!\d))", "", text).replace(",", "."))
    return -number if negative else number


def remarks(
    markdown: str, known: Collection[Known], *, everywhere: Collection[str] = (), restated: Collection[Typed] = ()
) -> Iterator[Remark]:
    """Typed figures without a source, those that differ from what the data says of it, and those nobody can compare.

    A figure agrees when it equals one that the data holds of its sources. `everywhere` are the sources of a field that
    cites none (a lead). `restated` are figures with a source elsewhere in the same text, which may be said again.
    """
    held = {(figure.kind, figure.source) for figure in known}
    for figure in typed(markdown):
        sources = figure.sources or frozenset(everywhere)
        says = tuple(entry for entry in known if entry.kind == figure.kind and entry.source in sources)
        if any(figure.agrees(entry.value) for entry in says):
            continue
        if not figure.sources:
            if not any((other.kind, other.value) == (figure.kind, figure.value) for other in restated):
                yield Remark(Problem.NO_SOURCE, figure, says)
        elif all((figure.kind, source) in held for source in sources):
            yield Remark(Problem.CONTRADICTION, figure, says)
        else:
            yield Remark(Problem.UNKNOWN, figure, says)


def reported(rows: Any, source: str) -> list[Known]:
    """The figures in the JSON list that a source keeps: {kind, value, what}. Raises ValueError, saying which row is wrong."""
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise ValueError("not a list")
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            value = Decimal(str(row["value"]))
            if not value.is_finite() or row.keys() - {"kind", "value", "what"}:
                raise ValueError
            found.append(Known(Kind(row["kind"]), value, source, str(row.get("what", ""))))
        except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise ValueError(f"row {number}") from error
    return found


def _blocks(markdown: str) -> Iterator[tuple[int, list[str]]]:
    """(first line from 1, lines) of paragraphs, list items, and tables together with the paragraph before them."""
    block: list[str] = []
    first = 1
    blank = False
    for number, line in enumerate(markdown.split("\n"), 1):
        table = line.lstrip().startswith("|")
        if not line.strip() or _HEADING.match(line):
            blank = True
            continue
        if block and ((blank and not (table and block)) or _ITEM.match(line)):
            yield first, block
            block = []
        if not block:
            first = number
        elif blank:
            block.append("")
        block.append(line)
        blank = False
    if block:
        yield first, block


def _sentences(text: str) -> Iterator[tuple[str, int]]:
    """(sentence, where it begins); rows of a table are sentences."""
    start = 0
    for gap in re.finditer(r"(?<=[.?!])\s+(?=[A-ZÀ-Þ‘“\u2007(])|\n(?=\|)", text):
        yield text[start : gap.start()], start
        start = gap.end()
    yield text[start:], start
