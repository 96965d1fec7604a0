from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from knowledgebase.editorial import reviews
from knowledgebase.editorial.public import by_title, linked_items
from knowledgebase.editorial.transitions import publish, withdraw
from knowledgebase.editorial.versions import copy
from knowledgebase.models import Item, Review, SlugRedirect
from tests.factories import (
    CHANGE,
    anybody,
    bring_to,
    chair,
    decision,
    in_review,
    make_member,
    make_page,
    make_practice,
    make_summary,
    make_theme,
    make_user,
    make_version,
    rating,
)
from tests.pages import Page, assert_inert, assert_the_same_for_everyone

pytestmark = pytest.mark.django_db


def changed(draft, **fields):
    """A later version that says what changed."""
    for name, value in (CHANGE | fields).items():
        setattr(draft, name, value)
    draft.save()
    return draft


def test_linked_in_either_direction_from_a_to_z_and_only_what_is_public():
    names = {"z": "zeker", "e": "Écrire", "i": "iPad"}
    forward = {slug: make_practice(slug, title=title) for slug, title in names.items()}
    draft, gone = make_practice("klad", state="draft"), make_practice("weg", state="withdrawn")
    summary = make_summary("s")
    related = [v.item for v in (*forward.values(), draft, gone, summary)]
    hub = make_practice("spil", related=related)
    make_practice("terug", title="Aan", related=[hub.item])
    make_practice("terug-klad", state="draft", related=[hub.item])
    assert [v.title for v in linked_items(hub, Item.Kind.PRACTICE)] == ["Aan", "Écrire", "iPad", "zeker"]
    assert [v.item.slug for v in linked_items(hub, Item.Kind.SUMMARY)] == ["s"]


def test_linked_both_ways_is_listed_once_and_never_itself():
    one = make_practice("een")
    two = make_practice("twee", related=[one.item])
    one = make_version(one.item, state="published", related=[two.item, one.item])
    assert [v.item.slug for v in linked_items(one, Item.Kind.PRACTICE)] == ["twee"]
    assert linked_items(one, Item.Kind.SUMMARY) == []


def test_a_link_follows_the_newest_published_version():
    other = make_practice("ander", title="Oud")
    hub = make_practice("spil", related=[other.item])
    make_version(other.item, state="published", title="Nieuw")
    make_version(other.item, title="Ontwerp")
    assert [v.title for v in linked_items(hub, Item.Kind.PRACTICE)] == ["Nieuw"]


def test_by_title_knows_no_capitals_or_accents():
    versions = [make_practice(title=title, state="draft") for title in ("b", "Á", "C", "a")]
    assert [v.title for v in sorted(versions, key=by_title)] == ["Á", "a", "b", "C"]


def test_a_text_that_comes_back_is_public_again(client):
    version = make_practice("feedback", state="withdrawn")
    assert client.get("/praktijken/feedback/").status_code == 410
    draft = copy(version, by=version.created_by)
    assert client.get("/praktijken/feedback/").status_code == 410
    bring_to(changed(draft), "published")
    assert Page(client.get("/praktijken/feedback/")).one("h1").text == "Feedback"


def test_the_reason_of_the_last_withdrawal_is_shown(client):
    by = make_user(role="eindredacteur")
    version = make_practice("feedback")
    withdraw(version, by=by, reason="Eerste reden.")
    second = changed(copy(version, by=by), title="Nieuwe titel")
    withdraw(bring_to(second, "published"), by=by, reason="Tweede reden.\n<b>Echt.</b>")
    page = Page(client.get("/praktijken/feedback/"), 410)
    assert page.one("h1").text == "Nieuwe titel"
    assert "Tweede reden. <b>Echt.</b>" in page.texts("p")
    assert "Eerste reden." not in page.main.text


def test_an_old_address_of_a_text_that_is_gone_leads_to_its_tombstone(client):
    version = make_practice("nieuw", state="withdrawn")
    SlugRedirect.objects.create(item=version.item, kind="practice", slug="oud")
    response = client.get("/praktijken/oud/", follow=True)
    assert (response.redirect_chain, response.status_code) == ([("/praktijken/nieuw/", 301)], 410)


def test_a_published_text_wins_over_an_old_address(client):
    other = make_practice("ander")
    SlugRedirect.objects.create(item=other.item, kind="practice", slug="feedback")
    make_practice("feedback")
    assert Page(client.get("/praktijken/feedback/")).one("h1").text == "Feedback"


