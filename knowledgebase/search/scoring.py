"""How much a text is about a word, and what a query weighs: whole numbers, without a database.

BM25 with fixed average lengths, so that adding a text never changes what is stored of another; how rare a word is
comes in when a query is planned. Every number that decides an order is an integer: the order is the same everywhere.
"""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from knowledgebase.models.search import LONGEST_WORD

from .analysis import words
from .engine import Document
from .lexicon import fold
from .understanding import MOST_ALTERNATIVES, MOST_KEYS, MOST_WORDS, Clause, Understood

K1, B = 1.2, 0.6
# Weight and average length in words (0: length does not matter) of each field.
FIELDS = {"title": (3.0, 6), "also": (3.0, 0), "summary": (1.5, 30), "body": (1.0, 900), "about": (1.0, 0)}
PART = 0.5  # a part of a compound counts half
BOUNDARY = "|"  # between fields: no phrase runs over it

COMMON = 25  # percent: words in more texts than this only break ties
COMMON_AT_LEAST = 5  # texts: below this number no word is common
TIE = 20  # what only breaks ties counts this many times less
MOST_TIES = 20_000  # texts: so common a word breaks no ties either, as reading it takes longer than it is worth
MOST_TOGETHER = 2_000  # texts: terms of several words, each of them in more, stand for no other
COVERAGE = 30  # percent of the query, by how telling its words are, that a hit holds at least
ENOUGH = 10  # hits that hold every word: then the others are left out
STRENGTH = 3  # percent more for every degree of strength


@dataclass(frozen=True)
class Prepared:
    """A document as the index holds it."""

    document: Document
    impacts: dict[str, int]  # per key, 1 to 1000
    keys: str
    words: frozenset[str]
    title_words: dict[str, bool]  # folded, and whether it stands in the title itself
    digest: str


def prepare(document: Document) -> Prepared:
    """Analyse a document."""
    weighed: dict[str, float] = defaultdict(float)
    order: list[str] = []
    spelt: set[str] = set()
    title_words: dict[str, bool] = {}
    for name, (weight, usual) in FIELDS.items():
        found = [word for word in words(getattr(document, name)) if 0 < len(word.key) <= LONGEST_WORD]
        norm = 1 - B + B * len(found) / usual if usual else 1.0
        counts: dict[str, float] = defaultdict(float)
        for word in found:
            counts[word.key] += 1
            for part in set(word.parts) - {word.key}:
                counts[part] += PART
        spelt |= {word.text for word in found if len(word.text) <= LONGEST_WORD}
        for key, count in counts.items():
            # What a text is also searched as is no running text: a word counts once, however many lines hold it.
            weighed[key] += weight * (min(count, 1) if name == "also" else count) / norm
        if name in ("title", "also"):
            for word in found:
                title_words.setdefault(fold(word.text)[:LONGEST_WORD], name == "title")
        if name not in ("also", "about"):
            order += [word.key for word in found]
            order.append(BOUNDARY)
    spelt = {unicodedata.normalize("NFC", word).lower() for word in spelt}
    impacts = {key: max(1, round(1000 * tf / (K1 + tf))) for key, tf in weighed.items()}
    keys = f" {' '.join(order)} "
    content = repr((document, sorted(impacts.items()), keys, sorted(spelt)))
    return Prepared(document, impacts, keys, frozenset(spelt), title_words, sha256(content.encode()).hexdigest())


def tie(kind: str, key: str) -> int:
    """A number of 63 bits from what names a thing in every database."""
    return int.from_bytes(sha256(f"{kind}:{key}".encode()).digest()[:8], "big") >> 1


def boost_of(kind: int, strength: int) -> int:
    """What a thing counts beside others, in percent: by its kind and the strength of its evidence."""
    return kind * (100 + STRENGTH * strength) // 100


def idf(df: int, total: int) -> int:
    """How telling a word is that `df` of `total` texts hold, in hundredths."""
    df = min(df, total)
    return max(1, round(100 * math.log(1 + (total - df + 0.5) / (df + 0.5))))


@dataclass(frozen=True)
class Option:
    """One way in which a clause is met: terms that must all be there, and what a point of impact of each gives."""

    keys: tuple[str, ...]
    terms: tuple[int, ...]
    weight: int
    df: tuple[int, ...]
    idf: tuple[int, ...]

    def points(self, impacts: tuple[int, ...]) -> int:
        """Several terms give what they give on average."""
        return sum(i * f for i, f in zip(impacts, self.factors, strict=True)) // len(self.terms)

    @property
    def factors(self) -> tuple[int, ...]:
        return tuple(rarity * self.weight for rarity in self.idf)


