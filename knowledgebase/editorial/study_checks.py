"""What looks wrong in the study rows of a version: an editor reads it before the text is submitted.

Nothing here judges a study. A flipped sign is seen in three ways, and not always: against the statistics of the row
itself; against the same row in the version that is public; and against the other rows, where it is one that would fit
them much better turned round. A small effect that is turned round, or a negative one that becomes positive among
positive ones, is seen in the first two ways only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import EffectSize, Measure, SelectedEffect, Selection, Version

from . import reported

LARGE = 2.0  # a standardised difference beyond it is rare in education
FAR = 2.0  # deleted residual, in standard errors
TURNED = 2.0  # how much smaller the squared residual is with the sign turned round
FEWEST = 5  # rows: with fewer, none is compared with the others
MOST_NAMED = 8  # rows in one sentence
MOST_DELETED = 200  # rows: with more, residuals are of one fit, not of a fit without each row
STANDARDISED = frozenset({Measure.G, Measure.SMD, Measure.CHANGE})


@dataclass(frozen=True)
class Doubt:
    """Something to look at in the rows of a selection; what blocks would make the public page wrong."""

    message: str
    blocking: bool = False
    effects: tuple[int, ...] = ()  # the primary keys of the rows


def doubts(version: Version) -> list[Doubt]:
    """Everything that looks wrong in the study rows of a version; nothing when it rests on none."""
    selections = list(version.selections.select_related("synthesis"))
    if not selections:
        return []
    public = _public_rows(version)
    found: list[Doubt] = []
    for selection in selections:
        rows = list(selection.rows())
        found += _of_selection(selection, rows)
        found += _turned_since(rows, public)
    return found


def doubts_on(rows: Sequence[EffectSize]) -> list[Doubt]:
    """What looks wrong in rows by themselves, before anything rests on them."""
    return [*_by_their_own_statistics(rows), *_alike(rows), *_large(rows), *_variances(rows)]


def shown(value: float) -> str:
    """A figure in three decimals at most: −0,75."""
    digits = Decimal(f"{value:.3f}").normalize()
    return number_format(f"{digits or Decimal(0):f}").replace("-", "−")


def _named(effects: Iterable[EffectSize]) -> str:
    names = [str(effect) for effect in effects]
    more = len(names) - MOST_NAMED
    if more <= 0:
        return "; ".join(names)
    rest = ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}
    return "; ".join([*names[:MOST_NAMED], rest])


def _doubt(message: str, effects: Sequence[EffectSize], *, blocking: bool = False, **facts: Any) -> Doubt:
    return Doubt(message % ({"rows": _named(effects)} | facts), blocking, tuple(effect.pk for effect in effects))


# -- a selection


def _of_selection(selection: Selection, rows: Sequence[SelectedEffect]) -> Iterator[Doubt]:
    counted = [row.effect for row in rows if row.included]
    name = {"selection": str(selection)}
    if not counted:
        yield Doubt(_("“%(selection)s” counts no study: choose its rows.") % name, blocking=True)
    if silent := [row.effect for row in rows if not row.included and not row.reason.strip()]:
        yield _doubt(_("Left out without a reason: %(rows)s."), silent, blocking=True)
    if others := [effect for effect in counted if effect.measure != selection.measure]:
        message = _(
            "On another scale than “%(selection)s”: %(rows)s. Leave them out, or choose the measure that they have."
        )
        yield _doubt(message, others, blocking=True, **name)
    if old := list(EffectSize.objects.with_study().filter(
        selected__version=selection.version_id, selected__selection=selection.uid, superseded_by__isnull=False
    )):  # fmt: skip
        yield _doubt(_("A correction took the place of: %(rows)s. Take it over in the selection."), old)
    yield from doubts_on(counted)
    yield from _several_of_a_study(selection, counted)
    yield from _against_the_others(counted)
    yield from _characteristics(selection, counted)


def _several_of_a_study(selection: Selection, effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    if selection.model != Selection.Model.INDEPENDENT:
        return
    by_study: dict[int, list[EffectSize]] = defaultdict(list)
    for effect in effects:
        by_study[effect.study_id].append(effect)
    several = [rows[0] for rows in by_study.values() if len(rows) > 1]
    if several:
        message = _("Studies with more than one effect: %(studies)s. Choose a model for effects that belong together.")
        labels = dict.fromkeys(effect.study.label for effect in several)
        listed = "; ".join(list(labels)[:MOST_NAMED]) + (" …" if len(labels) > MOST_NAMED else "")
        yield Doubt(message % {"studies": listed}, effects=tuple(effect.pk for effect in several))


def _characteristics(selection: Selection, effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    """What readers compare by must be known; a row without it drops out of that comparison."""
    for name in selection.moderators if effects else ():
        without = [effect for effect in effects if effect.moderators.get(name) in (None, "")]
        facts = {"name": name}
        if len(without) == len(effects):
            yield Doubt(_("No row has the characteristic “%(name)s”: check its name.") % facts, blocking=True)
        elif without:
            yield _doubt(_("The characteristic “%(name)s” is missing in: %(rows)s."), without, **facts)


# -- rows by themselves


def _by_their_own_statistics(effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    """The effect against what the statistics of the row give."""
    for effect in effects:
        if effect.conversion == EffectSize.AS_REPORTED:
            continue
        facts: dict[str, Any] = {"effect": shown(effect.effect)}
        try:
            again = reported.converted(effect.conversion, effect.reported)
        except reported.NotConverted as error:
            yield _doubt(
                _("%(rows)s: the reported statistics give no effect. %(why)s"), [effect], blocking=True, why=str(error)
            )
            continue
        facts["again"] = shown(again.value)
        if again.value * effect.effect < 0 and abs(again.value - effect.effect) > 0.01:
            message = _(
                "%(rows)s: the sign differs from the reported statistics (%(effect)s here, %(again)s computed)."
            )
            yield _doubt(message, [effect], blocking=True, **facts)
        elif abs(again.value - effect.effect) > 0.01 + 0.05 * abs(again.value):
            message = _("%(rows)s: the reported statistics give another effect (%(effect)s here, %(again)s computed).")
            yield _doubt(message, [effect], **facts)
        elif not 0.8 < effect.variance / again.variance < 1.25:
            message = _("%(rows)s: the reported statistics give another variance (%(here)s here, %(again)s computed).")
            yield _doubt(message, [effect], here=shown(effect.variance), again=shown(again.variance))


def _alike(effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    """Rows with exactly the same figures, of the same number of pupils or of one study."""
    same: dict[tuple, list[EffectSize]] = defaultdict(list)
    for effect in effects:
        study = effect.study.label.casefold() if effect.total is None else ""  # rounded figures meet by chance
        same[abs(effect.effect), effect.variance, effect.total, study].append(effect)
    groups = [rows for rows in same.values() if len(rows) > 1]
    if (more := len(groups) - MOST_NAMED) > 0:
        message = ngettext(
            "%(count)s more group of rows has the same figures.",
            "%(count)s more groups of rows have the same figures.",
            more,
        )
        yield Doubt(message % {"count": more})
    for rows in groups[:MOST_NAMED]:
        signs = {effect.effect > 0 for effect in rows}
        if len(signs) > 1:
            yield _doubt(_("The same figures but for the sign: %(rows)s. Is one of them turned round?"), rows)
        else:
            yield _doubt(_("The same figures, perhaps the same row twice: %(rows)s."), rows)


def _large(effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    large = [effect for effect in effects if effect.measure in STANDARDISED and abs(effect.effect) > LARGE]
    if large:
        yield _doubt(_("Larger than two standard deviations: %(rows)s. Check the figures."), large)


def _variances(effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    small = [effect for effect in effects if (least := _variance_of_sizes(effect)) and effect.variance < 0.7 * least]
    wide = [
        effect
        for effect in effects
        if effect.n1 and effect.n2 and (least := _variance_of_sizes(effect)) and effect.variance > 4 * least
    ]
    if small:
        yield _doubt(_("A variance that is too small for so few pupils: %(rows)s."), small)
    if wide:
        yield _doubt(_("A variance that is very large for so many pupils: %(rows)s."), wide)


def _variance_of_sizes(effect: EffectSize) -> float | None:
    """The variance that these numbers of pupils give at least; None where they do not say."""
    total = effect.total
    if effect.conversion in ("adjusted", "ppc2", "becker", "clusters", "interval", "pre-post"):
        return None  # a covariate makes it smaller, by right
    if effect.measure == Measure.Z:
        return 1 / (total - 3) if total and total > 3 else None
    if effect.measure in (Measure.G, Measure.SMD):
        if effect.n1 and effect.n2:
            return 1 / effect.n1 + 1 / effect.n2
        return 4 / total if total else None  # with equal groups; with others it is larger
    return None


# -- rows among the others


def _against_the_others(effects: Sequence[EffectSize]) -> Iterator[Doubt]:
    if len(effects) < FEWEST:
        return
    residuals, turned, mean = _residuals(effects)
    other_way = [
        effect
        for effect, here, there in zip(effects, residuals, turned, strict=True)
        if effect.effect * mean < 0 and here**2 - there**2 > TURNED
    ]
    if other_way:
        message = _("Against the direction of the others: %(rows)s. Check the sign in the source.")
        yield _doubt(message, sorted(other_way, key=lambda effect: -abs(effect.effect)))
    far = [
        effect for effect, here in zip(effects, residuals, strict=True) if abs(here) > FAR and effect not in other_way
    ]
    if far:
        yield _doubt(_("Far from the others: %(rows)s. Check the figures in the source."), far)


def _residuals(effects: Sequence[EffectSize]) -> tuple[list[float], list[float], float]:
    """Every row in standard errors from the others, the same with its sign turned round, and the pooled mean."""
    import numpy as np  # only where an editor looks at rows

    from knowledgebase.evidence.checks import influence
    from knowledgebase.evidence.pooling import pool

    y = np.array([effect.effect for effect in effects])
    v = np.array([effect.variance for effect in effects])
    fit = pool(y, v, method="REML", test="z")
    spread = np.sqrt(v + fit.tau2)
    # Without each row where that is quick: an extreme row else hides behind the mean and the spread that it made itself.
    residuals = influence(y, v, method="REML").rstudent if len(y) <= MOST_DELETED else (y - fit.estimate) / spread
    turned = residuals - 2 * y / spread
    return [float(r) for r in residuals], [float(r) for r in turned], float(fit.estimate)


# -- rows since they were public


def _public_rows(version: Version) -> dict[tuple, list[EffectSize]]:
    """The rows of the public version of the same text, by what names them."""
    rows = SelectedEffect.objects.filter(version__item=version.item_id, version__state=Version.State.PUBLISHED).exclude(
        version=version.pk
    )
    found: dict[tuple, list[EffectSize]] = defaultdict(list)
    for row in rows.select_related("effect__study"):
        found[(row.effect.study.synthesis_id, *row.effect.place)].append(row.effect)
    return found


def _turned_since(rows: Sequence[SelectedEffect], public: dict[tuple, list[EffectSize]]) -> Iterator[Doubt]:
    now: dict[tuple, list[EffectSize]] = defaultdict(list)
    for row in rows:
        now[(row.effect.study.synthesis_id, *row.effect.place)].append(row.effect)
    for key, effects in now.items():
        before = public.get(key, [])
        known = {effect.pk for effect in before}
        fresh = [effect for effect in effects if effect.pk not in known]
        gone = [effect for effect in before if effect.pk not in {effect.pk for effect in effects}]
        for effect, old in zip(fresh, gone, strict=False):
            if effect.effect * old.effect < 0:
                message = _("%(rows)s: the sign changed since the public version (%(old)s there, %(new)s here).")
                yield _doubt(message, [effect], old=shown(old.effect), new=shown(effect.effect))
