"""What editors tell the analysis about words: forms of one word, words that exist, words never to split.

They are the concepts of the vocabulary of word forms. The preferred label is a word that exists, a hidden label a form
of it, a label "never split" is just that; a preferred label of several words only names a list.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from knowledgebase.models import ConceptLabel, Scheme, SiteState

from .lexicon import fold


@dataclass(frozen=True, slots=True)
class WordForms:
    """All of them, folded."""

    lemmas: Mapping[str, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()  # that exist, whatever the lexicon says
    whole: frozenset[str] = frozenset()

    def fingerprint(self) -> str:
        """Another one for other forms: what the index holds depends on them."""
        lines = [*sorted(f"{form} {lemma}" for form, lemma in self.lemmas.items()), *sorted(self.whole)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8] if lines else "0"


def word_forms(content_key: str | None = None) -> WordForms:
    """The word forms as the editors have them now."""
    return _word_forms(content_key or SiteState.current().content_key)


@lru_cache(maxsize=1)
def _word_forms(_content_key: str) -> WordForms:
    relation = ConceptLabel.Relation
    labels = ConceptLabel.objects.filter(concept__scheme=Scheme.WORD).order_by("concept_id", "label")
    rows = [(concept, fold(label), said) for concept, label, said in labels.values_list("concept", "label", "relation")]
    named = {concept: label for concept, label, said in rows if said == relation.PREFERRED and label.isalpha()}
    lemmas = {
        label: named[concept]
        for concept, label, said in rows
        if concept in named and said in {relation.PREFERRED, relation.HIDDEN, relation.ALTERNATIVE}
    }
    whole = frozenset(label for _concept, label, said in rows if said == relation.WHOLE)
    return WordForms(lemmas, frozenset(named.values()), whole)
