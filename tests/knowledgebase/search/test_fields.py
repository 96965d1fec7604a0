import pytest
from django.utils.translation import gettext as _

from knowledgebase.search.fields import (
    KindChoiceField,
    KindMultipleField,
    KindNumberField,
    KindTextField,
    page_number,
    read_query,
    seen,
)

NO_WORDS = "In je zoekopdracht staat geen woord van minstens twee letters. We lieten ze weg."


@pytest.mark.parametrize(
    ("value", "kept", "dropped"),
    [
        (None, [], []),
        ([], [], []),
        (["a"], ["a"], []),
        (["b", "a", "b"], ["b", "a"], []),
        (["a", "x", "", "A"], ["a"], ["x", "A"]),
        (["\x00a", "a\u202e"], [], ["a", "a"]),
        (["a' OR 1=1 --"], [], ["a' OR 1=1 --"]),
    ],
)
def test_multiple_keeps_what_it_knows(value, kept, dropped):
    field = KindMultipleField(choices=[("a", "A"), ("b", "B")])
    assert field.clean(value) == kept
    assert field.dropped == dropped


@pytest.mark.parametrize(
    ("value", "number", "dropped"),
    [
        (None, None, []),
        ("", None, []),
        ("0", 0, []),
        ("-12", -12, []),
        ("12", 12, []),
        ("013", None, ["013"]),
        (" 5 ", 5, []),
        ("-13", None, ["-13"]),
        ("13", None, ["13"]),
        ("abc", None, ["abc"]),
        ("²", None, ["²"]),
        ("٣", None, ["٣"]),
        ("1.5", None, ["1.5"]),
        ("1e1", None, ["1e1"]),
        ("--1", None, ["--1"]),
        ("-", None, ["-"]),
        (" ", None, [""]),
        ("9" * 10_000, None, ["9" * 10_000]),
        ("1\x00", None, ["1"]),
    ],
)
def test_number_within_its_bounds(value, number, dropped):
    field = KindNumberField(lowest=-12, highest=12)
    assert field.clean(value) == number
    assert field.dropped == dropped


@pytest.mark.parametrize(
    ("value", "kept", "dropped"), [(None, "a", []), ("", "a", []), ("b", "b", []), ("z", "a", ["z"]), ("A", "a", ["A"])]
)
def test_choice_falls_back_on_the_first(value, kept, dropped):
    field = KindChoiceField(choices=[("a", "A"), ("b", "B")])
    assert field.clean(value) == kept
    assert field.dropped == dropped


def test_no_field_is_required_or_refuses():
    for field in (KindMultipleField(), KindNumberField(lowest=1, highest=2), KindTextField()):
        assert not field.required
        assert field.clean(None) in ([], None, "")


@pytest.mark.parametrize(
    ("text", "query", "notices"),
    [
        ("", "", []),
        ("   ", "", []),
        ("lezen", "lezen", []),
        ("  lezen en schrijven ", "lezen en schrijven", []),
        ("le\x00zen\u202e", "le zen", []),
        ("a", "a", [NO_WORDS]),
        ("\x00", "", [NO_WORDS]),
        ("!? *", "!? *", [NO_WORDS]),
        ("🙂", "🙂", [NO_WORDS]),
        ("القراءة", "القراءة", []),
    ],
)
def test_query_that_is_read(text, query, notices):
    assert read_query(text) == (query, notices)


def test_a_long_query_is_cut_and_says_so():
    query, notices = read_query("lezen " * 2_000)
    assert len(query) == 200
    assert notices == [
        _("Your search is longer than %(limit)s characters. We used the first %(limit)s.") % {"limit": 200}
    ]


def test_text_field_remembers_its_notices():
    field = KindTextField()
    assert field.clean("a") == "a"
    assert field.notices == [NO_WORDS]
    assert field.clean(None) == ""
    assert field.notices == []


@pytest.mark.parametrize(("text", "shown"), [("a\tb", "a b"), ("\x00", ""), ("é 🙂 ×", "é 🙂 ×"), ("a\u2028b", "a b")])
def test_seen(text, shown):
    assert seen(text) == shown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 1), ("1", 1), ("3", 3), ("03", 3), ("4", None), ("0", None), ("-1", None), ("x", None), ("²", None),
        ("1.0", None), ("999999999999", None), ("9" * 10_000, None), ("\x00", None), ("٣", None), (" 1", None),
    ],
)  # fmt: skip
def test_page_number(text, number):
    assert page_number(text, 3) == number
