"""Study rows from a CSV file, as spreadsheets and statistics programs write them, with a report of every row.

What can be read goes in; what cannot is refused with its reason; nothing is dropped in silence. The same rows again are
recognised. A row that is there with other values is refused, or entered as a correction when that is asked for.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from knowledgebase.models import Concept, ConceptLabel, EffectSize, Measure, Scheme, SiteState, Source, Study, User

from . import audit, reported, studies
from .permissions import check_writes, role_of
from .study_checks import doubts_on, shown

MOST_BYTES = 2_000_000
MOST_ROWS = 5_000
MOST_COLUMNS = 80
DELIMITERS = (";", "\t", ",", "|")


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Table:
    """What stands in a file: the heading, and rows with the line on which each begins."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    encoding: str = ""
    delimiter: str = ""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]]) -> Table:
        """A table of rows by column name; all rows have the columns of the first."""
        header = tuple(rows[0]) if rows else ()
        lines = ((line, tuple(str(row[name]) for name in header)) for line, row in enumerate(rows, start=2))
        return cls(header, tuple(lines))


class Status(StrEnum):
    READ = "read"
    SAME = "same"
    CORRECTED = "corrected"
    DIFFERS = "differs"
    REFUSED = "refused"


@dataclass
class Line:
    """What became of one row of the file."""

    number: int
    name: str = ""
    status: Status = Status.READ
    effect: float | None = None
    variance: float | None = None
    conversion: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What became of it, in words."""
        return {
            Status.READ: _("goes in"),
            Status.SAME: _("is there already"),
            Status.CORRECTED: _("goes in as a correction"),
            Status.DIFFERS: _("not entered: other values"),
            Status.REFUSED: _("refused"),
        }[self.status]

    @property
    def shown_effect(self) -> str:
        return "" if self.effect is None else shown(self.effect)

    @property
    def shown_variance(self) -> str:
        return "" if self.variance is None else shown(self.variance)

    @property
    def converted(self) -> str:
        """How its effect was computed, in words; empty when the file gives it."""
        return "" if self.conversion in ("", EffectSize.AS_REPORTED) else reported.name_of(self.conversion)


@dataclass
class Report:
    """What was read of a file: its columns, and every row."""

    encoding: str
    delimiter: str
    columns: dict[str, str]  # heading in the file -> what we read it as
    characteristics: list[str]  # headings that we keep as characteristics of the rows
    lines: list[Line] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    saved: bool = False

    def count(self, *statuses: str) -> int:
        return sum(line.status in statuses for line in self.lines)

    @property
    def entered(self) -> int:
        return self.count(Status.READ, Status.CORRECTED)


# -- the file


def read(content: bytes | str) -> Table:
    """The table in a file or in pasted text. Raises Unreadable."""
    size = len(content) if isinstance(content, bytes) else len(content.encode())
    if size > MOST_BYTES:
        limit = {"limit": f"{MOST_BYTES // 1_000_000} MB"}
        raise Unreadable(_("This file is larger than %(limit)s. Split it and import the parts.") % limit)
    text, encoding = (content, "") if isinstance(content, str) else _decoded(content)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        raise Unreadable(_("This is no text. Save the table as CSV and choose that file."))
    delimiter, text, skipped = _delimiter(text)
    try:
        lines = list(_lines(text, delimiter, skipped))
    except csv.Error as error:
        raise Unreadable(_("The file is no CSV: %(error)s.") % {"error": error}) from error
    if not lines:
        raise Unreadable(_("There is nothing in it. The first row has the names of the columns."))
    (_number, header), *rows = lines
    header = tuple(" ".join(name.split()) for name in header)
    while header and not header[-1]:
        header = header[:-1]
    if len(header) > MOST_COLUMNS:
        raise Unreadable(_("A table has at most %(limit)s columns.") % {"limit": MOST_COLUMNS})
    if len(rows) > MOST_ROWS:
        raise Unreadable(_("A table has at most %(limit)s rows. Split it and import the parts.") % {"limit": MOST_ROWS})
    return Table(header, tuple(rows), encoding, delimiter)


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(b"PK\x03\x04"):
        raise Unreadable(_("This is a workbook. In Excel choose Save as, CSV UTF-8, and choose that file here."))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError as error:
            raise Unreadable(_("This is no text. Save the table as CSV and choose that file.")) from error
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "Windows-1252"


def _delimiter(text: str) -> tuple[str, str, int]:
    """What stands between the columns, the text without Excel's line that says so, and how many lines that took."""
    first, _newline, rest = text.lstrip("\n").partition("\n")
    blank = len(text) - len(text.lstrip("\n"))
    if (said := re.fullmatch(r"\"?sep=(.)\"?", first.strip("\n ;,"))) or (said := re.fullmatch(r"sep=(.)", first)):
        return said[1], rest, blank + 1
    outside = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=outside.count), text, 0


