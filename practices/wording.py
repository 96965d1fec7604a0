"""Figures as words, the same everywhere: on pages, in plots, in tokens."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from knowledgebase.evidence.records import Interval, Result
from knowledgebase.wording import MINUS, Scale, decimal, in_words, number, probability, studies

from .ratings import (
    CONVERSION,
    CONVERSIONS,
    EEF,
    Conversion,
    Figure,
    Gain,
    KeyFigures,
    Step,
    StrengthRule,
    Waterfall,
)
from .ratings import months as table_months

__all__ = ["decimal", "in_words", "number", "studies"]  # the words of numbers alone


def months_in_words(count: int) -> str:
    """Four months, one month or minus two months, as in running text."""
    words = ngettext("%(count)s month", "%(count)s months", abs(count)) % {"count": in_words(abs(count))}
    return _("minus %(months)s") % {"months": words} if count < 0 else words


def signed(count: int) -> str:
    """+6, 0 or −2."""
    return f"+{count}" if count > 0 else f"{MINUS}{-count}" if count < 0 else "0"


def months(count: int) -> str:
    """6 months, 1 month or minus 2 months, as in a sentence."""
    words = ngettext("%(count)s month", "%(count)s months", abs(count)) % {"count": abs(count)}
    return _("minus %(months)s") % {"months": words} if count < 0 else words


def signed_months(count: int) -> str:
    """+6 months, 0 months or −2 months, as a headline; say it to a screen reader with `months`."""
    return ngettext("%(count)s month", "%(count)s months", abs(count)) % {"count": signed(count)}


def spoken(words: str) -> str:
    """Signed words for who hears them: no plus, and “minus” in full, which many screen readers skip as a sign."""
    return words.removeprefix("+").replace(MINUS, f"{_('minus')} ")


def out_of_five(figure: Figure) -> str:
    return _("%(value)s out of 5") % {"value": figure.value} if figure.known else _("unknown")


def out_of_five_in_words(figure: Figure) -> str:
    """Three out of five."""
    if figure.value is None:
        return _("unknown")
    return pgettext("in words", "%(value)s out of five") % {"value": in_words(figure.value)}


def bound(count: int | None, effect: Decimal | None, highest: int = 12) -> str:
    """An end of an interval in months; beyond the table it has no month."""
    if count is not None:
        return signed(count)
    if effect is not None and effect < 0:
        return _("less than %(months)s") % {"months": signed(-highest)}
    return _("more than %(months)s") % {"months": signed(highest)}


def interval(gain: Gain) -> str:
    """+5 to +7, or empty when there is no interval."""
    if not gain.has_interval:
        return ""
    return _("%(low)s to %(high)s") % {"low": bound(gain.low, gain.ci_low), "high": bound(gain.high, gain.ci_high)}


def spoken_gain(gain: Gain) -> str:
    """What a mark on the axis says, for who does not see it: the point, its interval, whose it is."""
    if gain.rank is None:
        return _("Learning gain: no reliable figure yet")
    words = _("Learning gain: %(months)s") % {"months": gained(gain)}
    if gain.has_interval:
        words += ", " + _("interval %(interval)s") % {"interval": interval(gain).replace(MINUS, _("minus") + " ")}
    elif gain.origin == EEF:
        words += ", " + by_whom(gain)
    else:
        words += ", " + _("interval unknown")
    return words


def gained(gain: Gain) -> str:
    """The learning gain as in a sentence: 6 months, more than 12 months beyond the table, or unknown."""
    if gain.value is not None:
        return months(gain.value)
    if gain.effect is not None:
        beyond = _("more than %(months)s") if gain.effect > 0 else _("less than %(months)s")
        return beyond % {"months": months(12 if gain.effect > 0 else -12)}
    return _("unknown")


def interval_in_words(gain: Gain) -> str:
    """5 to 7 months, as in a sentence: signs only where an end lies below zero."""
    words = interval(gain) if gain.ci_low is None or gain.ci_low < 0 else interval(gain).replace("+", "")
    return f"{words} {_('months')}" if words else _("unknown")


def by_whom(figure: Figure) -> str:
    """Empty for our own reading, else whose verdict it is."""
    return _("according to the EEF") if figure.origin == EEF else ""


def attributed(words: str, figure: Figure) -> str:
    """Words of a token: a verdict of others always says so."""
    whose = by_whom(figure)
    return f"{words} ({whose})" if whose else words


def tokens(figures: KeyFigures, context: str = "") -> dict[str, str]:
    """Token names of one context with their words; unknown is said, never left out.

    Each figure has the forms that sentences need: `winst` (4 months), `winst-woorden` (four months), `winst-teken` (+4).
    """
    gain, studied, unknown = figures.gain, figures.studies, _("unknown")
    strength, cost = figures.strength, figures.cost
    values = {
        "winst": attributed(gained(gain), gain),
        "winst-woorden": attributed(months_in_words(gain.value) if gain.value is not None else gained(gain), gain),
        "winst-teken": attributed(signed(gain.value) if gain.value is not None else gained(gain), gain),
        "interval": interval_in_words(gain),
        "interval-teken": interval(gain) or unknown,
        "effect": decimal(gain.effect) if gain.effect is not None else unknown,
        "sterkte": attributed(out_of_five(strength), strength),
        "sterkte-woorden": attributed(out_of_five_in_words(strength), strength),
        "kost": attributed(out_of_five(cost), cost),
        "kost-woorden": attributed(out_of_five_in_words(cost), cost),
        "studies": attributed(studies(studied.value), studied) if studied.value is not None else unknown,
        "studies-aantal": attributed(number(studied.value), studied) if studied.value is not None else unknown,
    }
    suffix = f":{context}" if context else ""
    return {f"{name}{suffix}": words for name, words in values.items()}


@dataclass(frozen=True)
class Months(Scale):
    """An effect that readers also get in months of learning gain, by the table that a rating is pinned to."""

    table: Conversion = CONVERSIONS[CONVERSION]

    def months(self, value: float) -> str:
        """6 or −2; beyond the table more than 12."""
        effect = Decimal(repr(value))
        count = table_months(effect, self.table)
        return bound(count, effect, self.table.highest).replace("+", "")

    def average(self, result: Result) -> str:
        effect = Decimal(repr(result.estimate or 0.0))
        gain = gained(Gain(table_months(effect, self.table), effect=effect))
        return _("Over %(studies)s the average learning gain is %(gain)s (%(symbol)s = %(value)s).") % {
            "studies": studies(result.k_studies),
            "gain": gain,
            "symbol": self.symbol,
            "value": self.figure(result.estimate or 0.0),
        }

    def _between(self, interval: Interval) -> dict[str, str]:
        return {
            "low": self.months(interval.low),
            "high": self.months(interval.high),
            "symbol": self.symbol,
            "interval": self.interval(interval),
        }

    def surely(self, interval: Interval) -> str:
        return _(
            "The average lies fairly surely between %(low)s and %(high)s months (%(symbol)s from %(interval)s)."
        ) % self._between(interval)

    def spread(self, interval: Interval) -> str:
        return _(
            "In 8 of 10 comparable schools the gain lies between %(low)s and %(high)s months (%(symbol)s from %(interval)s)."
        ) % self._between(interval)


@dataclass(frozen=True)
class StepWords:
    """A step of the strength as readers get it: what, how many points, why, and the points after it."""

    name: str
    points: str
    why: str
    total: int


def strength_steps(waterfall: Waterfall, rule: StrengthRule) -> list[StepWords]:
    """A strength step by step."""
    found, total = [], 0
    for step in waterfall.steps:
        total += step.points
        points = signed(step.points) if step.code != "studies" else str(step.points)
        found.append(StepWords(_step_name(step.code), points, _step_reason(step, waterfall, rule), max(total, 0)))
    return found


def rule_words(rule: StrengthRule) -> list[tuple[str, str]]:
    """What a rule says, for who has not read its JSON: every step with what it gives or takes."""
    starts = "; ".join(
        _("%(points)s from %(studies)s") % {"points": points, "studies": studies(fewest)}
        for points, fewest in rule.starts
    )
    return [(_step_name("studies"), _("points to begin with: %(starts)s.") % {"starts": starts})] + [
        (_step_name(code), _threat_words(code, rule)) for code in rule.minus
    ]


def _threat_words(code: str, rule: StrengthRule) -> str:
    if not rule.minus[code] or (code == "spread" and not rule.zero_in_prediction and rule.i2_above is None):
        return _("costs nothing.")
    share = {"limit": decimal(100 * rule.above.get(code, 0), "1")}
    spread = [
        *([_("the prediction interval holds zero")] if rule.zero_in_prediction else []),
        *(
            [_("more than %(limit)s%% of the differences is real") % {"limit": decimal(rule.i2_above, "1")}]
            if rule.i2_above is not None
            else []
        ),
    ]
    when = {
        "design": _("more than %(limit)s%% of the studies only observed, run a high risk of bias, or do not say"),
        "spread": _(" or ").join(spread),
        "asymmetry": _("small studies find something else (%(p)s) and with those that are missing it might be zero"),
        "indirect": _("more than %(limit)s%% of the studies were done at another level"),
        "old": _("more than %(limit)s%% of the studies are from before %(year)s"),
    }
    facts = share | {"p": f"p < {rule.p_below:g}".replace(".", ","), "year": str(rule.before)}
    told = when[code] if code == "spread" else when[code] % facts
    return ngettext("%(points)s point less when %(when)s.", "%(points)s points less when %(when)s.", rule.minus[code]) % {
        "points": rule.minus[code], "when": told}  # fmt: skip


def _step_name(code: str) -> str:
    names = {
        "studies": _("Number of studies"),
        "design": _("How the studies were set up"),
        "spread": _("How much the studies differ"),
        "asymmetry": _("Studies that may be missing"),
        "indirect": _("Other levels than this text is for"),
        "old": _("Old studies"),
    }
    return names.get(code, code)


def _step_reason(step: Step, waterfall: Waterfall, rule: StrengthRule) -> str:
    """What the data say about one step, and from where it costs a point."""
    limit = {"limit": decimal(100 * (step.limit or 0), "1")}
    if step.code == "studies":
        words = _("%(studies)s.") % {"studies": studies(step.count or 0)}
        if waterfall.studies_for_more is None:
            return words
        return f"{words} " + _("From %(more)s studies it would be a point more.") % {
            "more": number(waterfall.studies_for_more)}  # fmt: skip
    if not step.judged:
        return _("We know too little of the studies to judge this, so it costs nothing.")
    if not rule.minus[step.code]:
        return _("By this rule it costs nothing.")
    counted = {"count": number(step.count or 0), "of": number(step.of or 0)} | limit
    if step.code == "design":
        words = (
            _(
                "%(count)s of %(of)s studies only observed, run a high risk of bias, or do not say how they were set up;"
                " above %(limit)s%% this costs a point."
            )
            % counted
        )
        if step.unknown:
            words += " " + ngettext(
                "Of %(count)s study we know neither the design nor the risk.",
                "Of %(count)s studies we know neither the design nor the risk.",
                step.unknown,
            ) % {"count": number(step.unknown)}
        return words
    if step.code == "spread":
        return _spread_reason(step, rule)
    if step.code == "asymmetry":
        values = {"p": probability(step.value or 0.0), "count": number(step.count or 0)}
        if step.points:
            return (
                _(
                    "Small studies find something else than large ones (%(p)s). With the %(count)s studies that seem to be"
                    " missing, the average might be zero."
                )
                % values
            )
        return _("Even with the studies that may be missing (%(count)s), the conclusion stays (%(p)s).") % values
    if step.code == "indirect":
        words = (
            _(
                "%(count)s of %(of)s studies were done at another level than this text is for; above %(limit)s%% this costs"
                " a point."
            )
            % counted
        )
        if step.unknown:
            words += " " + ngettext(
                "Of %(count)s study the level is unknown, or none of ours.",
                "Of %(count)s studies the level is unknown, or none of ours.",
                step.unknown,
            ) % {"count": number(step.unknown)}
        return words
    if step.code == "old":
        words = _("%(count)s of %(of)s studies are from before %(year)s; above %(limit)s%% this costs a point.") % (
            counted | {"year": str(rule.before)}
        )
        if step.unknown:
            words += " " + ngettext(
                "Of %(count)s study we do not know the year.",
                "Of %(count)s studies we do not know the year.",
                step.unknown,
            ) % {"count": number(step.unknown)}
        return words
    return ""


def _spread_reason(step: Step, rule: StrengthRule) -> str:
    above = rule.i2_above
    if above is not None and (not rule.zero_in_prediction or (step.value or 0) > above):
        shares = {"share": decimal(step.value or 0, "1"), "limit": decimal(above, "1")}
        return _("About %(share)s%% of the differences is real; above %(limit)s%% this costs a point.") % shares
    if not rule.zero_in_prediction:
        return _("By this rule it costs nothing.")
    if step.points:
        return _("In a comparable school the effect may be zero or below: the prediction interval holds zero.")
    return _("Also in a comparable school the effect is most likely not zero.")
