import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from knowledgebase.models import SlugRedirect
from tests.factories import bring_to, make_effect, make_practice, make_study, make_summary, make_version, select
from tests.pages import Page, assert_inert, assert_the_same_for_everyone
from tests.recount import studied_practice, studied_summary, study_rows

pytestmark = pytest.mark.django_db
PRACTICE, SUMMARY = "/praktijken/schrijven/cijfers/", "/samenvattingen/aanwezig/cijfers/"


def outcome(page):
    """The sentences of the outcome."""
    return page.one("section", aria_labelledby="uitkomst").one("div", role="status").texts("p")


def table_rows(page):
    return page.one("table", "study-table").one("tbody").all("tr")


# It works


def test_a_practice_shows_its_gain_in_months_with_what_schools_may_find(client):
    studied_practice()
    page = Page(client.get(PRACTICE))
    assert_inert(page.html)
    assert_the_same_for_everyone(page.response)
    assert page.one("h1").text == "Schrijven"
    assert outcome(page) == [
        "Over 12 studies is de leerwinst gemiddeld 6 maanden (g = 0,50).",
        "Het gemiddelde ligt vrij zeker tussen 4 en 9 maanden (g van 0,28 tot 0,73).",
        "In 8 van de 10 vergelijkbare scholen ligt de winst tussen 1 en 11 maanden (g van 0,06 tot 0,94).",
    ]
    assert page.headings == [
        "Schrijven", "De uitkomst", "Studie per studie", "Voor wie en wanneer", "Ontbreken er studies?",
        "Waarom 0 van de 5?", "Past dit bij ons?", "Alle rijen", "Wat deze gegevens niet kunnen zeggen",
        "Reken het zelf uit",
    ]  # fmt: skip


def test_a_summary_shows_a_correlation_and_never_months(client):
    studied_summary()
    page = Page(client.get(SUMMARY))
    assert outcome(page)[0].startswith("Over 12 studies is de samenhang gemiddeld r = 0,")
    assert "maanden (" not in page.main.text
    assert "r = tanh(z)" in page.main.text
    assert "Dit cijfer zetten we niet om in maanden leerwinst" in page.main.text


def test_every_plot_has_its_sentence_and_its_table(client):
    studied_practice()
    page = Page(client.get(PRACTICE))
    plots = page.all("svg", role="img")
    assert [plot["aria-labelledby"] for plot in plots] == ["bos-zin", "groepen-zin", "trechter-zin"]
    for plot in plots:
        assert page.one(id=plot["aria-labelledby"]).text
    forest = (
        page.one("details", "plot-table", id="") if page.all("details", id="") else page.all("details", "plot-table")[0]
    )
    assert forest.one("summary").text == "Deze grafiek als tabel"
    rows = [[cell.text for cell in row.all() if cell.tag in ("th", "td")] for row in forest.one("tbody").all("tr")]
    assert rows[0][:2] == ["Studie 12", "1,40"]
    assert rows[11][:2] == ["Studie 01", "0,10"]
    assert [row[0] for row in rows[12:]] == ["Gemiddelde", "8 op 10 scholen"]
    assert [details.one("summary").text for details in page.all("details", "plot-table")] == [
        "Deze grafiek als tabel", "Als tabel: Feedback", "De trechter als tabel",
    ]  # fmt: skip


def test_the_table_of_groups_says_the_figure_and_the_studies_of_each(client):
    studied_practice()
    groups = Page(client.get(PRACTICE)).all("details", "plot-table")[1]
    assert [cell.text for cell in groups.one("thead").all("th")] == [
        "Feedback", "Effectgrootte (g van Hedges)", "95%-interval", "Studies",
    ]  # fmt: skip
    assert [row.all("td")[2].text for row in groups.one("tbody").all("tr")] == ["6 studies", "6 studies"]


def test_what_is_drawn_is_what_the_table_says(client):
    studied_practice()
    page = Page(client.get(PRACTICE))
    plot = page.all("svg", "rows-plot")[0]
    drawn = plot.texts("text", "row-label")
    in_table = page.all("details", "plot-table")[0].one("tbody").texts("th")
    assert drawn == in_table
    assert len(plot.all("circle")) == 13  # the studies and their average
    assert plot["height"] == "24.5em"
    assert len(page.one("svg", "funnel-plot").all("circle")) == 12


