"""What readers take with them to compute a result themselves: rows, a description of them, the result, two scripts.

Everything follows from a version, its selection and what was switched; the same address gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from knowledgebase import results
from knowledgebase.citations import Reference
from knowledgebase.evidence.records import (
    FEWEST_DF,
    FEWEST_FOR_CHECKS,
    FEWEST_FOR_SHARE,
    FEWEST_STUDIES,
    METHOD_VERSION,
    Result,
    Row,
    Switches,
    matching,
)
from knowledgebase.models import SelectedEffect, Selection, Version
from knowledgebase.recount import BELOW

FOLDER = Path(settings.BASE_DIR) / "templates" / "downloads"
LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
COLUMNS = {
    "row": "string", "study": "string", "label": "string", "year": "integer", "country": "string", "level": "string",
    "subject": "string", "subject_text": "string", "design": "string", "risk": "string", "outcome": "string",
    "contrast": "string", "measure": "string", "effect": "number", "variance": "number", "n1": "integer",
    "n2": "integer", "n": "integer", "pupils": "integer", "conversion": "string", "reported": "string",
    "included": "integer", "reason": "string", "used": "integer",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute instead of show


@dataclass(frozen=True)
class Recomputed:
    """A selection of a version with what a reader switched, and its result."""

    version: Version
    selection: Selection
    switches: Switches
    result: Result
    extra: Mapping[str, Any]  # what a kind of text adds: months and strength of a practice
    query: str = ""  # of its address

    @property
    def address(self) -> str:
        """The page of its selection."""
        version = self.version
        path = version.get_absolute_url() if version.is_published else version.get_archive_url()
        return settings.SITE_URL + path + BELOW

    @property
    def url(self) -> str:
        """The page of this result."""
        return f"{self.address}{self.query and '?'}{self.query}"

    @property
    def reference(self) -> Reference:
        return Reference.of_version(self.version, self.url)

    @property
    def citation(self) -> str:
        """Who to name: our version, and where the rows come from."""
        ours = self.reference
        words = f"Leerpunt ({ours.year or 'z.d.'}). {ours.title} (versie {self.version.number}). {self.url}"
        source = self.selection.synthesis
        if source is None:
            return words
        where = f" https://doi.org/{source.doi}" if source.doi else ""
        return f"{words}. Rijen: {source.short}, {source.title}.{where}"


def rows_csv(found: Recomputed) -> str:
    """Every row of the selection, in and out; `used` says which of them this result counts."""
    gone = {row.uid for row in (*found.result.excluded, *found.result.outliers)}
    rows = results.rows_of(found.selection)
    left = {row.uid for row in matching(rows, found.switches)} - gone
    chosen = list(found.selection.rows())
    moderators = sorted({name for one in chosen for name in one.effect.moderators})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *(f"moderator_{name}" for name in moderators)])
    short = {row.uid: row for row in rows}
    for one in sorted(chosen, key=lambda one: (one.effect.study.key, str(one.effect.uid))):
        cells = _cells(one, short[str(one.effect.uid)], used=str(one.effect.uid) in left)
        writer.writerow([*cells, *(_cell(one.effect.moderators.get(name)) for name in moderators)])
    return out.getvalue()


def _cells(one: SelectedEffect, row: Row, *, used: bool) -> list[str]:
    effect, study = one.effect, one.effect.study
    values = {
        "row": row.uid,
        "study": row.study,
        "contrast": effect.contrast,
        "subject_text": study.subject_text,
        "n": effect.n,
        "conversion": effect.conversion,
        "reported": json.dumps(effect.reported, ensure_ascii=False, sort_keys=True) if effect.reported else "",
        "included": int(row.included),
        "used": int(used),
    }
    return [_cell(values[name] if name in values else getattr(row, name)) for name in COLUMNS]


def _cell(value: Any) -> str:
    """Numbers with all their digits; words that a spreadsheet would take for a formula get an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return repr(value)


def datapackage(found: Recomputed) -> dict[str, Any]:
    """A description of the rows (https://datapackage.org), with what every column means."""
    meanings = column_meanings()
    moderators = sorted({name for row in results.rows_of(found.selection) for name in row.moderators})
    fields = [{"name": name, "type": kind, "description": meanings[name]} for name, kind in COLUMNS.items()]
    fields += [
        {"name": f"moderator_{name}", "type": "any", "description": _("A characteristic, as the source gives it.")}
        for name in moderators
    ]
    source = found.selection.synthesis
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{found.version.item.slug}-{found.selection.context_key.replace(':', '-')}",
        "title": found.version.title,
        "description": found.selection.caveats,
        "homepage": found.url,
        "version": str(found.version.number),
        "licenses": [LICENCE],
        "citation": found.citation,
        "sources": [{"title": source.title, "path": f"https://doi.org/{source.doi}" if source.doi else source.url}]
        if source
        else [],
        "resources": [
            {
                "name": "rijen",
                "path": f"{found.address}rijen.csv{found.query and '?'}{found.query}",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
                "schema": {"fields": fields, "primaryKey": ["row"], "missingValues": [""]},
            }
        ],
    }


