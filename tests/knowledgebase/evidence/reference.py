"""The reference results (tests/data/meta-analysis): R's metafor, clubSandwich and robumeta, 17 digits."""

import csv
import json
import math
from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "data" / "meta-analysis"
SETS = (
    "bangertdrowns2004", "bcg", "bornmann2007", "crede2010", "gibson2002", "kalaian1996", "konstantopoulos2011",
    "mccurdy2020",
)  # fmt: skip
CLOSED = 1e-10  # relative, of closed forms
FITTED = 1e-8  # relative, of what a root or an optimum gives
NOTHING = 1e-9  # absolute


@cache
def results(name):
    return json.loads((FOLDER / f"reference-{name}.json").read_text())


@cache
def rows(name):
    """Rows with an effect and a variance."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["yi"] and row["vi"]]


def effects(name):
    return (np.array([float(row[column]) for row in rows(name)]) for column in ("yi", "vi"))


@cache
def clusters(name):
    column = json.loads((FOLDER / f"{name}.meta.json").read_text())["cluster"]
    return [row[column] for row in rows(name)]


def columns(name, coefficient_names):
    """The design matrix of R's coefficient names, and which rows have every moderator."""
    data = rows(name)
    used = []
    for coefficient in coefficient_names[1:]:
        column, level, number = coefficient, None, float
        if coefficient.startswith("factor("):
            column, level = coefficient.removeprefix("factor(").split(")", 1)
        elif coefficient.startswith("log("):
            column, number = coefficient[4:-1], lambda text: math.log(float(text))
        elif coefficient not in data[0]:  # R glues a column of words and its level together
            column = max((key for key in data[0] if coefficient.startswith(key)), key=len)
            level = coefficient.removeprefix(column)
        used.append((column, level, number))
    keep = np.array([all(row[column] for column, _level, _number in used) for row in data])
    complete = [row for row, whole in zip(data, keep, strict=True) if whole]
    parts = [np.ones(len(complete))]
    for column, level, number in used:
        parts.append(
            np.array([number(row[column]) if level is None else float(row[column] == level) for row in complete])
        )
    return np.column_stack(parts), keep


def agree(found, expected, *, relative=FITTED, absolute=NOTHING):
    """Numbers, or lists of them, within the tolerance; what R gives as missing is not compared."""
    if isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            agree(one, other, relative=relative, absolute=absolute)
    elif expected is not None and not isinstance(expected, str):
        assert abs(found - expected) <= max(relative * abs(expected), absolute), (found, expected)
