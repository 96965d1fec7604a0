"""What is sent to OpenSearch, and that the site answers while the cluster does not.

The contract itself is in test_engines.py, which asks a real cluster where OPENSEARCH_URL names one.
"""

import pytest

from knowledgebase.search import opensearch
from knowledgebase.search.engine import Document
from knowledgebase.search.opensearch import OpenSearchEngine
from knowledgebase.search.understanding import Alternative, Clause, Understood

TEXT = Document(
    kind="practice", object_id=7, key="feedback", title="Feedback", url="/f/", summary="Rekenfeiten oefenen", body="Klas",
    also="blijven zitten", about="Lager", strength=4, facets=("niveau:lager",),
)  # fmt: skip
ONE = Clause("feedback", (Alternative(("feedback",), 100), Alternative(("zeg", "wat"), 60)))
TWO = Clause("huiswerk", (Alternative(("huiswerk",), 100),))
SOFT = Clause("klas", (Alternative(("klas",), 100),), soft=True)


@pytest.mark.django_db
def test_a_document_is_sent_as_keys_with_all_that_is_shown():
    sent = opensearch.source(TEXT)
    assert set(sent) == set(opensearch.mapping()["mappings"]["properties"])
    assert sent["title_keys"] == "feedback"
    assert len(sent["summary_parts"].split()) == 2  # rekenfeiten: two parts
    assert (sent["boost"], sent["facets"]) == (112, ["niveau:lager", "soort:praktijk"])
    assert sent["keys"].count("|") == 3
    assert "blijven" not in sent["keys"]


def test_analysis_is_not_done_again_by_the_cluster():
    fields = opensearch.mapping()["mappings"]["properties"]
    texts = {name: field for name, field in fields.items() if field["type"] == "text"}
    assert {field["analyzer"] for field in texts.values()} == {"whitespace"}
    assert opensearch.mapping()["settings"]["index"]["similarity"]["keys"] == {"type": "BM25", "k1": 1.2, "b": 0.6}


def test_a_clause_is_the_best_of_its_alternatives():
    first, second = opensearch.clause_query(ONE)["dis_max"]["queries"]
    assert first["bool"]["boost"] == 1
    assert second["bool"]["boost"] == 0.3
    asked = [part["multi_match"]["query"] for part in second["bool"]["must"]]
    assert asked == ["zeg", "wat"]
    assert first["bool"]["must"][0]["multi_match"]["fields"][:2] == ["title_keys^3", "title_parts^1.5"]
    assert opensearch.clause_query(SOFT)["dis_max"]["queries"][0]["bool"]["boost"] == 0.05


@pytest.mark.parametrize(
    ("masses", "sets"),
    [([], []), ([5], [(0,)]), ([100, 1], [(0,)]), ([1, 1, 1], [(0,), (1,), (2,)]),
     ([1, 1, 1, 1], [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]), ([9, 1, 1], [(0,)])],
)  # fmt: skip
def test_the_smallest_sets_of_clauses_that_are_enough(masses, sets):
    assert opensearch.enough(masses) == sets


def test_the_first_request_counts():
    asked = opensearch.counting(Understood((ONE, TWO, SOFT), excluded=("toets",)))
    assert asked["size"] == 0
    assert list(asked["aggs"]["clauses"]["filters"]["filters"]) == ["0", "1"]
    whole = asked["aggs"]["whole"]["filter"]["bool"]
    assert (len(whole["filter"]), len(whole["must_not"])) == (2, 1)


def test_the_second_request_asks_a_page_with_every_facet():
    asked = opensearch.body(
        Understood((ONE, TWO, SOFT), phrases=(("a", "b"),)), strict=["practice"], masses=[500, 0],
        filters={"niveau": ["lager", "kleuter"], "soort": ["praktijk"], "vak": []}, start=20, size=20,
    )  # fmt: skip
    assert (asked["from"], asked["size"]) == (20, 20)
    scored = asked["query"]["script_score"]
    assert scored["script"] == {"source": "_score * doc['boost'].value / 100.0"}
    inner = scored["query"]["bool"]
    assert inner["must"] == [{"match_phrase": {"keys": "a b"}}]
    assert len(inner["should"]) == 2  # a word that no text holds is not asked
    levels, kinds = (
        {"terms": {"facets": ["niveau:lager", "niveau:kleuter"]}}, {"terms": {"facets": ["soort:praktijk"]}},
    )  # fmt: skip
    assert asked["post_filter"] == {"bool": {"filter": [levels, kinds]}}
    assert asked["aggs"]["niveau"]["filter"]["bool"]["filter"] == [kinds]
    assert asked["aggs"]["thema"]["filter"]["bool"]["filter"] == [levels, kinds]
    assert asked["sort"] == [{"_score": "desc"}, {"tie": "asc"}]


def test_readers_go_over_to_the_new_index_in_one_step():
    assert opensearch.swap("new", ["old"], "live", "building") == [
        {"remove": {"index": "old", "alias": "live"}},
        {"add": {"index": "new", "alias": "live"}},
        {"remove": {"index": "new", "alias": "building"}},
    ]


def test_facets_of_an_answer():
    values = {"buckets": [{"key": "niveau:lager", "doc_count": 3}]}
    answer = {"aggregations": {"niveau": {"values": values}, "thema": {"values": {"buckets": []}}}}
    assert dict(opensearch.counts(answer)) == {"niveau": {"lager": 3}}


@pytest.mark.django_db(transaction=True)
def test_while_the_cluster_fails_the_database_answers(settings, caplog):
    settings.OPENSEARCH_URL = "http://127.0.0.1:9"  # nobody listens there
    engine = OpenSearchEngine()
    engine.index([TEXT])
    found = engine.search(Understood((ONE,)), filters={}, page=1, size=10)
    assert [hit.key for hit in found.hits] == ["feedback"]
    assert engine.matching(Understood((ONE,)), "practice") == [7]
    engine.remove("practice", [7])
    assert engine.search(Understood((ONE,)), filters={}, page=1, size=10).total == 0
    assert "OpenSearch did not answer: the database does." in caplog.messages
    assert "OpenSearch did not take a change: run rebuild_search when it is back." in caplog.messages