def test_switches_recompute_and_say_what_remains(client):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?niveau=lager&vanaf=1994"))
    assert outcome(page)[:2] == [
        "Er blijven 4 van de 12 studies over, met 4 effecten.",
        "Over 4 studies is de leerwinst gemiddeld 7 maanden (g = 0,56).",
    ]
    assert page.one("option", value="lager", selected=True).text == "Lager (6)"
    assert page.one("input", id="kies-vanaf")["value"] == "1994"
    assert page.one("ul", "chosen").texts("li") == [
        "Niveau: Lager laat vallen: Niveau: Lager", "Vanaf het jaar: 1994 laat vallen: Vanaf het jaar: 1994",
    ]  # fmt: skip
    assert page.href("laat vallen: Niveau: Lager") == "?vanaf=1994#uitkomst"
    assert page.href("Terug naar ons eigen cijfer") == "?#uitkomst"
    assert "Over 12 studies is de leerwinst gemiddeld 6 maanden (g = 0,50)." in page.main.text  # our own figure
    assert page.root.one("meta", name="robots")["content"] == "noindex"
    assert page.root.one("link", rel="canonical")["href"].endswith(PRACTICE)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("vak=wiskunde", 6), ("opzet=gerandomiseerd", 6), ("land=benelux", 8), ("land=BE", 4),
        ("land=noord-amerika", 4), ("land=buiten-europa", 4), ("vanaf=1999", 3), ("niveau=lager&opzet=gerandomiseerd", 6),
    ],
)  # fmt: skip
def test_every_switch_counts_the_studies_that_it_leaves(client, query, left):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?{query}"))
    assert outcome(page)[0] == f"Er blijven {left} van de 12 studies over, met {left} effecten."


def test_without_outliers_names_who_is_left_out(client):
    studied_practice(effects=[*study_rows(11), make_effect(9.0, 0.02, study=make_study("Te mooi 2001"))])
    page = Page(client.get(f"{PRACTICE}?zonder-uitschieters=ja"))
    assert outcome(page)[0] == "Er blijven 11 van de 12 studies over, met 11 effecten."
    left_out = page.one("section", aria_labelledby="niet-meegeteld").one("tbody")
    assert left_out.text == "Te mooi 2001 een uitschieter: jij koos om die weg te laten"
    assert page.one("input", name="zonder-uitschieters", checked=True)


def test_several_effects_of_a_study_may_be_pooled_in_other_ways(client):
    studied_practice(effects=study_rows(8, per_study=2), selection={"model": "che"})
    page = Page(client.get(PRACTICE))
    models = page.one("select", name="model")
    assert [option["value"] for option in models.all("option")] == ["", "che", "drie-niveaus", "per-studie"]
    page = Page(client.get(f"{PRACTICE}?model=per-studie"))
    assert "de effecten van een studie eerst samengenomen" in page.main.text
    assert outcome(page)[0] == "Er blijven 8 van de 8 studies over, met 16 effecten."


def test_one_effect_a_study_has_no_choice_of_model(client):
    studied_practice()
    assert Page(client.get(PRACTICE)).all("select", name="model") == []


def test_too_few_studies_say_so_with_what_to_do(client):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?vanaf=2000"))
    assert outcome(page)[1:] == ["Te weinig studies: 2 studies. We geven een cijfer vanaf 3 studies."]
    what = page.one("section", aria_labelledby="uitkomst").one("div", "notices").texts("li")
    assert what == ["laat de keuze “Vanaf het jaar: 2000” vallen", "lees de studies zelf in de tabel"]
    assert "gemiddeld" not in page.one("svg", "rows-plot").text.lower()  # the studies are drawn, no average
    assert page.all("svg", "funnel-plot") == page.all("a", href="#trechter") == []  # which needs an average


def test_nothing_left_is_said(client):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?vanaf=2100"))
    assert outcome(page)[1:] == ["Er blijft geen enkele studie over, dus er is geen cijfer."]
    assert page.all("svg", "rows-plot") == page.all("svg", "funnel-plot") == []


def test_a_text_on_two_studies_gives_no_figure(client):
    studied_practice(effects=study_rows(2))
    page = Page(client.get(PRACTICE))
    assert outcome(page) == ["Te weinig studies: 2 studies. We geven een cijfer vanaf 3 studies."]
    what = page.one("section", aria_labelledby="uitkomst").one("div", "notices").texts("li")
    assert what == ["lees de studies zelf in de tabel"]