def column_meanings() -> dict[str, str]:
    """What each column of the rows is."""
    return {
        "row": _("The row; it stays the same over versions."),
        "study": _("The study; rows with the same study are not independent."),
        "label": _("The study in words."),
        "year": _("The year of publication."),
        "country": _("The country, as ISO 3166 code."),
        "level": _("The education level."),
        "subject": _("The subject."),
        "subject_text": _("The subject in the words of the source."),
        "design": _("The design: randomised, quasi, observational or unknown."),
        "risk": _("The risk of bias: low, some, high or unknown."),
        "outcome": _("What was measured."),
        "contrast": _("What was compared."),
        "measure": _("The measure of the effect."),
        "effect": _("The effect; positive is in favour of the practice."),
        "variance": _("The sampling variance of the effect."),
        "n1": _("Pupils with the intervention."),
        "n2": _("Pupils without."),
        "n": _("Pupils in all, where the source does not give the groups."),
        "pupils": _("Pupils of the study, or else of this comparison."),
        "conversion": _("How the effect follows from what the source reports."),
        "reported": _("What the source reports, as JSON."),
        "included": _("1: counts; 0: left out by the editors."),
        "reason": _("Why it is left out."),
        "used": _("1: counts in this result, with what was switched."),
    }


def result_json(found: Recomputed) -> dict[str, Any]:
    """The result with all digits, the method and rule versions, and where it comes from."""
    return {
        "title": found.version.title,
        "url": found.url,
        "citation": found.citation,
        "licence": LICENCE["path"],
        "version": found.version.number,
        "content_hash": found.version.content_hash,
        "context": found.selection.context_key,
        "method_version": METHOD_VERSION,
        "settings": asdict(results.settings_of(found.selection)),
        "switches": found.switches.chosen,
        "caveats": found.selection.caveats,
        "result": found.result.as_dict(),
    } | dict(found.extra)


def script_settings(found: Recomputed) -> dict[str, Any]:
    """What a script needs to know beside the rows."""
    result = found.result
    return {
        "model": result.model,
        "method": result.method if result.model in {"independent", "per-study"} else "REML",
        "test": results.settings_of(found.selection).test,
        "rho": results.settings_of(found.selection).rho,
        "measure": result.measure,
        "groups": [groups.moderator for groups in result.subgroups],
        "slopes": [slope.moderator for slope in result.slopes],
        "predictor": result.small_studies.predictor if result.small_studies else "",
        "sensitivity": [other.rho for other in result.sensitivity],
        "fewest_studies": FEWEST_STUDIES,
        "fewest_df": FEWEST_DF,
        "fewest_for_share": FEWEST_FOR_SHARE,
        "fewest_for_checks": FEWEST_FOR_CHECKS,
    }


def python_script(found: Recomputed) -> str:
    """A script with numpy and scipy that makes the result from the rows beside it."""
    told = json.dumps(script_settings(found), indent=1, ensure_ascii=True)
    return _script("reken-na.py", _plain(found.citation), told.replace('"""', ""))


def r_script(found: Recomputed) -> str:
    """The same with metafor and clubSandwich."""
    lines = [f"  {name} = {_in_r(value)}" for name, value in script_settings(found).items()]
    return _script("reken-na.R", _plain(found.citation), ",\n".join(lines))


def _in_r(value: Any) -> str:
    if isinstance(value, list):
        return f"c({', '.join(map(_in_r, value))})"
    return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else repr(value)


def _plain(text: str) -> str:
    """One line that ends no comment and no string of a script."""
    return " ".join(text.replace("\\", "/").replace('"""', '"').split())


def _script(name: str, citation: str, told: str) -> str:
    return _file(name).replace("@CITATION@", f"{citation} ({LICENCE['title']})").replace("@SETTINGS@", told)


@lru_cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


# name -> media type, what is in it
FILES: dict[str, tuple[str, Callable[[Recomputed], str]]] = {
    "rijen.csv": ("text/csv; charset=utf-8; header=present", rows_csv),
    "datapackage.json": ("application/json", lambda found: _json(datapackage(found))),
    "resultaat.json": ("application/json", lambda found: _json(result_json(found))),
    "reken-na.py": ("text/x-python; charset=utf-8", python_script),
    "reken-na.R": ("text/plain; charset=utf-8", r_script),
}
