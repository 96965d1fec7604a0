from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import Scheme
from tests.factories import (
    anybody,
    make_concept,
    make_page,
    make_practice,
    make_practices,
    make_summary,
    make_theme,
    make_version,
)

pytestmark = pytest.mark.django_db
CONCLUSIONS = "/feed/conclusies/"
ATOM = "{http://www.w3.org/2005/Atom}"


def entries(client, address="/feed/"):
    response = client.get(address)
    assert response.status_code == 200
    return ElementTree.fromstring(response.content).findall(f"{ATOM}entry")  # noqa: S314  # our own feed


def titles(client):
    return [entry.findtext(f"{ATOM}title") for entry in entries(client)]


def test_feed_says_whose_it_is_and_where(client, settings):
    settings.SITE_URL = "https://www.example.org"
    response = client.get("/feed/", headers={"host": "localhost"})
    feed = ElementTree.fromstring(response.content)  # noqa: S314  # our own feed
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "nl-BE"
    assert feed.findtext(f"{ATOM}title") == "Leerpunt"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Leerpunt"
    assert {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")} == {
        "alternate": "https://www.example.org/",
        "self": "https://www.example.org/feed/",
    }


def test_entry_of_a_practice(client, settings):
    settings.SITE_URL = "https://www.example.org"
    theme = make_concept(Scheme.THEME, "feedback-en-toetsen", "Feedback en toetsen")
    version = make_practice(
        "feedback", title="Feedback & meer", lead="Wat <b> lukt.", concepts=[make_concept(), *practice_readers(), theme]
    )
    [entry] = entries(client)
    assert entry.findtext(f"{ATOM}title") == "Feedback & meer"
    assert entry.findtext(f"{ATOM}summary") == "Wat &lt;b&gt; lukt."
    assert entry.find(f"{ATOM}summary").get("type") == "html"
    assert entry.find(f"{ATOM}link").get("href") == "https://www.example.org/praktijken/feedback/"
    assert entry.findtext(f"{ATOM}id") == "https://www.example.org/praktijken/feedback/"
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")) == version.published_at
    assert [category.get("term") for category in entry.findall(f"{ATOM}category")] == ["Feedback en toetsen"]


def practice_readers():
    return [make_concept(Scheme.AUDIENCE, "leerkracht")]


def test_a_summary_is_summed_up_by_its_answer(client):
    make_summary("toetsen", answer="Ja, meestal.")
    [entry] = entries(client)
    assert entry.findtext(f"{ATOM}summary") == "Ja, meestal."


def test_only_published_practices_and_summaries(client):
    make_practice(title="Openbaar")
    make_practice(state="draft", title="Klad")
    make_practice(state="withdrawn", title="Weg")
    make_theme(title="Thema")
    make_page(title="Bladzijde")
    assert titles(client) == ["Openbaar"]


def test_newest_first_and_only_the_newest_version(client, time_machine):
    time_machine.move_to(datetime(2026, 1, 1, tzinfo=UTC), tick=False)
    first = make_practice(title="Oud")
    time_machine.move_to(datetime(2026, 2, 1, tzinfo=UTC), tick=False)
    make_summary(title="Jonger")
    time_machine.move_to(datetime(2026, 3, 1, tzinfo=UTC), tick=False)
    make_version(first.item, state="published", title="Oud, maar nieuw")
    assert titles(client) == ["Oud, maar nieuw", "Jonger"]


def test_at_most_fifty(client):
    make_practices(52)
    assert len(entries(client)) == 50


@pytest.mark.parametrize("count", [1, 3])
def test_feed_asks_the_same_of_the_database(client, django_assert_num_queries, count):
    for number in range(count):
        theme = make_concept(Scheme.THEME, f"thema-{number}")
        make_practice(concepts=[make_concept(), *practice_readers(), theme])
        make_summary(concepts=[theme])
    client.get("/feed/")
    with django_assert_num_queries(4):  # the state of the site, versions, theme links, their concepts
        client.get("/feed/")


def test_feed_without_texts_is_still_a_feed(client):
    assert entries(client) == []
    assert entries(client, CONCLUSIONS) == []


