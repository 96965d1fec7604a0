"""Every kind of statistics that a paper reports becomes the effect that the reference cases give."""

import ast
import inspect
import subprocess
import sys

import pytest

from knowledgebase.editorial import reported
from knowledgebase.editorial.reported import KINDS, NotConverted, converted, number, sizes, whole
from knowledgebase.evidence import effect_sizes
from knowledgebase.models import Measure


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.65", 0.65), ("0,65", 0.65), ("−0,75", -0.75), ("-.5", -0.5), (" 1 234,5 ", 1234.5), ("1.234,5", 1234.5),
        ("1,234.5", 1234.5), ("6,5E-01", 0.65), ("0.65000000000000002", 0.65), (3, 3.0), ("", None), ("NA", None),
        ("n.v.t.", None), ("#N/A", None), ("-", None), ("1\u00a0234", 1234.0), (None, None),
    ],
)  # fmt: skip
def test_numbers_as_people_and_programs_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", ["veel", "1,2,3", "0.5%", "<0,05", "1e999", "1..2", "inf", True, "½", "٣"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError):  # noqa: PT011  # the text is all that it says
        number(text)


def test_people_are_whole():
    assert (whole("60"), whole("60,0"), whole("NA")) == (60, 60, None)
    with pytest.raises(ValueError, match="60,5"):
        whole("60,5")


GIVEN = {
    "means": ({"m1": "103", "sd1": "5,5", "n1": "50", "m2": "100", "sd2": "4,5", "n2": "50"}, 0.5924363),
    "d": ({"d": "0,5", "n1": "20", "n2": "20"}, 0.4900743),
    "t": ({"t": "2,0", "n1": "20", "n2": "20"}, 0.6198946),
    "F": ({"f": "4,0", "n1": "20", "n2": "20", "sign": "-1"}, -0.6198946),
    "p": ({"p": "0,0527", "n1": "20", "n2": "20", "sign": "1"}, 0.6196841),
    "glass": ({"m1": "103", "n1": "50", "m2": "100", "sd2": "4,5", "n2": "50"}, 0.6564024),
    "r": ({"r": "0,3", "n": "60"}, 0.6208011),
    "z": ({"r": "0,3", "n": "60"}, 0.3095196),
    "2x2": ({"a": "20", "b": "10", "c": "12", "d": "18"}, 0.6056920),
    "odds": ({"a": "20", "b": "10", "c": "12", "d": "18"}, 1.0986123),
    "pre-post": ({"pre": "10", "post": "12", "sd": "4", "n": "30", "r": "0,6"}, 0.4869515),
    "ppc2": (
        {"pre1": "10", "post1": "14", "sd1": "4", "n1": "30", "pre2": "10", "post2": "12", "sd2": "4", "n2": "30",
         "r": "0,6"}, 0.4935065,
    ),
    "becker": (
        {"pre1": "10", "post1": "14", "sd1": "4", "n1": "30", "pre2": "10", "post2": "12", "sd2": "4", "n2": "30",
         "r": "0,6"}, 0.4869515,
    ),
    "adjusted": ({"m1": "53", "m2": "50", "sd": "6", "n1": "40", "n2": "40", "r": "0,7", "covariates": ""}, 0.4951140),
    "clusters": ({"d": "0,5", "n1": "100", "n2": "100", "size": "20", "icc": "0,2"}, 0.4872),
    "interval": ({"estimate": "0,4", "lower": "0,1", "upper": "0,7"}, 0.4),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_converted(kind):
    values, expected = GIVEN[kind]
    effect = converted(kind, values)
    assert effect.value == pytest.approx(expected, abs=2e-4)
    assert effect.variance > 0


def test_sizes_come_with_the_statistics():
    assert sizes("t", GIVEN["t"][0]) == {"n1": 20, "n2": 20}
    assert sizes("z", GIVEN["z"][0]) == {"n": 60}
    assert sizes("2x2", GIVEN["2x2"][0]) == {"n1": 30, "n2": 30}
    assert sizes("interval", GIVEN["interval"][0]) == {}


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("t", {"t": "veel"}, "t (t): “veel” is geen getal."),
        ("t", {"n1": ""}, "leerlingen met de aanpak (n1) ontbreekt."),
        ("t", {"n1": "20,5"}, "leerlingen met de aanpak (n1): “20,5” is geen geheel getal."),
        ("t", {"n1": "1"}, "Een groep telt twee mensen of meer."),
        ("F", {"sign": "0"}, "Zeg in welke richting het verschil gaat."),
        ("p", {"p": "0"}, "p ligt tussen 0 en 1."),
        ("r", {"r": "1"}, "Een correlatie ligt tussen -1 en 1."),
        ("means", {"sd1": "-1"}, "Een standaardafwijking is groter dan nul."),
        ("2x2", {"a": "0", "c": "0"}, "Niemand slaagde, of iedereen: deze tabel zegt niets over een verschil."),
        ("interval", {"lower": "0,5"}, "Een schatting ligt binnen haar interval."),
        ("means", {"m1": "1e308", "m2": "-1e308"}, "Deze getallen geven geen effect met een variantie groter dan nul."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_words(kind, change, message):
    with pytest.raises(NotConverted) as refusal:
        converted(kind, GIVEN[kind][0] | change)
    assert str(refusal.value) == message


def test_an_unknown_kind_is_refused():
    with pytest.raises(NotConverted, match="magie"):
        converted("magie", {})


def test_every_sentence_of_the_arithmetic_is_translated():
    tree = ast.parse(inspect.getsource(effect_sizes))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_check"]
    said = {call.args[1].value for call in calls}
    assert said == set(reported._MESSAGES)


def test_every_kind_has_a_formula_and_a_measure():
    assert set(reported._FORMULAS) == set(KINDS)
    assert {kind.measure for kind in KINDS.values()} <= {*Measure.values, ""}


def test_nothing_imports_scipy_before_something_is_converted():
    code = (
        "import sys, django; django.setup(); import knowledgebase.editorial.findings, knowledgebase.admin; "
        "sys.exit('scipy' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
