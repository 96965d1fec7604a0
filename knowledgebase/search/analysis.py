"""What a word is found under: every text, every query and every snippet passes through `words`.

A word becomes one key, the same for its inflections and for what is made of it by -ing or -atie; a compound has the keys
of its parts as well. What editors know better stands in the vocabulary of word forms: call `refresh` before a text is
indexed or a query is read.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from . import compounds
from .lexicon import LISTED, fold, lexicon
from .wordforms import WordForms, word_forms

VERSION = "2"  # another one whenever a stored key would change
LONGEST_KEY = 60
KEPT = 16_384  # words whose analysis a process remembers

# Letters and digits with what may stand among them: combining accents, soft hyphens, and - ' ’ between two pieces.
WORD = re.compile(
    r"[^\W_](?:[^\W_]|[\u0300-\u036f\u00ad\u200b-\u200d\u2060])*(?:[-\u2010\u2011'’](?:[^\W_]|[\u0300-\u036f\u00ad])+)*"
)
HYPHENS = re.compile(r"[-\u2010\u2011]")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\u2060]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as written, where it stands, and the keys it is found under."""

    text: str
    start: int
    end: int
    key: str
    parts: tuple[str, ...] = ()


_forms = WordForms()


def refresh(content_key: str | None = None) -> None:
    """Take over what editors changed in the word forms."""
    use(word_forms(content_key))


def use(forms: WordForms) -> None:
    """Analyse with these word forms from now on."""
    global _forms  # noqa: PLW0603  # one per process, as the words that are remembered
    if forms != _forms:
        _forms = forms
        _analysed.cache_clear()


def version() -> str:
    """The version of the keys: of this code, and of the word forms in use."""
    return f"{VERSION}-{_forms.fingerprint()}"


def words(text: str) -> list[Word]:
    """The words of a text, in their order."""
    return [Word(found[0], found.start(), found.end(), *_analysed(found[0])) for found in WORD.finditer(text)]


def key_of(word: str) -> str:
    """The key that a word shares with its inflections, "" for what is no word."""
    found = WORD.search(word)
    return _analysed(found[0])[0] if found else ""


def is_word(folded: str) -> bool:
    """Whether a folded word exists in Dutch: in the lexicon, in the word forms, or as a compound of such words."""
    return is_listed(folded) or bool(coined_of(folded))


def is_listed(folded: str) -> bool:
    """Whether a folded word stands in the lexicon or in the word forms."""
    return folded in lexicon() or folded in _forms.lemmas or folded in _forms.whole


def coined_of(folded: str) -> tuple[str, ...]:
    """The words that a compound which stands in no list is made of, () when it is none."""
    parts = tuple(compounds.split(folded, lexicon(), known=_forms.words, whole=_forms.whole))
    return () if parts and lexicon().lemma(parts[-1]) == parts[-1] + "n" else parts  # "zitten-blijve" is none


@lru_cache(maxsize=KEPT)
def _analysed(text: str) -> tuple[str, tuple[str, ...]]:
    """The key of a word as written and those of its parts."""
    pieces = [piece for piece in HYPHENS.split(fold(INVISIBLE.sub("", text)).replace("’", "'")) if piece]
    if len(pieces) < 2:
        return _key_and_parts(pieces[0]) if pieces else ("", ())
    analysed = [_key_and_parts(piece) for piece in pieces]
    parts = dict.fromkeys(key for whole, inner in analysed for key in (whole, *inner) if len(key) > 1)
    return "".join(key for key, _parts in analysed)[:LONGEST_KEY], tuple(parts)


def _key_and_parts(word: str) -> tuple[str, tuple[str, ...]]:
    """Of a folded word without hyphens."""
    if "'" in word:  # foto's, Piaget's, zo'n
        word = word.split("'")[0] or word.strip("'")
    if lemma := _forms.lemmas.get(word):
        return lemma[:LONGEST_KEY], _part_keys(lemma)
    if parts := _part_keys(word):
        return "".join(parts)[:LONGEST_KEY], parts
    return _simple_key(word)[:LONGEST_KEY], ()


def _part_keys(word: str) -> tuple[str, ...]:
    """Of a compound, by its lemma where that is known, so that inflections fall apart alike."""
    parts = compounds.split(lexicon().lemma(word) or word, lexicon(), known=_forms.words, whole=_forms.whole)
    return tuple(_key_and_parts(part)[0] for part in parts)


def _simple_key(word: str) -> str:
    """Of a word that is no compound: its lemma, of nouns in -ing and -atie that of their verb, and of that the stem."""
    lemma = _lemma(word)
    verb = _verb(lemma)
    noun = _noun(verb)
    for known in (lemma, verb, noun):
        if known in _forms.lemmas:
            return _forms.lemmas[known]
    return _stem(noun)


