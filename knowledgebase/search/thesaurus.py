"""What else a word or term of a query may be called: the labels of the vocabularies, with how near they are.

A label finds its concept, and a concept all its labels. Two labels that are only kinds of one concept, or only related to
it, say nothing of each other.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from knowledgebase.models import ConceptLabel, Scheme, SiteState

from . import analysis
from .lexicon import fold
from .stopwords import STOP

Keys = tuple[str, ...]
Relation = ConceptLabel.Relation

SAME = frozenset({Relation.PREFERRED, Relation.ALTERNATIVE, Relation.ABBREVIATION, Relation.HIDDEN})
LEAST_WEIGHT = 20
LONGEST_LABEL = 8  # words
RELATED_SHARE = 0.7  # of its weight: what is only related to the concept that was asked for


@dataclass(frozen=True, slots=True)
class Synonym:
    """Another name, and whose name it is."""

    label: str
    keys: Keys
    weight: int
    concept: str


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    keys: Keys  # all of it, as a reader would type it
    bare: Keys  # without the small words, as a text is asked for it
    relation: str
    weight: int


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """All labels by their keys: as they stand, and without the small words in them."""

    concepts: dict[int, tuple[str, tuple[_Label, ...]]] = field(default_factory=dict)
    exact: dict[Keys, tuple[tuple[int, _Label], ...]] = field(default_factory=dict)
    bare: dict[Keys, tuple[tuple[int, _Label], ...]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # folded: as written
    levels: frozenset[Keys] = frozenset()  # names of levels of education and of nothing else

    def named(self, keys: Keys) -> bool:
        """Whether there is such a label."""
        return keys in self.exact or keys in self.bare

    def synonyms(self, keys: Keys) -> list[Synonym]:
        """The other names of what these keys name, the nearest first."""
        best: dict[Keys, Synonym] = {}
        for concept, asked in (*self.exact.get(keys, ()), *self.bare.get(keys, ())):
            name, labels = self.concepts[concept]
            for label in labels:
                weight = nearness(asked, label)
                if weight < LEAST_WEIGHT or keys in {label.keys, label.bare} or not label.bare:
                    continue
                if label.bare not in best or best[label.bare].weight < weight:
                    best[label.bare] = Synonym(label.text, label.bare, weight, name)
        return sorted(best.values(), key=lambda synonym: (-synonym.weight, synonym.keys))


def nearness(asked: _Label, label: _Label) -> int:
    """How much a text with one label answers who asks for the other, from 0 to 100."""
    if label.relation == Relation.HIDDEN or (asked.relation not in SAME and label.relation not in SAME):
        return 0
    weight = asked.weight * label.weight / 100
    return round(weight * RELATED_SHARE if label.relation == Relation.RELATED else weight)


def thesaurus(content_key: str | None = None) -> Thesaurus:
    """The thesaurus as the editors have it now; word forms must be fresh (`analysis.refresh`)."""
    return _thesaurus(content_key or SiteState.current().content_key, analysis.version())


@lru_cache(maxsize=1)
def _thesaurus(_content_key: str, _analysis: str) -> Thesaurus:
    rows = (
        ConceptLabel.objects.filter(language="nl")
        .exclude(concept__scheme=Scheme.WORD)
        .order_by("concept_id", "-weight", "label")
        .values_list("concept_id", "concept__scheme", "label", "relation", "weight")
    )
    concepts: dict[int, list[_Label]] = defaultdict(list)
    words: dict[str, str] = {}
    levels: set[Keys] = set()
    others: set[Keys] = set()
    for concept, scheme, text, relation, weight in rows:
        found = analysis.words(text)
        keys = tuple(word.key for word in found)
        bare = tuple(word.key for word in found if fold(word.text) not in STOP) or keys
        full = 100 if relation == Relation.PREFERRED else weight
        concepts[concept].append(_Label(text, keys, bare, relation, full))
        (levels if scheme == Scheme.LEVEL else others).add(keys)
        words |= {fold(word.text): word.text.lower() for word in found}
    exact: dict[Keys, list[tuple[int, _Label]]] = defaultdict(list)
    without: dict[Keys, list[tuple[int, _Label]]] = defaultdict(list)
    for concept, labels in concepts.items():
        for label in labels:
            exact[label.keys].append((concept, label))
            if label.bare != label.keys and len(label.bare) > 1:
                without[label.bare].append((concept, label))
    return Thesaurus(
        {concept: (_name(labels), tuple(labels)) for concept, labels in concepts.items()},
        {keys: tuple(found) for keys, found in exact.items()},
        {keys: tuple(found) for keys, found in without.items()},
        words,
        frozenset(levels - others),
    )


def _name(labels: Sequence[_Label]) -> str:
    return next((label.text for label in labels if label.relation == Relation.PREFERRED), labels[0].text)
