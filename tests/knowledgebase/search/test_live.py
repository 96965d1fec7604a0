"""Index and public page never disagree, whatever is published, withdrawn and edited, also at the same moment."""

import pytest
from django.core.management import call_command
from django.test import Client

from knowledgebase.editorial.transitions import publish, withdraw
from knowledgebase.models import ConceptLabel, SearchIndex, Source, Version
from knowledgebase.search import analysis, matching
from knowledgebase.search.database import DatabaseEngine
from knowledgebase.search.engine import search
from knowledgebase.search.understanding import understand
from tests.factories import (
    anybody,
    approve,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_term,
    make_theme,
    make_version,
)
from tests.knowledgebase.editorial.test_races import _connections_that_wait, at_once  # noqa: F401  # a fixture

from . import consistency
from .reference import chance_of

WORDS = ("lezen", "rekenfeiten", "huiswerk", "klasmanagement", "zittenblijven", "feedback", "toetsen", "kleuters")
SLOW = pytest.mark.slow


def faults():
    return list(consistency.faults())


def text(chance):
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 6)))


def next_version(item, chance):
    """The next version of a text, approved."""
    return approve(make_version(item, title=text(chance).capitalize(), lead=text(chance)))


def step(chance, items):
    """One thing that people do."""
    deed = chance.choice(["new", "publish", "withdraw", "withdraw", "source", "label", "address", "term"])
    item = chance.choice(items)
    current = Version.objects.published().filter(item=item).first()
    if deed == "new":
        items.append(chance.choice([make_practice, make_summary, make_theme, make_page])(title=text(chance)).item)
    elif deed == "publish":
        publish(next_version(item, chance), by=anybody())
    elif deed == "withdraw" and current is not None:
        withdraw(current, by=anybody(), reason="Er staat een fout in.")
    elif deed == "source":
        source = Source.objects.order_by("?").first()
        source.title = text(chance)
        source.save()
    elif deed == "label":
        label = ConceptLabel.objects.exclude(relation="pref").order_by("pk").first()
        if label is None:
            ConceptLabel.objects.create(concept=make_concept(), label=text(chance)[:100], relation="alt")
        else:
            label.delete()
    elif deed == "address":
        item.also_searched_as = text(chance)
        item.save()
    elif deed == "term":
        make_term(f"begrip-{chance.randrange(10**9)}", text(chance)[:100], definition=text(chance))


def wander(seed, steps):
    chance = chance_of(seed)
    items = [make_practice(title=text(chance)).item, make_summary(title=text(chance)).item]
    for _ in range(steps):
        step(chance, items)
        assert faults() == []
        shown = set(Version.objects.published().filter(item__kind="practice").values_list("item", flat=True))
        assert set(matching(" ".join(WORDS), "practice")) <= shown


@pytest.mark.django_db
def test_random_deeds():
    wander(1, 14)


@SLOW
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(2, 5))
def test_many_random_deeds(seed):
    wander(seed, 60)


@pytest.mark.django_db
def test_what_is_found_can_be_opened_and_what_is_withdrawn_is_gone_at_once(client):
    make_practice("a", title="Feedback geven"), make_summary("b", title="Feedback samengevat")
    make_theme("c", title="Feedback"), make_page("over-feedback", title="Over feedback")
    make_source("x-2020", title="Feedback works"), make_term("feedback", "feedback")
    hits = search(understand("feedback")).hits
    assert {hit.kind for hit in hits} == {"practice", "summary", "theme", "page", "source", "term"}
    assert {hit.url: client.get(hit.url).status_code for hit in hits} == {hit.url: 200 for hit in hits}
    for version in Version.objects.published():
        withdraw(version, by=anybody(), reason="Er staat een fout in.")
        left = search(understand("feedback")).hits
        assert version.get_absolute_url() not in {hit.url for hit in left}
    assert {hit.kind for hit in left} == {"source", "term"}


@pytest.mark.django_db
def test_one_change_writes_one_entry():
    first, _second = make_practice(title="Feedback"), make_practice(title="Huiswerk")
    rows = digests()
    publish(next_version(first.item, chance_of(1)), by=anybody())
    after = digests()
    assert {entry for entry in rows if rows[entry] != after[entry]} == {("practice", first.item_id)}


def digests():
    texts = consistency.SearchText.objects.select_related("entry")
    return {(text.entry.kind, text.entry.object_id): text.digest for text in texts}


@pytest.mark.django_db
def test_a_source_that_is_deleted_is_found_no_more():
    source = make_source("los-2020", title="Bijzonder")
    assert matching("bijzonder", "source") == [source.pk]
    source.delete()
    assert matching("bijzonder", "source") == []
    assert faults() == []


@pytest.mark.django_db
def test_rebuilding_gives_the_same_beside_the_live_index(capsys):
    made = [make_practice(title="Feedback"), make_summary(title="Huiswerk")]
    old = SearchIndex.objects.get()
    before = [hit.url for hit in search(understand("feedback huiswerk")).hits]
    stale = SearchIndex.objects.create(analysis_version="0", base=0)  # of a rebuild that was broken off
    call_command("rebuild_search")
    assert capsys.readouterr().out == "3 entries.\n"  # and the source of both
    new = SearchIndex.objects.get()
    assert new.pk not in {old.pk, stale.pk}
    assert (new.is_live, new.analysis_version) == (True, analysis.version())
    assert [hit.url for hit in search(understand("feedback huiswerk")).hits] == before
    assert faults() == []
    publish(next_version(made[0].item, chance_of(1)), by=anybody())
    assert faults() == []


@pytest.mark.django_db
def test_an_index_that_is_being_made_gets_what_happens_meanwhile():
    gone, stays = make_practice(title="Feedback"), make_practice(title="Huiswerk")
    beside = SearchIndex.objects.create(analysis_version="x", base=0)
    DatabaseEngine().index([])
    withdraw(gone, by=anybody(), reason="Er staat een fout in.")
    publish(next_version(stays.item, chance_of(1)), by=anybody())
    found = consistency.SearchEntry.objects.filter(kind="practice")
    assert list(found.filter(index=beside).values_list("object_id", flat=True)) == [stays.item_id]
    assert list(found.exclude(index=beside).values_list("object_id", flat=True)) == [stays.item_id]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=SLOW), pytest.param(3, marks=SLOW), pytest.param(4, marks=SLOW)]
)
def test_at_the_same_moment(seed):
    chance = chance_of(seed)
    items = [make_practice(title=text(chance)).item for _ in range(4)]
    for _ in range(3):
        deeds = []
        for item in items:
            current = Version.objects.published().filter(item=item).first()
            if current is not None and chance.random() < 0.5:
                deeds.append(lambda current=current: withdraw(current, by=anybody(), reason="Er staat een fout in."))
            else:
                ready = next_version(item, chance)
                deeds.append(lambda ready=ready: publish(ready, by=anybody()))
        source = make_source("niet-aangehaald-2020")
        source.title = text(chance)
        at_once(*deeds, source.save, Client, DatabaseEngine().rebuild)
        assert faults() == []
