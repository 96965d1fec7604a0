"""What the page "reken na" shows of one selection of study rows, recomputed with what a reader chose.

Everything a reader can choose is in the address; what we do not know in it is left out with a notice, never refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import urlencode

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from knowledgebase import plots, results, wording
from knowledgebase.evidence.records import (
    COUNTRY_GROUPS,
    DESIGN_WORDS,
    MODEL_WORDS,
    OUTSIDE_EUROPE,
    PARAMETERS,
    Interval,
    Result,
    Row,
    StudyResult,
    Subgroups,
    Switches,
)
from knowledgebase.models import Concept, EffectSize, Scheme, Selection, Version
from knowledgebase.search import fold
from knowledgebase.search.fields import page_number, read_query, seen
from knowledgebase.wording import Scale

BELOW = "cijfers/"  # the address of the page, below that of its text
PAGE_SIZE = 50
MOST_DRAWN = 60  # studies in a forest plot, unless a reader asks for all
LONGEST_LABEL = 30  # characters in a plot; the table has the whole name
LONGEST_SEEN = 30  # characters of a wrong value that are shown again
SELECTION, TABLE_SORT, TABLE_ROWS, TABLE_QUERY, TABLE_PAGE, WHOLE = "voor", "sorteer", "rijen", "q", "pagina", "alle"
OURS = {"level": "ons-niveau", "subject": "ons-vak", "country": "onze-regio"}
BELGIUM, NETHERLANDS = "BE", "NL"


def selections_of(version: Version) -> list[Selection]:
    """What figures of a version are computed from; the overall one first."""
    found = list(Selection.objects.filter(version=version.pk).select_related("synthesis"))
    for selection in found:
        selection.version = version
    return sorted(found, key=lambda selection: selection.context_key != "overall")


# -- words for what rows say


def _said_once(words_of: Callable[[str], str]) -> Callable[[str], str]:
    """The same words for every row, looked up once in a language: a page has thousands of them."""

    @lru_cache(maxsize=500)
    def known(value: str, _language: str | None) -> str:
        return words_of(value)

    @wraps(words_of)
    def said(value: str) -> str:
        return known(value, get_language())

    return said


@_said_once
def design_words(design: str) -> str:
    words = {
        "randomised": _("groups by lot"),
        "quasi": _("groups compared, not by lot"),
        "observational": _("observed only"),
    }
    return words.get(design, _("unknown"))


@_said_once
def risk_words(risk: str) -> str:
    words = {"low": _("low"), "some": _("some"), "high": _("high")}
    return words.get(risk, _("unknown"))


@_said_once
def country_words(country: str) -> str:
    """A country or a group of countries; a country that we have no name for by its code."""
    words = {
        "benelux": _("the Benelux"),
        "europa": _("Europe"),
        "noord-amerika": _("North America"),
        "buiten-europa": _("outside Europe"),
        "AU": _("Australia"), "BE": _("Belgium"), "BR": _("Brazil"), "CA": _("Canada"), "CH": _("Switzerland"),
        "CN": _("China"), "DE": _("Germany"), "DK": _("Denmark"), "ES": _("Spain"), "FI": _("Finland"),
        "FR": _("France"), "GB": _("United Kingdom"), "GR": _("Greece"), "HK": _("Hong Kong"), "IE": _("Ireland"),
        "IL": _("Israel"), "IN": _("India"), "IT": _("Italy"), "JP": _("Japan"), "KR": _("South Korea"),
        "LU": _("Luxembourg"), "NL": _("the Netherlands"), "NO": _("Norway"), "NZ": _("New Zealand"),
        "PL": _("Poland"), "PT": _("Portugal"), "SE": _("Sweden"), "SG": _("Singapore"), "TR": _("Turkey"),
        "TW": _("Taiwan"), "US": _("United States"), "ZA": _("South Africa"),
    }  # fmt: skip
    return words.get(country, country) or _("unknown")


def model_words(model: str) -> str:
    words = {
        "independent": _("one effect a study"),
        "per-study": _("the effects of a study taken together first"),
        "che": _("correlated effects within studies (CHE)"),
        "three-level": _("three levels: pupils, effects, studies"),
    }
    return words.get(model, model)


def reason_words(reason: str) -> str:
    """Why a row is left out: an editor's words, or ours for what the computation refuses."""
    words = {
        "outlier": _("an outlier, left out because you asked"),
        "effect-missing": _("the source gives no effect"),
        "variance-missing": _("the source gives no variance"),
        "variance-not-positive": _("the variance is not above zero"),
        "": _("no reason given"),
    }
    return words.get(reason, reason)


