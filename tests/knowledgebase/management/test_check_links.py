from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from knowledgebase import web
from knowledgebase.models import AuditEvent, LinkCheck, SiteState
from knowledgebase.web import Answer, NoAnswer
from tests.factories import make_source

pytestmark = pytest.mark.django_db
State = LinkCheck.State
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def sites(monkeypatch):
    """What stands where; `sites.asked` says what was asked."""

    class Sites(dict):
        def __init__(self):
            super().__init__()
            self.asked = []

    sites = Sites()

    def ask(url, *, method, timeout):
        sites.asked.append(url)
        if isinstance(sites[url], Exception):
            raise sites[url]
        return sites[url]

    monkeypatch.setattr(web, "ask", ask)
    return sites


def run(*args):
    call_command("check_links", *args, "--delay=0", "--retries=0")


def kept():
    rows = LinkCheck.objects.order_by("source__key").values_list("source__key", "state", "status", "moved_to")
    return list(rows)


@pytest.fixture
def _sources(sites):
    make_source("a", doi="10.1234/abc")
    make_source("b", url="https://b.example/")
    make_source("c", url="https://c.example/")
    make_source("d", url="https://d.example/")
    make_source("e")
    sites |= {
        "https://doi.org/10.1234/abc": Answer(302, {"location": "https://uitgever.example/"}),
        "https://uitgever.example/": Answer(403),
        "https://b.example/": Answer(200),
        "https://c.example/": Answer(301, {"location": "https://nieuw.example/"}),
        "https://nieuw.example/": Answer(200),
        "https://d.example/": Answer(404),
    }


@pytest.mark.usefixtures("_sources")
def test_what_was_found_is_kept_with_the_source_and_dead_links_are_a_failure(capsys):
    before = SiteState.current().content_version
    with time_machine.travel(NOW, tick=False), pytest.raises(CommandError, match=r"^1 dead links\.$") as error:
        run()
    assert error.value.returncode == 1
    assert kept() == [
        ("a", "uncheckable", 403, ""),
        ("b", "works", 200, ""),
        ("c", "moved", 200, "https://nieuw.example/"),
        ("d", "dead", 404, ""),
    ]
    assert set(LinkCheck.objects.values_list("checked_at", flat=True)) == {NOW}
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "4 links: 1 works, 1 moved, 1 uncheckable, 1 dead."
    assert "d dead: https://d.example/ (404)" in told
    assert "c moved: https://c.example/ (200 https://nieuw.example/)" in told
    assert len(told) == 4
    assert (SiteState.current().content_version, AuditEvent.objects.count()) == (before, 0)


@pytest.mark.usefixtures("_sources")
def test_what_was_checked_lately_is_left_alone(sites):
    sites["https://d.example/"] = Answer(200)
    with time_machine.travel(NOW, tick=False):
        run()
    sites.asked.clear()
    with time_machine.travel(NOW + timedelta(days=6), tick=False):
        run()
        assert sites.asked == []
        run("b")
        assert sites.asked == ["https://b.example/"]
    sites.asked.clear()
    with time_machine.travel(NOW + timedelta(days=8), tick=False):
        run("--most=2")
    assert "https://b.example/" not in sites.asked
    assert len(set(sites.asked) & {"https://c.example/", "https://d.example/", "https://doi.org/10.1234/abc"}) == 2


def test_another_link_is_checked_anew(sites):
    source = make_source("a", url="https://a.example/")
    LinkCheck.objects.create(source=source, url="https://oud.example/", state=State.DEAD, checked_at=timezone.now())
    assert source.checked_link is None
    sites["https://a.example/"] = Answer(200)
    run()
    source = type(source).objects.get()
    assert (source.checked_link.state, source.checked_link.url) == (State.WORKS, "https://a.example/")


@pytest.mark.usefixtures("_sources")
def test_without_a_network_nothing_is_kept(sites):
    LinkCheck.objects.create(
        source=make_source("b"), url="https://b.example/", state=State.WORKS, status=200,
        checked_at=timezone.now() - timedelta(days=30),
    )  # fmt: skip
    for address in sites:
        sites[address] = NoAnswer("Name or service not known")
    with pytest.raises(CommandError, match="Is there a network") as error:
        run()
    assert error.value.returncode == 2
    assert kept() == [("b", "works", 200, "")]


@pytest.mark.usefixtures("_sources")
def test_one_site_that_does_not_answer_is_not_checkable(sites):
    sites["https://d.example/"] = NoAnswer("timed out")
    run()
    check = LinkCheck.objects.get(source__key="d")
    assert (check.state, check.status, check.why) == (State.UNCHECKABLE, None, "no answer: timed out")


def test_a_source_that_does_not_exist_is_told():
    with pytest.raises(CommandError, match=r"^There is no source nergens\.$"):
        run("nergens")
