"""What a page shows of practices: cards for lists and comparisons, rows behind the average, the headline in a metric."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import Concept, ConceptLink, Scheme, SourceLink

from . import facets, plots, wording
from .models import EvidenceRating, ExternalVerdict, PracticeVersion
from .ratings import BEYOND, NORM_SHARE, OWN, Gain, KeyFigures, as_given, extra_pupils, gain_of, key_figures


@dataclass(frozen=True)
class Card:
    """One published practice in a list."""

    version: PracticeVersion
    figures: KeyFigures
    concepts: dict[str, list[Concept]]  # by scheme, in the order of the text
    is_retracted: bool = False  # a source that it relies on was retracted

    @property
    def mark(self) -> plots.Mark:
        return plots.mark(self.figures.gain)

    @property
    def levels(self) -> list[Concept]:
        return self.concepts.get(Scheme.LEVEL, [])

    @property
    def theme(self) -> Concept | None:
        return next(iter(self.concepts.get(Scheme.THEME, [])), None)


def concepts_of(versions: Iterable[int]) -> dict[int, dict[str, list[Concept]]]:
    """The concepts of versions by scheme, in two queries."""
    links = list(
        ConceptLink.objects.filter(version__in=list(versions))
        .order_by("version", "order", "id")
        .values_list("version", "concept")
    )
    concepts = {concept.pk: concept for concept in Concept.objects.filter(pk__in={pk for _version, pk in links})}
    found: dict[int, dict[str, list[Concept]]] = defaultdict(lambda: defaultdict(list))
    for version, pk in links:
        found[version][concepts[pk].scheme].append(concepts[pk])
    return found


def cards_of(versions: Sequence[PracticeVersion]) -> list[Card]:
    """Cards of versions (with their items), in the same order."""
    pks = [version.pk for version in versions]
    figures, concepts = facets.figures_of(pks), concepts_of(pks)
    retracted = set(SourceLink.objects.retracted().filter(version__in=pks).values_list("version", flat=True))
    return [Card(version, figures[version.pk], concepts[version.pk], version.pk in retracted) for version in versions]


def cards_of_items(items: Sequence[int]) -> list[Card]:
    """Cards of published practices by item id, in the order of the ids."""
    found = PracticeVersion.objects.published().filter(item__in=items).select_related("item")
    listed = {version.item_id: version for version in found.defer(*PracticeVersion.markdown_fields)}
    return cards_of([listed[pk] for pk in items if pk in listed])


def figures_of_items(items: Sequence[int]) -> dict[int, KeyFigures]:
    """The key figures of published practices by item id."""
    versions = dict(PracticeVersion.objects.published().filter(item__in=items).values_list("pk", "item_id"))
    return {versions[pk]: figures for pk, figures in facets.figures_of(versions).items()}


METRICS = ("maanden", "effect", "leerlingen")


@dataclass(frozen=True)
class Headline:
    """The learning gain in the metric that the reader chose: words, spoken words, interval, and what it means."""

    value: str
    spoken: str
    interval: str
    meaning: str


def headline(gain: Gain, metric: str = "maanden", share: int = NORM_SHARE) -> Headline | None:
    """None where the gain is not known in this metric (a verdict of others comes in months only)."""
    if metric == "effect":
        if gain.effect is None:
            return None
        interval = ""
        if gain.ci_low is not None and gain.ci_high is not None:
            ends = {"low": wording.decimal(gain.ci_low), "high": wording.decimal(gain.ci_high)}
            interval = _("%(low)s to %(high)s") % ends
        value = wording.decimal(gain.effect)
        return Headline(
            value,
            wording.spoken(value),
            interval,
            _("The effect size: the difference in standard deviations between the groups."),
        )
    if metric == "leerlingen":
        if gain.effect is None:
            return None
        interval = ""
        if gain.ci_low is not None and gain.ci_high is not None:
            low, high = (wording.signed(extra_pupils(end, share)) for end in (gain.ci_low, gain.ci_high))
            interval = _("%(low)s to %(high)s") % {"low": low, "high": high}
        count = extra_pupils(gain.effect, share)
        words = ngettext("%(count)s pupil in 100", "%(count)s pupils in 100", abs(count)) % {
            "count": wording.signed(count)
        }
        meaning = _(
            "This many more (or fewer) of 100 pupils reach the norm, if %(share)s of 100 reach it without the practice."
        ) % {"share": share}
        return Headline(words, wording.spoken(words), interval, meaning)
    if gain.value is None:
        return None
    return Headline(
        wording.signed_months(gain.value),
        wording.months(gain.value),
        wording.interval(gain),
        _(
            "Months are a way to picture a difference in test scores. They are no time that you win, and no promise"
            " for your class."
        ),
    )


@dataclass(frozen=True)
class ContextRow:
    """A row behind the average: our reading of one context."""

    name: str
    rating: EvidenceRating
    gain: Gain
    mark: plots.Mark
    headline: Headline | None


def context_name(context: EvidenceRating | ExternalVerdict, names: dict[int, str]) -> str:
    if context.is_overall:
        return _("Overall")
    if context.concept_id:
        return names.get(context.concept_id, context.context_key)
    return context.label


def context_rows(ratings: Iterable[EvidenceRating], names: dict[int, str], metric: str, share: int) -> list[ContextRow]:
    rows = []
    for rating in ratings:
        gain = gain_of(rating)
        rows.append(
            ContextRow(context_name(rating, names), rating, gain, plots.mark(gain), headline(gain, metric, share))
        )
    return rows


@dataclass(frozen=True)
class VerdictRow:
    """What another organisation concludes in one context."""

    name: str
    verdict: ExternalVerdict
    figures: KeyFigures
    mark: plots.Mark


def verdict_rows(verdicts: Iterable[ExternalVerdict], names: dict[int, str]) -> list[VerdictRow]:
    return [
        VerdictRow(context_name(row, names), row, figures := as_given(row), plots.mark(figures.gain))
        for row in verdicts
    ]


def names_of(contexts: Iterable[EvidenceRating | ExternalVerdict]) -> dict[int, str]:
    """The names of the concepts of contexts, in one query."""
    wanted = {context.concept_id for context in contexts if context.concept_id}
    return {concept.pk: str(concept) for concept in Concept.objects.filter(pk__in=wanted)}


def differences(cards: Sequence[Card]) -> list[str]:
    """In words what sets compared practices apart: gain, strength and cost, and what is unknown."""
    sentences = []
    ends = (
        (_("The largest learning gain"), [(c, c.figures.gain.rank) for c in cards], True, _gain),
        (_("The strongest evidence"), [(c, c.figures.strength.value) for c in cards], True, _five),
        (_("The lowest cost"), [(c, c.figures.cost.value) for c in cards], False, _five),
    )
    for words, pairs, highest, say in ends:
        known = [(card, value) for card, value in pairs if value is not None]
        if len(known) > 1:
            best = (max if highest else min)(value for _card, value in known)
            names = [card.version.title for card, value in known if value == best]
            if len(names) == len(known):
                sentence = _("%(what)s: all the same (%(value)s).") % {"what": words, "value": say(best)}
            else:
                sentence = _("%(what)s: %(names)s (%(value)s).") % {
                    "what": words, "names": _listed(names), "value": say(best)
                }  # fmt: skip
            sentences.append(sentence)
        if unknown := [card.version.title for card, value in pairs if value is None]:
            sentences.append(_("%(what)s: unknown for %(names)s.") % {"what": words, "names": _listed(unknown)})
    origins = {card.figures.gain.origin for card in cards if card.figures.gain.rank is not None}
    if len(origins) > 1:
        sentences.append(
            _("Take care: some gains are our own reading of one synthesis, others the verdict of the EEF.")
        )
    return sentences


def _gain(rank: int) -> str:
    """Months, or what lies beyond the table."""
    if abs(rank) < BEYOND:
        return wording.signed_months(rank)
    return wording.gained(Gain(effect=Decimal(rank)))


def _five(value: int) -> str:
    return _("%(value)s out of 5") % {"value": value}


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return _("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def plot_sentence(cards: Sequence[Card]) -> str:
    """What the plot of a list shows, for everyone who does not see it."""
    known = [card for card in cards if card.figures.gain.value is not None]
    if not known:
        return _("No practice of this list has a learning gain that we know.")
    low = min(known, key=lambda card: card.figures.gain.value or 0)
    high = max(known, key=lambda card: card.figures.gain.value or 0)
    own = sum(card.figures.gain.origin == OWN for card in known)
    return _(
        "Of %(total)s practices, %(known)s have a known learning gain: from %(low)s (%(low_name)s) to %(high)s"
        " (%(high_name)s). %(own)s of these gains are our own reading, the others are verdicts of the EEF."
    ) % {
        "total": len(cards),
        "known": len(known),
        "low": wording.months(low.figures.gain.value or 0),
        "low_name": low.version.title,
        "high": wording.months(high.figures.gain.value or 0),
        "high_name": high.version.title,
        "own": own,
    }


def overall_of(version: PracticeVersion) -> tuple[list[EvidenceRating], list[ExternalVerdict], KeyFigures]:
    """The ratings and verdicts of a version with the key figures that they give."""
    ratings = list(version.ratings.select_related("source"))
    verdicts = list(version.verdicts.all())
    overall = next((row for row in ratings if row.is_overall), None)
    eef = next((row for row in verdicts if row.is_overall and row.issuer == ExternalVerdict.EEF), None)
    return ratings, verdicts, key_figures(overall, eef)
