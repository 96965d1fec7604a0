import pytest

from practices import share
from practices.share import SharedCard
from tests.factories import make_practice, rating, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def cards(monkeypatch):
    """The cards that were drawn."""
    drawn = []
    monkeypatch.setattr(share, "share_image", lambda card: drawn.append(card) or b"png")
    return drawn


def test_picture_of_a_practice(client):
    make_practice("feedback")
    response = client.get("/praktijken/feedback/kaart.png")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/png"
    assert response.content.startswith(b"\x89PNG")


def test_our_own_figures_and_whose_the_others_are(client, cards):
    make_practice(
        "feedback",
        title="Feedback",
        lead="Zeg wat lukt.",
        ratings=[rating("0.48", ci_low="0.35", ci_high="0.61", strength=4)],
        verdicts=[verdict(8, strength=2, cost=1)],
    )
    assert client.get("/praktijken/feedback/kaart.png").content == b"png"
    assert cards == [
        SharedCard(
            title="Feedback",
            lead="Zeg wat lukt.",
            gain=("Leerwinst", "+6 maanden", "+4 tot +7"),
            facts=(("Sterkte van het bewijs", "4 op 5", ""), ("Kost", "1 op 5", "volgens de EEF")),
            months=6,
            interval=(4, 7),
        )
    ]


def test_a_verdict_of_the_eef_is_open_and_says_whose_it_is(client, cards):
    make_practice("feedback", verdicts=[verdict(5)], is_demo=True)
    client.get("/praktijken/feedback/kaart.png")
    [card] = cards
    assert card.gain == ("Leerwinst", "+5 maanden", "volgens de EEF")
    assert (card.months, card.interval, card.is_open, card.note) == (5, None, True, "Demonstratie")


def test_unknown_is_said(client, cards):
    make_practice("feedback")
    client.get("/praktijken/feedback/kaart.png")
    [card] = cards
    assert card.gain == ("Leerwinst", "nog geen betrouwbaar cijfer", "")
    assert card.facts == (("Sterkte van het bewijs", "onbekend", ""), ("Kost", "onbekend", ""))
    assert (card.months, card.interval, card.is_open) == (None, None, False)


def test_an_interval_beyond_the_table_leaves_the_axis(client, cards):
    make_practice("feedback", ratings=[rating("0.90", ci_low="-1.50", ci_high="1.50")])
    client.get("/praktijken/feedback/kaart.png")
    [card] = cards
    assert card.interval == (-5, 13)


@pytest.mark.parametrize("state", ["draft", "withdrawn"])
def test_only_of_what_is_public(client, state):
    make_practice("feedback", state=state)
    assert client.get("/praktijken/feedback/kaart.png").status_code == 404


def test_no_picture_of_an_unknown_address(client):
    assert client.get("/praktijken/bestaat-niet/kaart.png").status_code == 404


def test_a_picture_is_only_asked_for(client):
    make_practice("feedback")
    assert client.post("/praktijken/feedback/kaart.png").status_code in {403, 405}


def test_an_unchanged_picture_is_not_drawn_again(client, cards):
    make_practice("feedback")
    etag = client.get("/praktijken/feedback/kaart.png").headers["ETag"]
    assert client.get("/praktijken/feedback/kaart.png", headers={"if-none-match": etag}).status_code == 304
    assert len(cards) == 1


def test_picture_asks_three_things_of_the_database(client, cards, django_assert_num_queries):
    make_practice("feedback", ratings=[rating("0.48"), rating(context_key="niveau:lager")])
    with django_assert_num_queries(4):  # and the state of the site
        client.get("/praktijken/feedback/kaart.png")
