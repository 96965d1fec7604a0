import re

import pytest

from knowledgebase.models import Scheme
from practices.filters import PAGE_SIZE
from tests.factories import (
    make_concept,
    make_practice,
    make_practices,
    make_source,
    make_summary,
    make_version,
    rating,
    verdict,
)
from tests.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def readers():
    return [make_concept(), make_concept(Scheme.AUDIENCE, "leerkracht")]


@pytest.fixture
def four(readers):
    """Ours, ours below zero, the EEF's, unknown; two themes."""
    lezen = make_concept(Scheme.THEME, "lezen", "Lezen en taal", order=1)
    toetsen = make_concept(Scheme.THEME, "toetsen", "Toetsen", order=2)
    ours = rating("0.48", ci_low="0.35", ci_high="0.61", strength=4, cost=1)
    make_practice("feedback", concepts=[*readers, toetsen], ratings=[ours])
    make_practice("zittenblijven", concepts=[*readers, lezen], ratings=[rating("-0.30", strength=3, cost=5)])
    make_practice("klanken", concepts=[*readers, lezen], verdicts=[verdict(5, strength=5, cost=1, studies=121)])
    make_practice("leerstijlen", concepts=readers)


BY_THEME = ["klanken", "zittenblijven", "feedback", "leerstijlen"]


# The overview


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("view", ["", "?weergave=kaarten", "?weergave=tabel", "?weergave=grafiek"])
def test_every_view_lists_the_same_in_the_order_of_the_themes(client, view):
    page = Page(client.get(f"/praktijken/{view}"))
    assert page.keys == BY_THEME
    assert page.notices == []
    assert page.one("p", "summary-line").text == "4 praktijken per thema"
    if not view or view.endswith("kaarten"):
        assert page.texts("h3", "theme-heading") == ["Lezen en taal", "Toetsen", "Andere"]


@pytest.mark.usefixtures("four")
def test_row_says_its_figures_and_whose_they_are(client):
    page = Page(client.get("/praktijken/?sorteer=naam"))
    rows = {row["data-key"]: row for row in page.all("li", "practice-row")}
    gains = {key: row.one("div", "row-gain").text for key, row in rows.items()}
    assert gains == {
        "feedback": "Leerwinst +6 maanden6 maanden +4 tot +7",
        "klanken": "Leerwinst +5 maanden5 maanden volgens de EEF",
        "leerstijlen": "Leerwinst nog geen betrouwbaar cijfer",
        "zittenblijven": "Leerwinst −4 maandenmin 4 maanden",
    }
    assert {key: row.one("svg", "axis")["aria-label"] for key, row in rows.items()} == {
        "feedback": "Leerwinst: 6 maanden, interval +4 tot +7",
        "klanken": "Leerwinst: 5 maanden, volgens de EEF",
        "leerstijlen": "Leerwinst: nog geen betrouwbaar cijfer",
        "zittenblijven": "Leerwinst: min 4 maanden, interval onbekend",
    }


@pytest.mark.usefixtures("four")
def test_table_says_the_same(client):
    page = Page(client.get("/praktijken/?weergave=tabel&sorteer=winst"))
    rows = [[cell.text for cell in row.children if not isinstance(cell, str)] for row in page.all("tr", data_key=True)]
    assert rows == [
        ["Feedback", "+6 maanden", "+4 tot +7", "4 op 5", "1 op 5", "Lager", "Vergelijk Feedback"],
        ["Klanken", "+5 maanden volgens de EEF", "onbekend", "5 op 5 volgens de EEF", "1 op 5 volgens de EEF", "Lager",
         "Vergelijk Klanken"],
        ["Zittenblijven", "−4 maanden", "onbekend", "3 op 5", "5 op 5", "Lager", "Vergelijk Zittenblijven"],
        ["Leerstijlen", "onbekend", "onbekend", "onbekend", "onbekend", "Lager", "Vergelijk Leerstijlen"],
    ]  # fmt: skip