def test_an_old_address_of_another_kind_does_not_count(client):
    SlugRedirect.objects.create(item=make_summary("nieuw").item, kind="summary", slug="oud")
    assert client.get("/praktijken/oud/").status_code == 404


# -- who approved it, and what happened since


def decided(draft, **fields):
    """The draft, published after both commissions said this of it."""
    round = in_review(draft)
    for code in ("user", "scientific"):
        decision(round, code, **fields)
    round.closed_at, round.outcome = round.opened_at, "approved"
    round.save(update_fields=["closed_at", "outcome"])
    return bring_approved(draft)


def look_again(version, outcome="approve"):
    round = reviews.start_revalidation(version, by=anybody())
    for code, given in (("user", "approve"), ("scientific", outcome)):
        seat = chair(code)
        reviews.decide(
            round, commission=seat.commission, by=seat.user, seen=round.content_hash, outcome=given, rationale="Daarom."
        )


KINDS = {
    "/praktijken/feedback/": make_practice,
    "/samenvattingen/feedback/": make_summary,
    "/themas/feedback/": make_theme,
    "/over/feedback/": make_page,
}


@pytest.mark.parametrize("address", KINDS)
def test_every_text_says_who_approved_it_and_why(client, address):
    member = make_member("scientific")
    draft = KINDS[address]("feedback", state="draft")
    seat = chair("user")
    seat.user.first_name, seat.user.last_name = "An", "Peeters"
    seat.user.save()
    seat.name_is_public = True
    seat.save()
    round = in_review(draft)
    Review.objects.create(
        round=round, commission=member.commission, membership=member, recommendation="approve", interest="declared",
        interest_text="Ik schreef een studie.",
    )  # fmt: skip
    decision(round, "user", rationale="Bruikbaar <b>nu</b>.")
    decision(round, "scientific", rationale="Juist.", minority_note="Een lid twijfelt.")
    round.closed_at, round.outcome = round.opened_at, "approved"
    round.save(update_fields=["closed_at", "outcome"])
    bring_approved(draft)
    response = client.get(address)
    assert_inert(response.text)
    page = Page(response)
    day = date_format(timezone.localdate())
    user, scientific = [" ".join(li.texts("p")) for li in page.all("li", "approval")]
    assert user == (
        f"Gebruikerscommissie: goedgekeurd op {day} (An Peeters, voorzitter) Bruikbaar <b>nu</b>."
        " Na het advies van 2 leden. Niemand meldde een belang."
    )
    assert scientific == (
        f"Wetenschappelijke commissie: goedgekeurd op {day} (voorzitter) Juist. Minderheidsnota: Een lid twijfelt."
        " Gemelde belangen: Na het advies van 2 leden."
    )
    assert page.all("li", "approval")[1].texts("li")[-1] == "lid: Ik schreef een studie."
    assert page.href("goedgekeurd door beide commissies") == "#goedkeuring"
    assert page.href("Alle versies en wat er veranderde") == f"{address}versies/"
    assert member.user.username not in response.text


def bring_approved(draft):
    version = type(draft).objects.get(pk=draft.pk)
    version.state = "approved"
    version.save(update_fields=["state"])
    return publish(version, by=anybody())


def test_a_demonstration_says_that_no_real_commission_approved_it(client):
    make_practice("feedback", is_demo=True)
    page = Page(client.get("/praktijken/feedback/"))
    assert page.one("p", "approvals-demo").text == (
        "Demonstratie. Deze goedkeuringen horen bij de demonstratie: geen echte commissie keurde deze tekst goed."
    )
    assert "goedgekeurd door beide commissies" not in page.main.text
    assert "alleen in de demonstratie, niet door een echte commissie" in (
        Page(client.get("/praktijken/feedback/versies/")).one("ul", "approved-by").text
    )


@pytest.mark.parametrize(
    ("outcome", "heading", "line"),
    [
        ("approve", "klopt nog", "opnieuw bekeken"),
        ("changes", "niet bevestigd", "opnieuw bekeken, niet bevestigd"),
    ],
)
def test_a_second_look_is_shown_as_it_was(client, outcome, heading, line):
    version = make_summary("feedback")
    etag = client.get("/samenvattingen/feedback/").headers["ETag"]
    look_again(version, outcome)
    response = client.get("/samenvattingen/feedback/", headers={"if-none-match": etag})
    page = Page(response)
    day = date_format(timezone.localdate())
    assert f"Opnieuw bekeken op {day}: {heading}" in page.texts("h3")
    assert f"{line} {day}" in page.one("p", "version-line").texts("span")
    assert ("vroeg wijzigingen op" in page.main.text) == (outcome == "changes")


