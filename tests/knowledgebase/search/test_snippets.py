import json
import re
from pathlib import Path

import pytest

from knowledgebase.search.analysis import key_of, words
from knowledgebase.search.snippets import LENGTH, Marks
from knowledgebase.search.understanding import Alternative, Clause, Understood
from tests.pages import assert_inert
from tests.work import calls

ROWS = json.loads((Path(__file__).parents[2] / "data" / "xss-vectors.json").read_text())
VECTORS = [row["markdown"] for row in ROWS]


def clause(*alternatives, soft=False):
    """A clause of alternatives, each one word or several separated by blanks."""
    made = tuple(Alternative(tuple(key_of(word) for word in text.split()), 100) for text in alternatives)
    return Clause(alternatives[0], made, soft)


def marks(*clauses, phrases=()):
    return Marks(Understood(tuple(clauses), phrases))


def plain(html):
    return re.sub("</?mark>", "", html)


def test_a_title_is_whole_with_its_words_marked():
    assert marks(clause("feedback")).in_full("Over feedback en Feedback: <b>") == (
        "Over <mark>feedback</mark> en <mark>Feedback</mark>: &lt;b&gt;"
    )


def test_accents_and_capitals_do_not_matter():
    assert marks(clause("cafe")).in_full("Één CAFÉ, “café”") == "Één <mark>CAFÉ</mark>, “<mark>café</mark>”"


def test_a_compound_is_marked_by_its_part():
    assert marks(clause("rekenen")).in_full("vlot rekenfeiten kennen") == "vlot <mark>rekenfeiten</mark> kennen"
    assert marks(clause("feit")).in_full("vlot rekenfeiten kennen") == "vlot <mark>rekenfeiten</mark> kennen"
    assert marks(clause("rekenen feit")).in_full("vlot rekenfeiten kennen") == "vlot <mark>rekenfeiten</mark> kennen"


def test_a_term_of_several_words_is_marked_where_its_words_stand_together():
    text = "Kleine kinderen. " + "Niets. " * 20 + "Een groep die klein is."
    assert marks(clause("kleine groepen")).in_full(text).count("<mark>") == 2
    assert marks(clause("groot gebouw")).in_full(text).count("<mark>") == 0


def test_soft_words_are_marked_only_when_there_is_nothing_else():
    assert marks(clause("helpt", soft=True), clause("lezen")).in_full("Lezen helpt") == "<mark>Lezen</mark> helpt"
    assert marks(clause("helpt", soft=True)).in_full("Lezen helpt") == "Lezen <mark>helpt</mark>"


def test_a_quoted_phrase_is_marked():
    assert marks(phrases=((key_of("samen"), key_of("leren")),)).in_full("Samen leren is meer") == (
        "<mark>Samen</mark> <mark>leren</mark> is meer"
    )


def test_the_passage_that_answers_most_comes_first():
    body = "Lezen is fijn. " * 20 + "Samen lezen in duo’s werkt. " + "Nog iets. " * 20
    found = marks(clause("lezen"), clause("duo’s")).passage(["Een korte inleiding.", body])
    assert "<mark>duo’s</mark>" in found
    assert "<mark>lezen</mark>" in found
    assert "inleiding" not in found


def test_the_first_text_wins_a_tie_and_stands_in_where_nothing_is_found():
    texts = ["Een inleiding over lezen.", "Meer over lezen."]
    assert marks(clause("lezen")).passage(texts) == "Een inleiding over <mark>lezen</mark>."
    assert marks(clause("rekenen")).passage(texts) == "Een inleiding over lezen."
    assert marks(clause("rekenen")).passage(["", "Meer."]) == "Meer."
    assert marks(clause("rekenen")).passage([]) == ""
    assert marks().passage(["Meer."]) == "Meer."


@pytest.mark.parametrize("before", [0, 5, 50, 500])
@pytest.mark.parametrize("word", ["lorem", "x" * 500])
def test_a_passage_is_short_holds_its_word_and_says_what_is_left_out(before, word):
    text = f"{word} " * before + "lezen" + f" {word}" * 100
    found = marks(clause("lezen")).passage([text])
    assert len(plain(found)) <= LENGTH + 4
    assert "<mark>lezen</mark>" in found
    assert found.startswith("… ") == (len(word) * before > 90)
    assert found.endswith(" …")
    assert plain(found).removeprefix("… ").removesuffix(" …") in text


def test_a_passage_begins_and_ends_with_a_sentence_where_it_can():
    text = "Eerst dit. " * 30 + "Daarna lees je samen. " + "Dan schrijf je het op. " * 20
    found = marks(clause("lees")).passage([text])
    assert not found.startswith("…")
    assert plain(found).startswith(("Eerst dit.", "Daarna lees je samen."))
    assert found.endswith(".")


@pytest.mark.parametrize("vector", VECTORS)
def test_whatever_stands_in_a_text_is_inert(vector):
    for query in (vector, "script", "img", "amp", "lt"):
        made = marks(*(clause(word.text) for word in words(query)))
        assert_inert(f"<p>{made.in_full(vector)}</p><p>{made.passage([vector * 5])}</p>")


def test_a_passage_costs_less_than_three_calls_a_word_and_grows_with_the_text_alone():
    sentence = "In week {0} lezen de leerlingen samen een tekst{0} en ze geven elkaar feedback over woord{0}. "
    texts = ["".join(sentence.format(f"{page}x{place}") for place in range(20)) for page in range(40)]
    query = Understood((clause("lezen", "leesvaardigheid"), clause("feedback", "terug koppeling")))
    Marks(query).passage(texts)  # the words of the texts are known from then on

    def work(pages):
        made = Marks(query)
        return calls(lambda: [made.passage([text]) for text in pages])

    assert work(texts) < 3 * sum(len(text.split()) for text in texts)
    assert work(texts) < 2.1 * work(texts[:20])
