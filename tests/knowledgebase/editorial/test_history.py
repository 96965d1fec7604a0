import pytest

from knowledgebase.editorial.history import text_of
from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import SlugRedirect
from tests.factories import (
    anybody,
    bring_to,
    chair,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_theme,
    make_version,
    rating,
)
from tests.pages import Page, assert_inert, assert_the_same_for_everyone

pytestmark = pytest.mark.django_db
KINDS = {
    "/praktijken/feedback/": make_practice,
    "/samenvattingen/feedback/": make_summary,
    "/themas/feedback/": make_theme,
    "/over/feedback/": make_page,
}


def three(**fields):
    """A practice with three public versions: another figure in the second, another title in the third."""
    first = make_practice(
        "feedback",
        in_short="- Het helpt gemiddeld {{ winst }} [@jansen-2020].\n- Het kost **weinig** tijd.",
        ratings=[rating("0.48", ci_low="0.30", ci_high="0.66")],
    )
    second = make_version(
        first.item, change_type="nieuwe-studies", conclusion_changed="deels", change_note="Er zijn nieuwe studies."
    )
    second.ratings.update(effect="0.32")
    second = published(second)
    return first, second, make_version(first.item, state="published", title="Feedback geven", **fields)


def published(draft):
    return bring_to(type(draft).objects.get(pk=draft.pk), "published")


@pytest.mark.parametrize("address", KINDS)
def test_every_version_that_was_public_newest_first(client, address):
    first = KINDS[address]("feedback", title="Feedback")
    make_version(first.item, state="published", title="Feedback geven")
    make_version(first.item, title="Klad")
    response = client.get(f"{address}versies/")
    assert_the_same_for_everyone(response)
    assert_inert(response.text)
    page = Page(response)
    assert page.one("h1").text == "Versies van “Feedback geven”"
    assert page.keys == ["2", "1"]
    assert page.texts("h3") == ["Versie 2 de huidige", "Versie 1 vervangen"]
    assert page.href("Lees versie 2") == address
    assert page.href("Lees versie 1") == f"{address}versies/1/"
    assert page.href("Feedback geven") == address
    assert "Klad" not in page.main.text
    assert client.get(f"{address}versies/3/").status_code == 404


@pytest.mark.parametrize("slug", ["over", "toegankelijkheid", "privacy"])
def test_pages_with_an_address_of_their_own_have_versions_too(client, slug):
    make_page(slug, state="superseded")
    assert Page(client.get(f"/{slug}/versies/")).keys == ["2", "1"]
    assert "Dit is een oude versie: nummer 1." in Page(client.get(f"/{slug}/versies/1/")).main.text
    for wrong in (f"/over/{slug}/versies/", f"/over/{slug}/versies/1/", f"/over/{slug}/"):
        assert client.get(wrong).status_code == 404, wrong


def test_an_entry_says_what_changed_and_who_approved_it(client):
    seat = chair("user")
    seat.user.first_name, seat.user.last_name = "An", "Peeters"
    seat.user.save()
    seat.name_is_public = True
    seat.save()
    three()
    page = Page(client.get("/praktijken/feedback/versies/"))
    _third, second, first = page.all("li", "version-entry")
    facts = dict(zip(second.texts("dt"), second.texts("dd"), strict=True))
    assert list(facts) == [
        "Openbaar sinds", "Soort wijziging", "Conclusie gewijzigd", "Wat er veranderde", "Goedgekeurd door",
    ]  # fmt: skip
    assert facts["Soort wijziging"] == "nieuwe studies"
    assert facts["Conclusie gewijzigd"] == "deels"
    assert facts["Wat er veranderde"] == "Er zijn nieuwe studies."
    user, scientific = second.one("ul", "approved-by").texts("li")
    assert user.startswith("gebruikerscommissie, ")
    assert user.endswith("(An Peeters, voorzitter)")
    assert scientific.endswith("(voorzitter)")
    assert first.texts("dd")[1] == "Dit is de eerste versie."
    assert page.href("Wat veranderde van versie 1 naar 2") == "/praktijken/feedback/versies/?van=1&naar=2#verschil"


