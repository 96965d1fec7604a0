import pytest
from django.template import Context, Template

from knowledgebase.models import Scheme
from practices.ratings import EEF, Figure, Gain
from tests.factories import make_concept, make_practice
from tests.pages import parse


def rendered(text, **context):
    return parse(Template("{% load practices %}" + text).render(Context(context)))


def test_axis_has_the_words_of_its_mark():
    for size in ("row", "large"):
        svg = rendered(f'{{% axis gain size="{size}" %}}', gain=Gain(value=6, origin=EEF)).one("svg", f"axis-{size}")
        assert svg["aria-label"] == "Leerwinst: 6 maanden, volgens de EEF"
        assert len(svg.all("svg", "open")) == len(svg.all("path", "dot")) == 1
        assert bool(svg.all("text")) is (size == "large")  # a row leaves the words to the head of its table


def test_an_unknown_gain_leaves_the_axis_empty():
    svg = rendered("{% axis gain %}", gain=Gain()).one("svg", "axis")
    assert svg.all("path") == []
    assert svg["aria-label"] == "Leerwinst: nog geen betrouwbaar cijfer"


@pytest.mark.parametrize("value", range(6))
def test_points_filled_and_open(value):
    svg = rendered("{% points figure %}", figure=Figure(value, EEF)).one("svg")
    assert (len(svg.all("circle", "on")), len(svg.all("circle", "off"))) == (value, 5 - value)


def test_no_points_for_what_is_unknown():
    assert rendered("{% points figure %}", figure=Figure()).all("svg") == []


def test_scales_come_from_the_code():
    tables = rendered("{% rating_scales %}").all("tbody")
    assert len(tables[0].all("tr")) == 13
    assert tables[0].all("tr")[6].texts("td") == ["0,45", "0,52", "+6 maanden"]
    assert [row.texts("td") for row in tables[1].all("tr")] == [
        ["1", "tot 80"], ["2", "tot 200"], ["3", "tot 720"], ["4", "tot 1.200"], ["5", "meer"],
    ]  # fmt: skip


@pytest.mark.django_db
def test_related_practices_of_a_concept_from_a_to_z():
    theme, reader = make_concept(Scheme.THEME, "leren"), make_concept(Scheme.AUDIENCE, "leerkracht")
    concepts = [make_concept(), reader, theme]
    for slug, title in (("z", "zeker"), ("e", "Écrire"), ("a", "Aanpak"), ("i", "iPad")):
        make_practice(slug, title=title, concepts=concepts)
    make_practice("klad", state="draft", concepts=concepts)
    make_practice("weg", state="withdrawn", concepts=concepts)
    make_practice("ander")
    tree = rendered("{% related_practices theme as found %}{% for c in found %}<i>{{ c.version.title }}</i>{% endfor %}",
                    theme=theme)  # fmt: skip
    assert tree.texts("i") == ["Aanpak", "Écrire", "iPad", "zeker"]


def test_concepts_of_a_scheme():
    assert rendered('<i>{{ concepts|of_scheme:"niveau"|join:", " }}</i>', concepts={"niveau": ["a", "b"]}).texts(
        "i"
    ) == ["a, b"]
    assert rendered('<i>{{ concepts|of_scheme:"vak"|length }}</i>', concepts={}).texts("i") == ["0"]
