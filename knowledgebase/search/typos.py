"""Words that nobody knows, and the nearest word that the site does: only for who mistyped, never for a word that exists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledgebase.models import SearchWord

from . import analysis
from .lexicon import fold
from .thesaurus import Thesaurus, thesaurus

SHORTEST = 4  # letters; of words of four a nearer one is only suggested
REPLACED_FROM = 5
TWICE_FROM = 6  # letters: two slips may be made
FIRST_LETTER_UNTIL = 7  # letters: who makes two slips in a short word, has at least its first letter right
LONGEST = 40
DISTANCE: Any = OSA.distance  # its overloads are more than mypy can read

SOUNDS = (
    *(("ij", "ei"), ("au", "ou"), ("ch", "g"), ("ck", "k"), ("ph", "f"), ("qu", "kw"), ("c", "k"), ("x", "ks")),
    ("y", "i"),
)
ALIKE = str.maketrans("dzv", "tsf")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of the site by their length, folded, with in how many texts they stand."""

    by_length: Mapping[int, Sequence[str]]
    counts: Mapping[str, int]
    written: Mapping[str, str]  # the folded words that are written otherwise

    @classmethod
    def of(cls, counts: Mapping[str, int], written: Mapping[str, str] | None = None) -> "Vocabulary":
        by_length: dict[int, list[str]] = defaultdict(list)
        for word in sorted(counts):
            if SHORTEST <= len(word) <= LONGEST and word.isalpha():
                by_length[len(word)].append(word)
        return cls(by_length, counts, written or {})

    def __contains__(self, word: str) -> bool:
        return word in self.counts

    def nearest(self, word: str, *, most: int = 2) -> str:
        """The word that was most probably meant, "" when none is near; `most` slips at most."""
        slips = min(most, 2 if len(word) >= TWICE_FROM else 1)
        found: list[tuple[str, float, int]] = []
        for length in range(len(word) - slips, len(word) + slips + 1):
            words = self.by_length.get(length, ())
            found += process.extract(word, words, scorer=DISTANCE, score_cutoff=slips, limit=20)
        near = [
            (int(distance), _sound(word) != _sound(other), word[0] != other[0], -self.counts[other], other)
            for other, distance, _place in found
            if distance < 2 or len(word) > FIRST_LETTER_UNTIL or word[0] == other[0]
        ]
        return min(near)[-1] if near else ""


def nearest(word: str, known: Thesaurus, content_key: str) -> str:
    """The word of the site that was meant by one that does not exist, "" when it exists or none is near."""
    folded = fold(word)
    if not SHORTEST <= len(folded) <= LONGEST or not (folded.isalpha() and folded.isascii()):
        return ""  # numbers, abbreviations, other scripts: not ours to judge
    site = vocabulary(content_key)
    if folded in site or analysis.is_listed(folded):
        return ""
    coined = analysis.coined_of(folded)
    if all(part in site for part in coined) and coined:
        return ""
    found = site.nearest(folded, most=1 if coined else 2)  # "prestatieloom": of words, but not of words of ours
    return known.words.get(found) or site.written.get(found, found)


@lru_cache(maxsize=1)
def vocabulary(content_key: str) -> Vocabulary:
    """The words of what is public and of the thesaurus, kept until one of them changes."""
    counts: dict[str, int] = dict.fromkeys(thesaurus(content_key).words, 0)
    written: dict[str, str] = {}
    for word, folded, texts in SearchWord.objects.filter(index__is_live=True).values_list("word", "folded", "df"):
        counts[folded] = counts.get(folded, 0) + texts
        if word != folded:
            written[folded] = word
    return Vocabulary.of(counts, written)


def _sound(word: str) -> str:
    """Words that sound alike have the same one, more or less."""
    for written, heard in SOUNDS:
        word = word.replace(written, heard)
    word = word.translate(ALIKE)
    return "".join(letter for place, letter in enumerate(word) if not place or word[place - 1] != letter)