def test_zero_studies_like_mine_are_shown_as_zero(client):
    studied_practice(effects=study_rows(6, country="US"))
    page = Page(client.get(PRACTICE))
    fit = page.one("section", aria_labelledby="past-dit").one("dl")
    assert fit.text == "België 0 van de 6 studies."
    page = Page(client.get(f"{PRACTICE}?ons-niveau=lager&ons-vak=wiskunde&onze-regio=NL"))
    facts = page.one("section", aria_labelledby="past-dit").one("dl").all("div")
    assert [fact.text for fact in facts] == [
        "Lager 3 van de 6 studies.", "Wiskunde 6 van de 6 studies.", "Nederland 0 van de 6 studies.",
        "Dit alles samen 0 van de 6 studies.",
    ]  # fmt: skip


def test_studies_that_do_not_say_are_counted_apart(client):
    studied_practice(effects=study_rows(6, country=""))
    page = Page(client.get(PRACTICE))
    fit = page.one("section", aria_labelledby="past-dit").one("dl")
    assert fit.text == "België 0 van de 6 studies. Van 6 weten we het niet."
    assert "Van geen enkele studie kennen we het land." in page.texts("span", "note")
    assert page.all("select", name="land") == []


def test_forms_keep_what_was_chosen_in_the_others(client):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?niveau=lager&ons-vak=wiskunde&q=studie&rijen=in&sorteer=-jaar"))
    hidden = [
        {field["name"]: field["value"] for field in form.all("input", type="hidden")} for form in page.all("form")
    ]
    assert hidden == [
        {"ons-vak": "wiskunde", "q": "studie", "rijen": "in", "sorteer": "-jaar"},
        {"niveau": "lager", "q": "studie", "rijen": "in", "sorteer": "-jaar"},
        {"niveau": "lager", "ons-vak": "wiskunde", "sorteer": "-jaar"},
    ]


# The rows


def test_rows_are_sorted_searched_and_split_in_pages(client):
    studied_practice(effects=study_rows(60))
    page = Page(client.get(f"{PRACTICE}?sorteer=-effect"))
    assert len(table_rows(page)) == 50
    assert [row.all("th")[0].text for row in table_rows(page)[:2]] == ["Studie 12", "Studie 24"]
    headings = {th.text: th["aria-sort"] for th in page.one("table", "study-table").all("th", aria_sort=True)}
    assert headings == {
        "Studie": "none", "Cijfer 95%-interval": "descending", "Leerlingen": "none", "Jaar": "none", "Niveau": "none",
        "Vak": "none", "Opzet": "none", "Land": "none", "Uitkomst": "none",
    }  # fmt: skip
    assert page.href("Volgende bladzijde") == "?sorteer=-effect&pagina=2#studies"
    assert page.href("Jaar") == "?sorteer=jaar#studies"
    page = Page(client.get(f"{PRACTICE}?sorteer=-effect&pagina=2"))
    assert len(table_rows(page)) == 10
    page = Page(client.get(f"{PRACTICE}?q=studie 07"))
    assert page.one("p", "summary-line").text == "1 rij"
    page = Page(client.get(f"{PRACTICE}?q=onvindbaar"))
    assert "Geen enkele rij bevat deze woorden. Probeer een korter woord, of kies alle rijen." in page.texts("p")


def test_rows_that_are_left_out_have_their_reason(client):
    rows = study_rows(6)
    studied_practice(effects=[*rows[:5], (rows[5], "De controlegroep schreef ook.")])
    page = Page(client.get(PRACTICE))
    left_out = page.one("section", aria_labelledby="niet-meegeteld").one("tbody")
    assert left_out.text == "Studie 06 De controlegroep schreef ook."
    page = Page(client.get(f"{PRACTICE}?rijen=uit"))
    [row] = table_rows(page)
    assert row.all("td")[-1].text == "nee De controlegroep schreef ook."
    assert len(table_rows(Page(client.get(f"{PRACTICE}?rijen=in")))) == 5


def test_a_row_says_what_stands_in_the_paper(client):
    rows = study_rows(3)
    told = make_effect(
        0.5, 0.05, study=make_study("Verteld 2020"), reported={"t": 2.5, "n1": 40, "n2": 42}, conversion="t"
    )
    studied_practice(effects=[*rows, told])
    cells = [row.all("td")[-2].text for row in table_rows(Page(client.get(f"{PRACTICE}?sorteer=studie")))]
    assert cells == ["onbekend", "onbekend", "onbekend", "t = 2.5; n1 = 40; n2 = 42 (uit t)"]