@pytest.mark.usefixtures("four")
def test_plot_has_a_sentence_and_says_what_it_leaves_out(client):
    page = Page(client.get("/praktijken/?weergave=grafiek&sorteer=naam"))
    assert page.one("p", id="plot-zin").text == (
        "Van 3 van de 4 praktijken kennen we de leerwinst: van min 4 maanden (Zittenblijven) tot 6 maanden (Feedback)."
        " In 2 gevallen is dat onze eigen lezing, anders het oordeel van de EEF."
    )
    numbers = {
        is_open: [m.text for m in page.all("svg", "mark") if ("open" in m["class"]) is is_open]
        for is_open in (False, True)
    }
    assert numbers == {False: ["1", "4"], True: ["2"]}
    assert any(note.endswith("Leerstijlen.") for note in page.texts("p", "note"))


@pytest.mark.usefixtures("four")
def test_the_whole_state_is_in_the_address(client):
    query = "niveau=lager&thema=lezen&kost=5&sterkte=1&winst=-5&q=lager&sorteer=kost"
    page = Page(client.get(f"/praktijken/?{query}&pagina=1"))
    assert page.keys == ["klanken", "zittenblijven"]
    assert page.one("ul", "tabs").all("a")[1]["href"] == f"?{query}&weergave=tabel"
    checked = [(i["name"], i["value"]) for i in page.all("input", checked=True)]
    assert checked == [("niveau", "lager"), ("thema", "lezen"), ("kost", "5"), ("sterkte", "1"), ("winst", "-5")]
    assert [option["value"] for option in page.all("option", selected=True)] == ["kost"]
    assert page.one("input", id="filter-q")["value"] == "lager"
    assert page.href("Wis alle filters") == "/praktijken/"
    table = Page(client.get(f"/praktijken/?{query}&weergave=tabel"))
    assert table.keys == page.keys
    assert table.one("input", type="hidden", name="weergave")["value"] == "tabel"


@pytest.mark.usefixtures("four")
def test_nothing_found_says_what_to_do(client):
    make_concept(Scheme.LEVEL, "kleuter", "Kleuteronderwijs")
    page = Page(client.get("/praktijken/?niveau=kleuter"))
    assert page.keys == []
    assert page.one("p", "summary-line").text == "0 praktijken voor kleuteronderwijs, per thema"
    assert page.one("div", "empty").texts("li") == [
        "Haal een filter weg of kies een ruimer niveau.", "Bekijk alle praktijken",
    ]  # fmt: skip
    box = page.one("input", value="kleuter")
    assert "checked" in box.attributes
    assert "disabled" not in box.attributes


@pytest.mark.usefixtures("four")
def test_a_choice_that_leaves_nothing_is_shown_but_disabled(client):
    make_concept(Scheme.LEVEL, "kleuter", "Kleuteronderwijs")
    page = Page(client.get("/praktijken/"))
    assert "disabled" in page.one("input", value="kleuter").attributes
    assert "Kleuteronderwijs 0" in page.texts("label", "option-empty")


def test_pages_keep_the_filters(client, readers):
    made = [version.item.slug for version in make_practices(2 * PAGE_SIZE + 1)]
    seen, address = [], "?niveau=lager&sorteer=naam"
    for number in (1, 2, 3):
        page = Page(client.get(f"/praktijken/{address}"))
        seen += page.keys
        nav = page.one("nav", "pages")
        assert f"Bladzijde {number} van 3" in nav.text
        following = nav.all("a", rel="next")
        address = following[0]["href"] if following else address
        assert address.startswith("?niveau=lager&sorteer=naam&pagina=")
    assert seen == made
    assert nav.all("a", rel="next") == []
    page = Page(client.get("/praktijken/?pagina=4"))
    assert (page.keys, page.notices) == (made[:PAGE_SIZE], ["Die bladzijde bestaat niet. Je ziet de eerste."])


# A practice


def gain_of(page):
    return page.one("div", "key-gain")


OURS = rating("0.48", ci_low="0.35", ci_high="0.61", strength=4, cost=1, studies=435, note="Alle leerlingen samen.")


