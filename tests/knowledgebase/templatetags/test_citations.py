import pytest
from django.template.loader import render_to_string

from knowledgebase.models import Source
from knowledgebase.templatetags.citations import apa


def a_source(**fields):
    known = {"key": "k", "kind": "study", "title": "T", "authors": [{"family": "Jansen", "given": "J."}], "year": 2020}
    return Source(**known | fields)


def component(**fields):
    return " ".join(render_to_string("components/reference.html", {"source": a_source(**fields)}).split())


def test_title_in_another_language_says_so_and_the_address_is_a_link():
    assert apa(a_source(title="Reading", language="en", url="https://example.org/a?b=1&c=2")) == (
        'Jansen, J. (2020). <strong><span lang="en">Reading</span></strong>. '
        '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener">https://example.org/a?b=1&amp;c=2</a>'
    )


def test_dutch_title_needs_no_language():
    assert apa(a_source(title="Lezen", language="nl")) == "Jansen, J. (2020). <strong>Lezen</strong>. "


def test_nothing_in_a_source_becomes_html():
    hostile = "<script>alert(1)</script>"
    source = a_source(title=hostile, authors=[{"family": hostile}], container=hostile, language='"><b>', volume="1")
    html = apa(source)
    assert "<script" not in html
    assert "<b>" not in html
    assert html.count("&lt;script&gt;") == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"open_access": "yes"}, "Vrij te lezen"),
        ({"open_access": "no"}, "Achter betaling"),
        ({"grade": "A"}, "We zagen ze bij een uitgever, in een repository of in een index"),
        ({"grade": "B"}, "We zagen ze alleen in een tekst die ernaar verwijst"),
        ({"retraction": "corrected"}, "Verbeterd door de uitgever"),
        ({"retraction": "retracted"}, "Deze publicatie is ingetrokken."),
        ({"retraction": "concern"}, "De uitgever uitte zijn bezorgdheid over deze publicatie."),
    ],
)
def test_component_says_in_words_what_there_is_to_know(fields, words):
    assert words in component(**fields)
    assert words not in component()


def test_component_without_badges_is_only_the_reference():
    assert component(language="nl") == (
        '<div class="reference"> <p class="reference-text">Jansen, J. (2020). <strong>T</strong>. </p> </div>'
    )