@dataclass(frozen=True)
class Planned:
    """A clause as it is asked of an index."""

    text: str
    options: tuple[Option, ...]
    soft: bool
    mass: int  # how telling it is; 0 when it only breaks ties
    phrase: bool = False


@dataclass(frozen=True)
class Plan:
    clauses: tuple[Planned, ...] = ()
    phrases: tuple[str, ...] = ()  # as they stand in the keys of a text
    excluded: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    impossible: bool = False  # a quoted phrase holds a word that no text holds

    @property
    def hard(self) -> int:
        return sum(not clause.soft for clause in self.clauses)

    @property
    def needed(self) -> int:
        """The mass that a hit has at least, in hundredths."""
        return COVERAGE * sum(clause.mass for clause in self.clauses)


@dataclass(frozen=True)
class Known:
    """What an index knows of the keys of a query: id and df of each, and how many texts weigh."""

    terms: Mapping[str, tuple[int, int]]
    total: int

    def is_common(self, key: str) -> bool:
        df = self.terms[key][1]
        return df >= COMMON_AT_LEAST and df * 100 > COMMON * self.total

    def is_of_no_help(self, keys: tuple[str, ...]) -> bool:
        """Whether words that would stand for another are in so many texts that they say nothing of it.

        Several words may be telling together, until even the rarest takes longer to read than it is worth.
        """
        common = all(self.is_common(key) for key in keys)
        return common and (len(keys) == 1 or min(self.terms[key][1] for key in keys) > MOST_TOGETHER)

    def option(self, keys: tuple[str, ...], weight: int) -> Option:
        df = tuple(self.terms[key][1] for key in keys)
        return Option(
            keys, tuple(self.terms[key][0] for key in keys), weight, df, tuple(idf(n, self.total) for n in df)
        )


def keys_of(understood: Understood) -> set[str]:
    """Every key that a query asks for."""
    keys = {key for phrase in understood.phrases for key in phrase} | set(understood.excluded)
    for clause in understood.clauses[:MOST_WORDS]:
        for alternative in clause.alternatives[:MOST_ALTERNATIVES]:
            keys |= set(alternative.keys[:MOST_KEYS])
    return keys


def plan(understood: Understood, known: Known) -> Plan:
    """What a query asks of an index that knows these terms."""
    clauses, missing = [], []
    for clause in understood.clauses[:MOST_WORDS]:
        options = tuple(_options(clause, known))
        if not options:
            missing.append(clause.text)
            continue
        soft = clause.soft or all(known.is_common(key) for key in options[0].keys)
        mass = sum(options[0].idf) // len(options[0].idf)
        clauses.append(Planned(clause.text, options, soft, mass))
    phrases, impossible = [], False
    for phrase in understood.phrases:
        keys = tuple(dict.fromkeys(phrase))
        if not keys or not all(key in known.terms for key in keys):
            impossible = True
            continue
        option = known.option(keys, 100)
        clauses.append(Planned(" ".join(phrase), (option,), False, sum(option.idf) // len(keys), phrase=True))
        phrases.append(f" {' '.join(phrase)} ")
    if not all(clause.soft for clause in clauses):
        clauses = [_tie_breaker(clause) if clause.soft else clause for clause in clauses]
        clauses = [clause for clause in clauses if clause.options]
    else:
        clauses = [Planned(clause.text, clause.options, False, clause.mass) for clause in clauses]
    excluded = tuple(known.terms[key][0] for key in understood.excluded if key in known.terms)
    return Plan(tuple(clauses), tuple(phrases), excluded, tuple(missing), impossible)


def _options(clause: Clause, known: Known) -> Iterator[Option]:
    for place, alternative in enumerate(clause.alternatives[:MOST_ALTERNATIVES]):
        keys = tuple(dict.fromkeys(alternative.keys[:MOST_KEYS]))
        if not keys or not all(key in known.terms for key in keys):
            continue
        if place > 0 and known.is_of_no_help(keys):
            continue
        yield known.option(keys, alternative.weight)


def _tie_breaker(clause: Planned) -> Planned:
    options = tuple(option for option in clause.options if max(option.df) <= MOST_TIES)
    return Planned(clause.text, options, True, 0)


def points(clause: Planned, option: Option, impacts: tuple[int, ...]) -> int:
    """What an entry with these impacts gets for a clause by one of its options."""
    given = option.points(impacts)
    return given // TIE if clause.soft else given
