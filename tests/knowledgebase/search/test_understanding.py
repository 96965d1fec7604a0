import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledgebase.models import ConceptLabel, Scheme
from knowledgebase.search import analysis
from knowledgebase.search.understanding import (
    LONGEST_QUERY,
    MOST_ALTERNATIVES,
    MOST_WORDS,
    Alternative,
    Clause,
    understand,
)
from tests.factories import make_concept
from tests.work import calls

Relation = ConceptLabel.Relation


def key(word):
    return analysis.key_of(word)


def name(preferred, *others, scheme=Scheme.SEARCH):
    concept = make_concept(scheme, preferred.replace(" ", "-").lower(), preferred)
    for text, relation, weight in others:
        ConceptLabel.objects.create(concept=concept, label=text, relation=relation, weight=weight)


@pytest.fixture
def names(db):
    name("feedback")
    name("bijles", ("privéles", Relation.ALTERNATIVE, 80), ("extra les na school", Relation.ALTERNATIVE, 70))
    name("explicitie directe instructie", ("EDI", Relation.ABBREVIATION, 90))
    name("klasmanagement", ("klas stil", Relation.ALTERNATIVE, 60))
    name("woordenschat")
    name("toets")


def texts(understood):
    return [(clause.text, clause.soft) for clause in understood.clauses]


def test_a_word_is_asked_for_by_its_key_and_its_other_names(names):
    assert understand("Bijles").clauses == (
        Clause(
            "Bijles",
            (
                Alternative(("bijles",), 100),
                Alternative((key("privéles"),), 80, "bijles", "privéles"),
                Alternative(("extra", "les", "school"), 70, "bijles", "extra les na school"),
            ),
        ),
    )


def test_a_question_is_asked_for_by_the_words_that_count(names):
    assert texts(understand("Hoe geef ik goede feedback op een toets?")) == [
        ("goede", True),
        ("feedback", False),
        ("toets", False),
    ]


def test_a_level_says_where_and_only_orders_what_the_rest_finds(names):
    name("Secundair onderwijs", ("middelbaar", Relation.ALTERNATIVE, 60), scheme=Scheme.LEVEL)
    name("Basisonderwijs", ("feedback", Relation.RELATED, 60), scheme=Scheme.LEVEL)
    assert texts(understand("woordenschat in het secundair onderwijs")) == [
        ("woordenschat", False),
        ("secundair onderwijs", True),
    ]
    assert texts(understand("feedback middelbaar")) == [("feedback", False), ("middelbaar", True)]
    assert texts(understand("secundair onderwijs")) == [("secundair onderwijs", False)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Hoe leg ik breuken uit?", ["uitleggen", "breuken"]),
        ("hoe bereid ik een toets voor", ["voorbereiden", "toets"]),
        ("hoe vat je een tekst samen", ["samenvatten", "tekst"]),
        ("leg uit", ["leg"]),
        ("wat heeft invloed op", ["invloed"]),
        ("toets voor woordenschat", ["toets", "woordenschat"]),
    ],
)
def test_what_stands_at_the_end_of_a_question_joins_its_verb(names, query, expected):
    assert [text for text, _soft in texts(understand(query))] == expected


def test_when_all_words_are_soft_all_count(names):
    assert texts(understand("helpt de school?")) == [("helpt", False), ("school", False)]


def test_a_term_of_several_words_is_one_clause_also_without_its_small_words(names):
    for query in ("explicitie directe instructie", "EDI"):
        (clause,) = understand(query).clauses
        assert clause.text == query
        keys = {alternative.keys: alternative.weight for alternative in clause.alternatives}
        assert keys[(key("explicitie"), key("directe"), key("instructie"))] in {90, 100}
        assert keys[("edi",)] in {90, 100}
    (clause,) = understand("krijg ik extra les school").clauses
    assert clause.text == "extra les school"
    assert Alternative(("bijles",), 70, "bijles", "bijles") in clause.alternatives


def test_the_words_of_a_term_count_a_little_by_themselves(names):
    (clause,) = understand("klas stil").clauses
    weights = {alternative.keys: alternative.weight for alternative in clause.alternatives}
    assert weights == {("klas", "stil"): 100, ("klasstil",): 95, ("stil",): 35, (key("klasmanagement"),): 60}


def test_a_compound_is_asked_for_by_its_parts_as_well(names):
    (clause,) = understand("leesprogramma").clauses
    assert [(alternative.keys, alternative.weight) for alternative in clause.alternatives] == [
        ((key("leesprogramma"),), 100),
        ((key("lees"), "programma"), 60),
        ((key("lees"),), 25),
        (("programma",), 25),
    ]


def test_a_compound_typed_apart_is_found_as_one_word(names):
    clauses = understand("klas management").clauses
    assert [clause.text for clause in clauses] == ["klas", "management"]
    assert all(Alternative((key("klasmanagement"),), 95) in clause.alternatives for clause in clauses)