@dataclass(frozen=True)
class Names:
    """Names of levels and subjects by their slug, in the order of the vocabulary."""

    levels: Mapping[str, str]
    subjects: Mapping[str, str]

    @classmethod
    def read(cls) -> Names:
        found: dict[str, dict[str, str]] = {Scheme.LEVEL: {}, Scheme.SUBJECT: {}}
        for concept in Concept.objects.in_scheme(Scheme.LEVEL, Scheme.SUBJECT):
            found[concept.scheme][concept.slug] = str(concept)
        return cls(found[Scheme.LEVEL], found[Scheme.SUBJECT])


# -- what a reader may choose


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int | None  # studies
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """One thing to choose, with the studies behind each answer; `note` where there is nothing to choose."""

    name: str
    label: str
    options: Sequence[Option] = ()
    note: str = ""

    @property
    def id(self) -> str:
        return f"kies-{self.name}"


@dataclass(frozen=True)
class Chosen:
    """A switch that a reader set, and the address of the page without it."""

    words: str
    without: str


def _studies_by(rows: Iterable[Row], values: Callable[[Row], Iterable[str]]) -> dict[str, int]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for value in values(row):
            if value:
                found.setdefault(value, set()).add(row.study)
    return {value: len(studies) for value, studies in found.items()}


def _countries(row: Row) -> list[str]:
    if not row.country:
        return []
    groups = [name for name, members in COUNTRY_GROUPS.items() if row.country in members]
    outside = [] if row.country in COUNTRY_GROUPS["europa"] else [OUTSIDE_EUROPE]
    return [*groups, *outside, row.country]


_VALUES: dict[str, Callable[[Row], Iterable[str]]] = {
    "level": lambda row: {row.level, *row.levels},
    "subject": lambda row: {row.subject, *row.subjects},
    "design": lambda row: [row.design] if row.design != "unknown" else [],
    "country": _countries,
}


def _labels() -> dict[str, str]:
    return {
        "level": _("Level"),
        "subject": _("Subject"),
        "design": _("Design"),
        "country": _("Where"),
        "since": _("Since the year"),
        "without_outliers": _("Without outliers"),
        "model": _("Model"),
    }


def _unknown_words() -> dict[str, str]:
    return {
        "level": _("Of no study we know the level."),
        "subject": _("Of no study we know the subject."),
        "design": _("Of no study we know the design."),
        "country": _("Of no study we know the country."),
    }


def _word_of(name: str, value: str, names: Names) -> str:
    """A value of a switch as its address says it is not always what a reader reads."""
    if name == "level":
        return names.levels.get(value, value)
    if name == "subject":
        return names.subjects.get(value, value)
    if name == "design":
        return design_words(value)
    if name == "country":
        return country_words(value)
    if name == "model":
        return model_words(value)
    return value


def _order(name: str, values: Iterable[str], names: Names) -> list[str]:
    """In the order of the vocabulary, groups of countries before countries, else from A to Z."""
    if name in {"level", "subject"}:
        known = list(names.levels if name == "level" else names.subjects)
        place = {slug: number for number, slug in enumerate(known)}
        return sorted(values, key=lambda value: (place.get(value, len(place)), value))
    if name == "country":
        groups = list(COUNTRY_GROUPS)
        return sorted(
            values,
            key=lambda value: (groups.index(value) if value in groups else len(groups), fold(country_words(value))),
        )
    return sorted(values, key=list(DESIGN_WORDS).index)


