import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.models import ConceptLabel, Scheme
from tests.admin import each_role, logged_in
from tests.factories import make_concept, make_term

pytestmark = pytest.mark.django_db
TRIAL, LIST = "/admin/knowledgebase/concept/zoeken-proberen/", "/admin/knowledgebase/concept/"


@pytest.fixture
def terms():
    make_term("bijles", "Bijles", definition="Extra les na school voor een leerling.")
    make_term("huiswerkklas", "Huiswerkklas", definition="Toezicht bij huiswerk, soms met bijles.")
    names = make_concept(Scheme.SEARCH, "individuele-begeleiding", "individuele begeleiding")
    ConceptLabel.objects.create(concept=names, label="bijles", weight=80)


@each_role
def test_whoever_sees_the_vocabularies_tries(role, terms):
    client = logged_in(role)
    assert TRIAL in client.get(LIST).content.decode()
    response = client.get(TRIAL, {"q": "bijles"})
    assert [hit.title for hit in response.context["found"].hits] == ["Bijles", "Huiswerkklas"]


def test_others_do_not(client):
    response = client.get(TRIAL)
    assert response.status_code == 302
    assert response.url == f"/admin/login/?next={TRIAL}"


@pytest.mark.parametrize("verb", ["post", "put", "delete"])
def test_it_is_a_page_to_read(verb):
    assert getattr(logged_in("beheerder"), verb)(TRIAL).status_code == 405


def test_without_a_query_there_is_only_the_form():
    response = logged_in("redacteur").get(TRIAL)
    assert response.status_code == 200
    assert "understood" not in response.context


def test_it_shows_what_a_query_becomes(terms):
    response = logged_in("redacteur").get(TRIAL, {"q": "Hoe geef ik bijlse of huiswerkklassen -toets"})
    words = [(read.word.text, str(read.role), read.exists) for read in response.context["words"]]
    assert words == [
        ("Hoe", _("small word: left out"), True),
        ("geef", _("small word: left out"), True),
        ("ik", _("small word: left out"), True),
        ("bijles", _("counts"), True),
        ("of", _("small word: left out"), True),
        ("huiswerkklassen", _("counts"), True),
        ("toets", _("counts"), True),
    ]
    text = response.content.decode()
    assert "<strong>Hoe geef ik bijles of huiswerkklassen -toets</strong>" in text
    assert "huiswerk + klas" in text
    assert 'href="/admin/knowledgebase/concept/?q=individuele%20begeleiding"' in text


def test_it_explains_the_first_result_or_the_page_that_is_asked_for(terms):
    client = logged_in("redacteur")
    first = client.get(TRIAL, {"q": "bijles"}).context
    assert (first["chosen"].title, first["explanation"].is_hit) == ("Bijles", True)
    assert [(point.clause, point.keys, point.weight) for point in first["explanation"].points] == [
        ("bijles", ("bijles",), 100)
    ]
    assert first["explanation"].score == first["found"].hits[0].score
    for page in ("huiswerkklas", "Huiswerk", first["found"].hits[1].url):
        other = client.get(TRIAL, {"q": "bijles", "page": page}).context
        assert (other["chosen"].title, other["explanation"].score) == ("Huiswerkklas", first["found"].hits[1].score)


def test_a_page_that_holds_nothing_of_it_is_said(terms):
    response = logged_in("redacteur").get(TRIAL, {"q": "toezicht", "page": "Bijles"})
    assert response.context["explanation"].points == []
    assert _("It holds nothing of what was asked.") in response.content.decode()


def test_a_page_that_is_not_there_is_said_and_kept(terms):
    response = logged_in("redacteur").get(TRIAL, {"q": "bijles", "page": "Bestaat niet"})
    assert response.context["explanation"] is None
    said = _("No page has the address or title “%(unknown_page)s”.") % {"unknown_page": "Bestaat niet"}
    assert said in response.content.decode()
    assert response.context["form"]["page"].value() == "Bestaat niet"


def test_misspelt_words_can_be_left_as_they_are(terms):
    context = logged_in("redacteur").get(TRIAL, {"q": "bijlse", "literal": "on"}).context
    assert (context["understood"].corrected, context["found"].total) == ("", 0)
    assert context["found"].missing == ("bijlse",)


@pytest.mark.parametrize(
    "query", ["x" * 10_000, "de het een", "\x00\x01", "😀", "'; DROP TABLE x --", "مرحبا", '"', "   "]
)
@pytest.mark.parametrize("page", ["", "\x00 http://[ %_"])
def test_bad_input_is_a_sentence(terms, query, page):
    response = logged_in("redacteur").get(TRIAL, {"q": query, "page": page})
    assert response.status_code == 200


def test_it_costs_the_same_with_one_result_and_with_three():
    client = logged_in("redacteur")
    make_term("bijles", "Bijles")
    counts = []
    for slug in ("", "bijles-geven", "bijles-krijgen"):
        if slug:
            make_term(slug, slug.replace("-", " "))
        client.get(TRIAL, {"q": "bijles"})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(TRIAL, {"q": "bijles"})
        counts.append((response.context["found"].total, len(queries)))
    assert [total for total, _queries in counts] == [1, 2, 3]
    assert len({queries for _total, queries in counts}) == 1
