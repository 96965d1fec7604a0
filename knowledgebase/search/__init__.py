"""Finding what is public: `index` and `remove` in the publication transaction, `matching` for overviews.

analysis, lexicon, compounds   what a word is found under
understanding, thesaurus, typos  what a query asks for
scoring                        how much a text is about a word, what a query weighs
engine                         what goes in and what comes out; database and opensearch do it
entries                        what can be found: where every kind of public thing registers
fields, filters, question      what a reader chose; options and snippets show it
live, checks                   what follows a change of reference data; whether the index is there
"""

from collections.abc import Collection

from knowledgebase.models import Item, Version

from .engine import engine as chosen_engine
from .entries import KINDS, batches
from .lexicon import fold
from .understanding import understand

MAX_WORDS = 8

__all__ = ["fold", "index", "index_kind", "matching", "remove", "words_of"]


def words_of(query: str) -> list[str]:
    """The words of a query that count: letters and digits only, at most eight."""
    kept = "".join(character if character.isalnum() else " " for character in fold(query[:500]))
    return [word for word in kept.split() if len(word) > 1][:MAX_WORDS]


def index(version: Version) -> None:
    """Make a published version findable, in place of what was found of its text."""
    index_kind(version.item.kind, [version.item_id])


def index_kind(name: str, ids: Collection[int] | None = None) -> None:
    """Make things of a kind findable as they are now, those that are no longer public not; without ids all."""
    kind = KINDS[name]
    for batch in batches(kind.ids() if ids is None else ids):
        documents = list(kind.documents(batch))
        chosen_engine().index(documents)
        chosen_engine().remove(name, set(batch) - {document.object_id for document in documents})


def remove(item: Item) -> None:
    chosen_engine().remove(item.kind, [item.pk])


def matching(query: str, kind: str) -> list[int] | None:
    """Ids of the things of a kind that a query finds, best first; None when the query has no word that counts."""
    if not words_of(query):
        return None
    understood = understand(query)
    return chosen_engine().matching(understood, kind) if understood.clauses or understood.phrases else None