def read_switches(query: Mapping[str, str], rows: Sequence[Row]) -> tuple[Switches, list[str]]:
    """What a reader switched, without what no study has; a notice for everything that was left out."""
    labels = _labels()
    parameters = {parameter: name for name, parameter in PARAMETERS.items()}
    notices = [
        _("We do not know “%(value)s” for %(what)s, so we left it out.")
        % {"value": seen(query.get(parameter, ""))[:LONGEST_SEEN], "what": labels[parameters[parameter]].lower()}
        for parameter in Switches.unread(query)
    ]
    switches = Switches.read(query)
    for name, values in _VALUES.items():
        value = getattr(switches, name)
        if value and value not in _studies_by(rows, values):
            notices.append(
                _("No study has “%(value)s” for %(what)s, so we left it out.")
                % {"value": seen(value)[:LONGEST_SEEN], "what": labels[name].lower()}
            )
            switches = switches.without(name)
    return switches, notices


def choices(switches: Switches, rows: Sequence[Row], names: Names) -> list[Choice]:
    """What may be switched, with how many studies each answer has among all."""
    labels, unknown = _labels(), _unknown_words()
    offered = []
    for name, values in _VALUES.items():
        counted = _studies_by(rows, values)
        if not counted:
            offered.append(Choice(PARAMETERS[name], labels[name], note=unknown[name]))
            continue
        chosen = getattr(switches, name)
        words = DESIGN_WORDS if name == "design" else {}
        options = [
            Option(words.get(value, value), _word_of(name, value, names), counted[value], value == chosen)
            for value in _order(name, counted, names)
        ]
        offered.append(Choice(PARAMETERS[name], labels[name], options))
    if len(rows) > len({row.study for row in rows}):
        options = [
            Option(word, model_words(model), None, model == switches.model) for model, word in MODEL_WORDS.items()
        ]
        offered.append(Choice(PARAMETERS["model"], labels["model"], options))
    return offered


# -- the address of the page


@dataclass(frozen=True)
class Address:
    """Everything a reader chose, as parameters in a fixed order."""

    values: tuple[tuple[str, str], ...]

    def having(self, anchor: str = "", **changes: str) -> str:
        """The same page with other values; an empty value leaves the parameter out. Names have _ for -."""
        merged = dict(self.values) | {name.replace("_", "-"): value for name, value in changes.items()}
        query = urlencode({name: value for name, value in merged.items() if value})
        return f"?{query}{anchor and '#' + anchor}" if query else f"?{anchor and '#' + anchor}"

    def hidden(self, *left_out: str) -> list[tuple[str, str]]:
        """What a form must keep, without its own fields."""
        return [(name, value) for name, value in self.values if value and name not in left_out]


# -- plots with their tables


@dataclass(frozen=True)
class Line:
    """A row of the table that says what a plot shows."""

    label: str
    figure: str
    interval: str = ""
    weight: str = ""
    studies: str = ""
    error: str = ""


@dataclass(frozen=True)
class Chart:
    drawn: plots.Rows
    sentence: str
    lines: Sequence[Line]
    hidden: int = 0  # studies that are not drawn


def short(label: str) -> str:
    """A name that fits in a plot."""
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1].rstrip()}…"


def forest(result: Result, scale: Scale, *, whole: bool = False) -> Chart:
    """Every study with its interval, the highest on top; of many studies the heaviest, unless all are asked for."""
    studies = sorted(result.studies, key=lambda study: (-study.weight, study.label))
    kept = studies if whole else studies[:MOST_DRAWN]
    kept.sort(key=lambda study: (-study.estimate, study.label))
    heaviest = max((study.weight for study in kept), default=0) or 1
    entries = [
        plots.Entry(
            short(study.label),
            scale.shown(study.estimate),
            scale.shown(study.ci.low),
            scale.shown(study.ci.high),
            scale.figure(study.estimate),
            f"({scale.interval(study.ci)})",
            study.weight / heaviest if study.weight else None,
        )
        for study in kept
    ]
    average = None
    lines = [_line(study, scale) for study in kept]
    if result.headline_allowed and result.estimate is not None:
        average = scale.shown(result.estimate)
        low, high = _ends(result.ci, scale)
        detail = f"({scale.interval(result.ci)})" if result.ci else ""
        words = scale.figure(result.estimate)
        entries.append(plots.Entry(_("Average"), average, low, high, words, detail, kind="average"))
        lines.append(
            Line(_("Average"), scale.figure(result.estimate), scale.interval(result.ci) if result.ci else "", "100")
        )
        if (spread := result.share_interval) is not None:
            low, high = _ends(spread, scale)
            entries.append(plots.Entry(scale.spread_name, None, low, high, scale.interval(spread), kind="range"))
            lines.append(Line(scale.spread_name, "", scale.interval(spread)))
    drawn = plots.rows(entries, average=average)
    return Chart(drawn, wording.forest(result, scale), lines, len(studies) - len(kept))


