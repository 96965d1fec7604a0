"""Finding published texts by words: `index` and `remove` in the publication transaction, `matching` for readers."""

from django.db.models import Q

from knowledgebase.models import ConceptLabel, Item, SearchEntry, Version

from .lexicon import fold

MAX_WORDS = 8


def words_of(query: str) -> list[str]:
    """The words of a query that count: letters and digits only, at most eight."""
    kept = "".join(character if character.isalnum() else " " for character in fold(query[:500]))
    return [word for word in kept.split() if len(word) > 1][:MAX_WORDS]


def index(version: Version) -> None:
    """Make a published version findable: its own words and every label of what it is about."""
    labels = ConceptLabel.objects.filter(concept__links__version=version.pk).values_list("label", flat=True)
    text = fold("\n".join([version.search_text(), version.item.also_searched_as, *labels]))
    SearchEntry.objects.update_or_create(item=version.item, defaults={"kind": version.item.kind, "text": text})


def remove(item: Item) -> None:
    SearchEntry.objects.filter(item=item).delete()


def matching(query: str, kind: str) -> list[int] | None:
    """Ids of the items of a kind that hold every word of the query; None when the query has no word that counts."""
    words = words_of(query)
    if not words:
        return None
    condition = Q(kind=kind)
    for word in words:
        condition &= Q(text__contains=word)
    return list(SearchEntry.objects.filter(condition).values_list("item_id", flat=True))