def test_evidence_that_changed_since_is_named(client):
    summary = make_summary("bewijs", title="Het bewijs")
    draft = make_practice("feedback", state="draft", related=[summary.item])
    decided(draft, evidence_manifest={"summary/bewijs": 1})
    words = "onderliggende tekst gewijzigd sinds de goedkeuring"
    assert words not in Page(client.get("/praktijken/feedback/")).main.text
    make_version(summary.item, state="published", title="Het nieuwe bewijs")
    page = Page(client.get("/praktijken/feedback/"))
    assert page.href(words) == "#goedkeuring"
    assert "Het nieuwe bewijs: versie 1 werd versie 2" in page.texts("li")


# -- banners


@pytest.mark.parametrize(("days", "shown"), [(-1, True), (0, False), (1, False), (None, False)])
def test_a_text_whose_review_date_has_passed_says_so(client, days, shown):
    version = make_practice("feedback")
    due = None if days is None else timezone.localdate() + timedelta(days=days)
    Item.objects.filter(pk=version.item_id).update(review_due_on=due)
    notices = Page(client.get("/praktijken/feedback/")).texts("p", "review-notice")
    sentence = due and (
        f"Aan herziening toe. De commissies zouden deze tekst opnieuw bekijken voor {date_format(due)}."
        " Dat is nog niet gebeurd: er kan nieuwer onderzoek zijn."
    )
    assert notices == ([sentence] if shown else [])


def test_the_banner_of_a_review_date_comes_with_the_day_and_goes_with_the_review(client, time_machine):
    version = make_practice("feedback")
    etag = client.get("/praktijken/feedback/").headers["ETag"]
    time_machine.move_to(datetime(2030, 1, 1, 12, tzinfo=UTC), tick=False)
    late = client.get("/praktijken/feedback/", headers={"if-none-match": etag})
    assert "Aan herziening toe." in Page(late).main.text
    round = reviews.start_revalidation(version, by=anybody())
    asked = client.get("/praktijken/feedback/", headers={"if-none-match": late.headers["ETag"]})
    assert "Ze doen dat nu." in Page(asked).main.text
    for code in ("user", "scientific"):
        seat = chair(code)
        reviews.decide(
            round, commission=seat.commission, by=seat.user, seen=round.content_hash, outcome="approve", rationale="Ja."
        )
    done = client.get("/praktijken/feedback/", headers={"if-none-match": asked.headers["ETag"]})
    assert Page(done).texts("p", "review-notice") == []


def test_what_changed_is_told_for_a_year(client, time_machine):
    version = make_practice("feedback")
    assert Page(client.get("/praktijken/feedback/")).all("aside", "change-box") == []
    make_version(
        version.item, state="published", change_type="methode", conclusion_changed="ja", change_note="Anders geteld."
    )
    box = Page(client.get("/praktijken/feedback/")).one("aside", "change-box")
    assert box.texts("p") == [
        f"Gewijzigd op {date_format(timezone.localdate())} (methode). Conclusie gewijzigd: ja.",
        "Anders geteld. Bekijk wat er veranderde",
    ]
    time_machine.move_to(timezone.now() + timedelta(days=366))
    assert Page(client.get("/praktijken/feedback/")).all("aside", "change-box") == []


# -- old versions


@pytest.mark.parametrize("address", KINDS)
def test_an_old_version_reads_as_it_did(client, address):
    first = KINDS[address]("feedback", title="Oude titel")
    make_version(first.item, state="published", title="Nieuwe titel")
    response = client.get(f"{address}versies/1/")
    assert_inert(response.text)
    assert_the_same_for_everyone(response)
    page = Page(response)
    assert page.one("h1").text == "Oude titel"
    assert page.root.one("title").text == "Oude titel (versie 1) | Leerpunt"
    day = date_format(timezone.localdate())
    assert page.one("div", "archived-notice").texts("p") == [
        f"Dit is een oude versie: nummer 1. Ze was openbaar van {day} tot {day} en werd toen vervangen."
    ]
    assert page.href("Lees de huidige versie (2)") == address
    assert page.href("Bekijk wat sindsdien veranderde") == f"{address}versies/?van=1&naar=2#verschil"
    assert '<meta name="robots" content="noindex">' in response.text
    assert f'<link rel="canonical" href="http://127.0.0.1:8000{address}">' in response.text
    assert page.linked_data == []
    current = client.get(f"{address}versies/2/")
    assert (current.status_code, current.headers["Location"]) == (302, address)