@pytest.mark.parametrize(
    ("figures", "query", "value", "note"),
    [
        (
            {"ratings": [OURS]}, "", "+6 maanden6 maanden",
            "Het gemiddelde ligt vrij zeker in dit interval: +4 tot +7. In jouw school kan het meer of minder zijn."
            " Alle leerlingen samen.",
        ),
        (
            {"ratings": [OURS]}, "?maat=effect", "0,480,48",
            "Het gemiddelde ligt vrij zeker in dit interval: 0,35 tot 0,61. In jouw school kan het meer of minder zijn."
            " Alle leerlingen samen.",
        ),
        (
            {"ratings": [rating("-0.30")]}, "", "−4 maandenmin 4 maanden",
            "Het interval is onbekend: we zagen er geen bij de synthese die we gebruiken."
            " Er is nog geen betrouwbaar cijfer.",
        ),
        ({"ratings": [rating("-0.30")]}, "?maat=effect", "−0,30min 0,30", None),
        ({"verdicts": [verdict(-3)]}, "", "−3 maandenmin 3 maanden volgens de EEF", None),
        ({"verdicts": [verdict(-3)]}, "?maat=effect", "niet bekend in deze maat", None),
        ({"verdicts": [verdict(-3)]}, "?maat=leerlingen", "niet bekend in deze maat", None),
        ({}, "", "nog geen betrouwbaar cijfer", "Er is nog geen betrouwbaar cijfer."),
        ({}, "?maat=effect", "nog geen betrouwbaar cijfer", None),
        (
            {"ratings": [rating("1.40", ci_low="0.80", ci_high="2.00", unknown_reason="")]}, "",
            "effectgrootte 1,40, buiten de maandentabel",
            "Het gemiddelde ligt vrij zeker in dit interval: +10 tot meer dan +12."
            " In jouw school kan het meer of minder zijn.",
        ),
        ({"ratings": [rating("1.40")]}, "?maat=effect", "1,401,40", None),
    ],
)  # fmt: skip
def test_the_gain_in_every_measure(client, figures, query, value, note):
    if figures.get("ratings") == [OURS]:
        figures = {"ratings": [OURS | {"unknown_reason": ""}]}
    make_practice("praktijk", **figures)
    box = gain_of(Page(client.get(f"/praktijken/praktijk/{query}")))
    assert box.one("p", "value").text == value
    if note:
        assert box.all("p", "note")[0].text == note


def test_pupils_start_from_fifty_or_what_the_reader_says(client):
    make_practice("praktijk", ratings=[OURS])
    page = Page(client.get("/praktijken/praktijk/?maat=leerlingen"))
    assert gain_of(page).one("p", "value").text.startswith("+18 ")
    assert page.one("input", id="norm")["value"] == "50"
    assert [a["href"] for a in page.one("nav", "metrics").all("a")] == [
        f"/praktijken/praktijk/?maat={name}#kerncijfers" for name in ("maanden", "effect", "leerlingen")
    ]
    page = Page(client.get("/praktijken/praktijk/?maat=leerlingen&norm=90"))
    assert gain_of(page).one("p", "value").text.startswith("+6 ")
    assert "We rekenen dat 90 op 100 die al halen" in gain_of(page).text
    assert page.notices == []
    assert [a["href"] for a in page.one("nav", "metrics").all("a")] == [
        f"/praktijken/praktijk/?maat={name}&norm=90#kerncijfers" for name in ("maanden", "effect", "leerlingen")
    ]


NORM = "Kies een getal van 1 tot 99 voor de leerlingen die de norm halen. We namen 50."
MEASURE = "We kennen deze maat niet. Je ziet maanden."


def test_an_unknown_measure_or_share_is_left_out_with_a_notice(client):
    make_practice("praktijk", ratings=[OURS])
    expected = {
        "": [], "maat=maanden": [], "norm=": [], "norm=1": [], "norm=99": [], "norm=07": [], "maat=xyz": [MEASURE],
        "maat=": [MEASURE], "maat=%00": [MEASURE], "norm=0": [NORM], "norm=00": [NORM], "norm=100": [NORM],
        "norm=-1": [NORM], "norm=abc": [NORM], "norm=%C2%B2": [NORM], "norm=000199": [NORM], "norm=%00": [NORM],
        "norm=00010": [NORM], "norm=1.5": [NORM], "norm=0001" + "9" * 10_000: [NORM], "maat=xyz&norm=x": [MEASURE, NORM],
    }  # fmt: skip
    found = {}
    for query in expected:
        for measure in ("", "&maat=leerlingen") if query.startswith("norm") else ("",):
            found[query] = Page(client.get(f"/praktijken/praktijk/?{query}{measure}")).notices
    assert found == expected


