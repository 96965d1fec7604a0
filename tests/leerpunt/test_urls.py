"""The same questions for every address that a reader can ask."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import ConceptLabel, Item, Scheme, SlugRedirect, Source
from practices import facets
from tests.factories import (
    anybody,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_term,
    make_theme,
    make_user,
    rating,
    verdict,
)
from tests.pages import Page, assert_inert, assert_the_same_for_everyone, parse
from tests.recount import study_rows

pytestmark = pytest.mark.django_db

LISTS = (
    "/", "/praktijken/", "/samenvattingen/", "/themas/", "/bronnen/", "/begrippen/", "/praktijken/vergelijk/",
    "/zoeken/",
)  # fmt: skip
DETAILS = (
    "/praktijken/feedback/", "/samenvattingen/toetsen/", "/themas/leren/", "/bronnen/jansen-2020/", "/over/",
    "/over/werkwijze/", "/toegankelijkheid/", "/privacy/", "/praktijken/toetsen-vooraf/cijfers/",
    "/samenvattingen/toetsen/cijfers/",
)  # fmt: skip
FILES = (
    "/feed/", "/sitemap.xml", "/robots.txt", "/opensearch.xml", "/zoeken/suggesties/?q=syn",
    "/praktijken/feedback/citeren.ris", "/praktijken/feedback/citeren.bib",
    "/bronnen/jansen-2020/citeren.ris", "/bronnen/jansen-2020/citeren.bib", "/praktijken/feedback/bronnen.ris",
    "/praktijken/feedback/bronnen.bib", "/samenvattingen/toetsen/citeren.ris", "/samenvattingen/toetsen/citeren.bib",
    "/samenvattingen/toetsen/bronnen.ris", "/samenvattingen/toetsen/bronnen.bib",
)  # fmt: skip
ASKED = ("/praktijken/vergelijk/?p=feedback&p=toetsen-vooraf", "/zoeken/?q=synthese")
PAGES = (*LISTS, *ASKED, *DETAILS)
EVERYTHING = (*PAGES, *FILES)
BAD = {
    "10,000 characters": "x" * 10_000,
    "control characters": "%01%02%1B%7F",
    "NUL": "%00",
    "NUL in a word": "le%00zen",
    "emoji": "%F0%9F%99%82",
    "Arabic": "%D8%A7%D9%84%D9%82%D8%B1%D8%A7%D8%A1%D8%A9",
    "not UTF-8": "%FF%FE%C3",
    "lone surrogate": "%ED%A0%80",
    "SQL": "'%20OR%201%3D1%3B%20DROP%20TABLE%20x%3B--",
    "full text search": "%22a%20NEAR%20b*%20AND%20(%3A%26%7C!",
    "LIKE": "%25_%5C",
    "superscript": "%C2%B2",
    "negative": "-1",
    "zero": "0",
    "large": "999999999999",
    "braces": "%7B%7Bwinst%7D%7D%7B%25%20x%20%25%7D",
    "dots": "../../etc/passwd",
}
PARAMETERS = {
    "/praktijken/": (
        "niveau", "vak", "doelgroep", "publiek", "thema", "kost", "sterkte", "winst", "sorteer", "weergave", "q",
        "pagina",
    ),
    "/praktijken/vergelijk/": ("p",),
    "/praktijken/feedback/": ("maat", "norm"),
    "/praktijken/toetsen-vooraf/cijfers/": (
        "niveau", "opzet", "land", "vanaf", "zonder-uitschieters", "model", "voor", "q", "rijen", "sorteer", "pagina",
        "ons-niveau",
    ),
    "/samenvattingen/": ("thema", "q"),
    "/bronnen/": ("soort", "q", "pagina"),
    "/zoeken/": ("q", "letterlijk", "soort", "niveau", "vak", "thema", "sterkte", "pagina"),
}  # fmt: skip
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "xss-vectors.json").read_text())


@pytest.fixture
def site():
    """One or two of everything, linked to each other."""
    theme = make_concept(Scheme.THEME, "leren", "Leren leren")
    concepts = [
        make_concept(), make_concept(Scheme.SUBJECT, "wiskunde"), make_concept(Scheme.AUDIENCE, "leerkracht"), theme,
    ]  # fmt: skip
    make_term("synthese", "synthese", "meta-analyse", definition="Veel studies samen.")
    summary = make_summary(
        "toetsen",
        key_findings="De synthese [@jansen-2020].",
        concepts=concepts,
        effects=study_rows(3, measure="z"),
        selection={"measure": "z", "months": False},
    )
    other = make_practice(
        "toetsen-vooraf",
        concepts=concepts,
        effects=study_rows(4),
        ratings=[rating(basis="studies", unknown_reason="")],
        verdicts=[verdict(3)],
    )
    make_practice(
        "feedback",
        what_it_is="Een synthese zegt: {{ winst }} [@jansen-2020].",
        concepts=concepts,
        related=[summary.item, other.item],
        ratings=[
            rating("0.48", ci_low="0.35", ci_high="0.61", strength=4, cost=1),
            rating("-0.1", context_key="niveau:lager"),
        ],
        verdicts=[verdict(6, previous=[{"edition": "2018", "months": 8}])],
    )
    make_theme("leren", body="Over leren.", concept=theme)
    for slug in ("over", "werkwijze", "toegankelijkheid", "privacy", "structuur", "hergebruik"):
        make_page(slug)


@pytest.mark.usefixtures("site")
def test_every_page_answers_with_one_heading_and_no_cookie(client):
    for address in PAGES:
        page = Page(client.get(address))
        assert_the_same_for_everyone(page.response)
        assert len(page.root.all("h1")) == 1, address
        assert page.root.one("html")["lang"] == "nl-BE"
        assert page.root.one("title").text.endswith(" | Leerpunt")
        assert page.root.one("title").text != " | Leerpunt"
        assert page.root.one("link", rel="canonical")["href"] == "http://127.0.0.1:8000" + address.partition("?")[0]
        ids = [element["id"] for element in page.root.all(id=True)]
        assert len(ids) == len(set(ids)), address
        assert_inert(page.html)


@pytest.mark.usefixtures("site")
def test_links_inside_a_page_lead_somewhere(client):
    for address in PAGES:
        page = Page(client.get(address))
        ids = {element["id"] for element in page.root.all(id=True)}
        inside = {a["href"][1:] for a in page.root.all("a", href=True) if a["href"].startswith("#")}
        assert inside <= ids, (address, inside - ids)


@pytest.mark.usefixtures("site")
def test_every_link_of_every_page_answers(client):
    todo, seen = list(PAGES), set()
    while todo:
        address = todo.pop()
        response = client.get(address)
        assert response.status_code == 200, address
        if not response.headers["Content-Type"].startswith("text/html"):
            continue
        for a in parse(response.content.decode()).all("a", href=True):
            href = a["href"].partition("#")[0]
            target = f"{address.partition('?')[0]}{href}" if href.startswith("?") else href
            if target.startswith("/") and target not in seen and len(seen) < 200:
                seen.add(target)
                todo.append(target)
    assert set(PAGES) - {"/praktijken/vergelijk/", *ASKED} <= seen | {"/"}


@pytest.mark.usefixtures("site")
def test_staff_and_strangers_get_the_same_bytes(client):
    staff = Client()
    staff.force_login(make_user(role="eindredacteur", is_superuser=True))
    for address in EVERYTHING:
        theirs, ours = staff.get(address), client.get(address)
        assert_the_same_for_everyone(theirs)
        assert_the_same_for_everyone(ours)
        assert theirs.status_code == ours.status_code == 200, address
        assert theirs.content == ours.content, address
        assert theirs.headers["ETag"] == ours.headers["ETag"]


@pytest.mark.usefixtures("site")
def test_cookies_and_headers_of_a_visitor_change_nothing(client):
    for address in PAGES:
        plain = client.get(address)
        dressed = client.get(
            address, headers={"accept-language": "fr", "user-agent": "x", "cookie": "csrftoken=a; sessionid=b; thema=c"}
        )
        assert dressed.content == plain.content
        assert_the_same_for_everyone(dressed)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete", "options", "trace"])
def test_another_verb_is_refused(verb):
    strict, lenient = Client(enforce_csrf_checks=True), Client()
    for address in EVERYTHING:
        response = getattr(strict, verb)(address)
        if verb in ("options", "trace"):
            assert response.status_code in (200, 405), address
        else:
            assert response.status_code == 403, address
        if address in PAGES and verb not in ("options", "trace"):
            assert getattr(lenient, verb)(address).status_code == 405, address


@pytest.mark.parametrize(
    "address",
    [
        "/bestaat-niet/", "/praktijken/bestaat-niet/", "/samenvattingen/x/", "/themas/x/", "/bronnen/x/", "/over/x/",
        "/over/over/", "/over/privacy/", "/over/toegankelijkheid/", "/praktijken/x/citeren.ris",
        "/bronnen/x/citeren.bib", "/praktijken/x/bronnen.ris", "/samenvattingen/x/bronnen.bib",
        "/samenvattingen/x/citeren.ris", "/praktijken/x/citeren.pdf", "/praktijken/x/kaart.png", "/praktijken/%00/",
        "/bronnen/%00/", "/praktijken/%D8%A7/citeren.ris", "/bronnen/%D8%A7/citeren.ris", "/praktijken/" + "x" * 10_000,
        "/praktijken/" + "x" * 10_000 + "/", "/%F0%9F%99%82/", "/%FF/", "/onderdelen/", "/praktijken/a%2Fb/",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(client, address):
    response = client.get(address)
    if response.status_code == 301:  # a slash was missing
        response = client.get(response.headers["Location"])
    page = Page(response, 404)
    assert page.one("h1").text == "Deze pagina bestaat niet"
    assert "ETag" not in response.headers
    assert_inert(page.html)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("address", PARAMETERS)
def test_bad_input_is_left_out_with_a_notice(client, address):
    for parameter in PARAMETERS[address]:
        for name, value in BAD.items():
            page = Page(client.get(f"{address}?{parameter}={value}"))
            about = f"{address} {parameter} {name}"
            known = (parameter, name) in {
                ("sterkte", "zero"), ("winst", "zero"), ("winst", "negative"), ("q", "NUL in a word"), ("q", "Arabic"),
                ("q", "SQL"), ("q", "full text search"), ("q", "negative"), ("q", "zero"), ("q", "large"),
                ("q", "braces"), ("q", "dots"),
            }  # fmt: skip
            if parameter == "q" and name in ("negative", "zero"):
                known = False  # one digit is no word
            assert known or len(page.notices) == 1, (about, page.notices)
            assert not any(ord(c) < 32 and c != "\n" for c in page.html), about
            assert_inert(page.html)
            assert_the_same_for_everyone(page.response)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", BAD)
def test_suggestions_for_bad_input_are_an_answer(client, name):
    response = client.get(f"/zoeken/suggesties/?q={BAD[name]}")
    assert response.status_code == 200
    assert isinstance(response.json()["suggestions"], list)
    assert_the_same_for_everyone(response)


@pytest.mark.usefixtures("site")
def test_repeated_and_unknown_parameters_do_no_harm(client):
    for address in PAGES:
        for query in ("x=1&x=2&y[]=3&=4&&&", "q=a&q=b&q=lezen", "pagina=1&pagina=x", "niveau=lager&" * 300, "%00=%00"):
            joint = "&" if "?" in address else "?"
            response = client.get(f"{address}{joint}{query}")
            assert response.status_code == 200, (address, query[:20])
            assert_inert(response.content.decode())


def test_too_many_parameters_are_refused_kindly(client):
    assert client.get("/praktijken/?" + "niveau=x&" * 5_000).status_code == 400


@pytest.mark.usefixtures("site")
def test_filtered_pages_are_not_for_search_engines(client):
    def robots(address):
        return [meta["content"] for meta in Page(client.get(address)).root.all("meta", name="robots")]

    assert robots("/praktijken/") == []
    assert robots("/praktijken/feedback/") == []
    assert robots("/praktijken/?niveau=lager") == ["noindex"]
    assert robots("/praktijken/feedback/?maat=effect") == ["noindex"]
    assert robots("/zoeken/?q=feedback") == ["noindex"]


def test_a_demonstration_says_so_on_every_page_and_is_noindex(client):
    make_page("over")
    make_practice(is_demo=True)
    for address in ("/", "/praktijken/", "/begrippen/", "/over/"):
        page = Page(client.get(address))
        assert page.root.one("meta", name="robots")["content"] == "noindex"
        assert page.root.one("p", "demo-notice").text == (
            "Demonstratie. Geen enkele commissie keurde deze teksten in werkelijkheid goed. Meer over deze demonstratie"
        )


# Who may not


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested", "approved", "discarded"])
@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_what_is_not_published_does_not_exist_for_anybody(client, make, state):
    version = make("geheim", state=state, title="Geheime titel")
    staff = Client()
    staff.force_login(make_user(role="eindredacteur", is_superuser=True))
    for reader in (client, staff):
        response = reader.get(version.get_absolute_url())
        assert response.status_code == 404
        for address in (
            "/",
            *LISTS,
            "/feed/",
            "/sitemap.xml",
            "/praktijken/vergelijk/?p=geheim",
            "/praktijken/?q=geheime",
            "/zoeken/?q=geheime",
            "/zoeken/suggesties/?q=gehe",
        ):
            assert "Geheime titel" not in reader.get(address).content.decode(), address


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_a_new_version_hides_the_old_one(client, make):
    old = make("tekst", state="superseded", title="Oude titel")
    page = Page(client.get(old.get_absolute_url()))
    assert "Versie 2" in page.main.text
    assert page.one("h1").text == "Oude titel"  # the factory's second version keeps the title


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_a_withdrawn_text_is_gone_with_its_reason_and_from_every_list(client, make):
    kept = make("blijft", title="Blijvende titel")
    version = make("weg", state="withdrawn", title="Verdwenen titel")
    page = Page(client.get(version.get_absolute_url()), 410)
    assert page.one("h1").text == "Verdwenen titel"
    assert "De studie erachter is ingetrokken." in page.texts("p")
    assert_inert(page.html)
    assert Page(client.get(kept.get_absolute_url())).one("h1").text == "Blijvende titel"
    for address in (
        *LISTS, "/feed/", "/sitemap.xml", "/praktijken/?q=verdwenen", "/samenvattingen/?q=verdwenen",
        "/zoeken/?q=verdwenen", "/zoeken/suggesties/?q=verd",
        "/praktijken/?weergave=tabel", "/praktijken/?weergave=grafiek", "/bronnen/jansen-2020/",
    ):  # fmt: skip
        text = client.get(address).content.decode()
        assert "Verdwenen titel" not in text, address
        assert version.get_absolute_url() not in text, address


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_an_old_address_leads_to_the_new_one(client, make):
    version = make("nieuw")
    SlugRedirect.objects.create(item=version.item, kind=version.item.kind, slug="oud")
    response = client.get(version.get_absolute_url().replace("nieuw", "oud"))
    assert (response.status_code, response.headers["Location"]) == (301, version.get_absolute_url())


# The database


def _asked(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_lists_and_details_ask_the_same_for_1_3_and_50(client, monkeypatch):
    monkeypatch.setattr(facets, "put", lambda version: None)  # the index is made once per round, which is far quicker
    theme = make_concept(Scheme.THEME, "leren", "Leren leren")
    subject, reader = make_concept(Scheme.SUBJECT, "wiskunde"), make_concept(Scheme.AUDIENCE, "leerkracht")
    make_theme("leren", concept=theme)
    made = 0
    asked = {}
    for total in (1, 3, 50):
        for number in range(made, total):
            level = make_concept(Scheme.LEVEL, f"niveau-{number:02}")
            source = make_source(f"bron-{number:02}")
            make_term(f"begrip-{number:02}", f"begrip-{number:02}", f"ander-{number:02}")
            summary = make_summary(f"samenvatting-{number:02}", concepts=[level, theme], sources=[source])
            practice = make_practice(
                f"praktijk-{number:02}",
                concepts=[level, subject, reader, theme],
                sources=[source, make_source("jansen-2020")],
                related=[summary.item],
                verdicts=[verdict(number % 5)],
            )
            if number == 0:
                first, first_summary = practice, summary
            else:
                make_theme(f"thema-{number:02}")
        made = total
        hub = make_practice(
            f"spil-{total}",
            what_it_is="begrip-00",
            concepts=[*type(theme).objects.in_scheme(Scheme.LEVEL), subject, reader, theme],
            sources=list(Source.objects.all()),
            related=_items("practice")[:total] + _items("summary")[:total],
            ratings=[
                rating("0.48"),
                *(
                    rating("0.2", context_key=f"niveau:niveau-{n:02}", source=make_source(f"bron-{n:02}"))
                    for n in range(total)
                ),
            ],
            verdicts=[verdict(5), *(verdict(n, context_key=f"niveau:niveau-{n:02}") for n in range(total))],
        )
        facets.rebuild()
        slugs = "&".join(f"p={item.slug}" for item in _items("practice")[:4])
        addresses = {
            **{address: address for address in LISTS},
            "table": "/praktijken/?weergave=tabel",
            "plot": "/praktijken/?weergave=grafiek",
            "filtered": "/praktijken/?niveau=niveau-00&kost=5&q=praktijk",
            "compare": f"/praktijken/vergelijk/?{slugs}",
            "practice": hub.get_absolute_url(),
            "theme": "/themas/leren/",
            "source": "/bronnen/jansen-2020/",
            "summary": first_summary.get_absolute_url(),
            "first": first.get_absolute_url(),
            "feed": "/feed/",
            "sitemap": "/sitemap.xml",
            "sources in words": "/bronnen/?q=meta&soort=meta_analysis",
            "summaries in words": "/samenvattingen/?q=samenvatting&thema=leren",
            "everything in words": "/zoeken/?q=praktijk&niveau=niveau-00",
            "suggestions": "/zoeken/suggesties/?q=prak",
        }
        client.get("/praktijken/")  # the glossary is read once per content version
        client.get(hub.get_absolute_url())
        asked[total] = {name: _asked(client, address) for name, address in addresses.items()}
    assert asked[1] == asked[3] == asked[50]
    assert max(asked[50].values()) <= 23


def _items(kind):
    return list(Item.objects.filter(kind=kind).order_by("pk"))


# What people may write


def _vector(text, limit=None):
    return text.replace("\x00", "")[:limit]


@pytest.mark.slow  # every vector in every field on every page
def test_vectors_in_every_field_are_inert_on_every_page(client, monkeypatch):
    """One practice, summary, theme, page, source, term and concept of each vector, read on every page that shows it."""
    monkeypatch.setattr(facets, "put", lambda version: None)
    reader = make_concept(Scheme.AUDIENCE, "leerkracht")
    details = []
    for number, row in enumerate(VECTORS):
        text = _vector(row["markdown"])
        short = _vector(row["markdown"], 120) or "x"
        key = f"v{number}"
        source = make_source(
            key, title=text[:400], container=text[:200], note=text, licence=text[:60], volume=text[:20],
            authors=[{"family": text[:90], "given": short}], language="en",
        )  # fmt: skip
        concepts = [
            make_concept(Scheme.LEVEL, key, short, definition=text), make_concept(Scheme.THEME, key, short), reader,
        ]  # fmt: skip
        term = make_concept(Scheme.TERM, key, short, definition=text)
        ConceptLabel.objects.create(concept=term, label=f"woord{number} {short}"[:120])
        summary = make_summary(
            f"s{number}", title=text[:160], question=text[:240], answer=text, key_findings=text, unknown=text, method=text,
            lead=text, licence=text[:60], concepts=concepts, sources=[source],
        )  # fmt: skip
        texts = dict.fromkeys(
            (
                "in_short", "when_not", "what_it_is", "what_it_is_not", "behind_average", "equal_opportunities",
                "active_ingredients", "steps", "time_and_roles", "pitfalls", "scenario", "cost", "certainty",
                "change_our_mind",
            ),
            f"{text}\n\nwoord{number} {short} [@{key}]",
        )  # fmt: skip
        practice = make_practice(
            key,
            title=text[:160],
            lead=text,
            licence=text[:60],
            concepts=concepts,
            sources=[source],
            related=[summary.item],
            ratings=[
                rating("0.5", source=source, note=text[:300], strength_reason=text, cost_reason=text,
                       cost_assumptions=text, unknown_reason=text),
                rating(context_key="vorm:v", label=short, unknown_reason=text),
            ],
            verdicts=[
                verdict(None, issuer=text[:60], statement=text, edition=text[:160]),
                verdict(None, context_key="vorm:v", label=short, previous=[{"edition": text, "months": None}]),
            ],
            **texts,
        )  # fmt: skip
        theme = make_theme(f"t{number}", title=text[:160], lead=text, body=text, concept=concepts[1])
        page = make_page(f"p{number}", title=text[:160], lead=text, body=text, sources=[source])
        gone = withdraw(make_page(f"weg-{key}", title=text[:160]), by=anybody(), reason=text)
        details += [summary, practice, theme, page, gone, source]
    facets.rebuild()
    for version in details:
        response = client.get(version.get_absolute_url())
        assert response.status_code in (200, 410)
        root = assert_inert(response.content.decode())
        if hasattr(version, "title"):
            assert root.one("h1").text == " ".join(version.title.split())
    for address in (
        *LISTS, "/praktijken/?weergave=tabel", "/praktijken/?weergave=grafiek", "/praktijken/?sorteer=naam&pagina=2",
        "/praktijken/?thema=v0&niveau=v0&niveau=v1", "/samenvattingen/?thema=v1", "/bronnen/?pagina=2",
        *(f"/praktijken/vergelijk/?p=v{n}&p=v{n + 1}" for n in range(0, len(VECTORS) - 1, 2)),
    ):  # fmt: skip
        assert_inert(client.get(address).content.decode())
    for address in ("/feed/", "/sitemap.xml"):
        ElementTree.fromstring(client.get(address).content)  # noqa: S314  # our own


@pytest.mark.usefixtures("site")
def test_vectors_in_the_address_are_inert_and_shown_as_written(client):
    for row in VECTORS:
        text = row["markdown"]
        for address, names in PARAMETERS.items():
            response = client.get(address, dict.fromkeys(names, text))
            assert response.status_code == 200
            root = assert_inert(response.content.decode())
            for field in root.all("input", name="q", value=True):
                shown = "".join(c if c.isprintable() else " " for c in text).strip()[:200]
                assert field["value"] == shown


def test_a_title_cannot_change_the_shape_of_a_page(client):
    """Text in a field that is no Markdown gives the same elements, whatever it says."""
    harmless = make_practice("a", title="titel", lead="inleiding")
    shape = Page(client.get(harmless.get_absolute_url())).tags
    nasty = "</title></script><script>alert(1)</script>"
    version = make_practice("b", title=nasty, lead=f'"><img src=x onerror=alert(1)>{nasty}')
    page = Page(client.get(version.get_absolute_url()))
    assert page.tags == shape
    assert page.one("h1").text == nasty
    assert page.linked_data[0]["@graph"][0]["name"] == nasty
