"""Figures as words, the same everywhere: numbers as they stand in a sentence, and what a pooled result says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from knowledgebase.evidence.records import (
    FEWEST_FOR_CHECKS,
    FEWEST_FOR_SHARE,
    FEWEST_STUDIES,
    Interval,
    Result,
    Slope,
    StudyResult,
    Subgroups,
)

MINUS = "\N{MINUS SIGN}"


def in_words(count: int) -> str:
    """Four; digits above twelve, as in running text."""
    words = (
        pgettext("number", "zero"), pgettext("number", "one"), pgettext("number", "two"), pgettext("number", "three"),
        pgettext("number", "four"), pgettext("number", "five"), pgettext("number", "six"),
        pgettext("number", "seven"), pgettext("number", "eight"), pgettext("number", "nine"),
        pgettext("number", "ten"), pgettext("number", "eleven"), pgettext("number", "twelve"),
    )  # fmt: skip
    return words[count] if 0 <= count < len(words) else number(count)


def decimal(value: Decimal | float, places: str = "0.01") -> str:
    """Two decimals with a comma, and a real minus sign (none before a zero); half up, as people round."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(places), rounding=ROUND_HALF_UP) + 0
    return f"{rounded:f}".replace(".", ",").replace("-", MINUS)


def number(count: int) -> str:
    """48.478: thousands with a point, as in Flanders."""
    return f"{count:,}".replace(",", ".")


def studies(count: int) -> str:
    return ngettext("%(count)s study", "%(count)s studies", count) % {"count": number(count)}


def effects(count: int) -> str:
    return ngettext("%(count)s effect", "%(count)s effects", count) % {"count": number(count)}


def probability(p: float) -> str:
    """p = 0,03, or p < 0,001."""
    return "p < 0,001" if p < 0.001 else f"p = {decimal(p, '0.01' if p >= 0.1 else '0.001')}"


# -- what a pooled result says


@dataclass(frozen=True)
class Scale:
    """How readers see an effect: its symbol, its words, and the way back from the scale of the arithmetic."""

    measure: str = "g"

    @property
    def symbol(self) -> str:
        return {"z": "r", "lnOR": "ln OR", "SMD": "d", "SMCR": "d"}.get(self.measure, "g")

    @property
    def name(self) -> str:
        """What stands along an axis."""
        names = {
            "z": _("correlation (r)"),
            "lnOR": _("log odds ratio (ln OR)"),
            "SMD": _("effect size (standardised mean difference)"),
            "SMCR": _("effect size (change within one group)"),
        }
        return names.get(self.measure, _("effect size (Hedges' g)"))

    @property
    def raw_name(self) -> str:
        """What the arithmetic computes with, where that is another figure than readers see."""
        return _("Fisher's z") if self.measure == "z" else self.name

    @property
    def spread_name(self) -> str:
        """What a range over schools is called in a plot."""
        return _("8 of 10 studies") if self.measure == "z" else _("8 of 10 schools")

    @property
    def note(self) -> str:
        """How figures were made fit to read, where that is not as they are."""
        if self.measure == "z":
            return _(
                "We compute with Fisher's z and show correlations: r = tanh(z). r is 0 without a relation and 1 or"
                " \N{MINUS SIGN}1 for a perfect one. A relation says nothing about cause."
            )
        return ""

    def shown(self, value: float) -> float:
        return math.tanh(value) if self.measure == "z" else value

    def figure(self, value: float) -> str:
        """0,22: the bare figure."""
        return decimal(self.shown(value))

    def interval(self, interval: Interval) -> str:
        """0,13 to 0,31."""
        return _("%(low)s to %(high)s") % {"low": self.figure(interval.low), "high": self.figure(interval.high)}

    def average(self, result: Result) -> str:
        """The average in a sentence, without its interval."""
        values = {
            "studies": studies(result.k_studies),
            "symbol": self.symbol,
            "value": self.figure(result.estimate or 0),
        }
        if self.measure == "z":
            return _("Over %(studies)s the average correlation is %(symbol)s = %(value)s.") % values
        return _("Over %(studies)s the average effect is %(symbol)s = %(value)s.") % values

    def surely(self, interval: Interval) -> str:
        """Between which bounds the average lies."""
        ends = {"low": self.figure(interval.low), "high": self.figure(interval.high)}
        return _("The average lies fairly surely between %(low)s and %(high)s.") % ends

    def spread(self, interval: Interval) -> str:
        """What comparable schools may find."""
        ends = {"low": self.figure(interval.low), "high": self.figure(interval.high)}
        if self.measure == "z":
            return _("In 8 of 10 comparable studies the correlation lies between %(low)s and %(high)s.") % ends
        return _("In 8 of 10 comparable schools the effect lies between %(low)s and %(high)s.") % ends


