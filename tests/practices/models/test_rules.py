import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from knowledgebase.editorial import guards
from practices.models import RatingRule
from practices.models.rules import first_params
from practices.ratings import FIRST_RULE, FIRST_RULE_PARAMS

pytestmark = pytest.mark.django_db


def test_the_site_begins_with_one_adopted_rule():
    rule = RatingRule.objects.get()
    assert (str(rule), rule.version, rule.state, rule.params) == (
        FIRST_RULE,
        FIRST_RULE,
        "adopted",
        FIRST_RULE_PARAMS,
    )
    assert RatingRule.adopted() == rule.rule() == RatingRule.of_version(FIRST_RULE)


def test_without_rows_the_first_rule_holds():
    with guards.door("a database from before the rules"):
        RatingRule.objects.all().delete()
    assert RatingRule.adopted().version == FIRST_RULE
    assert RatingRule.of_version(FIRST_RULE) == RatingRule.adopted()
    assert RatingRule.of_version("sterkte-2021") is None


def test_one_rule_is_adopted_at_a_time():
    with pytest.raises(IntegrityError, match=r"one_rule_is_adopted|UNIQUE"):
        RatingRule.objects.create(version="tweede", state="adopted", adopted_at=timezone.now())


def test_what_was_adopted_once_does_not_change():
    rule = RatingRule.objects.get()
    rule.params["starts"]["1"] = 11
    with pytest.raises(ValidationError, match=r"Stel een andere versie voor|Propose another version"):
        rule.full_clean()


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("starts", {"1": 10, "2": 10, "3": 45, "4": 70, "5": 90}, "1"),
        ("starts", {"1": 10}, "starts"),
        ("old", {"before": 3000, "above": 0.5, "minus": 1}, "old before"),
        ("spread", {"zero_in_prediction": "ja", "i2_above": None, "minus": 1}, "spread zero_in_prediction"),
        ("design", {"above": "half", "minus": 1}, "design above"),
        ("design", {"above": 0.5, "minus": 1.5}, "design minus"),
        ("asymmetry", [], "asymmetry"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_the_place(part, value, words):
    rule = RatingRule(version="sterkte-2027", params=first_params() | {part: value})
    with pytest.raises(ValidationError) as refusal:
        rule.full_clean()
    assert list(refusal.value.message_dict) == ["params"]
    assert words in refusal.value.message_dict["params"][0]


def test_a_rule_names_all_its_parts():
    rule = RatingRule(version="sterkte-2027", params={"starts": {}})
    with pytest.raises(ValidationError, match="starts, design, spread, asymmetry, indirect, old"):
        rule.full_clean()