def test_many_studies_are_drawn_up_to_a_limit_and_then_on_request(client):
    studied_practice(effects=study_rows(70))
    page = Page(client.get(PRACTICE))
    assert len(page.all("svg", "rows-plot")[0].all("svg", "study")) == 60
    assert "10 studies die minder wegen, staan er niet op. Teken alle studies" in page.texts("p")
    page = Page(client.get(PRACTICE + page.href("Teken alle studies")))
    assert len(page.all("svg", "rows-plot")[0].all("svg", "study")) == 70


def test_a_text_may_have_figures_for_several_contexts(client):
    version = studied_practice(state="draft")
    select(version, *study_rows(4), context_key="niveau:lager", label="Lager onderwijs", months=True)
    version.derive()
    bring_to(version, "published")
    page = Page(client.get(PRACTICE))
    assert outcome(page)[0].startswith("Over 12 studies")
    assert page.href("Lager onderwijs") == "?voor=niveau%3Alager"
    page = Page(client.get(f"{PRACTICE}?voor=niveau:lager"))
    assert outcome(page)[0].startswith("Over 4 studies")


# What readers should not meet


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("niveau=kleuter", "Geen enkele studie heeft “kleuter” bij niveau, dus lieten we dat weg."),
        ("niveau=x y", "We kennen “x y” niet bij niveau, dus lieten we dat weg."),
        ("opzet=gok", "We kennen “gok” niet bij opzet, dus lieten we dat weg."),
        ("land=zz", "Geen enkele studie heeft “ZZ” bij waar, dus lieten we dat weg."),
        ("opzet=onbekend", "Geen enkele studie heeft “onbekend” bij opzet, dus lieten we dat weg."),
        ("opzet=observationeel", "Geen enkele studie heeft “alleen waargenomen” bij opzet, dus lieten we dat weg."),
        ("vanaf=gisteren", "Een jaar heeft vier cijfers, zoals 2005. “gisteren” lieten we weg."),
        ("zonder-uitschieters=misschien", "We kennen “misschien” niet bij zonder uitschieters, dus lieten we dat weg."),
        ("model=toverij", "We kennen “toverij” niet bij model, dus lieten we dat weg."),
        ("ons-niveau=maan", "We kennen “maan” niet bij mijn niveau, dus lieten we dat weg."),
        ("sorteer=kleur", "We kennen deze volgorde niet, dus je ziet de volgorde van onze gegevens."),
        ("rijen=soms", "We kennen deze keuze van rijen niet, dus je ziet alle rijen."),
        ("pagina=9", "Die bladzijde bestaat niet. Je ziet de eerste."),
        ("voor=niveau:hoger", "Voor die context hebben we geen cijfers, dus je ziet de eerste."),
    ],
)
def test_what_we_do_not_know_is_left_out_with_a_notice(client, query, notice):
    studied_practice()
    page = Page(client.get(f"{PRACTICE}?{query}"))
    assert page.notices == [notice]
    assert outcome(page)[0] == "Over 12 studies is de leerwinst gemiddeld 6 maanden (g = 0,50)."


def test_hostile_names_stay_text(client):
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    rows = [
        make_effect(0.1 * number, 0.05, study=make_study(f"{number} {nasty}"), outcome=nasty, moderators={nasty: nasty},
                    reported={nasty: nasty})
        for number in range(1, 6)
    ]  # fmt: skip
    studied_practice(
        effects=[*rows[:4], (rows[4], nasty)],
        selection={"moderators": [nasty], "caveats": nasty, "label": nasty, "months": True},
    )
    page = Page(client.get(f"{PRACTICE}?q={nasty}&niveau={nasty}"))
    assert_inert(page.html)
    assert f"1 {nasty}" in page.one("table", "study-table").texts("th")


def test_extreme_rows_still_make_a_page(client):
    rows = [
        make_effect(effect, variance, study=make_study(f"Uiterst {number}"))
        for number, (effect, variance) in enumerate(
            ((0.0, 1e-9), (999_999.0, 999_999.0), (-999_999.0, 1e-9), (1e-12, 1.0), (0.5, 1.0), (0.0, 1e-9))
        )
    ]
    studied_practice(effects=rows)
    for query in ("", "?zonder-uitschieters=ja", "?alle=ja", "?vanaf=2020"):
        page = Page(client.get(PRACTICE + query))
        assert_inert(page.html)
        assert "nan" not in page.html
        assert "inf%" not in page.html


