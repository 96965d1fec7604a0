"""One row of a table of study rows: the columns that we know, and the study and the effect that they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from knowledgebase.models import LARGEST, Concept, ConceptLabel, EffectSize, Measure, Scheme, Source, Study
from knowledgebase.recount.words import country_code

from . import reported
from .study_checks import shown
from .study_tables import Unreadable

SIZES = frozenset({"n1", "n2", "n"})  # numbers that many kinds have: by themselves they point to none
ROUNDED = 0.01  # an effect in two decimals is the same
COLUMN_OF = {"risk_of_bias": "risk"}  # field -> column
CONFIDENCE = "confidence"  # the level of an interval: “level” is that of the education
STATISTICS = frozenset(name for kind in reported.KINDS.values() for name in kind.names)
COLUMNS = frozenset({
    "study", "year", "country", "level", "subject", "subject_text", "pupils", "design", "risk", "note", "outcome",
    "contrast", "measure", "effect", "variance", "se", "n1", "n2", "n", "kind", CONFIDENCE, *STATISTICS,
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


@dataclass(frozen=True)
class Columns:
    """What the columns of a table hold."""

    header: tuple[str, ...]
    known: Mapping[int, str]  # place of a column -> what it is for us
    others: Mapping[int, str]  # place of a column -> the name of a characteristic

    @classmethod
    def of(cls, header: tuple[str, ...]) -> Columns:
        """Raises Unreadable for a heading without the columns that are needed."""
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
        if not ({"effect"} | STATISTICS) & set(known.values()):
            raise Unreadable(
                _("Columns with figures are missing: “effect” and “variance”, or statistics such as m1, sd1 and n1.")
            )
        return cls(header, known, others)


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


class Refused(Exception):
    """This row cannot be read."""


@dataclass
class Row:
    """A row of the file as a study and an effect that are not saved yet."""

    line: Line
    study: Study
    effect: EffectSize


@dataclass(frozen=True)
class Words:
    """Concepts by address and by every label, folded."""

    levels: Mapping[str, Concept]
    subjects: Mapping[str, Concept]

    @classmethod
    def load(cls) -> Words:
        return cls(*(cls._of(scheme) for scheme in (Scheme.LEVEL, Scheme.SUBJECT)))

    @staticmethod
    def _of(scheme: str) -> dict[str, Concept]:
        concepts = {concept.pk: concept for concept in Concept.objects.in_scheme(scheme)}
        labels = ConceptLabel.objects.filter(concept__scheme=scheme).values_list("label", "concept_id")
        named = {label.casefold(): concepts[pk] for label, pk in labels if pk in concepts}
        return named | {concept.slug: concept for concept in concepts.values()}


class Filled(dict[str, str]):
    """The cells of a row that say something, by what they are for us; and how the file calls their columns."""

    def __init__(self, cells: tuple[str, ...], columns: Columns) -> None:
        given = {name: cells[place] for place, name in columns.known.items() if place < len(cells)}
        super().__init__((name, text) for name, text in given.items() if text.lower() not in reported.MISSING)
        self._headings = {name: columns.header[place] for place, name in columns.known.items()}

    def heading(self, name: str) -> str:
        return self._headings.get(name, name)

    def statistics(self) -> dict[str, str]:
        """What a conversion may need."""
        values = {name: text for name, text in self.items() if name in STATISTICS and name != "level"}
        return values | ({"level": self[CONFIDENCE]} if CONFIDENCE in self else {})


def parsed(
    line: Line, cells: tuple[str, ...], columns: Columns, *, synthesis: Source, measure: str, words: Words
) -> Row:
    """The study and the effect of a row; what is odd is remarked on its line. Raises Refused."""
    filled = Filled(cells, columns)
    line.name = filled.get("study", "")
    if any(cells[len(columns.header) :]):
        facts = {"cells": len(cells), "width": len(columns.header)}
        message = _("The row has %(cells)s cells and the heading %(width)s: is there a comma in a number or a text?")
        raise Refused(message % facts)
    if not (label := filled.get("study", "")):
        raise Refused(_("The name of the study is missing."))
    study = Study(
        label=label,
        synthesis=synthesis,
        year=_whole(filled, "year"),
        country=country_code(filled.get("country", "")),
        pupils=_whole(filled, "pupils"),
        note=filled.get("note", ""),
        subject_text=filled.get("subject_text", ""),
        design=_among(line, filled, "design", DESIGNS, Study.Design.UNKNOWN),
        risk_of_bias=_among(line, filled, "risk", RISKS, Study.Risk.UNKNOWN),
    )
    moderators = {
        heading: reported.characteristic(cells[place])
        for place, heading in columns.others.items()
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
        said = [
            f"{filled.heading(COLUMN_OF.get(name, name))}: {texts[0]}" for name, texts in error.message_dict.items()
        ]
        raise Refused(" ".join(said)) from error
    line.effect, line.variance, line.conversion = effect.effect, effect.variance, effect.conversion
    return Row(line, study, effect)


def _effect(line: Line, filled: Filled, default: str) -> EffectSize:
    """The effect of a row: as the file gives it, or computed from the statistics. Raises Refused."""
    measure = _measure(filled, default)
    effect, variance = _number(filled, "effect"), _number(filled, "variance")
    if variance is None and (error := _number(filled, "se")) is not None:
        if error <= 0:
            raise Refused(_("A standard error is above zero; here it is %(value)s.") % {"value": shown(error)})
        variance = error**2
    kind, statistics = _kind(filled, measure, effect, variance)
    sizes = {name: _whole(filled, name) for name in ("n1", "n2", "n")}
    if kind:
        try:
            again = reported.converted(kind, statistics)
            sizes |= reported.sizes(kind, statistics)
        except reported.NotConverted as error:
            raise Refused(str(error)) from error
        if effect is not None and effect * again.value < 0:
            facts = {"effect": shown(effect), "again": shown(again.value)}
            message = _("The sign differs from the reported statistics: %(effect)s in the file, %(again)s computed.")
            line.remarks.append(message % facts)
        elif effect is not None and variance is None and abs(effect - again.value) > ROUNDED:
            facts = {"effect": shown(effect), "again": shown(again.value)}
            message = _("The file has no variance, so we computed both: the effect is %(again)s, not %(effect)s.")
            line.remarks.append(message % facts)
        if effect is None or variance is None:
            effect, variance = again.value, again.variance
        measure = reported.KINDS[kind].measure or measure
    if effect is None:
        raise Refused(_no_effect(filled))
    if variance is None:
        raise Refused(_("The variance is missing (or the standard error, or the interval)."))
    if not 0 < variance < LARGEST:
        raise Refused(_("A variance is above zero; here it is %(value)s.") % {"value": shown(variance)})
    if abs(effect) >= LARGEST:
        raise Refused(_("This effect is on no standardised scale."))
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


def _no_effect(filled: Filled) -> str:
    """Which statistics the kind that is nearest still misses."""
    words = _("There is no effect, and no statistics from which it can be computed.")
    values = filled.statistics()
    given = {kind: [name for name in kind.names if name in values] for kind in reported.KINDS.values()}
    told = {kind: names for kind, names in given.items() if set(names) - SIZES}
    if not told:
        return words
    missing = {kind: [s.name for s in kind.statistics if s.name not in values and not s.default] for kind in told}
    nearest = min(told, key=lambda kind: (len(missing[kind]), -len(told[kind])))
    facts = {"kind": nearest.label, "names": ", ".join(missing[nearest])}
    return f"{words} " + _("Missing for %(kind)s: %(names)s.") % facts


def _kind(filled: Filled, measure: str, effect: float | None, variance: float | None) -> tuple[str, dict[str, str]]:
    """Which conversion a row asks for, with its statistics as they stand there; none when the file gives the effect."""
    values = filled.statistics()
    if effect is not None:
        values.setdefault("estimate", filled["effect"])
    if name := filled.get("kind", ""):
        kind = next((kind for kind in reported.KINDS.values() if kind.name.casefold() == name.casefold()), None)
        if name == EffectSize.AS_REPORTED:
            return "", {}
        if kind is None:
            facts = {"kind": name, "kinds": ", ".join(reported.KINDS)}
            raise Refused(_("There is no conversion “%(kind)s”. Choose one of %(kinds)s.") % facts)
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
        raise Refused(_("More than one conversion fits: say which in a column “kind” (%(kinds)s).") % facts)
    return best[0].name, {name: values[name] for name in best[0].names if name in values}


def _measure(filled: Filled, default: str) -> str:
    if not (text := filled.get("measure", "")):
        return default
    words = {value.casefold(): value for value in Measure.values} | {"zcor": Measure.Z, "or": Measure.LOG_ODDS}
    if text.casefold() not in words:
        facts = {"measure": text, "measures": ", ".join(Measure.values)}
        raise Refused(_("There is no measure “%(measure)s”. Choose one of %(measures)s.") % facts)
    return str(words[text.casefold()])


def _among(line: Line, filled: Filled, name: str, words: Mapping[str, str], unknown: str) -> str:
    if not (text := filled.get(name, "")):
        return unknown
    if text.casefold() not in words:
        line.remarks.append(_("We do not know “%(text)s” in the column %(name)s: entered as unknown.") % {
            "text": text, "name": filled.heading(name),
        })  # fmt: skip
    return words.get(text.casefold(), unknown)


def _number(filled: Filled, name: str) -> float | None:
    try:
        return reported.number(filled.get(name))
    except ValueError as error:
        facts = {"what": filled.heading(name), "value": error}
        raise Refused(_("%(what)s: “%(value)s” is no number.") % facts) from error


def _whole(filled: Filled, name: str) -> int | None:
    try:
        return reported.count(filled.get(name))
    except ValueError as error:
        facts = {"what": filled.heading(name), "value": error}
        raise Refused(_("%(what)s: “%(value)s” is no whole number.") % facts) from error
