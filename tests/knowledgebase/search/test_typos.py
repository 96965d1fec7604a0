import random

import pytest

from knowledgebase.models import Scheme, SearchIndex, SearchWord
from knowledgebase.search import typos
from knowledgebase.search.thesaurus import thesaurus
from knowledgebase.search.typos import Vocabulary
from tests.factories import make_concept
from tests.work import calls

SITE = Vocabulary.of(
    {
        "feedback": 9,
        "metacognitie": 5,
        "evaluatie": 8,
        "zelfregulatie": 4,
        "klas": 9,
        "toets": 7,
        "tekst": 3,
        "natie": 1,
    }
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("feedbak", "feedback"),
        ("feedbakc", "feedback"),  # two letters that changed places are one slip
        ("metakognitie", "metacognitie"),
        ("metacogntie", "metacognitie"),
        ("evaluaite", "evaluatie"),
        ("zelfregulasie", "zelfregulatie"),
        ("zelfreggulasie", "zelfregulatie"),  # two slips
        ("toest", "toets"),
        ("teots", "toets"),
        ("toxxs", ""),  # two slips in five letters
        ("hattie", ""),  # two slips in a short word, the first letter one of them
        ("kals", "klas"),
        ("olifant", ""),
    ],
)
def test_nearest(typed, meant):
    assert SITE.nearest(typed) == meant


def test_of_words_equally_near_the_one_that_sounds_alike_comes_first_then_the_more_usual():
    assert Vocabulary.of({"leiden": 1, "lezen": 9}).nearest("lijden") == "leiden"
    assert Vocabulary.of({"boekes": 1, "boeken": 9}).nearest("boekez") == "boekes"
    assert Vocabulary.of({"boekem": 1, "boeken": 9}).nearest("boekex") == "boeken"
    assert Vocabulary.of({"boekem": 1, "boeken": 1}).nearest("boekex") == "boekem"


@pytest.fixture
def site(db):
    """The words of one text on the site and of the thesaurus."""
    index = SearchIndex.objects.create(is_live=True, analysis_version="1", base=0)
    beside = SearchIndex.objects.create(is_live=False, analysis_version="1", base=0)
    SearchWord.objects.create(index=beside, word="anders", folded="anders", df=3)
    for word, folded in (("coördinatie", "coordinatie"), ("feedback", "feedback")):
        SearchWord.objects.create(index=index, word=word, folded=folded, df=3)
    make_concept(Scheme.SEARCH, "groeimindset", "Groeimindset")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("coordinatei", "coördinatie"),  # as it is written
        ("groeimindsed", "groeimindset"),
        ("feedback", ""),  # the site knows it
        ("leraar", ""),  # Dutch knows it
        ("vergeetcurve", ""),  # a compound of Dutch words
        ("feedbac1", ""),  # no word
        ("féedbak", "feedback"),
        ("مرحبا", ""),
        ("fee", ""),
        ("x" * 500, ""),
    ],
)
def test_only_a_word_that_nobody_knows_is_replaced(site, typed, meant):
    assert typos.nearest(typed, thesaurus(), "1") == meant


def test_the_vocabulary_is_read_in_one_query_and_kept(site, django_assert_num_queries):
    thesaurus("7")
    with django_assert_num_queries(1):
        assert typos.vocabulary("7").counts == {"coordinatie": 3, "feedback": 3, "groeimindset": 0}
    with django_assert_num_queries(0):
        typos.vocabulary("7")


def test_a_word_is_looked_up_among_sixty_thousand_with_the_work_of_six_thousand():
    """Letter by letter is compared in C: what Python does for a word does not grow with the words that there are."""
    dice = random.Random(5)  # noqa: S311  # the same words every time
    words = ["".join(dice.choices("abdeghiklmnoprstuvwz", k=dice.randint(4, 16))) for _word in range(60_000)]
    few, many = Vocabulary.of(dict.fromkeys(words[:6_000], 1)), Vocabulary.of(dict.fromkeys(words, 1))
    for word in dice.sample(words[:6_000], 20):
        slip = word[:-1] + "q"
        assert calls(lambda slip=slip: many.nearest(slip)) < 2 * calls(lambda slip=slip: few.nearest(slip))
