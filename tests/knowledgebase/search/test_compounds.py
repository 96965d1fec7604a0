from pathlib import Path

import pytest
from django.conf import settings

from knowledgebase.search.compounds import LONGEST, split
from knowledgebase.search.lexicon import fold, lexicon
from knowledgebase.search.wordforms import word_forms
from leerpunt import reference_data

DATA = Path(__file__).parents[2] / "data" / "search"


def compounds(name):
    """Each compound of a list with the sets of parts that are right."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        word, parts = line.split("\t")
        yield word, [{fold(part) for part in way.split("+")} for way in parts.split("|")]


def scores(name, parts_of):
    """Precision and recall over parts, each word by the way of splitting that fits best."""
    right = given = wanted = 0
    for word, ways in compounds(name):
        found = set(parts_of(word))
        best = max(ways, key=lambda way: len(way & found) - len(way ^ found))
        right, given, wanted = right + len(best & found), given + len(found), wanted + len(best)
    return right / given, right / wanted


def false_splits(name, parts_of):
    words = (DATA / name).read_text(encoding="utf-8").split()
    return [word for word in words if parts_of(word)], len(words)


def bare(word):
    return split(fold(word), lexicon())


@pytest.fixture
def edited(db):
    """Splits with the word forms of the fixtures."""
    reference_data.load(settings.BASE_DIR / "fixtures" / "word-forms.yaml")
    forms = word_forms()
    return lambda word: split(fold(word), lexicon(), known=forms.words, whole=forms.whole)


@pytest.mark.parametrize("name", ["compounds.tsv", "own-compounds.tsv"])
def test_compounds_fall_apart(name, edited):
    precision, recall = scores(name, edited)
    assert (precision >= 0.98, recall >= 0.98) == (True, True)


def test_compounds_fall_apart_without_help_of_editors():
    assert scores("compounds.tsv", bare) >= (0.98, 0.98)


@pytest.mark.parametrize("name", ["noncompounds.txt", "own-noncompounds.txt"])
def test_other_words_stay_whole(name, edited):
    wrong, total = false_splits(name, edited)
    assert len(wrong) <= 0.05 * total, wrong


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("gedragsproblemen", ("gedrag", "problemen")),  # a linking s
        ("groepstaak", ("groep", "taak")),  # and not "staak"
        ("leerstof", ("leer", "stof")),
        ("klassengrootte", ("klassen", "grootte")),
        ("zorgcoordinator", ("zorg", "coordinator")),
        ("huiswerkbegeleiding", ("huiswerk", "begeleiding")),  # the fewest parts
        ("voorleesboeken", ("voorlees", "boeken")),
        ("overleguren", ("overleg", "uren")),
        ("versterken", ()),  # a word with something in front of it
        ("bedachten", ()),
        ("vaardigheden", ()),
        ("wetenschappen", ()),
        ("wordenschat", ()),  # a slip of "woordenschat": small words make no compounds
        ("lessen", ()),
        ("klas", ()),
        ("l33s", ()),
        ("school" * 20, ()),
    ],
)
def test_splits(word, parts):
    assert split(word, lexicon()) == parts


def test_words_that_the_lexicon_lacks_make_compounds_too():
    assert split("kahootmoment", lexicon()) == ()
    assert split("kahootmoment", lexicon(), known={"kahoot"}) == ("kahoot", "moment")


def test_words_that_are_never_split_stay_whole_in_all_their_forms():
    assert split("leerkrachten", lexicon()) == ("leer", "krachten")
    assert split("leerkrachten", lexicon(), whole={"leerkracht"}) == ()
    assert split("leerkracht", lexicon(), whole={"leerkracht"}) == ()


def test_a_very_long_word_is_not_looked_at():
    assert split("les" * LONGEST, lexicon()) == ()