def _lemma(word: str) -> str:
    found = lexicon()
    if not word.isalpha() or len(word) < 3:
        return word
    lemma = found.lemma(word) or (word[:-1] if word.endswith("jes") else "")
    if not lemma:
        lemma = next((guess for guess in _guesses(word) if guess in found), word)
        lemma = found.lemma(lemma) or lemma
    if lemma.endswith("je") and len(lemma) > 4:
        bases = [base for base in _without_diminutive(lemma) if found.flags(base) & LISTED]
        lemma = next((base for base in bases if found.lemma(base) == base), bases[0] if bases else lemma)
    return lemma


def _guesses(word: str) -> list[str]:
    """What an unknown word may be a form of."""
    guesses = []
    for ending in ("en", "er", "es", "e", "s", "n"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            base = word[: -len(ending)]
            guesses += [base, _single(base), _closed(base)]
    if word.startswith("ge") and word.endswith(("d", "t")):
        guesses += _infinitives(word[2:-1])
    if word.endswith(("t", "d")):
        guesses += _infinitives(word[:-1])
    return guesses


def _infinitives(stem: str) -> list[str]:
    """motiveer: motiveren. coach: coachen."""
    return [_open(stem) + "en", stem + "en", stem + stem[-1:] + "en"]


def _without_diminutive(word: str) -> list[str]:
    """boekje, tafeltje, filmpje, kettinkje, bloemetje."""
    bases = [word[:-2]]
    if word.endswith("tje"):
        bases += [word[:-3], _single(word[:-4]) if word.endswith("etje") else word[:-3]]
    if word.endswith("pje"):
        bases.append(word[:-3])
    if word.endswith("kje"):
        bases.append(word[:-3] + "g")
    return bases


def _verb(lemma: str) -> str:
    """The verb of a noun in -ing or -atie and of a participle, the adjective of one in -heid; else the word itself."""
    guesses: list[str] = []
    if lemma.endswith("heid"):
        base = lemma[:-4]
        return base if len(base) > 4 and lexicon().lemma(base) == base else lemma
    if lemma.endswith(("atie", "ing")):
        verb = lemma[:-4] + "eren" if lemma.endswith("atie") else lemma[:-3] + "en"
        return verb if len(verb) > 4 and lexicon().lemma(verb) else lemma
    if lemma.endswith("end"):
        guesses = [lemma[:-1]]
    elif lemma.startswith("ge") and lemma.endswith(("d", "t")):
        guesses = _infinitives(lemma[2:-1])
    return next((verb for verb in guesses if len(verb) > 4 and _is_infinitive(verb)), lemma)


def _noun(verb: str) -> str:
    """The noun of a verb in -eren, where there is one: debat, structuur, reflectie, discussie; else the word itself."""
    if not verb.endswith("eren"):
        return verb
    stem = verb[:-4]
    guesses = [verb[:-3]] if stem.endswith("i") else [stem, _single(stem), _closed(stem)]
    if stem.endswith(("ct", "pt")):
        guesses = [stem + "ie"]
    return next((noun for noun in guesses if len(noun) > 4 and lexicon().lemma(noun) == noun), verb)


def _is_infinitive(word: str) -> bool:
    return lexicon().lemma(word) == word


def _stem(lemma: str) -> str:
    """lezen, lees: lees. klasse, klas: klas. proeven, proef: proef."""
    if len(lemma) > 4 and lemma.endswith("en") and lemma[-3] not in "aeou":
        stem = _single(_closed(lemma[:-2]))
        return stem[:-1] + {"v": "f", "z": "s"}.get(stem[-1], stem[-1])
    if len(lemma) > 4 and lemma.endswith("e") and lemma[-2] == lemma[-3] and lemma[-2] not in "aeiou":
        return _single(lemma[:-1])
    return lemma


def _single(stem: str) -> str:
    """Two equal consonants at the end become one."""
    return stem[:-1] if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "aeiou" else stem


CLOSED = re.compile(r"([^aeiouy]|^|[aeiou]i)([aeou])([bdfgklmnprstvz])$")
UNSTRESSED = re.compile(r"[aeiouy].*e[lnrm]$")


def _closed(stem: str) -> str:
    """The stem of a verb as it is written on its own: mak- is maak, oefen- stays."""
    found = CLOSED.search(stem)
    return stem if not found or UNSTRESSED.search(stem) else stem[:-1] + stem[-2:]


def _open(stem: str) -> str:
    """maak: mak, as in maken."""
    return stem[:-2] + stem[-1] if len(stem) > 3 and stem[-2] == stem[-3] and stem[-2] in "aeou" else stem
