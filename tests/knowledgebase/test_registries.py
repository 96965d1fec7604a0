import json
from pathlib import Path

import pytest
from django.utils import translation

from knowledgebase import registries, web
from knowledgebase.registries import CSL, NoRecord, record_of
from knowledgebase.web import Answer, NoAnswer

CROSSREF = (Path(__file__).parents[1] / "data" / "doi" / "crossref.json").read_bytes()
DOI = "10.1007/s10648-018-9445-7"
AT_CROSSREF = f"https://api.crossref.org/v1/works/{DOI}/transform"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def asked(monkeypatch):
    """Addresses that were asked; `asked.answers` says what comes back for which."""

    class Asked(list):
        answers = {}

    asked = Asked()

    def ask(url, *, accept):
        asked.append((url, accept))
        answer = asked.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(web, "ask", ask)
    return asked


def test_the_registry_is_asked_by_way_of_doi_org(asked):
    asked.answers = {
        f"https://doi.org/{DOI}": Answer(302, {"location": AT_CROSSREF}),
        AT_CROSSREF: Answer(200, {}, CROSSREF),
    }
    assert record_of(DOI) == json.loads(CROSSREF)
    assert asked == [(f"https://doi.org/{DOI}", CSL), (AT_CROSSREF, CSL)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (NoAnswer("Name or service not known"), "cannot be reached"),
        (Answer(404), "No registry knows"),
        (Answer(410), "No registry knows"),
        (Answer(429), "has a problem now"),
        (Answer(503), "has a problem now"),
        (Answer(406), "gives no data"),
        (Answer(302, {"location": "https://www.publisher.example/article"}), "gives no data"),
        (Answer(302, {"location": "http://169.254.169.254/"}), "gives no data"),
        (Answer(302, {"location": f"https://doi.org/{DOI}"}), "gives no data"),
        (Answer(200, {}, b"<html>"), "gives no data"),
        (Answer(200, {}, b"[]"), "gives no data"),
        (Answer(200, {}, b"[" * 100_000), "gives no data"),
        (Answer(200, {}, b"\xff\xfe\x00"), "gives no data"),
    ],
)
def test_what_goes_wrong_is_a_sentence_that_says_what_to_do(asked, answer, words):
    asked.answers = {f"https://doi.org/{DOI}": answer}
    with pytest.raises(NoRecord, match=words):
        record_of(DOI)
    assert len(asked) <= registries.STEPS


def test_signs_in_a_doi_are_escaped(asked):
    asked.answers = {"https://doi.org/10.1002/(sici)1:1%3C1::a%3E3.0.co;2-0": Answer(200, {}, b"{}")}
    assert record_of("10.1002/(sici)1:1<1::a>3.0.co;2-0") == {}