def _ends(interval: Interval | None, scale: Scale) -> tuple[float | None, float | None]:
    return (scale.shown(interval.low), scale.shown(interval.high)) if interval else (None, None)


def _figured(estimate: float, interval: Interval | None, scale: Scale) -> str:
    """0,65 (0,13 to 1,17)."""
    return f"{scale.figure(estimate)} ({scale.interval(interval)})" if interval else scale.figure(estimate)


def _line(study: StudyResult, scale: Scale) -> Line:
    return Line(
        study.label,
        scale.figure(study.estimate),
        scale.interval(study.ci),
        wording.decimal(study.weight, "0.1") if study.weight else "",
    )


@dataclass(frozen=True)
class FunnelChart:
    drawn: plots.Funnel
    sentence: str
    notes: Sequence[str]
    lines: Sequence[Line]


def funnel(result: Result, scale: Scale) -> FunnelChart:
    """Effects against standard errors, on the scale of the arithmetic."""
    average = result.estimate if result.headline_allowed else None
    pairs = [(study.estimate, study.se) for study in result.studies]
    inside = 0
    if average is not None:
        inside = sum(abs(effect - average) <= plots.STANDARD * error for effect, error in pairs)
    sentence = wording.funnel(inside, len(pairs) if average is not None else 0)
    lines = [
        Line(study.label, wording.decimal(study.estimate), error=wording.decimal(study.se, "0.001"))
        for study in sorted(result.studies, key=lambda study: (study.se, study.label))
    ]
    return FunnelChart(plots.funnel(pairs, average=average), sentence, wording.small_studies(result, scale), lines)


@dataclass(frozen=True)
class Groups:
    """The comparisons of groups: one plot, and a sentence and a table for each characteristic."""

    drawn: plots.Rows
    parts: Sequence[tuple[str, str, Sequence[Line]]]
    slopes: Sequence[str]


def groups(result: Result, scale: Scale, names: Names) -> Groups | None:
    """None where there is nothing to compare."""
    if not result.subgroups and not result.slopes:
        return None
    entries, parts = [], []
    for given in result.subgroups:
        found = _in_order(given, names)
        name = moderator_name(found.moderator)
        labels = [group_name(found.moderator, group.name, names) for group in found.groups]
        lines = []
        entries.append(plots.Entry(name, kind="heading"))
        for label, group in zip(labels, found.groups, strict=True):
            counted = wording.studies(group.k_studies)
            tagged = f"{short(label)} ({wording.number(group.k_studies)})"
            if group.estimate is None:
                entries.append(plots.Entry(tagged, words=_("no figure"), kind="group"))
                lines.append(Line(label, "", "", studies=counted))
                continue
            low, high = _ends(group.ci, scale)
            words, detail = scale.figure(group.estimate), f"({scale.interval(group.ci)})" if group.ci else ""
            entries.append(plots.Entry(tagged, scale.shown(group.estimate), low, high, words, detail, kind="group"))
            interval = scale.interval(group.ci) if group.ci else ""
            lines.append(Line(label, scale.figure(group.estimate), interval, studies=counted))
        parts.append((name, wording.subgroups(name, found, labels, scale), lines))
    average = scale.shown(result.estimate) if result.headline_allowed and result.estimate is not None else None
    slopes = [wording.slope(moderator_name(slope.moderator), slope) for slope in result.slopes]
    return Groups(plots.rows(entries, average=average), parts, slopes)


