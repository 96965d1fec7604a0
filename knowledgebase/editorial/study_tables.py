"""A table in a file or in pasted text, as spreadsheets and statistics programs write it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

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
    text: str = ""  # as it was read

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]]) -> Table:
        """A table of rows by column name; all rows have the columns of the first."""
        header = tuple(rows[0]) if rows else ()
        lines = ((line, tuple(str(row[name]) for name in header)) for line, row in enumerate(rows, start=2))
        return cls(header, tuple(lines))


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
    delimiter, table, skipped = _delimiter(text)
    try:
        lines = list(_lines(table, delimiter, skipped))
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
    return Table(header, tuple(rows), encoding, delimiter, text)


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
