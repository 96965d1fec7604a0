"""What a reader's query asks for: clauses of alternative words, phrases, and what is to be left out.

Nothing that is typed is an error: what cannot be used is left out, and `notices` say so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.utils.translation import gettext as _

from knowledgebase.models import SiteState

from . import analysis, typos
from .analysis import Word, words
from .lexicon import fold, lexicon
from .stopwords import PARTICLES, SOFT, STOP
from .thesaurus import LONGEST_LABEL, Thesaurus, thesaurus

LONGEST_QUERY = 200  # characters
MOST_WORDS = 12
MOST_ALTERNATIVES = 16
MOST_KEYS = 6  # of one alternative

# How much a text counts that has these instead of the word or term itself.
ALL_PARTS, ONE_PART, ONE_WORD, JOINED = 60, 25, 35, 95

QUOTES = str.maketrans("“”„‟«»", '""""""')
PHRASE = re.compile(r'(-?)"([^"]*)"')
EXCLUDED = re.compile(r"(?:(?<=\s)|^)[-\u2212](?=\w)(\S+)")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to say a clause; several keys count only when all of them are there."""

    keys: tuple[str, ...]
    weight: int
    source: str = ""  # the concept of the thesaurus that says so, "" for the word's own keys
    label: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """A word or term of the query with everything that may stand for it; a soft one only breaks ties."""

    text: str
    alternatives: tuple[Alternative, ...]
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as it is searched, with what to tell the reader about it."""

    clauses: tuple[Clause, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    corrected: str = ""
    suggestion: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """The query taken apart: what to search for, what stood in quotes, what stood after a minus."""

    text: str
    phrases: tuple[tuple[str, ...], ...]
    excluded: tuple[str, ...]


def understand(query: str, *, literal: bool = False) -> Understood:
    """What a query asks for; `literal` leaves its words as typed."""
    content_key = SiteState.current().content_key
    analysis.refresh(content_key)
    known = thesaurus(content_key)
    kept = query[:LONGEST_QUERY]
    notices = []
    if len(query) > LONGEST_QUERY:
        notices.append(
            _("Your search is longer than %(limit)s characters. We used the first %(limit)s.")
            % {"limit": LONGEST_QUERY}
        )
    corrected, suggestion = ("", "") if literal else _repaired(kept, known, content_key)
    asked = _asked(corrected or kept)
    found = [word for word in words(asked.text) if len(word.key) > 1 or word.key.isdigit()]
    content = [place for place, word in enumerate(found) if _counts(word, known)]
    if len(content) > MOST_WORDS:
        notices.append(
            _("Your search holds more than %(limit)s words that count. We used the first %(limit)s.")
            % {"limit": MOST_WORDS}
        )
        found = found[: content[MOST_WORDS - 1] + 1]
    clauses = _clauses(_whole_verb(found), known, typos.vocabulary(content_key))
    if query.strip() and not clauses and not asked.phrases:
        notices.append(
            _("Your search holds only small words, such as “%(word)s”. Add a word that says what it is about.")
            % {"word": found[0].text}
            if found
            else _("Your search holds no word of two letters or more, so we left it out.")
        )
    return Understood(clauses, asked.phrases, asked.excluded, corrected, suggestion, tuple(notices))


def _asked(query: str) -> _Asked:
    text = query.translate(QUOTES)
    phrases: list[tuple[str, ...]] = []
    excluded: list[str] = []
    for minus, phrase in PHRASE.findall(text):
        keys = tuple(word.key for word in words(phrase))
        if minus and len(keys) == 1:
            excluded += keys
        elif not minus and len(keys) > 1:
            phrases.append(keys)
    text = PHRASE.sub(lambda found: " " if found[1] else f" {found[2]} ", text).replace('"', " ")
    excluded += [word.key for found in EXCLUDED.findall(text) for word in words(found)[:1]]
    return _Asked(EXCLUDED.sub(" ", text), tuple(dict.fromkeys(phrases)), tuple(dict.fromkeys(excluded)))


def _repaired(query: str, known: Thesaurus, content_key: str) -> tuple[str, str]:
    """The query with the words of the site for words that nobody knows; and with those that are only suggested."""
    text = query.translate(QUOTES)
    left_alone = [found.span() for found in (*PHRASE.finditer(text), *EXCLUDED.finditer(text))]
    repaired = suggested = query
    for word in reversed(words(query)):
        if any(start <= word.start < end for start, end in left_alone):
            continue
        nearest = typos.nearest(word.text, known, content_key)
        if nearest:
            suggested = suggested[: word.start] + nearest + suggested[word.end :]
            if len(word.text) >= typos.REPLACED_FROM:
                repaired = repaired[: word.start] + nearest + repaired[word.end :]
    return repaired if repaired != query else "", suggested if suggested != repaired else ""


def _whole_verb(found: list[Word]) -> list[Word]:
    """“Hoe leg ik breuken uit”: what stands at the end joins its verb, uitleggen."""
    particle = fold(found[-1].text) if len(found) > 2 else ""
    if particle not in PARTICLES:
        return found
    for place, word in enumerate(found[:-1]):
        infinitive = particle + (lexicon().lemma(fold(word.text)) or fold(word.text))
        if not is_small(word) and infinitive.endswith("n") and infinitive in lexicon():
            verb = replace(words(infinitive)[0], start=word.start, end=word.end)
            return [*found[:place], verb, *found[place + 1 : -1]]
    return found


def _clauses(found: Sequence[Word], known: Thesaurus, site: typos.Vocabulary) -> tuple[Clause, ...]:
    """Terms of the thesaurus first, the longest first; then word by word."""
    clauses: dict[tuple[str, ...], Clause] = {}
    place = 0
    while place < len(found):
        length = next(
            (
                size
                for size in range(min(LONGEST_LABEL, len(found) - place), 1, -1)
                if _is_term(found[place : place + size], known)
            ),
            1,
        )
        span = found[place : place + length]
        if length > 1:
            clause = _term(span, known)
        elif _counts(span[0], known):
            before, after = found[place - 1 : place] if place else (), found[place + 1 : place + 2]
            clause = _word(span[0], [*before, *after], known, site)
        else:
            clause = None
        if clause:
            clauses.setdefault(clause.alternatives[0].keys, clause)
        place += length
    if all(clause.soft for clause in clauses.values()):
        return tuple(replace(clause, soft=False) for clause in clauses.values())
    return tuple(clauses.values())


def _is_term(span: Sequence[Word], known: Thesaurus) -> bool:
    if tuple(word.key for word in span) in known.exact:
        return True
    bare = _bare(span)
    return len(bare) > 1 and not (is_small(span[0]) or is_small(span[-1])) and known.named(bare)


def _term(span: Sequence[Word], known: Thesaurus) -> Clause:
    """Several words that have a meaning together."""
    keys = tuple(word.key for word in span)
    bare = _bare(span) or keys
    named = keys if keys in known.exact else bare
    own = [Alternative(bare, 100)]
    if len(span) == 2:
        own.append(Alternative(("".join(keys)[: analysis.LONGEST_KEY],), JOINED))
    own += [Alternative((word.key,), ONE_WORD) for word in span if not (is_small(word) or is_soft(word))]
    text = " ".join(word.text for word in span)
    soft = keys in known.levels or all(is_small(word) or is_soft(word) for word in span)
    return Clause(text, _best(own, known, named), soft)


def _word(word: Word, neighbours: Sequence[Word], known: Thesaurus, site: typos.Vocabulary) -> Clause:
    own = [Alternative((word.key,), 100)]
    named = known.named((word.key,))
    for other in neighbours:  # "klas management" as one word
        joined = other.text + word.text if other.start < word.start else word.text + other.text
        key = analysis.key_of(joined)
        if known.named((key,)) or fold(joined) in site:
            own.append(Alternative((key,), JOINED))
    if word.parts:
        own.append(Alternative(word.parts, ALL_PARTS))
        if not named and fold(word.text) not in site:
            own += [Alternative((part,), ONE_PART) for part in word.parts if part not in _soft_keys(analysis.version())]
    return Clause(word.text, _best(own, known, (word.key,)), is_soft(word) or (word.key,) in known.levels)


def _best(own: Sequence[Alternative], known: Thesaurus, named: tuple[str, ...]) -> tuple[Alternative, ...]:
    """Its own keys, then the nearest of the thesaurus, each keys once."""
    said = [Alternative(found.keys, found.weight, found.concept, found.label) for found in known.synonyms(named)]
    best: dict[tuple[str, ...], Alternative] = {}
    for alternative in (*own, *said):
        kept = best.get(alternative.keys)
        if len(alternative.keys) <= MOST_KEYS and (kept is None or kept.weight < alternative.weight):
            best[alternative.keys] = alternative
    return tuple(best.values())[:MOST_ALTERNATIVES]


def _counts(word: Word, known: Thesaurus) -> bool:
    """Whether a word says anything: no small word, or an abbreviation in capitals that looks like one."""
    return not is_small(word) or (len(word.text) > 1 and word.text.isupper() and known.named((word.key,)))


def _bare(span: Sequence[Word]) -> tuple[str, ...]:
    return tuple(word.key for word in span if not is_small(word))


def is_small(word: Word) -> bool:
    return fold(word.text) in STOP


def is_soft(word: Word) -> bool:
    return fold(word.text) in SOFT or word.key in _soft_keys(analysis.version())


@lru_cache(maxsize=1)
def _soft_keys(_version: str) -> frozenset[str]:
    return frozenset(analysis.key_of(word) for word in SOFT)