def _in_order(found: Subgroups, names: Names) -> Subgroups:
    """Levels and subjects in the order of their vocabulary."""
    if found.moderator not in {"level", "subject"}:
        return found
    place = {slug: number for number, slug in enumerate(names.levels if found.moderator == "level" else names.subjects)}
    return replace(found, groups=tuple(sorted(found.groups, key=lambda group: place.get(group.name, len(place)))))


def moderator_name(moderator: str) -> str:
    """A characteristic as readers know it; editors name their own."""
    own = {
        "level": _("Level"), "subject": _("Subject"), "design": _("Design"), "country": _("Country"),
        "risk": _("Risk of bias"), "outcome": _("Outcome"), "year": _("Year"),
    }  # fmt: skip
    return own.get(moderator) or moderator[:1].upper() + moderator[1:].replace("_", " ")


def group_name(moderator: str, group: str, names: Names) -> str:
    """One group of a characteristic as readers know it."""
    words: dict[str, Callable[[str], str]] = {
        "level": lambda slug: names.levels.get(slug, slug),
        "subject": lambda slug: names.subjects.get(slug, slug),
        "design": design_words,
        "risk": risk_words,
        "country": country_words,
    }
    if moderator in words:
        return words[moderator](group)
    return {"0": _("no"), "1": _("yes"), "True": _("yes"), "False": _("no")}.get(group, group)


# -- does this fit us


@dataclass(frozen=True)
class Fit:
    """How many studies share one thing with the reader, or everything at once."""

    label: str
    count: int
    of: int
    unknown: int = 0  # studies that do not say

    @property
    def words(self) -> str:
        counted = _("%(count)s of %(total)s studies.") % {
            "count": wording.number(self.count), "total": wording.number(self.of)}  # fmt: skip
        if not self.unknown:
            return counted
        return f"{counted} " + _("Of %(count)s we do not know it.") % {"count": wording.number(self.unknown)}


def fits(
    query: Mapping[str, str], rows: Sequence[Row], names: Names
) -> tuple[list[Choice], list[Fit], dict[str, str], list[str]]:
    """The questions, the counts, what was chosen and notices. Zero is a count like any other."""
    regions = {region: country_words(region) for region in (BELGIUM, NETHERLANDS, *COUNTRY_GROUPS)}
    known: dict[str, Mapping[str, str]] = {"level": names.levels, "subject": names.subjects, "country": regions}
    labels = {"level": _("My level"), "subject": _("My subject"), "country": _("My region")}
    total = {row.study for row in rows}
    chosen, offered, counts, notices = {}, [], [], []
    together = total
    for name, parameter in OURS.items():
        value = query.get(parameter, "").strip()
        if value and value not in known[name]:
            notices.append(
                _("We do not know “%(value)s” for %(what)s, so we left it out.")
                % {"value": seen(value)[:LONGEST_SEEN], "what": labels[name].lower()}
            )
            value = ""
        members: dict[str, set[str]] = {}
        for row in rows:
            for own in _VALUES[name](row):
                members.setdefault(own, set()).add(row.study)
        said = {row.study for row in rows if any(_VALUES[name](row))}
        options = [Option(key, label, len(members.get(key, ())), key == value) for key, label in known[name].items()]
        offered.append(Choice(parameter, labels[name], options))
        if value:
            chosen[parameter] = value
            counts.append(Fit(known[name][value], len(members.get(value, ())), len(total), len(total - said)))
            together = together & members.get(value, set())
    if not chosen:
        belgian = {row.study for row in rows if row.country == BELGIUM}
        unknown = {row.study for row in rows if not row.country}
        counts.append(Fit(country_words(BELGIUM), len(belgian), len(total), len(unknown)))
    if len(chosen) > 1:
        counts.append(Fit(_("all of this at once"), len(together), len(total)))
    return offered, counts, chosen, notices


# -- the table of studies


