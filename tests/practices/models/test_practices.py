import pytest
from django.utils import translation

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_practice, rating, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def test_a_complete_practice_may_be_published_with_unknown_figures():
    assert make_practice(state="draft").publication_gaps() == []


@pytest.mark.parametrize(
    ("lacking", "problem"),
    [
        ({"title": " "}, "Give the text a title."),
        ({"ratings": []}, "Add the overall rating; learning gain and cost may be unknown, with a reason."),
        ({"ratings": [rating("0.3", context_key="niveau:lager")]},
         "Add the overall rating; learning gain and cost may be unknown, with a reason."),
        ({"ratings": [rating(strength_reason="")]}, "Give the strength of the evidence, or say why it is unknown."),
        ({"ratings": [rating(cost_reason=" ")]}, "Give the cost, or say why it is unknown."),
        ({"ratings": [rating(unknown_reason=" ")]}, "Give the learning gain, or say why it is unknown."),
        ({"when_not": " \n"}, "Write when it does not work. If nobody knows, say so."),
        ({"sources": []}, "Add at least one source."),
    ],
)  # fmt: skip
def test_what_a_practice_must_say_before_it_is_public(lacking, problem):
    assert [sentence for _field, sentence in make_practice(state="draft", **lacking).publication_gaps()] == [problem]


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (Scheme.LEVEL, "Choose at least one group of readers."),
        (Scheme.AUDIENCE, "Choose at least one education level."),
    ],
)
def test_for_whom_a_practice_is(left, problem):
    slug = {Scheme.LEVEL: "lager", Scheme.AUDIENCE: "leerkracht"}[left]
    draft = make_practice(state="draft", concepts=[make_concept(left, slug)])
    assert [sentence for _field, sentence in draft.publication_gaps()] == [problem]


def test_everything_that_is_missing_is_said_at_once():
    draft = make_practice(state="draft", title="", ratings=[], when_not="", concepts=[], sources=[])
    assert len(draft.publication_gaps()) == 6


def test_tokens_of_all_contexts():
    make_concept(slug="lager")
    version = make_practice(
        state="draft",
        ratings=[
            rating("0.48", ci_low="0.35", ci_high="0.61", studies=435),
            rating("0.20", context_key="niveau:lager"),
            rating(context_key="vorm:kort", label="Kort"),
        ],
        verdicts=[
            verdict(8, strength=3, cost=1, studies=90),
            verdict(5, context_key="niveau:lager"),
            verdict(None, issuer="Campbell", statement="Klein."),
        ],
    )
    values = version.token_values()
    assert {name: values[name] for name in (
        "winst", "interval", "effect", "studies", "sterkte", "kost", "winst:niveau:lager", "winst:vorm:kort",
        "winst:eef", "sterkte:eef", "studies:eef", "winst:eef:niveau:lager", "interval:niveau:lager",
    )} == {
        "winst": "6 months",
        "interval": "4 to 7 months",
        "effect": "0,48",
        "studies": "435 studies",
        "sterkte": "3 out of 5 (according to the EEF)",
        "kost": "1 out of 5 (according to the EEF)",
        "winst:niveau:lager": "3 months",
        "winst:vorm:kort": "unknown",
        "winst:eef": "8 months",
        "sterkte:eef": "3 out of 5",
        "studies:eef": "90 studies",
        "winst:eef:niveau:lager": "5 months",
        "interval:niveau:lager": "unknown",
    }  # fmt: skip
    assert not [name for name in values if "campbell" in name.lower()]


def test_a_verdict_in_place_of_our_own_figure_says_so():
    version = make_practice(state="draft", verdicts=[verdict(8)])
    assert version.token_values()["winst"] == "8 months (according to the EEF)"
