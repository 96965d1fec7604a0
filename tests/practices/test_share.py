from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, ImageColor

from practices.share import ACCENT, AXIS_Y, INK, LINE, PAPER, SharedCard, _axis_x, share_image

CARD = SharedCard(
    title="Feedback",
    lead="Je zegt een leerling wat al lukt, wat nog niet en wat de volgende stap is.",
    gain=("Leerwinst", "+6 maanden", "+5 tot +7"),
    facts=(("Sterkte van het bewijs", "4 op 5", ""), ("Kost", "1 op 5", "volgens de EEF")),
    months=6,
    interval=(4, 8),
)


def drawn(card):
    return Image.open(BytesIO(share_image(card)))


def colour(image, x, y):
    return image.getpixel((round(x), round(y)))


def rgb(name):
    return ImageColor.getrgb(name)


def test_picture_has_the_size_that_others_expect():
    image = drawn(CARD)
    assert (image.format, image.size, image.mode) == ("PNG", (1200, 630), "RGB")
    assert colour(image, 3, 3) == rgb(PAPER)
    assert len(share_image(CARD)) < 150_000


def test_our_own_figure_is_a_filled_point_on_its_interval():
    image = drawn(CARD)
    assert colour(image, _axis_x(6), AXIS_Y) == rgb(ACCENT)
    assert colour(image, _axis_x(4.5), AXIS_Y) == rgb(INK)
    assert colour(image, _axis_x(7.5), AXIS_Y) == rgb(INK)
    assert colour(image, _axis_x(3), AXIS_Y) == rgb(PAPER)
    assert colour(image, _axis_x(9), AXIS_Y) == rgb(PAPER)


def test_a_verdict_of_others_is_an_open_point_without_interval():
    image = drawn(replace(CARD, interval=None, is_open=True))
    assert colour(image, _axis_x(6), AXIS_Y) == rgb(PAPER)
    assert colour(image, _axis_x(6) + 14.5, AXIS_Y) == rgb(ACCENT)
    assert colour(image, _axis_x(4.5), AXIS_Y) == rgb(PAPER)


def test_unknown_leaves_the_axis_empty():
    image = drawn(replace(CARD, months=None, interval=None, gain=("Leerwinst", "nog geen betrouwbaar cijfer", "")))
    row = {colour(image, x, AXIS_Y) for x in range(1200)}
    assert rgb(ACCENT) not in row
    assert colour(image, _axis_x(6), AXIS_Y) == rgb(LINE)


@pytest.mark.parametrize(("interval", "x"), [((-5, 8), _axis_x(-4) - 8), ((4, 13), _axis_x(12) + 8)])
def test_an_interval_beyond_the_axis_ends_in_an_arrow(interval, x):
    beyond, within = drawn(replace(CARD, interval=interval)), drawn(replace(CARD, interval=(-4, 12)))
    column = range(AXIS_Y - 12, AXIS_Y + 13)
    assert rgb(INK) in {colour(beyond, x, y) for y in column}
    assert rgb(INK) not in {colour(within, x, y) for y in column}


def test_a_point_beyond_the_axis_stands_at_its_end():
    assert colour(drawn(replace(CARD, months=-12, interval=None)), _axis_x(-4), AXIS_Y) == rgb(ACCENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Samenwerkend leren " * 12},
        {"title": "x" * 160},
        {"title": ""},
        {"title": "Één\x0btitel\nmet — ≤ ‘tekens’ 漢"},
        {"lead": "woord " * 300},
        {"gain": ("Leerwinst", "nog geen betrouwbaar cijfer " * 4, "")},
        {"gain": ("Leerwinst", "−12 maanden", "minder dan −12 tot meer dan +12")},
        {"note": "Demonstratie"},
        {"facts": ()},
    ],
)
def test_words_never_leave_their_margin(changes):
    image = drawn(replace(CARD, **changes))
    margin = image.crop((1150, 0, 1200, 630))
    assert margin.getcolors() == [(50 * 630, rgb(PAPER))]


def test_a_lead_that_is_too_long_ends_with_a_sentence():
    kept = "Dit is een zin. " * 3
    assert share_image(replace(CARD, lead=kept + "Maar dit is er een die niet past. " * 20)) == share_image(
        replace(CARD, lead=kept + "Maar dit is er een die niet past. " * 12)
    )


def test_the_same_card_is_drawn_once():
    assert share_image(CARD) is share_image(replace(CARD))


def test_a_demonstration_says_so():
    assert share_image(replace(CARD, note="Demonstratie")) != share_image(CARD)