def test_characters_that_xml_does_not_know_are_left_out(client):
    make_practice(title="Lezen\x0bleren", lead="Met\x08 een \ufffe teken")
    [entry] = entries(client)
    assert entry.findtext(f"{ATOM}title") == "Lezenleren"
    assert entry.findtext(f"{ATOM}summary") == "Met een  teken"


def test_unchanged_feed_is_not_sent_again(client):
    make_practice()
    etag = client.get("/feed/").headers["ETag"]
    assert client.get("/feed/", headers={"if-none-match": etag}).status_code == 304
    make_practice()
    assert client.get("/feed/", headers={"if-none-match": etag}).status_code == 200


def test_a_changed_text_says_what_changed(client):
    version = make_practice(lead="Wat lukt.")
    make_version(
        version.item, state="published", change_type="nieuwe-studies", conclusion_changed="ja", change_note="Meer <b>."
    )
    [entry] = entries(client)
    assert entry.findtext(f"{ATOM}summary") == (
        "Wat lukt. Gewijzigd (nieuwe studies): Meer &lt;b&gt;. Conclusie gewijzigd: ja."
    )


# -- only changed conclusions


def test_conclusions_say_whose_they_are_and_where(client, settings):
    settings.SITE_URL = "https://www.example.org"
    feed = ElementTree.fromstring(client.get(CONCLUSIONS).content)  # noqa: S314  # our own feed
    assert feed.findtext(f"{ATOM}title") == "Leerpunt: gewijzigde conclusies"
    assert {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")} == {
        "alternate": "https://www.example.org/",
        "self": "https://www.example.org/feed/conclusies/",
    }


def test_only_versions_that_changed_a_conclusion_also_when_replaced_since(client, settings):
    settings.SITE_URL = "https://www.example.org"
    first = make_practice("feedback", title="Een")
    second = make_version(
        first.item, state="published", title="Twee", conclusion_changed="deels", change_note="Nu wel."
    )
    make_version(first.item, state="published", title="Drie", conclusion_changed="nee")
    other = make_summary("toetsen", title="Vier")
    make_version(other.item, state="published", title="Vijf", conclusion_changed="ja")
    make_version(other.item, state="approved", title="Zes", conclusion_changed="ja")
    newest, older = entries(client, CONCLUSIONS)
    assert (newest.findtext(f"{ATOM}title"), older.findtext(f"{ATOM}title")) == ("Vijf", "Twee")
    assert older.findtext(f"{ATOM}id") == "https://www.example.org/praktijken/feedback/versies/2/"
    assert older.find(f"{ATOM}link").get("href") == "https://www.example.org/praktijken/feedback/versies/2/"
    assert older.findtext(f"{ATOM}summary").endswith("Gewijzigd (taal): Nu wel. Conclusie gewijzigd: deels.")
    second.refresh_from_db()
    assert datetime.fromisoformat(older.findtext(f"{ATOM}updated")) == second.published_at


def test_conclusions_of_withdrawn_texts_are_left_out(client):
    gone, back = make_practice("weg"), make_practice("terug")
    for version in (gone, back):
        changed = make_version(version.item, state="published", conclusion_changed="ja")
        withdraw(changed, by=anybody(), reason="Fout.")
    make_version(back.item, state="published", title="Terug", conclusion_changed="ja")
    assert [entry.findtext(f"{ATOM}title") for entry in entries(client, CONCLUSIONS)] == ["Terug"]


@pytest.mark.parametrize("count", [1, 3])
def test_conclusions_ask_the_same_of_the_database(client, django_assert_num_queries, count):
    for number in range(count):
        theme = make_concept(Scheme.THEME, f"thema-{number}")
        version = make_practice(concepts=[make_concept(), *practice_readers(), theme])
        make_version(version.item, state="published", conclusion_changed="ja")
    client.get(CONCLUSIONS)
    with django_assert_num_queries(4):
        assert len(entries(client, CONCLUSIONS)) == count


def test_every_page_leads_to_both_feeds(client):
    head = client.get("/").text.partition("</head>")[0]
    assert 'href="/feed/"' in head
    assert 'href="/feed/conclusies/"' in head
