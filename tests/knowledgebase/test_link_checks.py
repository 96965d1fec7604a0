import pytest

from knowledgebase.link_checks import Checker, Outcome, in_turn
from knowledgebase.models import LinkCheck
from knowledgebase.web import Answer, NoAnswer

State = LinkCheck.State
A, B = "https://a.example/x", "https://b.example/y"
DOI = "https://doi.org/10.1234/abc"


class World:
    """Sites that answer as told, and a clock that only waiting moves."""

    def __init__(self, answers, **options):
        self.answers, self.asked, self.slept, self.time = answers, [], [], 100.0
        self.checker = Checker(ask=self.ask, sleep=self.sleep, now=lambda: self.time, **options)

    def ask(self, url, *, method, timeout):
        self.asked.append((method, url))
        answers = self.answers[url]
        if isinstance(answers, dict):
            answers = answers[method]
        answer = answers.pop(0) if isinstance(answers, list) else answers
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


def to(address, status=301):
    return Answer(status, {"location": address})


def check(answers, url=A):
    return World(answers).checker.check(url)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({A: 200}, Outcome(State.WORKS, 200)),
        ({A: {"HEAD": 405, "GET": 200}}, Outcome(State.WORKS, 200)),
        ({A: {"HEAD": 404, "GET": 200}}, Outcome(State.WORKS, 200)),
        ({A: {"HEAD": NoAnswer("closed"), "GET": 200}}, Outcome(State.WORKS, 200)),
        ({A: 404}, Outcome(State.DEAD, 404)),
        ({A: 410}, Outcome(State.DEAD, 410)),
        ({A: 401}, Outcome(State.UNCHECKABLE, 401)),
        ({A: 403}, Outcome(State.UNCHECKABLE, 403)),
        ({A: 418}, Outcome(State.UNCHECKABLE, 418)),
        ({A: 429}, Outcome(State.UNCHECKABLE, 429)),
        ({A: 500}, Outcome(State.UNCHECKABLE, 500)),
        ({A: 503}, Outcome(State.UNCHECKABLE, 503)),
        ({A: 999}, Outcome(State.UNCHECKABLE, 999)),
        ({A: NoAnswer("timed out")}, Outcome(State.UNCHECKABLE, None, "", "no answer: timed out")),
        ({A: to(B), B: 200}, Outcome(State.MOVED, 200, B)),
        ({A: to(B, 308), B: to(B + "/"), B + "/": 200}, Outcome(State.MOVED, 200, B + "/")),
        ({A: to(B, 302), B: 200}, Outcome(State.WORKS, 200)),
        ({A: to(B, 302), B: to(B + "/"), B + "/": 200}, Outcome(State.WORKS, 200)),
        ({A: to(B), B: to(B + "/", 303), B + "/": 200}, Outcome(State.MOVED, 200, B)),
        ({A: to(B), B: 404}, Outcome(State.DEAD, 404, B)),
        ({A: to(B), B: 403}, Outcome(State.UNCHECKABLE, 403, B)),
        ({A: to("/elders#hier"), "https://a.example/elders": 200}, Outcome(State.MOVED, 200, "https://a.example/elders#hier")),
        ({A: to(A)}, Outcome(State.UNCHECKABLE, None, "", "it keeps sending on")),
    ],
)  # fmt: skip
def test_what_stands_at_an_address(answers, outcome):
    assert check(answers) == outcome


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({DOI: to(A, 302), A: 200}, Outcome(State.WORKS, 200)),
        ({DOI: to(A, 301), A: to(B, 301), B: 200}, Outcome(State.WORKS, 200)),
        ({DOI: to(A, 302), A: 403}, Outcome(State.UNCHECKABLE, 403)),
        ({DOI: to(A, 302), A: 404}, Outcome(State.DEAD, 404)),
        ({DOI: 404}, Outcome(State.DEAD, 404)),
    ],
)
def test_a_doi_is_followed_and_never_said_to_have_moved(answers, outcome):
    assert check(answers, DOI) == outcome


def test_it_asks_with_head_first_and_with_get_where_that_is_refused():
    world = World({A: {"HEAD": 403, "GET": 200}})
    world.checker.check(A)
    assert world.asked == [("HEAD", A), ("GET", A)]


def test_a_fault_is_asked_again_and_again_later():
    world = World({A: [503, 503, 200]}, delay=2)
    assert world.checker.check(A) == Outcome(State.WORKS, 200)
    assert world.slept == [4, 8]


def test_a_site_that_does_not_answer_is_asked_a_few_times_only():
    world = World({A: NoAnswer("timed out")}, retries=1)
    world.checker.check(A)
    assert world.asked == [("HEAD", A), ("HEAD", A), ("GET", A), ("GET", A)]


def test_one_site_is_left_alone_between_two_requests_and_others_are_not():
    world = World({A: 200, A + "2": 200, B: 200}, delay=3)
    for url in (A, B, A + "2"):
        world.checker.check(url)
    assert world.slept == [3]
    world.time += 10
    world.checker.check(A)
    assert world.slept == [3]


def test_sites_take_turns():
    assert list(in_turn(["https://a/1", "https://a/2", "https://b/1", "https://a/3", "https://c/1"])) == [
        "https://a/1", "https://b/1", "https://c/1", "https://a/2", "https://a/3",
    ]  # fmt: skip
