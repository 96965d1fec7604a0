import json

import pytest

from knowledgebase.evidence.records import (
    COUNTRY_GROUPS,
    Interval,
    Result,
    Row,
    Switches,
    finite,
    matching,
    supports_share,
)


def row(uid="r", **fields):
    known = {
        "study": uid, "label": uid, "year": 2000, "country": "BE", "level": "lager", "subject": "wiskunde",
        "design": "quasi", "risk": "low", "outcome": "", "measure": "g", "effect": 0.2, "variance": 0.1,
    }  # fmt: skip
    return Row(uid=uid, **known | fields)


@pytest.mark.parametrize(
    ("query", "switches", "unread"),
    [
        ({}, Switches(), []),
        ({"niveau": " Lager ", "vak": "wiskunde"}, Switches(level="lager", subject="wiskunde"), []),
        ({"opzet": "gerandomiseerd"}, Switches(design="randomised"), []),
        ({"opzet": "randomised"}, Switches(design="randomised"), []),
        ({"land": "be"}, Switches(country="BE"), []),
        ({"land": "Europa"}, Switches(country="europa"), []),
        ({"land": "België"}, Switches(), ["land"]),
        ({"vanaf": "1990"}, Switches(since=1990), []),
        ({"vanaf": "90"}, Switches(), ["vanaf"]),
        ({"vanaf": "9999"}, Switches(), ["vanaf"]),
        ({"vanaf": "\uff11\uff19\uff19\uff10"}, Switches(), ["vanaf"]),
        ({"zonder-uitschieters": "ja"}, Switches(without_outliers=True), []),
        ({"zonder-uitschieters": "misschien"}, Switches(), ["zonder-uitschieters"]),
        ({"model": "drie-niveaus"}, Switches(model="three-level"), []),
        ({"model": "magie"}, Switches(), ["model"]),
        ({"niveau": "<script>"}, Switches(), ["niveau"]),
        ({"niveau": "a" * 81}, Switches(), ["niveau"]),
        ({"iets": "anders", "vak": "  "}, Switches(), []),
    ],
)  # fmt: skip
def test_switches_are_read_kindly(query, switches, unread):
    assert Switches.read(query) == switches
    assert Switches.unread(query) == unread
    assert Switches.read(switches.chosen) == switches


def test_the_address_of_a_choice_is_in_dutch_and_always_the_same():
    switches = Switches("lager", "vak", "quasi", "europa", 1990, True, "che")
    assert switches.query == (
        "niveau=lager&vak=vak&opzet=quasi-experiment&land=europa&vanaf=1990&zonder-uitschieters=ja&model=che"
    )
    assert switches.without("since") == Switches("lager", "vak", "quasi", "europa", None, True, "che")
    assert Switches().query == ""


@pytest.mark.parametrize(
    ("switches", "left"),
    [
        ({}, "abcde"),
        ({"level": "lager"}, "ab"),
        ({"level": "basis"}, "ab"),
        ({"subject": "wiskunde"}, "abcde"),
        ({"design": "unknown"}, "c"),
        ({"country": "BE"}, "abe"),
        ({"country": "benelux"}, "abde"),
        ({"country": "europa"}, "abde"),
        ({"country": "noord-amerika"}, ""),
        ({"country": "buiten-europa"}, ""),
        ({"since": 2000}, "acde"),
        ({"since": 2000, "level": "lager"}, "a"),
    ],
)
def test_unknown_never_matches_a_choice(switches, left):
    rows = [
        row("a", levels=("lager", "basis")),
        row("b", year=1999, levels=("lager", "basis")),
        row("c", level="", design="unknown", country=""),
        row("d", level="hoger", country="NL"),
        row("e", level="hoger"),
        row("f", year=None, country="US", level="", subject="", design="randomised"),
    ]
    expected = left + ("f" if not switches or switches.get("country") in ("noord-amerika", "buiten-europa") else "")
    assert "".join(found.uid for found in matching(rows, Switches(**switches))) == expected


def test_groups_of_countries():
    assert COUNTRY_GROUPS["benelux"] < COUNTRY_GROUPS["europa"]
    assert not COUNTRY_GROUPS["europa"] & COUNTRY_GROUPS["noord-amerika"]


@pytest.mark.parametrize(("studies", "tau2", "said"), [(9, 0.1, False), (10, 0.1, True), (10, 0.0, False)])
def test_when_schools_may_be_counted(studies, tau2, said):
    assert supports_share(studies, tau2) is said


def test_what_json_cannot_hold_is_unknown():
    assert [finite(value) for value in (None, float("nan"), float("inf"), 0.5)] == [None, None, None, 0.5]


def test_a_result_survives_json_with_all_digits():
    result = Result(
        k_effects=1, k_studies=1, total_studies=1, total_effects=1, pupils=None, pupils_known=0, model="che",
        method="REML", test="CR2", rho=0.6, measure="g", estimate=0.1 + 0.2, ci=Interval(0.1, 1 / 3),
        tau2_parts=(0.1, 0.2), refusal="too-few-df",
    )  # fmt: skip
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result
    assert not result.headline_allowed
    assert Result.from_dict(result.as_dict() | {"of a later version": 1}) == result
