"""Study rows as files: a CSV as its source gave it, and beside it a YAML that says what it is and how we read it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import yaml
from django.db import transaction

from knowledgebase.editorial import study_import
from knowledgebase.editorial.study_import import Report
from knowledgebase.editorial.study_lines import Status
from knowledgebase.editorial.study_tables import Table, Unreadable, read
from knowledgebase.models import Measure, Source, User

REQUIRED = frozenset(
    {"synthesis", "measure", "citation", "origin", "licence", "columns", "cannot_say", "same_study", "read"}
)


class StudyRowsError(Exception):
    """A file that cannot be loaded; the message names it and what is wrong."""


@dataclass(frozen=True)
class StudyFile:
    path: Path
    about: dict[str, Any]
    table: Table

    @classmethod
    def read(cls, path: Path) -> "StudyFile":
        """The YAML at `path` and the CSV beside it. Raises StudyRowsError."""
        try:
            about = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise StudyRowsError(f"{path.name} is no YAML: {error}") from error
        if not isinstance(about, dict) or about.keys() != REQUIRED:
            raise StudyRowsError(f"{path.name} says exactly: {', '.join(sorted(REQUIRED))}.")
        if about["measure"] not in Measure.values:
            raise StudyRowsError(f"{path.name}: the measure is one of {', '.join(Measure.values)}.")
        try:
            given = read(path.with_suffix(".csv").read_bytes())
        except Unreadable as error:
            raise StudyRowsError(f"{path.name}: the columns are not those of the CSV: {error}") from error
        if not given.rows or set(given.header) != set(about["columns"]):
            raise StudyRowsError(f"{path.name}: the columns are not those of the CSV.")
        if ragged := [line for line, cells in given.rows if len(cells) != len(given.header)]:
            raise StudyRowsError(f"{path.name}: line {ragged[0]} of the CSV has not as many cells as the heading.")
        found = [dict(zip(given.header, cells, strict=True)) for _line, cells in given.rows]
        try:
            rows = [{name: _cell(how, row) for name, how in about["read"].items()} for row in found]
        except KeyError as error:
            raise StudyRowsError(f"{path.name}: the CSV has no column {error}.") from error
        _name_studies(rows, apart=not about["same_study"])
        return cls(path, about, Table.of(rows))


def _cell(how: Any, row: Mapping[str, str]) -> str:
    """A cell by a pattern, `{author} {year}`, or the word for the value of a column; no word is unknown."""
    if isinstance(how, str):
        return how.format_map(row)
    words = {str(value): str(word) for value, word in how["words"].items()}
    return words.get(row[how["column"]], "")


def _name_studies(rows: list[dict[str, str]], *, apart: bool) -> None:
    """Letters for studies with one name, or a year only where a study has one year."""
    if apart:
        often = Counter(row["study"] for row in rows)
        seen: Counter[str] = Counter()
        for row in rows:
            name = row["study"]
            if often[name] > 1:
                row["study"] = f"{name}{ascii_lowercase[seen[name]]}"
                seen[name] += 1
        return
    years = defaultdict(set)
    for row in rows:
        years[row["study"]].add(row.get("year", ""))
    for row in rows:
        if len(years[row["study"]]) > 1:
            row["year"] = ""


def read_folder(folder: Path) -> list[StudyFile]:
    """Every set of rows in a folder, by name."""
    return [StudyFile.read(path) for path in sorted(folder.glob("*.yaml"))]


@transaction.atomic
def load(files: list[StudyFile], *, by: User) -> int:
    """Enter the rows that are not there yet, of all files or of none. Returns how many.

    Raises StudyRowsError for a row that cannot be read.
    """
    return sum(_enter(file, by=by).count(Status.READ) for file in files)


def _enter(file: StudyFile, *, by: User) -> Report:
    source = Source.objects.filter(key=file.about["synthesis"]).first()
    if source is None:
        raise StudyRowsError(f"{file.path.name}: there is no source {file.about['synthesis']}.")
    report = study_import.enter(file.table, synthesis=source, by=by, measure=file.about["measure"])
    refused = [line for line in report.lines if line.status == Status.REFUSED]
    if refused:
        raise StudyRowsError(f"{file.path.name}, line {refused[0].number}: {' '.join(refused[0].remarks)}")
    return report