def _lines(text: str, delimiter: str, skipped: int) -> Iterable[tuple[int, tuple[str, ...]]]:
    """Rows that are not empty, with the line on which each begins."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    begin = skipped + 1
    for row in reader:
        cells = tuple(unicodedata.normalize("NFC", cell.strip()) for cell in row)
        if any(cells):
            yield begin, cells
        begin = skipped + reader.line_num + 1


# -- the columns

STATISTICS = frozenset(name for kind in reported.KINDS.values() for name in kind.names)
COLUMNS = frozenset({
    "study", "year", "country", "level", "subject", "subject_text", "pupils", "design", "risk", "note", "outcome",
    "contrast", "measure", "effect", "variance", "se", "n1", "n2", "n", "kind", *STATISTICS,
})  # fmt: skip
ALIASES = {
    "studie": "study", "auteur": "study", "auteurs": "study", "author": "study", "authors": "study",
    "jaar": "year", "publicatiejaar": "year", "land": "country", "niveau": "level", "onderwijsniveau": "level",
    "vak": "subject", "leerlingen": "pupils", "aantal leerlingen": "pupils", "opzet": "design",
    "risico": "risk", "risico op vertekening": "risk", "risk of bias": "risk", "rob": "risk", "opmerking": "note",
    "uitkomst": "outcome", "vergelijking": "contrast", "comparison": "contrast", "maat": "measure",
    "yi": "effect", "g": "effect", "es": "effect", "effect size": "effect", "effectgrootte": "effect", "smd": "effect",
    "vi": "variance", "var": "variance", "v": "variance", "variantie": "variance", "standaardfout": "se", "sei": "se",
    "n1i": "n1", "n2i": "n2", "ni": "n", "omrekening": "kind", "conversion": "kind",
    "m1i": "m1", "m2i": "m2", "sd1i": "sd1", "sd2i": "sd2", "ri": "r", "ti": "t", "fi": "f", "pval": "p",
    "ci.lb": "lower", "ci.ub": "upper", "ci_low": "lower", "ci_high": "upper", "ondergrens": "lower",
    "bovengrens": "upper", "richting": "sign", "ai": "a", "bi": "b", "ci": "c", "di": "d",
}  # fmt: skip
DESIGNS = {
    "randomised": Study.Design.RANDOMISED, "randomized": Study.Design.RANDOMISED, "rct": Study.Design.RANDOMISED,
    "gerandomiseerd": Study.Design.RANDOMISED, "quasi": Study.Design.QUASI, "quasi-experimental": Study.Design.QUASI,
    "quasi-experimenteel": Study.Design.QUASI, "matched": Study.Design.QUASI,
    "observational": Study.Design.OBSERVATIONAL, "observationeel": Study.Design.OBSERVATIONAL,
    "unknown": Study.Design.UNKNOWN, "onbekend": Study.Design.UNKNOWN,
}  # fmt: skip
RISKS = {
    "low": Study.Risk.LOW, "laag": Study.Risk.LOW, "some": Study.Risk.SOME, "enig": Study.Risk.SOME,
    "high": Study.Risk.HIGH, "hoog": Study.Risk.HIGH, "unknown": Study.Risk.UNKNOWN, "onbekend": Study.Risk.UNKNOWN,
}  # fmt: skip


def _columns(header: Sequence[str]) -> tuple[dict[int, str], dict[int, str]]:
    """Place of a column -> what it holds for us; place -> the heading of a characteristic. Raises Unreadable."""
    known: dict[int, str] = {}
    others: dict[int, str] = {}
    for place, heading in enumerate(header):
        folded = heading.casefold()
        name = folded if folded in COLUMNS else ALIASES.get(folded, "")
        if name and name in known.values():
            facts = {"heading": heading, "other": header[next(p for p, n in known.items() if n == name)]}
            raise Unreadable(_("Two columns say the same: “%(other)s” and “%(heading)s”. Leave one out.") % facts)
        if name:
            known[place] = name
        elif heading:
            if heading in others.values():
                raise Unreadable(_("Two columns have the name “%(heading)s”.") % {"heading": heading})
            others[place] = heading
    if "study" not in known.values():
        raise Unreadable(_("A column “study” is missing: the name by which the study stands in tables."))
    if not {"effect"} & set(known.values()) and not STATISTICS & set(known.values()):
        message = _("Columns with figures are missing: “effect” and “variance”, or statistics such as m1, sd1 and n1.")
        raise Unreadable(message)
    return known, others


# -- the rows


class _Refused(Exception):
    """This row cannot be read."""


@dataclass
class _Row:
    """A row of the file as a study and an effect that are not saved yet."""

    line: Line
    study: Study
    effect: EffectSize

    @property
    def place(self) -> tuple:
        """What names the row: the same study, outcome and comparison."""
        return (*_study_place(self.study), self.effect.outcome.casefold(), self.effect.contrast.casefold())


def _study_place(study: Study) -> tuple:
    return study.label.casefold(), study.year


def _values(effect: EffectSize) -> tuple:
    """What must be equal for two rows to be the same."""
    return (effect.measure, effect.effect, effect.variance, effect.n1, effect.n2, effect.n)


def enter(
    table: Table,
    *,
    synthesis: Source,
    by: User,
    measure: str = Measure.G,
    corrections: bool = False,
    save: bool = True,
) -> Report:
    """Read every row, and unless `save` is off put the good ones in the database, all at once.

    With `corrections` a row that is there with other values takes the place of that one. Raises Unreadable for a table
    without the columns that are needed, and NotAllowed for whoever is no editor.
    """
    check_writes(by)
    known, others = _columns(table.header)
    report = Report(
        table.encoding,
        table.delimiter,
        {table.header[place]: name for place, name in known.items()},
        list(others.values()),
    )
    words = _Words.load()
    good: list[_Row] = []
    for number, cells in table.rows:
        line = Line(number)
        report.lines.append(line)
        try:
            good.append(_parsed(line, cells, len(table.header), known, others, synthesis, measure, words))
        except _Refused as error:
            line.status = Status.REFUSED
            line.remarks.append(str(error))
    with transaction.atomic():
        SiteState.locked()  # of two imports of the same rows the second one sees the first
        fresh, differing = _matched(good, synthesis)
        if save:
            _keep_studies(fresh, synthesis)
            EffectSize.objects.bulk_create(_with_author(row, by) for row in fresh)
        if corrections:
            _correct(differing, by=by, save=save)
        else:
            for row, old in differing:
                row.line.status = Status.DIFFERS
                row.line.remarks.append(_differing(row.effect, old))
        report.doubts = [doubt.message for doubt in doubts_on([row.effect for row in good])]
        report.saved = save
        if save and report.entered:
            counts = {status.value: report.count(status) for status in Status}
            audit.record("import_studies", by=by, role=role_of(by), data={"synthesis": synthesis.key} | counts)
    return report


@dataclass(frozen=True)
class _Words:
    """Concepts by address and by every label, folded."""

    levels: Mapping[str, Concept]
    subjects: Mapping[str, Concept]

    @classmethod
    def load(cls) -> _Words:
        return cls(*(cls._of(scheme) for scheme in (Scheme.LEVEL, Scheme.SUBJECT)))

    @staticmethod
    def _of(scheme: str) -> dict[str, Concept]:
        concepts = {concept.pk: concept for concept in Concept.objects.in_scheme(scheme)}
        labels = ConceptLabel.objects.filter(concept__scheme=scheme).values_list("label", "concept_id")
        named = {label.casefold(): concepts[pk] for label, pk in labels if pk in concepts}
        return named | {concept.slug: concept for concept in concepts.values()}


def _parsed(
    line: Line,
    cells: tuple[str, ...],
    width: int,
    known: Mapping[int, str],
    others: Mapping[int, str],
    synthesis: Source,
    measure: str,
    words: _Words,
) -> _Row:
    given = {name: cells[place] for place, name in known.items() if place < len(cells)}
    filled = {name: text for name, text in given.items() if text.lower() not in reported.MISSING}
    line.name = filled.get("study", "")
    if any(cells[width:]):
        facts = {"cells": len(cells), "width": width}
        message = _("The row has %(cells)s cells and the heading %(width)s: is there a comma in a number or a text?")
        raise _Refused(message % facts)
    if not (label := filled.get("study", "")):
        raise _Refused(_("The name of the study is missing."))
    study = Study(
        label=label,
        synthesis=synthesis,
        year=_whole(filled, "year"),
        country=filled.get("country", "").upper(),
        pupils=_whole(filled, "pupils"),
        note=filled.get("note", ""),
        subject_text=filled.get("subject_text", ""),
        design=_among(line, filled, "design", DESIGNS, Study.Design.UNKNOWN),
        risk_of_bias=_among(line, filled, "risk", RISKS, Study.Risk.UNKNOWN),
    )
    moderators = {
        heading: _characteristic(cells[place])
        for place, heading in others.items()
        if place < len(cells) and cells[place].lower() not in reported.MISSING
    }
    if text := filled.get("level"):
        study.level = words.levels.get(text.casefold())
        if study.level is None:
            moderators["niveau"] = text
            line.remarks.append(_("We do not know the level “%(text)s”: kept as a characteristic.") % {"text": text})
    if text := filled.get("subject"):
        study.subject = words.subjects.get(text.casefold())
        study.subject_text = study.subject_text or text
        if study.subject is None:
            line.remarks.append(
                _("We do not know the subject “%(text)s”: kept in the words of the file.") % {"text": text}
            )
    effect = _effect(line, filled, measure)
    effect.study, effect.moderators = study, moderators
    line.name = str(effect)
    try:
        study.clean_fields(exclude={"key", "synthesis", "source", "level", "subject", "supersedes"})
        effect.clean_fields(exclude={"study", "created_by", "supersedes"})
        effect.clean()
    except ValidationError as error:
        said = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
        raise _Refused(" ".join(said)) from error
    line.effect, line.variance, line.conversion = effect.effect, effect.variance, effect.conversion
    return _Row(line, study, effect)


def _effect(line: Line, filled: Mapping[str, str], default: str) -> EffectSize:
    """The effect of a row: as the file gives it, or computed from the statistics. Raises _Refused."""
    measure = _measure(filled, default)
    effect, variance = _number(filled, "effect"), _number(filled, "variance")
    if variance is None and (error := _number(filled, "se")) is not None:
        variance = error**2
    kind, statistics = _kind(filled, measure, effect, variance)
    sizes = {name: _whole(filled, name) for name in ("n1", "n2", "n")}
    if kind:
        try:
            again = reported.converted(kind, statistics)
            sizes |= reported.sizes(kind, statistics)
        except reported.NotConverted as error:
            raise _Refused(str(error)) from error
        if effect is not None and effect * again.value < 0:
            facts = {"effect": shown(effect), "again": shown(again.value)}
            message = _("The sign differs from the reported statistics: %(effect)s in the file, %(again)s computed.")
            line.remarks.append(message % facts)
        if effect is None or variance is None:
            effect, variance = again.value, again.variance
        measure = reported.KINDS[kind].measure or measure
    if effect is None:
        raise _Refused(_("There is no effect, and no statistics from which it can be computed."))
    if variance is None:
        raise _Refused(_("The variance is missing (or the standard error, or the interval)."))
    if not 0 < variance < 1_000_000:
        raise _Refused(_("A variance is above zero; here it is %(value)s.") % {"value": shown(variance)})
    if abs(effect) >= 1_000_000:
        raise _Refused(_("This effect is on no standardised scale."))
    return EffectSize(
        effect=effect,
        variance=variance,
        measure=measure,
        conversion=kind or EffectSize.AS_REPORTED,
        reported=statistics if kind else {},
        outcome=filled.get("outcome", ""),
        contrast=filled.get("contrast", ""),
        n1=sizes["n1"],
        n2=sizes["n2"],
        n=sizes["n"],
    )


def _kind(
    filled: Mapping[str, str], measure: str, effect: float | None, variance: float | None
) -> tuple[str, dict[str, str]]:
    """Which conversion a row asks for, with its statistics as they stand there; none when the file gives the effect."""
    values = dict(filled)
    if effect is not None:
        values.setdefault("estimate", filled["effect"])
    if name := filled.get("kind", ""):
        kind = next((kind for kind in reported.KINDS.values() if kind.name.casefold() == name.casefold()), None)
        if name == EffectSize.AS_REPORTED:
            return "", {}
        if kind is None:
            facts = {"kind": name, "kinds": ", ".join(reported.KINDS)}
            raise _Refused(_("There is no conversion “%(kind)s”. Choose one of %(kinds)s.") % facts)
        return kind.name, {name: values[name] for name in kind.names if name in values}
    fitting = [
        kind
        for kind in reported.KINDS.values()
        if kind.measure in (measure, "")
        and all(statistic.name in values or statistic.default for statistic in kind.statistics)
    ]
    if effect is not None and variance is not None:  # what the file gives counts; statistics beside it are kept
        fitting = [kind for kind in fitting if kind.name != "interval"]
    if not fitting:
        return "", {}
    most = max(len(kind.statistics) for kind in fitting)
    best = [kind for kind in fitting if len(kind.statistics) == most]
    if len(best) > 1:
        if effect is not None and variance is not None:
            return "", {}
        facts = {"kinds": ", ".join(kind.name for kind in best)}
        raise _Refused(_("More than one conversion fits: say which in a column “kind” (%(kinds)s).") % facts)
    return best[0].name, {name: values[name] for name in best[0].names if name in values}


def _measure(filled: Mapping[str, str], default: str) -> str:
    if not (text := filled.get("measure", "")):
        return default
    words = {value.casefold(): value for value in Measure.values} | {"zcor": Measure.Z, "or": Measure.LOG_ODDS}
    if text.casefold() not in words:
        facts = {"measure": text, "measures": ", ".join(Measure.values)}
        raise _Refused(_("There is no measure “%(measure)s”. Choose one of %(measures)s.") % facts)
    return str(words[text.casefold()])


def _among(line: Line, filled: Mapping[str, str], name: str, words: Mapping[str, str], unknown: str) -> str:
    if not (text := filled.get(name, "")):
        return unknown
    if text.casefold() not in words:
        line.remarks.append(_("We do not know “%(text)s” in the column %(name)s: entered as unknown.") % {
            "text": text, "name": name,
        })  # fmt: skip
    return words.get(text.casefold(), unknown)


def _number(filled: Mapping[str, str], name: str) -> float | None:
    try:
        return reported.number(filled.get(name))
    except ValueError as error:
        raise _Refused(_("%(what)s: “%(value)s” is no number.") % {"what": name, "value": error}) from error


def _whole(filled: Mapping[str, str], name: str) -> int | None:
    try:
        value = reported.whole(filled.get(name))
    except ValueError as error:
        raise _Refused(_("%(what)s: “%(value)s” is no whole number.") % {"what": name, "value": error}) from error
    if value is not None and not 0 <= value < 2**31:
        raise _Refused(_("%(what)s: “%(value)s” is no whole number.") % {"what": name, "value": filled.get(name)})
    return value


def _characteristic(text: str) -> str | int | float:
    try:
        value = reported.number(text)
    except ValueError:
        return text
    assert value is not None  # noqa: S101  # missing ones were left out
    return int(value) if value == int(value) and abs(value) < 2**53 else value


# -- what is there already


def _matched(good: Sequence[_Row], synthesis: Source) -> tuple[list[_Row], list[tuple[_Row, EffectSize]]]:
    """The rows that are new, and those that are there with other values; the same ones are marked."""
    there: dict[tuple, list[EffectSize]] = defaultdict(list)
    for effect in (
        EffectSize.objects.current().filter(study__synthesis=synthesis).select_related("study").order_by("pk")
    ):
        there[(*_study_place(effect.study), effect.outcome.casefold(), effect.contrast.casefold())].append(effect)
    seen: dict[tuple, int] = {}
    waiting: list[_Row] = []
    for row in good:
        before = next((old for old in there[row.place] if _values(old) == _values(row.effect)), None)
        key = (row.place, _values(row.effect))
        if key in seen:
            row.line.status = Status.SAME
            said = _("The same as row %(number)s of this file. Another effect? Give it an outcome or a comparison.")
            row.line.remarks.append(said % {"number": seen[key]})
        elif before is not None:
            there[row.place].remove(before)
            row.line.status = Status.SAME
            row.line.remarks.append(_("This row is there already."))
        else:
            waiting.append(row)
        seen.setdefault(key, row.line.number)
    fresh, differing = [], []
    for row in waiting:
        left = there[row.place]
        if left:
            differing.append((row, left.pop(0)))
        else:
            fresh.append(row)
    return fresh, differing


def _differing(effect: EffectSize, old: EffectSize) -> str:
    if effect.effect * old.effect < 0:
        facts = {"old": shown(old.effect), "new": shown(effect.effect)}
        message = _("This row is there with another sign (%(old)s there, %(new)s in the file). Which one is right?")
        return message % facts
    facts = {
        "old": f"{shown(old.effect)} ({shown(old.variance)})",
        "new": f"{shown(effect.effect)} ({shown(effect.variance)})",
    }
    message = _("This row is there with other values: %(old)s there, %(new)s in the file, the variance in brackets.")
    return message % facts


def _correct(differing: Sequence[tuple[_Row, EffectSize]], *, by: User, save: bool) -> None:
    for row, old in differing:
        row.line.status = Status.CORRECTED
        row.line.remarks.append(_differing(row.effect, old))
        if save:
            changes = {name: getattr(row.effect, name) for name in studies.COPIED if name != "moderators"}
            moderators = old.moderators | row.effect.moderators
            studies.correct_effect(old, by=by, moderators=moderators, **changes)


def _keep_studies(fresh: Sequence[_Row], synthesis: Source) -> None:
    """Give every new effect its study: the one that is there, or a new one; what contradicts it is said."""
    known = {_study_place(study): study for study in Study.objects.current().filter(synthesis=synthesis)}
    keys = set(Study.objects.filter(key__startswith=synthesis.key[:50]).values_list("key", flat=True))
    new: list[Study] = []
    for row in fresh:
        place = _study_place(row.study)
        if place in known:
            _contradictions(row, known[place])
        else:
            row.study.key = _key_for(row.study, synthesis, keys)
            known[place] = row.study
            new.append(row.study)
        row.effect.study = known[place]
    Study.objects.bulk_create(new)
    for row in fresh:
        row.effect.study_id = row.effect.study.pk


def _contradictions(row: _Row, study: Study) -> None:
    for name in ("country", "level", "subject", "pupils", "design", "risk_of_bias"):
        mine, theirs = getattr(row.study, name), getattr(study, name)
        if mine not in (None, "", "unknown") and mine != theirs:
            facts = {
                "what": getattr(study._meta.get_field(name), "verbose_name", name),
                "kept": theirs or _("unknown"),
                "value": mine,
            }
            row.line.remarks.append(_("Of this study we keep %(what)s “%(kept)s”; this row says “%(value)s”.") % facts)


def _key_for(study: Study, synthesis: Source, taken: set[str]) -> str:
    own = slugify(f"{study.label} {study.year}" if study.year and str(study.year) not in study.label else study.label)
    base = f"{synthesis.key[:45]}-{own[:45]}".rstrip("-")
    key = next(
        new for number in range(1, len(taken) + 2) if (new := base + (f"-{number}" if number > 1 else "")) not in taken
    )
    taken.add(key)
    return key


def _with_author(row: _Row, by: User) -> EffectSize:
    row.effect.created_by = by
    return row.effect