def test_a_practice_in_full(client, readers):
    summary = make_summary("wat-werkt", title="Wat werkt?")
    other = make_practice("ander", title="Ander", verdicts=[verdict(2)])
    source = make_source("wisniewski-2020", doi="10.3389/fpsyg.2019.03087")
    version = make_practice(
        "feedback",
        title="Feedback",
        lead="Je zegt wat lukt.",
        in_short="- Kort.",
        what_it_is="Zie [@wisniewski-2020]. Winst: {{ winst }}.",
        scenario="Meester Jan.",
        concepts=[*readers, make_concept(Scheme.THEME, "toetsen", "Toetsen")],
        sources=[source],
        related=[summary.item, other.item],
        ratings=[OURS | {"source": source}, rating("0.10", context_key="niveau:lager", source=source)],
        verdicts=[verdict(6, strength=3), verdict(None, issuer="WWC", statement="Geen oordeel.")],
    )
    page = Page(client.get("/praktijken/feedback/"))
    assert page.main["data-key"] == "feedback"
    assert page.one("h1").text == "Feedback"
    assert page.one("p", "kind-label").text == "Praktijk · Toetsen"
    assert "Zie (Jansen, 2020). Winst: 6 maanden." in page.texts("p")
    assert "Een verzonnen illustratie: geen echte klas." in page.texts("p", "note")
    assert ("(Jansen, 2020)", "#bron-wisniewski-2020") in page.links
    assert page.keys == ["ander"]
    assert page.href("Wat werkt?") == "/samenvattingen/wat-werkt/"
    assert page.href("Vergelijk deze praktijken") == "/praktijken/vergelijk/?p=feedback&p=ander"
    assert page.href("RIS") == "/praktijken/feedback/citeren.ris"
    node = page.linked_data[0]["@graph"][0]
    assert (node["@type"], node["name"], node["url"]) == (
        "LearningResource", "Feedback", "http://127.0.0.1:8000/praktijken/feedback/",
    )  # fmt: skip
    assert "Wat anderen besluiten" in page.headings
    assert [row.one("th").text for row in page.one("table", "context-table").one("tbody").all("tr")] == ["Lager"]
    assert f"Versie {version.number}" in page.one("p", "version-line").text


def test_a_retracted_source_is_said_at_the_top(client):
    make_practice("praktijk", sources=[make_source("weg", retraction="retracted")])
    page = Page(client.get("/praktijken/praktijk/"))
    assert page.one("p", "caution", role="note").text.startswith("Let op: een bron van deze tekst is ingetrokken.")


def test_a_retracted_source_is_said_in_the_list_and_in_a_comparison(client):
    make_practice("goed")
    make_practice("slecht", sources=[make_source("weg", retraction="retracted")])
    words = "Een bron van deze tekst is ingetrokken."
    for address in ("/praktijken/", "/praktijken/vergelijk/?p=goed&p=slecht"):
        page = Page(client.get(address))
        assert page.texts("p", "caution") == [words]
        assert [words in mark.text for mark in page.all(data_key=True) if mark.tag in ("li", "th")] == [False, True]


def test_the_list_of_sources_is_a_file_too(client):
    make_practice("praktijk", sources=[make_source("zee-2020"), make_source("aap-2020")])
    page = Page(client.get("/praktijken/praktijk/"))
    assert page.href("Alle bronnen als BibTeX") == "/praktijken/praktijk/bronnen.bib"
    response = client.get(page.href("Alle bronnen als RIS"))
    assert response.headers["Content-Disposition"] == 'attachment; filename="praktijk-bronnen.ris"'
    assert re.findall(r"^ID  - (.*)\r$", response.content.decode(), re.MULTILINE) == ["zee-2020", "aap-2020"]
    assert client.post("/praktijken/praktijk/bronnen.ris").status_code == 405


