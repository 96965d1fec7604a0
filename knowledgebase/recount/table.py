"""The table of the rows: sorted, searched and in pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from knowledgebase import plots
from knowledgebase.evidence.records import Interval, Row
from knowledgebase.models import EffectSize
from knowledgebase.search import fold
from knowledgebase.search.fields import page_number, read_query
from knowledgebase.wording import Scale

from .switches import Address
from .words import Names, conversion_words, country_words, design_words, reason_words, risk_words

PAGE_SIZE = 50
TABLE_SORT, TABLE_ROWS, TABLE_QUERY, TABLE_PAGE = "sorteer", "rijen", "q", "pagina"


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
    """One page of the rows; what stands in their cells is looked up when it is drawn."""

    shown: Sequence[Row]
    scale: Scale
    names: Names
    columns: Sequence[Column]
    found: int
    number: int
    pages: int
    previous: str
    next: str

    @cached_property
    def rows(self) -> list[TableRow]:
        stored = EffectSize.objects.filter(uid__in=[row.uid for row in self.shown]).select_related("study__source")
        by_uid = {str(effect.uid): effect for effect in stored}
        return [_table_row(row, by_uid.get(row.uid), self.scale, self.names) for row in self.shown]


def _sort_keys(names: Names) -> dict[str, tuple[str, Callable[[Row], Any]]]:
    """What may be sorted by: the heading of the column and the key; None is unknown and comes last.

    In the order of the columns: the figure first, because the others do not fit beside it on a phone.
    """
    return {
        "studie": (_("Study"), lambda row: fold(row.label)),
        "effect": (_("Figure"), lambda row: row.effect if math.isfinite(row.effect) else None),
        "leerlingen": (_("Pupils"), lambda row: row.pupils),
        "jaar": (_("Year"), lambda row: row.year),
        "niveau": (_("Level"), lambda row: fold(names.levels.get(row.level, "")) or None),
        "vak": (_("Subject"), lambda row: fold(names.subjects.get(row.subject, "")) or None),
        "opzet": (_("Design"), lambda row: None if row.design == "unknown" else fold(design_words(row.design))),
        "land": (_("Country"), lambda row: fold(country_words(row.country)) if row.country else None),
        "uitkomst": (_("Outcome"), lambda row: fold(row.outcome) or None),
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
    columns = []
    for column, (label, _key) in keys.items():
        ascending = choice.sort == column
        direction = "ascending" if ascending else "descending" if choice.sort == f"-{column}" else "none"
        href = address.having("studies", **{TABLE_SORT: f"-{column}" if ascending else column})
        columns.append(Column(column, label, href, direction))
    return (
        Table(
            found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
            scale,
            names,
            columns,
            len(found),
            number,
            pages,
            address.having("studies", **{TABLE_PAGE: str(number - 1)}) if number > 1 else "",
            address.having("studies", **{TABLE_PAGE: str(number + 1)}) if number < pages else "",
        ),
        notices,
    )


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
    """What the paper says, and from which kind of statistics it became an effect."""
    if stored is None or not stored.reported:
        return ""
    said = "; ".join(f"{name} = {value}" for name, value in stored.reported.items())
    return said if stored.conversion == EffectSize.AS_REPORTED else f"{said} ({conversion_words(stored.conversion)})"
