"""What a word is found under: every text, every query and every snippet passes through `words`.

A word becomes one key, the same for its inflections; a compound has the keys of its parts as well.
"""

import re
import unicodedata
from dataclasses import dataclass

VERSION = "1"

WORD = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as written, where it stands, and the keys it is found under."""

    text: str
    start: int
    end: int
    key: str
    parts: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Lower case without accents, so that both databases compare alike."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def key_of(word: str) -> str:
    """The key that a word shares with its inflections."""
    return fold(word)


def words(text: str) -> list[Word]:
    """The words of a text, in their order."""
    return [Word(found[0], found.start(), found.end(), key_of(found[0])) for found in WORD.finditer(text)]
