"""What a reader may choose of the studies, and the address that says what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from knowledgebase.evidence.records import (
    COUNTRY_GROUPS,
    DESIGN_WORDS,
    MODEL_WORDS,
    OUTSIDE_EUROPE,
    PARAMETERS,
    Row,
    Switches,
)
from knowledgebase.search import fold
from knowledgebase.search.fields import seen

from .words import Names, country_words, design_words, model_words

LONGEST_SEEN = 30  # characters of a wrong value that are shown again


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


VALUES: dict[str, Callable[[Row], Iterable[str]]] = {
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


def read_switches(query: Mapping[str, str], rows: Sequence[Row], names: Names) -> tuple[Switches, list[str]]:
    """What a reader switched, without what no study has; a notice for everything that was left out."""
    labels = _labels()
    parameters = {parameter: name for name, parameter in PARAMETERS.items()}
    notices = []
    for parameter in Switches.unread(query):
        value, name = seen(query.get(parameter, ""))[:LONGEST_SEEN], parameters[parameter]
        if name == "since":
            notices.append(_("A year has four digits, as in 2005. We left out “%(value)s”.") % {"value": value})
        else:
            words = _("We do not know “%(value)s” for %(what)s, so we left it out.")
            notices.append(words % {"value": value, "what": labels[name].lower()})
    switches = Switches.read(query)
    for name, values in VALUES.items():
        value = getattr(switches, name)
        if value and value not in _studies_by(rows, values):
            notices.append(
                _("No study has “%(value)s” for %(what)s, so we left it out.")
                % {"value": seen(_word_of(name, value, names))[:LONGEST_SEEN], "what": labels[name].lower()}
            )
            switches = switches.without(name)
    return switches, notices


def choices(switches: Switches, rows: Sequence[Row], names: Names) -> list[Choice]:
    """What may be switched, with how many studies each answer has among all."""
    labels, unknown = _labels(), _unknown_words()
    offered = []
    for name, values in VALUES.items():
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


def chosen_switches(switches: Switches, names: Names, address: Address) -> list[Chosen]:
    """The switches that are set, each with the address of the page without it."""
    labels, found = _labels(), []
    for name, parameter in PARAMETERS.items():
        if parameter not in switches.chosen:
            continue
        value = getattr(switches, name)
        words = labels[name] if value is True else f"{labels[name]}: {_word_of(name, str(value), names)}"
        found.append(Chosen(words, address.having("uitkomst", **{parameter.replace("-", "_"): ""})))
    return found