def test_a_text_without_sources_has_no_list_of_them(client):
    make_practice("praktijk", sources=[make_source("zee-2020")])
    make_practice("ontwerp", state="draft")
    for address in ("/praktijken/ontwerp/bronnen.ris", "/praktijken/nergens/bronnen.bib"):
        assert client.get(address).status_code == 404


def test_unknown_is_said_and_the_published_version_is_shown(client):
    first = make_practice("praktijk", title="Gepubliceerd")
    make_version(first.item, title="Ontwerp")
    page = Page(client.get("/praktijken/praktijk/"))
    assert page.one("h1").text == "Gepubliceerd"
    assert page.texts("p", "value") == ["nog geen betrouwbaar cijfer", "onbekend", "onbekend"]


@pytest.mark.parametrize(("form", "start", "kind"), [
    ("ris", "TY  - ", "application/x-research-info-systems; charset=utf-8"),
    ("bib", "@", "application/x-bibtex; charset=utf-8"),
])  # fmt: skip
def test_citation_as_a_file(client, form, start, kind):
    make_practice("feedback", title="Feedback")
    response = client.get(f"/praktijken/feedback/citeren.{form}")
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"] == f'attachment; filename="feedback.{form}"'
    assert response.content.decode().startswith(start)
    assert "Feedback" in response.content.decode()


# Side by side


def compared(client, *slugs):
    page = Page(client.get("/praktijken/vergelijk/", {"p": slugs}))
    return page.keys, page.notices


@pytest.mark.usefixtures("four")
def test_compare_shows_what_it_can_and_says_what_it_left_out(client):
    make_practice("vijfde", title="Vijfde")
    make_practice("weg", state="withdrawn")
    make_practice("klad", state="draft")
    twice = "Je koos een praktijk twee keer. Je ziet ze één keer."
    assert compared(client, "feedback", "klanken") == (["feedback", "klanken"], [])
    assert compared(client, "klanken", "feedback") == (["klanken", "feedback"], [])
    assert compared(client, "klanken", "klanken", "feedback") == (["klanken", "feedback"], [twice])
    assert compared(client, *BY_THEME) == (BY_THEME, [])
    assert compared(client, *BY_THEME, "vijfde") == (BY_THEME, ["Je ziet de eerste vier. We lieten weg: Vijfde."])
    assert compared(client, "x", "feedback", "weg", "klad", "klanken") == (
        ["feedback", "klanken"], ["We lieten weg wat we niet (meer) hebben: x, weg, klad."],
    )  # fmt: skip
    assert compared(client, "feedback", "\x00", "x" * 10_000) == (
        ["feedback"], [f"We lieten weg wat we niet (meer) hebben: , {'x' * 60}."],
    )  # fmt: skip
    assert compared(client, *(f"x{number}" for number in range(900))) == (
        [], ["We lieten weg wat we niet (meer) hebben: x0, x1, x2, x3, x4."],
    )  # fmt: skip


@pytest.mark.usefixtures("four")
def test_comparing_takes_two(client):
    page = Page(client.get("/praktijken/vergelijk/"))
    assert page.one("div", "empty").texts("p")[0] == "Kies twee tot vier praktijken om te vergelijken."
    assert page.all("table") == []
    page = Page(client.get("/praktijken/vergelijk/?p=feedback"))
    assert (
        page.one("div", "empty").texts("p")[0]
        == "Om te vergelijken heb je minstens twee praktijken nodig. Kies er nog een."
    )
    assert page.keys == ["feedback"]
    page = Page(client.get("/praktijken/vergelijk/?p=feedback&p=klanken"))
    assert page.all("div", "empty") == []
    assert (
        page.one("section", aria_labelledby="verschillen").texts("li")[0]
        == "De grootste leerwinst: Feedback (+6 maanden)."
    )


def test_a_gain_beyond_the_table_is_no_missing_gain(client):
    make_practice("a", ratings=[rating("1.40")])
    make_practice("b", ratings=[rating("0.48")])
    page = Page(client.get("/praktijken/vergelijk/?p=a&p=b"))
    assert page.texts("strong") == ["meer dan 12 maanden", "+6 maanden"]
