"""The plots of a result, each with its sentence and the lines of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.utils.translation import gettext as _

from knowledgebase import plots, wording
from knowledgebase.evidence.records import Interval, Result, Subgroups
from knowledgebase.wording import Scale

from .words import Names, group_name, moderator_name

MOST_DRAWN = 60  # studies in a forest plot, unless a reader asks for all
LONGEST_LABEL = 30  # characters in a plot; the table has the whole name


class Line(NamedTuple):
    """A row of the table that says what a plot shows."""

    label: str
    cells: Sequence[str]


def _line(label: str, *cells: str) -> Line:
    return Line(label, [cell or "–" for cell in cells])


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
    entries, lines, average = [], [], None
    for study in kept:
        point, (low, high) = scale.shown(study.estimate), _ends(study.ci, scale)
        words, interval = scale.figure(study.estimate), scale.interval(study.ci)
        share, percent = (study.weight / heaviest, wording.decimal(study.weight, "0.1")) if study.weight else (None, "")
        entries.append(plots.Entry(short(study.label), point, low, high, words, f"({interval})", share))
        lines.append(_line(study.label, words, interval, percent))
    if result.headline_allowed and result.estimate is not None:
        average = scale.shown(result.estimate)
        low, high = _ends(result.ci, scale)
        words, interval = scale.figure(result.estimate), scale.interval(result.ci) if result.ci else ""
        entries.append(
            plots.Entry(_("Average"), average, low, high, words, interval and f"({interval})", kind="average")
        )
        lines.append(_line(_("Average"), words, interval, "100"))
        if (spread := result.share_interval) is not None:
            low, high = _ends(spread, scale)
            entries.append(plots.Entry(scale.spread_name, None, low, high, scale.interval(spread), kind="range"))
            lines.append(_line(scale.spread_name, "", scale.interval(spread), ""))
    drawn = plots.rows(entries, average=average)
    return Chart(drawn, wording.forest(result, scale), lines, len(studies) - len(kept))


def _ends(interval: Interval | None, scale: Scale) -> tuple[float | None, float | None]:
    return (scale.shown(interval.low), scale.shown(interval.high)) if interval else (None, None)


def figured(estimate: float, interval: Interval | None, scale: Scale) -> str:
    """0,65 (0,13 to 1,17)."""
    return f"{scale.figure(estimate)} ({scale.interval(interval)})" if interval else scale.figure(estimate)


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
        _line(study.label, wording.decimal(study.estimate), wording.decimal(study.se, "0.001"))
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
                lines.append(_line(label, "", "", counted))
                continue
            low, high = _ends(group.ci, scale)
            words, interval = scale.figure(group.estimate), scale.interval(group.ci) if group.ci else ""
            detail = interval and f"({interval})"
            entries.append(plots.Entry(tagged, scale.shown(group.estimate), low, high, words, detail, kind="group"))
            lines.append(_line(label, words, interval, counted))
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