def headline(result: Result, scale: Scale) -> list[str]:
    """What the studies say together, or why they do not: the average, its interval, and what schools may find."""
    if result.refusal or result.estimate is None:
        return [refused(result)]
    sentences = [scale.average(result)]
    if result.ci is not None:
        sentences.append(scale.surely(result.ci))
        if result.ci.low < 0 < result.ci.high:
            sentences.append(_("That range holds zero: perhaps there is no difference at all."))
    if result.share_interval is not None:
        sentences.append(scale.spread(result.share_interval))
    else:
        sentences.append(no_spread(result))
    return sentences


def no_spread(result: Result) -> str:
    """Why nothing is said about comparable schools."""
    if result.k_studies < FEWEST_FOR_SHARE:
        return _(
            "How much it differs from school to school we cannot say: for that we ask for at least %(fewest)s studies."
        ) % {"fewest": FEWEST_FOR_SHARE}
    return _(
        "The studies do not differ more than chance explains, so about separate schools we say nothing more than about"
        " the average."
    )


def refused(result: Result) -> str:
    """Why there is no figure."""
    if result.refusal == "no-rows" or not result.k_studies:
        return _("No study is left, so there is no figure.")
    if result.refusal == "too-few-studies":
        return _("Too few studies: %(studies)s. We give a figure from %(fewest)s studies.") % {
            "studies": studies(result.k_studies), "fewest": FEWEST_STUDIES
        }  # fmt: skip
    if result.refusal == "too-few-df":
        return _(
            "Too few studies for a sure figure: there are %(studies)s, but a few of them decide nearly everything"
            " (degrees of freedom below 4)."
        ) % {"studies": studies(result.k_studies)}
    return _("These studies cannot be taken together: the computation finds no answer.")


def left(result: Result) -> str:
    """How many studies a choice leaves."""
    words = ngettext(
        "%(left)s of %(total)s studies remains, with %(effects)s.",
        "%(left)s of %(total)s studies remain, with %(effects)s.",
        result.k_studies,
    )
    return words % {
        "left": number(result.k_studies), "total": number(result.total_studies), "effects": effects(result.k_effects)
    }  # fmt: skip


def differences(result: Result) -> str:
    """How much the studies differ from each other, in words; empty where that is unknown."""
    if result.I2 is None or result.estimate is None:
        return ""
    share = {"share": decimal(result.I2, "1"), "tau2": decimal(result.tau2 or 0, "0.001")}
    if result.I2 < 25:
        words = _(
            "The studies find nearly the same: about %(share)s%% of their differences is real, the rest is chance"
            " (I² = %(share)s%%, τ² = %(tau2)s)."
        )
    elif result.I2 < 75:
        words = _(
            "The studies differ: about %(share)s%% of their differences is real, the rest is chance"
            " (I² = %(share)s%%, τ² = %(tau2)s)."
        )
    else:
        words = _(
            "The studies differ much: about %(share)s%% of their differences is real and no chance"
            " (I² = %(share)s%%, τ² = %(tau2)s). The average then says little about one school."
        )
    return words % share


def small_studies(result: Result, scale: Scale) -> list[str]:
    """Whether small studies find something else than large ones: a note, never the rating."""
    checks = result.small_studies
    if checks is None:
        if result.k_studies >= FEWEST_FOR_CHECKS:
            return [_("Whether studies are missing could not be computed here.")]
        return [_("With fewer than %(fewest)s studies a test of missing studies says nothing, so we do none.") % {
            "fewest": FEWEST_FOR_CHECKS}]  # fmt: skip
    p = {"p": probability(checks.egger_p)}
    if checks.egger_p < 0.1:
        first = _(
            "Small studies find something else than large ones (Egger's test, %(p)s). Perhaps studies with a"
            " disappointing result were never published."
        )
    else:
        first = _("Small and large studies find about the same (Egger's test, %(p)s).")
    if not checks.missing:
        return [first % p, _("“Trim and fill” adds no study.")]
    added = ngettext(
        "“Trim and fill” adds %(count)s study that may be missing; the average is then %(value)s.",
        "“Trim and fill” adds %(count)s studies that may be missing; the average is then %(value)s.",
        checks.missing,
    ) % {"count": checks.missing, "value": scale.figure(checks.filled_estimate)}
    return [first % p, added]


# -- what a plot shows, for who does not see it


