"""Where a Dutch compound falls apart: "gedragsproblemen" is "gedrag" and "problemen".

Only a word that is covered whole by known words is split, with the fewest parts. What the lists cannot know (a word that
looks like a compound and is none) is written down in the vocabulary of word forms as never to be split.
"""

import re
from collections.abc import Collection

from .lexicon import LEMMATISED, LISTED, Lexicon

SHORTEST, LONGEST, MOST_PARTS = 6, 50, 4


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The words of three letters that make compounds; of longer words all do that are not named below.
SHORT = _set(
    "bad bos bus dag eis gym job juf lab lat les lid lip lof lus map oog pop rij rol set spa tip top uur vak vis wet web "
    "zee zin zon"
)
# Small words and particles: beginnings of other words, not parts of compounds. And some words that are more often a piece
# of another one.
NEVER = _set(
    "aan achter af alle allen alge andere anderen beide beiden bent bijeen bijna bleek bleken blijken daar dank deed "
    "deden deze door eens enge eraan eren ering erin ermee erop eruit ervan even gaan gaat geen geven geweest gesp haar "
    "hadden hebben heeft heel heen hier ieder immer ingen jouw jullie konden kunnen laten lang langs leggen maar mede "
    "meer meest mijn mint mocht moest moesten moet moeten naar naast nabij neer neemt nemen niet niets nooit omdat "
    "omheen omhoog onder onderst onderuit onze ooit over overeen prak rechtst rond samen schilde sinds soms staan staand "
    "staat steeds stond stonden straks tegen tegens tekort teren terug toch toep toet tussen uiteen vaak vanaf vanuit "
    "vast veel verg verst voor voort vooruit waar waard wanneer want waren weer weg welke werd werden wiens wilde "
    "willen worden wordt zelfs zich zijn zodat zonder zouden zullen"
)
# What comes last in many words without being a word there.
ENDINGS = _set(
    "aard aardig aars aardige aardigs achtig baar baars baren chillen deren eerd eerde eerden eert enen enden "
    "enten erken erijen erwijs ijken ester gaand gewijs halve heden heid komst komsten laas lade lijk ling "
    "lingen loos loze matig matige matigheid ment meren minded natie nering neren netje netjes nissen open "
    "oren raars rijk rijke ring ringen saam schap schapje schappelijk schappelijke schappen sten ster sters "
    "taan talig talige tand teit terend terende tijk tijken tuig vol volle voren vormig waarde waarts wege "
    "wegen wijs wijze wijzen zaam zame zijds zing"
)
PREFIXED = re.compile(
    r"(?:aan|achter|af|be|bij|binnen|door|er|ge|her|in|mee|mis|na|om|onder|ont|op|over|tegen|terug|toe|uit|ver|vol|voor"
    r"|voort|weg)(?=....)"
)
LINKED = re.compile(
    r"(?:ing|heid|teit|schap|dom|arbeid|advies|bedrijf|begrip|behoud|beleid|bericht|beroep|besluit|bestuur|bewijs|getal|"
    r"gebed|gebruik|gedrag|geluid|gesprek|gevoel|geval|gezag|gezin|groep|onderwijs|onderzoek|verband|verkeer|verlof|"
    r"verschil|vertrouwen|volk|voortgang|zelfstandig)$"
)

Cost = tuple[int, int, int]


def split(word: str, lexicon: Lexicon, *, known: Collection[str] = (), whole: Collection[str] = ()) -> tuple[str, ...]:
    """The parts of a folded word without what links them, () when it is no compound.

    `known` are words that the lexicon lacks, `whole` words that are never split, in any of their forms.
    """
    if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
        return ()
    if word in whole or (whole and lexicon.lemma(word) in whole):
        return ()
    found = _Cover(word, lexicon, known).best(0, MOST_PARTS)
    if found is None or len(found[1]) < 2:
        return ()
    parts = tuple(inner for part in found[1] for inner in _inside(part, lexicon, known, whole))
    prefix = PREFIXED.match(word)
    if prefix and len(parts[0]) != prefix.end() and lexicon.lemma(word[prefix.end() :]):
        rest = word[prefix.end() :]  # "ver-sterken": a word with something in front of it
        return parts if split(rest, lexicon, known=known, whole=whole) else ()
    return parts


def _inside(part: str, lexicon: Lexicon, known: Collection[str], whole: Collection[str]) -> tuple[str, ...]:
    """A part as it is, or its own parts when it is a compound that only the longer list of words knows."""
    if part in known or lexicon.flags(part) & LEMMATISED:
        return (part,)
    return split(part, lexicon, known=known, whole=whole) or (part,)


class _Cover:
    """The search for the best way to cover one word."""

    def __init__(self, word: str, lexicon: Lexicon, known: Collection[str]) -> None:
        self.word, self.lexicon, self.known = word, lexicon, known
        self.seen: dict[tuple[int, int], tuple[Cost, tuple[str, ...]] | None] = {}

    def best(self, start: int, most: int) -> tuple[Cost, tuple[str, ...]] | None:
        """The cheapest cover from `start` on: fewest parts, fewest links that are odd, the longest last part."""
        if (start, most) not in self.seen:
            self.seen[start, most] = min(self.covers(start, most), default=None)
        return self.seen[start, most]

    def covers(self, start: int, most: int) -> list[tuple[Cost, tuple[str, ...]]]:
        found: list[tuple[Cost, tuple[str, ...]]] = []
        for part in self.beginnings(start):
            end = start + len(part)
            if end == len(self.word):
                if start and part not in ENDINGS:
                    found.append(((1, 0, -len(part)), (part,)))
            elif most > 1 and len(self.word) - end > 2:
                usual = bool(LINKED.search(part))
                if rest := self.best(end, most - 1):
                    odd = usual and self.word[end] == "s"
                    found.append(_joined(part, rest, odd))
                if self.word[end] == "s" and len(part) > 3 and (rest := self.best(end + 1, most - 1)):
                    found.append(_joined(part, rest, not usual))
        return found

    def beginnings(self, start: int) -> list[str]:
        """The words with which the rest begins that can be part of a compound."""
        rest = self.word[start:]
        parts = [part for part in self.lexicon.prefixes(rest) if len(part) > 2 and self.is_part(part)]
        known = [rest[:length] for length in range(4, len(rest) + 1) if rest[:length] in self.known]
        return parts + [part for part in known if part not in parts] if known else parts

    def is_part(self, part: str) -> bool:
        if len(part) < 4:
            return part in SHORT
        if part in NEVER:
            return False
        flags = self.lexicon.flags(part)
        return bool(flags & LISTED) and (len(part) > 5 or bool(flags & LEMMATISED))


def _joined(part: str, rest: tuple[Cost, tuple[str, ...]], odd: bool) -> tuple[Cost, tuple[str, ...]]:
    (parts, odds, last), others = rest
    return (parts + 1, odds + odd, last), (part, *others)