@dataclass(frozen=True)
class TableRow:
    row: Row
    level: str
    subject: str
    design: str
    risk: str
    country: str
    figure: str
    interval: str
    reason: str
    reported: str = ""
    source: Any = None


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    href: str
    direction: str  # ascending, descending or none, as aria-sort says it


@dataclass(frozen=True)
class Table:
    rows: Sequence[TableRow]
    columns: Sequence[Column]
    found: int
    number: int
    pages: int
    previous: str
    next: str


def _sort_keys(names: Names) -> dict[str, tuple[str, Callable[[Row], Any]]]:
    """What may be sorted by: the heading of the column and the key; None is unknown and comes last."""
    return {
        "studie": (_("Study"), lambda row: fold(row.label)),
        "jaar": (_("Year"), lambda row: row.year),
        "niveau": (_("Level"), lambda row: fold(names.levels.get(row.level, "")) or None),
        "vak": (_("Subject"), lambda row: fold(names.subjects.get(row.subject, "")) or None),
        "opzet": (_("Design"), lambda row: None if row.design == "unknown" else fold(design_words(row.design))),
        "land": (_("Country"), lambda row: fold(country_words(row.country)) if row.country else None),
        "uitkomst": (_("Outcome"), lambda row: fold(row.outcome) or None),
        "leerlingen": (_("Pupils"), lambda row: row.pupils),
        "effect": (_("Figure"), lambda row: row.effect if math.isfinite(row.effect) else None),
    }


@dataclass(frozen=True)
class TableChoice:
    """How the table of studies is shown."""

    query: str
    rows: str  # in, uit or empty for all
    sort: str  # a key, with a - before it from high to low


def read_table(query: Mapping[str, str], names: Names) -> tuple[TableChoice, list[str]]:
    words, notices = read_query(query.get(TABLE_QUERY, ""))
    which, sort = query.get(TABLE_ROWS, ""), query.get(TABLE_SORT, "")
    if which not in ("", "in", "uit"):
        notices.append(_("We do not know this choice of rows, so you see all rows."))
        which = ""
    if sort and sort.removeprefix("-") not in _sort_keys(names):
        notices.append(_("We do not know this order, so you see the order of our data."))
        sort = ""
    return TableChoice(words, which, sort), notices


def table(
    rows: Sequence[Row], choice: TableChoice, asked_page: str, address: Address, scale: Scale, names: Names
) -> tuple[Table, list[str]]:
    """One page of the rows, in the order and with the words that were asked for."""
    notices = []
    words = fold(choice.query).split()
    found = [
        row
        for row in rows
        if (not choice.rows or row.included == (choice.rows == "in"))
        and all(word in fold(f"{row.label} {row.outcome} {row.reason}") for word in words)
    ]
    keys = _sort_keys(names)
    name = choice.sort.removeprefix("-")
    if name:
        key = keys[name][1]
        known = [row for row in found if key(row) is not None]
        known.sort(key=key, reverse=choice.sort.startswith("-"))
        found = known + [row for row in found if key(row) is None]
    pages = max(1, math.ceil(len(found) / PAGE_SIZE))
    number = page_number(asked_page, pages)
    if number is None:
        notices.append(_("That page does not exist, so you see the first one."))
        number = 1
    shown = found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    columns = []
    for column, (label, _key) in keys.items():
        ascending = choice.sort == column
        direction = "ascending" if ascending else "descending" if choice.sort == f"-{column}" else "none"
        href = address.having("studies", **{TABLE_SORT: f"-{column}" if ascending else column})
        columns.append(Column(column, label, href, direction))
    return (
        Table(
            _table_rows(shown, scale, names),
            columns,
            len(found),
            number,
            pages,
            address.having("studies", **{TABLE_PAGE: str(number - 1)}) if number > 1 else "",
            address.having("studies", **{TABLE_PAGE: str(number + 1)}) if number < pages else "",
        ),
        notices,
    )


def _table_rows(rows: Sequence[Row], scale: Scale, names: Names) -> list[TableRow]:
    stored = EffectSize.objects.filter(uid__in=[row.uid for row in rows]).select_related("study__source")
    by_uid = {str(effect.uid): effect for effect in stored}
    return [_table_row(row, by_uid.get(row.uid), scale, names) for row in rows]


