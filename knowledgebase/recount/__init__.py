"""What the page "reken na" shows of one selection of study rows, recomputed with what a reader chose.

Everything a reader can choose is in the address; what we do not know in it is left out with a notice, never refused.

switches, fit    what a reader may choose, and how many studies look like their school
charts, table    what is drawn of the result, and the rows
words            what rows say, in the words that readers know
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from knowledgebase import results, wording
from knowledgebase.evidence.records import PARAMETERS, Result, Row, Switches
from knowledgebase.models import Selection, Version
from knowledgebase.wording import Scale

from .charts import figured, forest, funnel, groups
from .fit import OURS, fits
from .switches import Address, choices, chosen_switches, read_switches
from .table import TABLE_PAGE, TABLE_QUERY, TABLE_ROWS, TABLE_SORT, read_table, table
from .words import model_words, names_of, reason_words, test_words

BELOW = "cijfers/"  # the address of the page, below that of its text
SELECTION, WHOLE = "voor", "alle"
KEPT = 60 * 60  # seconds that a process keeps what no switch changes, of rows that cannot change


def selections_of(version: Version, content_key: str | None = None) -> list[Selection]:
    """What figures of a version are computed from, the overall one first; kept where `content_key` is given."""

    def read() -> list[Selection]:
        found = list(Selection.objects.filter(version=version.pk).select_related("synthesis"))
        for selection in found:
            selection.version = version
        return sorted(found, key=lambda selection: selection.context_key != "overall")

    return results.read_once(version, "selections", read, content_key) if content_key else read()


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
    selections: Sequence[Selection],
    query: Mapping[str, str],
    scale_of: Callable[[Selection], Scale],
    content_key: str,
) -> dict[str, Any]:
    """Everything the page shows, as context for its template; `content_key` is that of the site (SiteState)."""
    by_key = {selection.context_key: selection for selection in selections}
    asked = query.get(SELECTION, "")
    selection = by_key.get(asked, selections[0])
    notices = []
    if asked and asked not in by_key:
        notices.append(_("We have no figures for that context, so you see the first one."))
    rows = results.rows_of(selection, content_key)
    counted = [row for row in rows if row.included]
    names, scale = names_of(content_key), scale_of(selection)
    switches, unknown = read_switches(query, counted, names)
    base = results.result_for(selection)
    result = base
    if switches != Switches():
        result = results.result_of(rows, results.settings_of(selection), switches)
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
        "chosen": chosen_switches(switches, names, address),
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
        "kept": KEPT if results.is_frozen(selection.version) else 0,
        "kept_as": (content_key, selection.version.content_hash, selection.uid),
        "table_kept_as": (astuple(table_choice), shown.number),
        "table_choice": table_choice,
        "table_hidden": address.hidden(TABLE_QUERY, TABLE_ROWS, TABLE_PAGE),
        "excluded": [(row.label, row.uid, reason_words(row.reason)) for row in (*result.excluded, *result.outliers)],
        "outliers": result.outliers,
    }


def _years(rows: Iterable[Row]) -> tuple[int, int] | None:
    years = [row.year for row in rows if row.year is not None]
    return (min(years), max(years)) if years else None


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
    method = f"{result.method}, {test_words(result.test)}"
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
            figured(other.estimate, other.ci, scale),
        )
        for other in result.sensitivity
    ]
    return said
