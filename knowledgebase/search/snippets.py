"""What a result shows of a text: the title and the passage that answers the query best, with its words marked.

Words are compared by the keys of `analysis`, so that "rekenen" marks "rekenfeiten" as well.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .analysis import version, words
from .understanding import Understood

LENGTH = 220  # characters of a passage
LEAD_IN = 90  # characters that may stand before its first marked word
TOGETHER = 80  # the words of a term count where they stand within so many characters
KEPT_WORDS = 16_384  # as many as the texts of some hundred pages hold; a few MB
_SENTENCE_END = re.compile(r"[.!?]\s+|\n+")
_OPEN_LINE = re.compile(r"(?<![.!?:;,])\n+")  # the end of a line that is no sentence: of a heading, a cell


_Found = tuple[int, int, tuple[str, ...]]  # a word: from where to where, and under which keys it is found


@dataclass(frozen=True, slots=True)
class _Hit:
    """A word of a text that the query asks for, with the clauses that it answers."""

    start: int
    end: int
    clauses: frozenset[int]


@lru_cache(maxsize=KEPT_WORDS)
def _keys_in(chunk: str, _version: str) -> tuple[_Found, ...]:
    """The words of a text between two blanks, as this version of the analysis reads them."""
    return tuple((word.start, word.end, (word.key, *word.parts)) for word in words(chunk))


class Marks:
    """Marks the words of a query in titles and texts; what it returns is escaped."""

    def __init__(self, understood: Understood) -> None:
        clauses = [clause for clause in understood.clauses if not clause.soft] or understood.clauses
        self.single: dict[str, set[int]] = defaultdict(set)
        self.terms: list[tuple[int, frozenset[str]]] = []
        for number, clause in enumerate(clauses):
            for alternative in clause.alternatives:
                if len(alternative.keys) == 1:
                    self.single[alternative.keys[0]].add(number)
                elif alternative.keys:
                    self.terms.append((number, frozenset(alternative.keys)))
        for place, phrase in enumerate(understood.phrases, start=len(clauses)):
            self.terms.append((place, frozenset(phrase)))
        self.version = version()
        self.known: set[str] = set()
        self.relevant: dict[str, list[_Found]] = {}
        self.wanted = self.single.keys() | {key for _number, keys in self.terms for key in keys}

    def in_full(self, text: str) -> SafeString:
        """The whole text, for a title."""
        return _marked(text, 0, len(text), self._hits(text))

    def passage(self, texts: Sequence[str]) -> SafeString:
        """Of these texts the passage that answers most of the query, an earlier one before a later; else how it begins."""
        best: tuple[int, str, int, list[_Hit]] | None = None
        for text in texts:
            hits = self._hits(text)
            answered, first = _densest(hits)
            if answered and (best is None or answered > best[0]):
                best = answered, text, first, hits
        if best is None:
            text = next((text for text in texts if text.strip()), "")
            return _marked(text, 0, _end_of(text, 0), [])
        _answered, text, first, hits = best
        start = _start_of(text, hits[first].start)
        return _marked(text, start, _end_of(text, start), hits)

    def _hits(self, text: str) -> list[_Hit]:
        if not self.wanted:
            return []
        found: list[_Found] = []
        chunks = set(text.split())
        self._read(chunks - self.known)
        for chunk in _occurrences(text, chunks & self.relevant.keys()):
            words_in = self.relevant[chunk[0]]
            found += [(chunk.start() + start, chunk.start() + end, keys) for start, end, keys in words_in]
        clauses: dict[int, set[int]] = defaultdict(set)
        for place, (_start, _end, keys) in enumerate(found):
            for key in keys:
                clauses[place] |= self.single.get(key, set())
        for number, wanted in self.terms:
            for place in _together(found, wanted):
                clauses[place].add(number)
        return [
            _Hit(start, end, frozenset(clauses[place]))
            for place, (start, end, _keys) in enumerate(found)
            if clauses[place]
        ]

    def _read(self, chunks: set[str]) -> None:
        """Which of these chunks hold a word that the query asks for; most come back in the next text."""
        for chunk in chunks:
            if asked := [word for word in _keys_in(chunk, self.version) if not self.wanted.isdisjoint(word[2])]:
                self.relevant[chunk] = asked
        self.known |= chunks


def _occurrences(text: str, chunks: set[str]) -> Iterable[re.Match[str]]:
    if not chunks:
        return ()
    longest_first = sorted(chunks, key=len, reverse=True)
    return re.finditer(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first))})(?!\S)", text)


def _together(found: Sequence[_Found], wanted: frozenset[str]) -> set[int]:
    """The places of words that hold all the keys of a term between them, close to each other."""
    places: set[int] = set()
    for first, (start, _end, keys) in enumerate(found):
        missing, taken = set(wanted), []
        if missing.isdisjoint(keys):
            continue
        for place in range(first, len(found)):
            if found[place][0] - start > TOGETHER:
                break
            if not missing.isdisjoint(found[place][2]):
                missing.difference_update(found[place][2])
                taken.append(place)
            if not missing:
                places.update(taken)
                break
    return places


def _densest(hits: Sequence[_Hit]) -> tuple[int, int]:
    """How many clauses of the query the best passage answers, and at which hit it begins."""
    best, begins = (0, 0), 0
    for first, hit in enumerate(hits):
        clauses: set[int] = set()
        count = 0
        for other in hits[first:]:
            if other.end > hit.start + LENGTH - LEAD_IN:
                break
            clauses |= other.clauses
            count += 1
        if (len(clauses), min(count, 5)) > best:
            best, begins = (len(clauses), min(count, 5)), first
    return best[0], begins


def _start_of(text: str, hit: int) -> int:
    """Where a passage with this hit begins: at its sentence, or at a word not far before it."""
    earliest = max(0, hit - LEAD_IN)
    ends = [found.end() for found in _SENTENCE_END.finditer(text, earliest, hit)]
    if ends:
        return ends[0] if hit - ends[-1] > LEAD_IN // 2 else ends[-1]
    if earliest == 0:
        return 0
    blank = text.find(" ", earliest, hit)
    return hit if blank < 0 else blank + 1


def _end_of(text: str, start: int) -> int:
    """Where a passage from `start` ends: after a sentence if that is not too short, else after a word."""
    latest = start + LENGTH
    if len(text) <= latest:
        return len(text.rstrip())
    ends = [found.start() + 1 for found in _SENTENCE_END.finditer(text, start + LENGTH // 2, latest)]
    if ends:
        return ends[-1]
    blank = text.rfind(" ", start, latest)
    return latest if blank <= start else blank


def _marked(text: str, start: int, end: int, hits: Iterable[_Hit]) -> SafeString:
    pieces, here = [], start
    for hit in hits:
        if here <= hit.start and hit.end <= end:
            pieces += [_flat(text[here : hit.start]), "<mark>", escape(text[hit.start : hit.end]), "</mark>"]
            here = hit.end
    pieces.append(_flat(text[here:end]))
    before = "… " if start > 0 and not _SENTENCE_END.search(text[max(0, start - 3) : start]) else ""
    after = " …" if end < len(text.rstrip()) and text[end - 1 : end] not in tuple(".!?") else ""
    return mark_safe(before + "".join(pieces) + after)  # noqa: S308  # every piece is escaped


def _flat(text: str) -> SafeString:
    """Escaped, on one line."""
    return escape(_OPEN_LINE.sub(" · ", text).replace("\n", " "))