def forest(result: Result, scale: Scale) -> str:
    """The forest plot in sentences."""
    drawn = sorted(result.studies, key=lambda study: (study.estimate, study.label))
    if not drawn:
        return _("There is no study to draw.")
    sentences = []
    lowest, highest = drawn[0], drawn[-1]
    if len(drawn) == 1:
        sentences.append(_("One study, %(label)s: %(value)s.") % {
            "label": lowest.label, "value": scale.figure(lowest.estimate)})  # fmt: skip
    else:
        sentences.append(
            _("The figures of %(studies)s go from %(low)s (%(lowest)s) to %(high)s (%(highest)s).")
            % {
                "studies": studies(len(drawn)),
                "low": scale.figure(lowest.estimate),
                "lowest": lowest.label,
                "high": scale.figure(highest.estimate),
                "highest": highest.label,
            }
        )
        above = sum(study.estimate > 0 for study in drawn)
        below = sum(study.estimate < 0 for study in drawn)
        sentences.append(_("%(above)s are above zero, %(below)s below.") % {
            "above": number(above), "below": number(below)})  # fmt: skip
    sure = sum(_is_sure(study) for study in drawn)
    if len(drawn) > 1:
        sentences.append(
            ngettext(
                "Of %(count)s study the whole interval lies on one side of zero.",
                "Of %(count)s studies the whole interval lies on one side of zero.",
                sure,
            )
            % {"count": number(sure)}
        )
    if result.estimate is not None and not result.refusal:
        average = scale.figure(result.estimate)
        interval = scale.interval(result.ci) if result.ci else _("unknown")
        sentences.append(_("Together: %(average)s (95%% interval %(interval)s).") % {
            "average": average, "interval": interval})  # fmt: skip
    return " ".join(sentences)


def _is_sure(study: StudyResult) -> bool:
    return study.ci.low > 0 or study.ci.high < 0


def funnel(inside: int, total: int) -> str:
    """The funnel plot in sentences."""
    words = _("Every point is a study: the higher, the more precise.")
    if not total:
        return words
    return f"{words} " + _(
        "%(inside)s of %(total)s studies lie in the funnel that chance alone would fill; a side that stays empty below"
        " may mean that studies are missing."
    ) % {"inside": number(inside), "total": number(total)}


def subgroups(name: str, groups: Subgroups, labels: Sequence[str], scale: Scale) -> str:
    """A comparison of groups in sentences; `labels` are the names of the groups."""
    parts = []
    for label, group in zip(labels, groups.groups, strict=True):
        counted = studies(group.k_studies)
        if group.estimate is None:
            parts.append(_("%(group)s: no figure (%(studies)s)") % {"group": label, "studies": counted})
        else:
            parts.append(_("%(group)s: %(value)s (%(studies)s)") % {
                "group": label, "value": scale.figure(group.estimate), "studies": counted})  # fmt: skip
    sentences = [f"{name}. {'; '.join(parts)}."]
    if groups.p is not None:
        words = (
            _("The groups differ more than chance explains (%(test)s).")
            if groups.p < 0.05
            else _("The difference between the groups may be chance (%(test)s).")
        )
        sentences.append(words % {"test": _test(groups)})
    elif len(groups.groups) > 1:
        sentences.append(_("Whether the groups really differ we cannot test with so few studies."))
    if groups.unknown_studies:
        sentences.append(
            ngettext("Of %(count)s study we do not know it.", "Of %(count)s studies we do not know it.",
                     groups.unknown_studies) % {"count": number(groups.unknown_studies)}
        )  # fmt: skip
    return " ".join(sentences)


def slope(name: str, found: Slope) -> str:
    """How the effect changes with a characteristic in numbers."""
    values = {"name": name, "change": decimal(found.estimate, "0.001"), "studies": studies(found.k_studies)}
    if found.p is None:
        return _("%(name)s: %(change)s per unit, over %(studies)s; too few to say more.") % values
    values["p"] = probability(found.p)
    if found.p < 0.05:
        return (
            _("%(name)s: the effect changes %(change)s per unit, more than chance explains (%(studies)s, %(p)s).")
            % values
        )
    return _("%(name)s: the effect changes %(change)s per unit, which may be chance (%(studies)s, %(p)s).") % values


def _test(groups: Subgroups) -> str:
    if groups.statistic is None or groups.df1 is None or groups.df2 is None or groups.p is None:
        return ""
    ends = {"df1": decimal(groups.df1, "1"), "df2": decimal(groups.df2, "0.1"), "f": decimal(groups.statistic)}
    return f"F({ends['df1']}; {ends['df2']}) = {ends['f']}, {probability(groups.p)}"
