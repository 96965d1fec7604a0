from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledgebase.models import SearchMiss
from tests.admin import logged_in

pytestmark = pytest.mark.django_db
LIST = "/admin/knowledgebase/searchmiss/"


def missed(*rows):
    for day, query, times in rows:
        SearchMiss.objects.create(day=date(2026, 11, day), query=query, times=times)


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "beheerder"])
def test_editors_read_what_was_not_found_newest_and_most_first(role):
    missed((20, "klas op stelten", 3), (21, "stilte", 1), (21, "klas op stelten", 2))
    client = logged_in(role)
    response = client.get(LIST)
    rows = response.context["cl"].result_list
    assert [(row.query, row.day.day, row.times, row.days, row.total) for row in rows] == [
        ("klas op stelten", 21, 2, 2, 5),
        ("stilte", 21, 1, 1, 1),
        ("klas op stelten", 20, 3, 2, 5),
    ]
    html = response.content.decode()
    assert "Wat men niet vond" in html
    trial = "/admin/knowledgebase/concept/zoeken-proberen/"
    assert f'<a href="{trial}">' in html
    assert f'<a href="{trial}?q=klas+op+stelten">' in html
    assert client.get(f"{trial}?q=klas+op+stelten").status_code == 200


def test_the_list_is_sorted_by_all_and_searched():
    missed((20, "a", 3), (21, "b", 1), (21, "c", 2))
    client = logged_in("redacteur")
    rows = client.get(LIST, {"o": "-4"}).context["cl"].result_list
    assert [row.query for row in rows] == ["a", "c", "b"]
    assert [row.query for row in client.get(LIST, {"q": "b"}).context["cl"].result_list] == ["b"]


@pytest.mark.parametrize("role", ["voorzitter", "lid"])
def test_others_do_not_read_it(role):
    assert logged_in(role).get(LIST).status_code == 403


def test_a_stranger_is_sent_to_the_login_page():
    assert Client().get(LIST).status_code == 302


def test_nobody_adds_changes_or_deletes():
    missed((20, "a", 3))
    client = logged_in("beheerder", is_superuser=True)
    row = SearchMiss.objects.get()
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/change/", {"times": 9}).status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SearchMiss.objects.get().times == 3


def test_what_was_typed_is_shown_as_text():
    missed((20, "<script>alert(1)</script>", 1))
    html = logged_in("redacteur").get(LIST).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_one_line_and_three_take_the_same_queries():
    client = logged_in("redacteur")
    asked = []
    for rows in ([(20, "a", 1)], [(20, "b", 1), (20, "c", 1)]):
        missed(*rows)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