def test_a_word_asked_twice_is_one_clause(names):
    assert texts(understand("toetsen en toets")) == [("toetsen", False)]


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("feedbak geven", "feedback geven"),
        ("Feedbak op wordenschat?", "feedback op woordenschat?"),
        ("feedback", ""),
        ("woordenschap", "woordenschat"),  # of Dutch words, but not of words of ours
        ("woordentoets", ""),
        ("woordensoep", ""),  # too far from any
        ('"feedbak geven"', ""),  # in quotes: meant as it stands
        ("toets -feedbak", ""),
    ],
)
def test_a_slip_is_repaired_and_said(names, query, corrected):
    assert understand(query).corrected == corrected


def test_who_wants_the_word_as_typed_gets_it(names):
    understood = understand("feedbak", literal=True)
    assert (understood.corrected, texts(understood)) == ("", [("feedbak", False)])


def test_a_word_of_four_letters_is_only_suggested(db):
    name("klas")
    understood = understand("kals stil")
    assert (understood.corrected, understood.suggestion) == ("", "klas stil")
    assert texts(understood)[0] == ("kals", False)


@pytest.mark.parametrize("query", ['"samen leren" klas', "“samen leren” klas", "«samen leren» klas"])
def test_what_stands_in_quotes_is_a_phrase(names, query):
    understood = understand(query)
    assert understood.phrases == ((key("samen"), key("leren")),)
    assert "klas" in [clause.text for clause in understood.clauses]


def test_a_quote_that_never_closes_is_no_quote(names):
    assert understand('"samen leren').phrases == ()


def test_a_minus_leaves_out(names):
    understood = understand("feedback -toetsen −huiswerk sociaal-emotioneel - x")
    assert understood.excluded == (key("toetsen"), key("huiswerk"))
    assert texts(understood) == [("feedback", False), ("sociaal-emotioneel", False)]
    assert understand('feedback -"toets"').excluded == ("toets",)


@pytest.mark.parametrize("query", ["de het een", "hoe kan ik het", "DE"])
def test_only_small_words_is_a_sentence(names, query):
    understood = understand(query)
    assert understood.clauses == ()
    assert len(understood.notices) == 1
    assert f"“{query.split()[0]}”" in understood.notices[0]


@pytest.mark.parametrize("query", ["😀 🙈", "\x00\x01\x1b", '"""', "- - -", "* ? ( ) :", "a"])
def test_no_word_at_all_is_a_sentence(names, query):
    understood = understand(query)
    assert (understood.clauses, understood.phrases, len(understood.notices)) == ((), (), 1)


@pytest.mark.parametrize("query", ["", "   ", "\n"])
def test_nothing_asked_is_nothing_said(names, query):
    understood = understand(query)
    assert (understood.clauses, understood.notices) == ((), ())


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE users; --",
        'NEAR("a b", 3) OR x*',
        "col:feedback AND NOT toets",
        "مرحبا بالعالم",
        "中文教育",
        "%_\\",
    ],
)
def test_syntax_and_other_scripts_are_words(names, query):
    understood = understand(query)
    assert all(alternative.keys for clause in understood.clauses for alternative in clause.alternatives)


def test_a_query_of_ten_thousand_characters_is_cut_and_said(names):
    understood = understand("feedback en toetsen " * 500)
    assert len(understood.notices) == 2
    assert str(LONGEST_QUERY) in understood.notices[0]
    assert texts(understood) == [("feedback", False), ("toetsen", False)]
    assert understand("x" * 10_000).clauses[0].alternatives[0].keys == ("x" * analysis.LONGEST_KEY,)


def test_no_more_words_are_used_than_count(names):
    query = " ".join(f"w{number}" for number in range(30))
    understood = understand(query)
    assert [clause.text for clause in understood.clauses] == [f"w{number}" for number in range(MOST_WORDS)]
    assert str(MOST_WORDS) in understood.notices[0]


def test_no_clause_has_more_alternatives_than_the_limit(db):
    name("toets", *((f"proef{'abcdefghijklmnopqrstuvwxyz'[n]}", Relation.ALTERNATIVE, 60) for n in range(25)))
    (clause,) = understand("toets").clauses
    assert len(clause.alternatives) == MOST_ALTERNATIVES


def test_a_query_is_understood_in_one_query_of_the_database(names, django_assert_num_queries):
    understand("feedbak")
    with django_assert_num_queries(1):
        understand("hoe geef ik feedbak op een toets")


@pytest.mark.parametrize("query", ["ab " * 66, "leesonderwijs" * 15, "a-" * 100, '"' * 200, "- " * 100, "x" * 200])
def test_no_query_is_much_work(names, query):
    understand("feedbak")
    assert calls(lambda: understand(query)) < 100_000


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=250))
def test_whatever_is_typed_is_understood(names, query):
    understood = understand(query)
    assert len(understood.clauses) <= MOST_WORDS
    assert all(clause.alternatives for clause in understood.clauses)
    assert all(weight <= 100 for clause in understood.clauses for weight in [a.weight for a in clause.alternatives])