def test_an_old_version_keeps_its_own_figures(client):
    first = make_practice("feedback", in_short="Het helpt {{ winst }}.", ratings=[rating("0.48")])
    draft = make_version(first.item)
    draft.ratings.update(effect="0.32")
    bring_to(type(draft).objects.get(pk=draft.pk), "published")
    old, new = (Page(client.get(a)) for a in ("/praktijken/feedback/versies/1/", "/praktijken/feedback/"))
    assert ("Het helpt 6 maanden." in old.main.text, "Het helpt 4 maanden." in new.main.text) == (True, True)
    assert [p.one(id="kerncijfers").all("p", "value")[0].text for p in (old, new)] == [
        "+6 maanden6 maanden", "+4 maanden4 maanden",
    ]  # fmt: skip
    assert "/praktijken/feedback/versies/1/" in old.texts("p", "reference-text")[-1]
    assert "RIS" not in dict(old.links)
    assert "RIS" in dict(new.links)


def test_an_old_version_is_another_page_once_a_newer_one_comes(client):
    first = make_practice("feedback", state="superseded")
    etag = client.get("/praktijken/feedback/versies/1/").headers["ETag"]
    assert client.get("/praktijken/feedback/versies/1/", headers={"if-none-match": etag}).status_code == 304
    make_version(first.item, state="published")
    response = client.get("/praktijken/feedback/versies/1/", headers={"if-none-match": etag})
    assert Page(response).href("Lees de huidige versie (3)") == "/praktijken/feedback/"


@pytest.mark.parametrize("address", ["/praktijken/feedback/", "/praktijken/feedback/versies/1/"])
def test_a_text_asks_the_same_of_the_database_however_many_versions(client, address):
    first = make_practice("feedback", state="superseded")
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for _number in range(3):
        make_version(first.item, state="published")
    client.get(address)
    with CaptureQueriesContext(connection) as more:
        assert client.get(address).status_code == 200
    assert len(more) == len(one)


# -- names


def test_consent_and_a_new_name_show_at_once(client):
    make_practice("feedback")
    seat = chair("user")

    def who(etag=""):
        response = client.get("/praktijken/feedback/", headers={"if-none-match": etag})
        return Page(response).all("span", "approval-who")[0].text, response.headers["ETag"]

    words, etag = who()
    assert words == "(voorzitter)"
    seat.user.first_name, seat.user.last_name = "An", "Peeters"
    seat.user.save()
    assert client.get("/praktijken/feedback/", headers={"if-none-match": etag}).status_code == 304
    seat.name_is_public = True
    seat.save()
    words, etag = who(etag)
    assert words == "(An Peeters, voorzitter)"
    client.force_login(seat.user)  # which saves when somebody came in
    assert client.get("/praktijken/feedback/", headers={"if-none-match": etag}).status_code == 304
    seat.user.last_name = "Claes"
    seat.user.save()
    words, etag = who(etag)
    assert words == "(An Claes, voorzitter)"
    seat.name_is_public = False
    seat.save()
    assert who(etag)[0] == "(voorzitter)"


# -- for programs


def test_programs_read_who_reviewed_a_text(client):
    version = make_summary("feedback")
    [data] = Page(client.get("/samenvattingen/feedback/")).linked_data
    page = next(node for node in data["@graph"] if node["@type"] == "WebPage")
    organisation = {"@type": "Organization", "name": "Leerpunt", "url": "http://127.0.0.1:8000/"}
    names = ("gebruikerscommissie", "wetenschappelijke commissie")
    url = "http://127.0.0.1:8000/samenvattingen/feedback/"
    assert page == {
        "@type": "WebPage",
        "@id": f"{url}#pagina",
        "url": url,
        "mainEntity": {"@id": url},
        "reviewedBy": [{"@type": "Organization", "name": n, "parentOrganization": organisation} for n in names],
        "lastReviewed": timezone.localdate().isoformat(),
    }
    assert data["@graph"][0]["version"] == "1"
    assert data["@graph"][0]["dateModified"] == version.published_at.isoformat()


def test_of_a_demonstration_programs_read_no_reviewer(client):
    make_practice("feedback", is_demo=True)
    [data] = Page(client.get("/praktijken/feedback/")).linked_data
    [page] = [node for node in data["@graph"] if node["@type"] == "WebPage"]
    assert set(page) == {"@type", "@id", "url", "mainEntity"}