def test_difference_between_any_two_as_readers_saw_them(client):
    three()
    page = Page(client.get("/praktijken/feedback/versies/?van=1&naar=3"))
    assert page.one("h2", id="verschil").text == "Van versie 1 naar versie 3"
    [section] = [s for s in page.all("section") if s.attributes["aria-labelledby"] == "verschil"]
    assert section.texts("h3") == ["Titel", "In het kort", "Beoordeling van het bewijs: Gemiddeld"]
    assert [(e.tag, e.text) for e in section if e.tag in {"ins", "del"}][2:] == [
        ("ins", "toegevoegd: geven einde toevoeging"),
        ("del", "weggelaten: 6 einde weglating"),
        ("ins", "toegevoegd: 4 einde toevoeging"),
        ("del", "0,48"),
        ("ins", "0,32"),
    ]
    assert "{{" not in section.text
    assert "**" not in section.text
    assert "(Jansen, 2020)" in section.text
    chosen = [option.text for option in page.all("option", selected=True)]
    assert chosen == ["1", "3"]


def test_difference_the_other_way_round(client):
    three()
    page = Page(client.get("/praktijken/feedback/versies/?van=3&naar=1"))
    assert "weggelaten: geven einde weglating" in page.main.text


def test_versions_that_say_the_same_have_no_difference(client):
    make_practice("feedback", state="superseded")
    page = Page(client.get("/praktijken/feedback/versies/?van=1&naar=2"))
    assert "Er is geen verschil." in page.main.text


PICK = "Kies twee versies uit de lijst."


@pytest.mark.parametrize(
    ("query", "notices"),
    [
        ("van=1", [PICK]),
        ("naar=2", [PICK]),
        ("van=2&naar=2", ["Kies twee verschillende versies: deze twee zijn dezelfde."]),
        ("van=1&naar=4", ["Er was geen versie “4” openbaar.", PICK]),
        ("van=een&naar=-1", ["Er was geen versie “een” openbaar.", "Er was geen versie “-1” openbaar.", PICK]),
        ("van=<b>&naar=2", ["Er was geen versie “<b>” openbaar.", PICK]),
        ("van=%00%C2%B2&naar=1", ["Er was geen versie “²” openbaar.", PICK]),
        (f"van={'9' * 500}&naar=1", [f"Er was geen versie “{'9' * 20}” openbaar.", PICK]),
    ],
)
def test_bad_values_get_a_sentence_and_no_difference(client, query, notices):
    three()
    response = client.get(f"/praktijken/feedback/versies/?{query}")
    page = Page(response)
    assert page.notices == notices
    assert page.all(id="verschil") == []
    assert page.keys == ["3", "2", "1"]
    assert_inert(response.text)


def test_one_version_has_nothing_to_compare(client):
    make_practice("feedback")
    assert Page(client.get("/praktijken/feedback/versies/")).all("form", "compare-versions") == []
    page = Page(client.get("/praktijken/feedback/versies/?van=1&naar=2"))
    assert page.notices == ["Er zijn geen twee versies om te vergelijken."]


def test_a_withdrawn_version_is_listed_and_never_read(client):
    first = make_practice("feedback", title="Titel een")
    second = make_version(first.item, state="published", in_short="Geheim van twee.")
    withdraw(second, by=anybody(), reason="De studie is ingetrokken.")
    make_version(first.item, state="published", in_short="Drie is weer goed.")
    page = Page(client.get("/praktijken/feedback/versies/?van=1&naar=2"))
    assert page.notices == ["Versie 2 is ingetrokken, dus die tekst tonen we niet meer.", PICK]
    assert page.texts("h3") == ["Versie 3 de huidige", "Versie 2 ingetrokken", "Versie 1 vervangen"]
    assert "De studie is ingetrokken." in page.all("li", "version-entry")[1].text
    assert "Lees versie 2" not in dict(page.links)
    assert page.href("Wat veranderde van versie 1 naar 3").endswith("?van=1&naar=3#verschil")
    gone = Page(client.get("/praktijken/feedback/versies/2/"), 410)
    assert "Versie 2 van deze tekst is ingetrokken." in gone.main.text
    assert gone.href("Lees de huidige versie (3)") == "/praktijken/feedback/"
    old = Page(client.get("/praktijken/feedback/versies/1/"))
    assert "Versie 2 werd ingetrokken op" in old.one("div", "archived-notice").text
    assert all("Geheim" not in p.main.text for p in (page, gone, old))


