"""Which words Dutch has and what their lemmas are: one file, made at first use, that all workers share as mapped memory.

The words are OpenTaal's (see data/opentaal-COPYRIGHT.txt), the lemmas those of simplemma. Both are folded, so that a
word typed without its accents is the same word.
"""

import gzip
import logging
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import marisa_trie
from django.conf import settings

SOURCE = Path(__file__).with_name("data") / "opentaal-words.txt.gz"
LEMMATISER = "simplemma"
FORMAT = 3  # of the file: the bits below, and how a lemma is written

LISTED, LEMMATISED = 1, 2  # in OpenTaal's list without a capital, in simplemma's

log = logging.getLogger(__name__)


def fold(text: str) -> str:
    """Lower case without accents, so that both databases compare alike."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The mapped file. Words go in folded."""

    trie: Any  # marisa_trie.BytesTrie, which has no types

    def __contains__(self, word: str) -> bool:
        return word in self.trie

    def flags(self, word: str) -> int:
        """Which lists have a word, 0 for one that is no word, or a name only."""
        value: list[bytes] | None = self.trie.get(word)
        return value[0][0] if value else 0

    def lemma(self, word: str) -> str:
        """The lemma of a word, "" when no list has one."""
        value: list[bytes] | None = self.trie.get(word)
        if not value or not value[0][0] & LEMMATISED:
            return ""
        return word[: len(word) - value[0][1]] + value[0][2:].decode()

    def prefixes(self, word: str) -> list[str]:
        """Every word of the lexicon with which this one begins, short ones first."""
        found: list[str] = self.trie.prefixes(word)
        return found


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of this process; makes the file when this is the first process that needs it."""
    path = Path(settings.LEXICON_DIR) / name()
    if not path.exists():
        try:
            _write(path)
        except OSError as error:
            log.warning("The lexicon cannot be kept in %s (%s): this process holds its own copy.", path.parent, error)
            return Lexicon(_build())
    return Lexicon(marisa_trie.BytesTrie().mmap(str(path)))


def name() -> str:
    """The name of the file: another one for other contents."""
    return f"dutch-{FORMAT}-{version(LEMMATISER)}-{version('marisa-trie')}-{SOURCE.stat().st_size}.marisa"


def _write(path: Path) -> None:
    """Whole or not at all: several workers may start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        os.close(handle)
        _build().save(temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _build() -> Any:
    return marisa_trie.BytesTrie(_entries())


def _entries() -> Iterator[tuple[str, bytes]]:
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory  # only who makes the file needs its 50 MB

    flags: dict[str, int] = {}
    with gzip.open(SOURCE, "rt", encoding="utf-8") as lines:
        for line in lines:
            word = line.strip()
            flags[fold(word)] = flags.get(fold(word), 0) | (LISTED if word == word.lower() else 0)
    dictionary = sorted(DefaultDictionaryFactory().get_dictionary("nl").items())
    existing = flags.keys() | {fold(word) for word, lemma in dictionary if word == lemma}
    lemmas: dict[str, str] = {}
    exact: set[str] = set()
    for word, written in dictionary:
        folded, lemma = fold(word), _whole(fold(word), fold(written))
        if lemma not in existing or folded in exact or (folded in lemmas and word != folded):
            continue  # a lemma that is no word; the word as it is written goes before one with a capital or an accent
        lemmas[folded] = lemma
        if word == folded:
            exact.add(folded)
    for word in sorted(flags.keys() | lemmas.keys()):
        if 1 < len(word) < 64 and word.replace("-", "").replace("'", "").isalnum():
            yield word, _value(word, flags.get(word, 0), lemmas.get(word))


def _whole(word: str, lemma: str) -> str:
    """A lemma such as "uit_leggen" in one piece, without what the word itself does not begin with."""
    particle, _, verb = lemma.rpartition("_")
    return particle + verb if word.startswith(particle) else verb


def _value(word: str, flags: int, lemma: str | None) -> bytes:
    """Flags, how many letters to cut, and what comes instead: alike for most words, so the file stays small."""
    if lemma is None or len(lemma) > 63:
        return bytes([flags])
    shared = next((i for i, (ours, its) in enumerate(zip(word, lemma, strict=False)) if ours != its), None)
    shared = min(len(word), len(lemma)) if shared is None else shared
    return bytes([flags | LEMMATISED, len(word) - shared]) + lemma[shared:].encode()