def test_equal_effects_without_any_difference(client):
    studied_practice(effects=[make_effect(0.3, 0.04) for _number in range(12)])
    assert outcome(Page(client.get(PRACTICE)))[-1] == (
        "De studies verschillen niet meer dan toeval verklaart. Over aparte scholen zeggen we dus niet meer dan over het"
        " gemiddelde."
    )


# Where it is not


@pytest.mark.parametrize(("make", "address"), [(make_practice, PRACTICE), (make_summary, SUMMARY)])
def test_a_text_without_study_rows_has_no_such_page(client, make, address):
    make(address.split("/")[2])
    page = Page(client.get(address), 404)
    assert "nan" not in page.main.text.split()


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested", "approved", "discarded"])
def test_figures_of_a_text_that_is_not_public_do_not_exist(client, state):
    studied_practice(state=state)
    assert client.get(PRACTICE).status_code == 404


def test_a_withdrawn_text_has_no_figures(client):
    studied_practice(state="withdrawn")
    page = Page(client.get(PRACTICE), 410)
    assert page.all("svg", "rows-plot") == []


def test_an_old_address_leads_to_the_new_one(client):
    version = studied_practice()
    SlugRedirect.objects.create(item=version.item, kind=version.item.kind, slug="oud")
    response = client.get("/praktijken/oud/cijfers/")
    assert (response.status_code, response.headers["Location"]) == (301, PRACTICE)
    response = client.get("/praktijken/oud/versies/1/cijfers/")
    assert (response.status_code, response.headers["Location"]) == (301, "/praktijken/schrijven/versies/1/cijfers/")


def test_an_old_version_keeps_its_own_figures(client):
    old = studied_practice(effects=study_rows(5))
    new = make_version(old.item, state="draft")
    new.selected_effects.filter(effect__study__label="Studie 05").delete()
    new.derive()
    bring_to(new, "published")
    assert outcome(Page(client.get(PRACTICE)))[0].startswith("Over 4 studies")
    page = Page(client.get("/praktijken/schrijven/versies/1/cijfers/"))
    assert outcome(page)[0].startswith("Over 5 studies")
    assert "Dit is een oude versie: nummer 1." in page.one("div", "archived-notice").text
    assert page.root.one("meta", name="robots")["content"] == "noindex"
    assert page.one("nav", "breadcrumbs").all("a")[1]["href"] == "/praktijken/schrijven/versies/1/"
    assert client.get("/praktijken/schrijven/versies/2/cijfers/").headers["Location"] == PRACTICE
    rows = page.one("section", aria_labelledby="zelf-rekenen").one("ul").all("a")[0]["href"]
    assert rows == "/praktijken/schrijven/versies/1/cijfers/rijen.csv"
    assert client.get(rows).content.count(b"\n") == 6
    assert client.get("/praktijken/schrijven/versies/2/cijfers/rijen.csv").headers["Location"] == f"{PRACTICE}rijen.csv"
    assert client.get("/praktijken/schrijven/versies/9/cijfers/").status_code == 404
    assert client.get("/praktijken/schrijven/versies/01/cijfers/").status_code == 404


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_another_verb_is_refused(client, verb):
    studied_practice()
    studied_summary()
    for address in (PRACTICE, SUMMARY):
        assert getattr(client, verb)(address).status_code == 405


# The database


def asked(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_as_many_questions_for_3_and_for_40_studies(client):
    studied_practice("klein", effects=study_rows(3))
    studied_practice("groot", effects=study_rows(40))
    for query in ("", "?niveau=lager", "?sorteer=-effect&q=studie"):
        for slug in ("klein", "groot"):  # the rows of a version that cannot change are kept
            client.get(f"/praktijken/{slug}/cijfers/{query}")
        small, large = (asked(client, f"/praktijken/{slug}/cijfers/{query}") for slug in ("klein", "groot"))
        assert small == large


def test_the_rows_of_a_public_text_are_drawn_once_whatever_is_switched(client):
    studied_practice()
    first = table_rows(Page(client.get(PRACTICE)))
    with CaptureQueriesContext(connection) as asked_for:
        again = table_rows(Page(client.get(f"{PRACTICE}?niveau=lager")))
    assert [row.text for row in again] == [row.text for row in first]
    assert not [query for query in asked_for if '"knowledgebase_effectsize"' in query["sql"]]
    found = table_rows(Page(client.get(f"{PRACTICE}?q=studie+03")))
    assert [row.one("th").text for row in found] == ["Studie 03"]