def test_of_a_withdrawn_text_only_the_approvals_and_the_reason_stay(client):
    first = make_practice("feedback", in_short="Geheim van een.")
    withdraw(make_version(first.item, state="published", in_short="Geheim van twee."), by=anybody(), reason="Fout.")
    stone = Page(client.get("/praktijken/feedback/"), 410)
    assert stone.one("ul", "approved-by").texts("li")[0].startswith("gebruikerscommissie, ")
    assert stone.href("Welke versies er waren") == "/praktijken/feedback/versies/"
    response = client.get("/praktijken/feedback/versies/?van=1&naar=2")
    page = Page(response)
    assert page.notices == ["Er zijn geen twee versies om te vergelijken."]
    assert page.texts("h3") == ["Versie 2 ingetrokken", "Versie 1 vervangen, niet meer te lezen"]
    assert '<meta name="robots" content="noindex">' in response.text
    for number in (1, 2):
        gone = Page(client.get(f"/praktijken/feedback/versies/{number}/"), 410)
        assert "Fout." in gone.main.text
        assert "Geheim" not in gone.main.text
    assert "Geheim" not in page.main.text


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested", "approved"])
def test_a_text_that_was_never_public_has_no_versions(client, state):
    make_practice("feedback", state=state)
    for address in ("", "versies/", "versies/1/"):
        assert client.get(f"/praktijken/feedback/{address}").status_code == 404


@pytest.mark.parametrize("number", ["0", "99", "9" * 40])
def test_no_such_version(client, number):
    make_practice("feedback")
    assert client.get(f"/praktijken/feedback/versies/{number}/").status_code == 404


def test_an_old_address_leads_to_the_versions_at_the_new_one(client):
    version = make_practice("nieuw", state="superseded")
    SlugRedirect.objects.create(item=version.item, kind="practice", slug="oud")
    for rest in ("versies/", "versies/1/"):
        response = client.get(f"/praktijken/oud/{rest}")
        assert (response.status_code, response.headers["Location"]) == (301, f"/praktijken/nieuw/{rest}")
    assert client.get("/samenvattingen/oud/versies/").status_code == 404


@pytest.mark.parametrize("address", ["/praktijken/feedback/versies/", "/praktijken/feedback/versies/1/"])
@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_versions_are_only_read(client, address, verb):
    make_practice("feedback", state="superseded")
    assert getattr(client, verb)(address).status_code == 405


@pytest.mark.parametrize("count", [1, 3, 50])
def test_list_asks_the_same_of_the_database(client, django_assert_num_queries, count):
    version = make_practice("feedback")
    for _number in range(count - 1):
        make_version(version.item, state="published")
    # the state of the site, demonstration?, versions, decisions, interests
    with django_assert_num_queries(5):
        page = Page(client.get("/praktijken/feedback/versies/"))
    assert len(page.keys) == count


@pytest.mark.parametrize("count", [1, 3])
def test_difference_asks_the_same_of_the_database(client, django_assert_num_queries, count):
    version = make_practice("feedback")
    make_version(
        version.item,
        state="published",
        title="Anders",
        sources=[make_source() for _ in range(count)],
        concepts=[make_concept("vak", f"vak-{n}") for n in range(count)],
        related=[make_summary(f"s-{n}").item for n in range(count)],
    )
    # those of the list; the approved contents, the texts, their HTML; concepts, sources, linked texts
    with django_assert_num_queries(11):
        page = Page(client.get("/praktijken/feedback/versies/?van=1&naar=2"))
    assert len(page.texts(cls="difference-kind")) == 3 * count


def test_unchanged_list_is_not_sent_again(client):
    version = make_practice("feedback")
    etag = client.get("/praktijken/feedback/versies/").headers["ETag"]
    headers = {"if-none-match": etag}
    assert client.get("/praktijken/feedback/versies/", headers=headers).status_code == 304
    make_version(version.item, state="published")
    assert client.get("/praktijken/feedback/versies/", headers=headers).status_code == 200


def test_list_leads_to_the_feeds_and_is_found_by_search_engines(client):
    make_practice("feedback")
    response = client.get("/praktijken/feedback/versies/")
    assert "noindex" not in response.text
    assert '<link rel="canonical" href="http://127.0.0.1:8000/praktijken/feedback/versies/">' in response.text
    page = Page(response)
    assert page.href("Alleen teksten waarvan de conclusie veranderde (Atom)") == "/feed/conclusies/"
    assert page.href("Alle nieuwe en gewijzigde teksten (Atom)") == "/feed/"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Een <strong>twee</strong>\ndrie.</p><h2>Vier</h2>", "Een twee drie.\n\nVier"),
        ("<ul><li>een</li><li><p>twee</p></li></ul>", "- een\n\n- twee"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n\n1 | 2"),
        ('<p>x &lt;b&gt;<br>y <a href="#bron">(Jansen, 2020)</a> <img src="/static/x.png" alt="Een plaatje"></p>',
         "x <b> y (Jansen, 2020) Een plaatje"),
        ("", ""),
    ],
)  # fmt: skip
def test_words_of_html(html, text):
    assert text_of(html) == text
