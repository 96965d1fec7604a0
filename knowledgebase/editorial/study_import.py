"""Study rows from a table, with a report of every row: study_tables reads the file, study_lines each row of it.

What can be read goes in; what cannot is refused with its reason; nothing is dropped in silence. The same rows again are
recognised. A row that is there with other values is refused, or entered as a correction when that is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import EffectSize, Measure, SiteState, Source, Study, User

from . import audit, studies
from .permissions import check_writes, role_of
from .study_checks import doubts_on, shown
from .study_lines import Columns, Line, Refused, Row, Status, Words, parsed
from .study_tables import Table


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
    def summary(self) -> str:
        """How many rows there are, and what became of how many."""
        rows = ngettext("%(count)s row", "%(count)s rows", len(self.lines)) % {"count": len(self.lines)}
        named = {line.status: line.words for line in self.lines}
        became = "; ".join(f"{named[status]}: {self.count(status)}" for status in Status if status in named)
        return f"{rows} ({became})." if became else f"{rows}."

    @property
    def entered(self) -> int:
        return self.count(Status.READ, Status.CORRECTED)


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
    columns = Columns.of(table.header)
    report = Report(
        table.encoding,
        table.delimiter,
        {table.header[place]: name for place, name in columns.known.items()},
        list(columns.others.values()),
    )
    words = Words.load()
    good: list[Row] = []
    for number, cells in table.rows:
        line = Line(number)
        report.lines.append(line)
        try:
            good.append(parsed(line, cells, columns, synthesis=synthesis, measure=measure, words=words))
        except Refused as error:
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


# -- what is there already


def _matched(good: Sequence[Row], synthesis: Source) -> tuple[list[Row], list[tuple[Row, EffectSize]]]:
    """The rows that are new, and those that are there with other values; the same ones are marked."""
    there: dict[tuple, list[EffectSize]] = defaultdict(list)
    for effect in (
        EffectSize.objects.current().filter(study__synthesis=synthesis).select_related("study").order_by("pk")
    ):
        there[effect.place].append(effect)
    seen: dict[tuple, int] = {}
    waiting: list[Row] = []
    for row in good:
        before = next((old for old in there[row.effect.place] if _values(old) == _values(row.effect)), None)
        key = (row.effect.place, _values(row.effect))
        if key in seen:
            row.line.status = Status.SAME
            said = _("The same as row %(number)s of this file. Another effect? Give it an outcome or a comparison.")
            row.line.remarks.append(said % {"number": seen[key]})
        elif before is not None:
            there[row.effect.place].remove(before)
            row.line.status = Status.SAME
            row.line.remarks.append(_("This row is there already."))
        else:
            waiting.append(row)
        seen.setdefault(key, row.line.number)
    fresh, differing = [], []
    for row in waiting:
        left = there[row.effect.place]
        if left:
            differing.append((row, left.pop(0)))
        else:
            fresh.append(row)
    return fresh, differing


def _values(effect: EffectSize) -> tuple:
    """What must be equal for two rows to be the same."""
    return (effect.measure, effect.effect, effect.variance, effect.n1, effect.n2, effect.n)


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


def _correct(differing: Sequence[tuple[Row, EffectSize]], *, by: User, save: bool) -> None:
    for row, old in differing:
        row.line.status = Status.CORRECTED
        row.line.remarks.append(_differing(row.effect, old))
        if save:
            changes = {name: getattr(row.effect, name) for name in studies.COPIED if name != "moderators"}
            moderators = old.moderators | row.effect.moderators
            studies.correct_effect(old, by=by, moderators=moderators, **changes)


def _keep_studies(fresh: Sequence[Row], synthesis: Source) -> None:
    """Give every new effect its study: the one that is there, or a new one; what contradicts it is said."""
    known = {study.place: study for study in Study.objects.current().filter(synthesis=synthesis)}
    keys = set(Study.objects.filter(key__startswith=synthesis.key[:50]).values_list("key", flat=True))
    new: list[Study] = []
    for row in fresh:
        place = row.study.place
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


def _contradictions(row: Row, study: Study) -> None:
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


def _with_author(row: Row, by: User) -> EffectSize:
    row.effect.created_by = by
    return row.effect
