from knowledgebase.models import ConceptLabel, Scheme
from knowledgebase.search.wordforms import WordForms, word_forms
from tests.factories import make_concept

Relation = ConceptLabel.Relation


def label(concept, text, relation):
    return ConceptLabel.objects.create(concept=concept, label=text, relation=relation)


def test_without_word_forms_there_are_none(db):
    assert word_forms() == WordForms()
    assert word_forms().fingerprint() == "0"


def test_labels_become_lemmas_words_and_words_never_to_split(db):
    reading = make_concept(Scheme.WORD, "lezen", "Lezen")
    label(reading, "las", Relation.HIDDEN)
    label(reading, "geïnteresseerd", Relation.ALTERNATIVE)
    never = make_concept(Scheme.WORD, "nooit-splitsen", "nooit splitsen")
    label(never, "leerkracht", Relation.WHOLE)
    make_concept(Scheme.SEARCH, "bijles", "bijles")
    forms = word_forms()
    assert forms.lemmas == {"lezen": "lezen", "las": "lezen", "geinteresseerd": "lezen"}
    assert forms.words == {"lezen"}
    assert forms.whole == {"leerkracht"}


def test_the_fingerprint_is_that_of_the_contents(db):
    one = WordForms({"las": "lezen", "lees": "lezen"}, frozenset({"lezen"}), frozenset({"a", "b"}))
    same = WordForms({"lees": "lezen", "las": "lezen"}, frozenset({"lezen"}), frozenset({"b", "a"}))
    assert one.fingerprint() == same.fingerprint()
    assert len({one.fingerprint(), WordForms({"las": "lezen"}).fingerprint(), WordForms().fingerprint()}) == 3


def test_they_are_read_again_only_when_something_changed(db, django_assert_num_queries):
    word_forms()
    with django_assert_num_queries(1):
        word_forms()
    make_concept(Scheme.WORD, "lezen", "lezen")
    with django_assert_num_queries(2):
        assert word_forms().words == {"lezen"}
