"""What an index must be at every moment: exactly what is public, and counters and bitmaps that say so."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from knowledgebase.models import (
    SearchEntry,
    SearchFacet,
    SearchIndex,
    SearchPosting,
    SearchTerm,
    SearchText,
    SearchTitleWord,
    SearchWord,
)
from knowledgebase.search import analysis
from knowledgebase.search.database import WEIGHS
from knowledgebase.search.engine import KIND
from knowledgebase.search.entries import KINDS
from knowledgebase.search.scoring import prepare


def faults() -> Iterator[str]:
    """What is wrong with the live index, as sentences."""
    analysis.refresh()
    index = SearchIndex.objects.filter(is_live=True).first()
    public = {
        (kind.name, document.object_id): prepare(document)
        for kind in KINDS.values()
        for document in kind.documents(None)
    }
    if index is None:
        if public:
            yield f"public are {sorted(public)}, and there is no search index"
        return
    entries = {(entry.kind, entry.object_id): entry.pk for entry in SearchEntry.objects.filter(index=index)}
    if entries.keys() != public.keys():
        yield f"only in the search index {sorted(entries.keys() - public.keys())}, only public {sorted(public.keys() - entries.keys())}"
        return
    digests = dict(SearchText.objects.values_list("entry", "digest"))
    for key, prepared in public.items():
        if digests[entries[key]] != prepared.digest:
            yield f"{key} is found as it was, not as it is"
    df, uses, words = Counter(), Counter(), Counter()
    facets: dict[str, int] = defaultdict(int)
    postings, title_words = set(), set()
    for key, prepared in public.items():
        pk, kind = entries[key], KINDS[key[0]]
        uses.update(prepared.impacts.keys())
        postings |= {(term, pk, impact) for term, impact in prepared.impacts.items()}
        title_words |= {(pk, *row) for row in prepared.title_words.items()}
        names = [*prepared.document.facets, f"{KIND}:{kind.slug}"]
        if kind.weighs:
            df.update(prepared.impacts.keys())
            words.update(prepared.words)
            names.append(WEIGHS)
        for name in names:
            facets[name] |= 1 << (pk - index.base)
    terms = {term.pk: term for term in SearchTerm.objects.filter(index=index)}
    counted = {term.key: (term.df, term.uses) for term in terms.values() if term.uses}
    if counted != {key: (df[key], number) for key, number in uses.items()}:
        yield "the counts of terms are wrong"
    stored = {
        (terms[row.term_id].key, row.entry_id, row.impact)
        for row in SearchPosting.objects.all()
        if row.term_id in terms
    }
    if stored != postings:
        yield f"the postings are wrong: {sorted(stored ^ postings)[:5]}"
    if dict(SearchWord.objects.filter(index=index).values_list("word", "df")) != dict(words):
        yield "the counts of words are wrong"
    if set(SearchTitleWord.objects.filter(index=index).values_list("entry", "folded", "is_title")) != title_words:
        yield "the words of titles are wrong"
    rows = SearchFacet.objects.filter(index=index).values_list("name", "data")
    bits = {name: int.from_bytes(bytes(data), "little") for name, data in rows}
    if {name: value for name, value in bits.items() if value} != dict(facets):
        yield "the bitmaps are wrong"