def _table_row(row: Row, stored: EffectSize | None, scale: Scale, names: Names) -> TableRow:
    usable = math.isfinite(row.effect) and math.isfinite(row.variance) and row.variance > 0
    half = plots.STANDARD * math.sqrt(row.variance) if usable else 0.0
    return TableRow(
        row=row,
        level=names.levels.get(row.level, "") or _("unknown"),
        subject=names.subjects.get(row.subject, "") or (stored.study.subject_text if stored else "") or _("unknown"),
        design=design_words(row.design),
        risk=risk_words(row.risk),
        country=country_words(row.country),
        figure=scale.figure(row.effect) if math.isfinite(row.effect) else _("unknown"),
        interval=scale.interval(Interval(row.effect - half, row.effect + half)) if usable else "",
        reason="" if row.included else reason_words(row.reason),
        reported=_reported(stored),
        source=stored.study.source if stored else None,
    )


def _reported(stored: EffectSize | None) -> str:
    """What the paper says, and by which function it became an effect."""
    if stored is None or not stored.reported:
        return ""
    said = ", ".join(f"{name} = {value}" for name, value in stored.reported.items())
    return said if stored.conversion == EffectSize.AS_REPORTED else f"{said} ({stored.conversion})"


# -- the page


@dataclass(frozen=True)
class Recount:
    """A selection with its rows, and what comes out of it with and without a reader's switches."""

    selection: Selection
    rows: Sequence[Row]
    switches: Switches
    result: Result
    base: Result  # without switches: what the figure of the text rests on
    scale: Scale

    @property
    def is_switched(self) -> bool:
        return self.switches != Switches()


def page(
    selections: Sequence[Selection], query: Mapping[str, str], scale_of: Callable[[Selection], Scale]
) -> dict[str, Any]:
    """Everything the page shows, as context for its template."""
    by_key = {selection.context_key: selection for selection in selections}
    asked = query.get(SELECTION, "")
    selection = by_key.get(asked, selections[0])
    notices = []
    if asked and asked not in by_key:
        notices.append(_("We have no figures for that context, so you see the first one."))
    rows = results.rows_of(selection)
    counted = [row for row in rows if row.included]
    names, scale = Names.read(), scale_of(selection)
    switches, unknown = read_switches(query, counted)
    base = results.result_for(selection)
    result = base if switches == Switches() else results.result_for(selection, switches)
    found = Recount(selection, rows, switches, result, base, scale)
    table_choice, table_notices = read_table(query, names)
    offered, fit, ours, fit_notices = fits(query, counted, names)
    whole = query.get(WHOLE, "") == "ja"
    address = Address(
        (
            (SELECTION, selection.context_key if selection is not selections[0] else ""),
            *switches.chosen.items(),
            *ours.items(),
            (TABLE_QUERY, table_choice.query),
            (TABLE_ROWS, table_choice.rows),
            (TABLE_SORT, table_choice.sort),
            (WHOLE, "ja" if whole else ""),
        )
    )
    shown, page_notices = table(rows, table_choice, query.get(TABLE_PAGE, ""), address, scale, names)
    return {
        "recount": found,
        "selection": selection,
        "selections": [
            (other, address.having(**{SELECTION: other.context_key}), other == selection) for other in selections
        ]
        if len(selections) > 1
        else [],
        "notices": [*notices, *unknown, *fit_notices, *table_notices, *page_notices],
        "result": result,
        "scale": scale,
        "headline": wording.headline(result, scale),
        "left": wording.left(result),
        "base_headline": wording.headline(base, scale) if found.is_switched else [],
        "difference": wording.differences(result),
        "details": details(result, scale),
        "choices": choices(switches, counted, names),
        "chosen": _chosen(switches, names, address),
        "without_switches": address.having(
            "uitkomst", **{parameter.replace("-", "_"): "" for parameter in PARAMETERS.values()}
        ),
        "years": _years(counted),
        "switch_hidden": address.hidden(*PARAMETERS.values(), TABLE_PAGE),
        "forest": forest(result, scale, whole=whole),
        "whole": address.having("studies-samen", **{WHOLE: "ja"}),
        "funnel": funnel(result, scale),
        "groups": groups(result, scale, names),
        "fit_choices": offered,
        "fits": fit,
        "fits_chosen": bool(ours),
        "fit_hidden": address.hidden(*OURS.values()),
        "table": shown,
        "table_choice": table_choice,
        "table_hidden": address.hidden(TABLE_QUERY, TABLE_ROWS, TABLE_PAGE),
        "excluded": [(row.label, row.uid, reason_words(row.reason)) for row in (*result.excluded, *result.outliers)],
        "outliers": result.outliers,
    }


