import pytest

from knowledgebase.models import ConceptLabel, Scheme
from tests.factories import make_concept, make_practice, make_term
from tests.pages import Page

pytestmark = pytest.mark.django_db


def test_terms_from_a_to_z_with_their_other_names(client):
    make_term("synthese", "synthese", "overzicht", definition="Veel studies samen.")
    make_term("effect", "Effectgrootte", definition="Hoe groot.")
    term = make_term("ecart", "écart", definition="Afstand.")
    ConceptLabel.objects.create(concept=term, label="ecarten", relation="hidden")
    ConceptLabel.objects.create(concept=term, label="EC", relation="abbreviation")
    for relation in ConceptLabel.ONLY_TO_FIND:
        ConceptLabel.objects.create(concept=term, label=f"zo {relation}", relation=relation)
    make_concept(Scheme.SEARCH, "alleen-zoeken", "alleen om te zoeken")
    make_concept(Scheme.WORD, "lopen", "lopen")
    page = Page(client.get("/begrippen/"))
    assert [(div["id"], div.text) for div in page.one("dl", "glossary").all("div")] == [
        ("ecart", "écart Afstand. Ook: EC."),
        ("effect", "Effectgrootte Hoe groot."),
        ("synthese", "synthese Veel studies samen. Ook: overzicht."),
    ]


def test_without_terms(client):
    assert "Er zijn nog geen begrippen." in Page(client.get("/begrippen/")).texts("p")


def test_a_page_explains_the_terms_that_it_uses_once(client):
    make_term("synthese", "synthese", definition="Veel studies samen.")
    make_term("elders", "elders")
    make_practice("p", in_short="Een synthese en nog een synthese.", what_it_is="Een synthese.")
    page = Page(client.get("/praktijken/p/"))
    assert [(b.text, b["popovertarget"]) for b in page.all("button", "term")] == [("synthese", "begrip-synthese")]
    assert [(card["id"], card.text) for card in page.all("div", "term-card")] == [
        ("begrip-synthese", "synthese Veel studies samen.")
    ]
