from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import marisa_trie
import pytest

from knowledgebase.search import lexicon as module
from knowledgebase.search.lexicon import LEMMATISED, LISTED, Lexicon, fold, lexicon

WORDS = [("coordinator", b"\x03\x00"), ("leest", bytes([LISTED | LEMMATISED, 3]) + b"zen"), ("peer", b"\x01")]


@pytest.fixture
def small(monkeypatch):
    """A lexicon of three words, made at once."""
    monkeypatch.setattr(module, "_build", lambda: marisa_trie.BytesTrie(WORDS))
    module.lexicon.cache_clear()
    yield
    module.lexicon.cache_clear()


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Coördinator", "coordinator"), ("ÉÉN", "een"), ("ﬁets", "fiets"), ("OKAN", "okan"), ("ﷺ", "صلى الله عليه وسلم")],
)
def test_fold_takes_case_and_accents_away(text, folded):
    assert fold(text) == folded


def test_words_have_lemmas_with_or_without_their_accents():
    words = lexicon()
    assert [words.lemma(word) for word in ("leest", "lezen", "leerlingen", "ideeen", "coordinatoren")] == [
        "lezen",
        "lezen",
        "leerling",
        "idee",
        "coordinator",
    ]
    assert words.lemma("bestaatniet") == ""


def test_flags_say_which_list_knows_a_word():
    words = lexicon()
    assert words.flags("school") == LISTED | LEMMATISED
    assert not words.flags("vlaanderen") & LISTED  # only with a capital
    assert words.flags("bestaatniet") == 0
    assert "school" in words
    assert "bestaatniet" not in words


def test_no_lemma_is_written_with_its_particle_apart():
    assert lexicon().lemma("uitgelegd") == "uitleggen"
    assert not [word for word in ("uitgelegd", "oefende", "samenwerken") if "_" in lexicon().lemma(word)]


def test_prefixes_are_the_words_with_which_a_word_begins():
    assert Lexicon(marisa_trie.BytesTrie(WORDS)).prefixes("peertutoring") == ["peer"]


def test_the_file_is_made_once_and_shared(small, settings, tmp_path):
    settings.LEXICON_DIR = tmp_path / "lexicon"
    assert lexicon().lemma("leest") == "lezen"
    assert [path.name for path in settings.LEXICON_DIR.iterdir()] == [module.name()]
    before = (settings.LEXICON_DIR / module.name()).stat().st_mtime_ns
    module.lexicon.cache_clear()
    assert lexicon().lemma("leest") == "lezen"
    assert (settings.LEXICON_DIR / module.name()).stat().st_mtime_ns == before


def test_workers_that_start_at_once_find_a_whole_file(small, settings, tmp_path):
    settings.LEXICON_DIR = tmp_path
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda _worker: lexicon.__wrapped__().lemma("leest"), range(8)))
    assert found == ["lezen"] * 8
    assert [path.name for path in tmp_path.iterdir()] == [module.name()]


def test_where_nothing_may_be_written_the_process_holds_its_own(small, settings, tmp_path, caplog):
    settings.LEXICON_DIR = tmp_path / "file" / "lexicon"
    (tmp_path / "file").write_text("no folder")
    assert lexicon().lemma("leest") == "lezen"
    assert "this process holds its own copy" in caplog.text


def test_the_word_list_comes_with_its_notice():
    notice = module.SOURCE.with_name("opentaal-COPYRIGHT.txt").read_text(encoding="utf-8")
    assert "OpenTaal" in notice
    assert "BSD-license" in notice


@pytest.mark.slow
def test_the_whole_lexicon_can_be_made_again(tmp_path):
    path = Path(tmp_path) / "whole.marisa"
    module._write(path)
    assert path.stat().st_size < 3_000_000
    made = Lexicon(marisa_trie.BytesTrie().mmap(str(path)))
    assert len(made.trie) > 350_000
    assert made.lemma("gedifferentieerd") == "differentieren"