def _years(rows: Iterable[Row]) -> tuple[int, int] | None:
    years = [row.year for row in rows if row.year is not None]
    return (min(years), max(years)) if years else None


def _chosen(switches: Switches, names: Names, address: Address) -> list[Chosen]:
    """The switches that are set, each with the address of the page without it."""
    labels, found = _labels(), []
    for name, parameter in PARAMETERS.items():
        if parameter not in switches.chosen:
            continue
        value = getattr(switches, name)
        words = labels[name] if value is True else f"{labels[name]}: {_word_of(name, str(value), names)}"
        found.append(Chosen(words, address.having("uitkomst", **{parameter.replace("-", "_"): ""})))
    return found


def details(result: Result, scale: Scale) -> list[tuple[str, str]]:
    """The result for who knows statistics: (what, figure). Only what is known."""
    said: list[tuple[str, str]] = [
        (_("Studies"), wording.number(result.k_studies)),
        (_("Effects"), wording.number(result.k_effects)),
    ]
    if result.pupils is not None:
        words = wording.number(result.pupils)
        if result.pupils_known < result.k_studies:
            words = _("at least %(pupils)s (known of %(studies)s)") % {
                "pupils": words, "studies": wording.studies(result.pupils_known)}  # fmt: skip
        said.append((_("Pupils"), words))
    said.append((_("Model"), model_words(result.model)))
    method = f"{result.method}, {_test_words(result.test)}"
    if result.rho:
        method += f", \N{GREEK SMALL LETTER RHO} = {wording.decimal(result.rho, '0.1')}"
    said.append((_("Method"), method))
    if result.refusal or result.estimate is None:
        return said
    said.append((capfirst(scale.name), f"{scale.symbol} = {scale.figure(result.estimate)}"))
    if result.ci is not None:
        said.append((_("95% interval of the average"), scale.interval(result.ci)))
    if result.share_interval is not None:
        said.append((_("80% prediction interval"), scale.interval(result.share_interval)))
    if result.pi is not None:
        said.append((_("95% prediction interval"), scale.interval(result.pi)))
    if result.tau2 is not None:
        words = wording.decimal(result.tau2, "0.001")
        if result.tau2_ci is not None:
            ends = (wording.decimal(end, "0.001") for end in (result.tau2_ci.low, result.tau2_ci.high))
            words += " ({})".format(_("%(low)s to %(high)s") % dict(zip(("low", "high"), ends, strict=True)))
        said.append((_("Variance between studies (τ²)"), words))
    if result.I2 is not None:
        said.append((_("Share of real differences (I²)"), f"{wording.decimal(result.I2, '1')}%"))
    if result.df is not None:
        said.append((_("Degrees of freedom"), wording.decimal(result.df, "0.1")))
    if result.p is not None:
        said.append((_("Test of no effect"), wording.probability(result.p)))
    said += [
        (
            _("With correlation \N{GREEK SMALL LETTER RHO} = %(rho)s") % {"rho": wording.decimal(other.rho, "0.1")},
            _figured(other.estimate, other.ci, scale),
        )
        for other in result.sensitivity
    ]
    return said


def _test_words(test: str) -> str:
    words = {
        "adhoc": _("Hartung-Knapp, never narrower than z"),
        "knha": _("Hartung-Knapp"),
        "z": "z",
        "CR2": _("CR2 with Satterthwaite degrees of freedom"),
    }
    return words.get(test, test)
