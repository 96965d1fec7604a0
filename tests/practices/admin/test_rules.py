import json

import pytest
from django.urls import reverse

from knowledgebase.models import AuditEvent
from practices.models import RatingRule
from practices.models.rules import first_params
from tests.admin import admin_url, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import bring_to, make_effect, make_practice, make_study, rating

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal():
    params = first_params()
    params["starts"] |= {"1": 5, "2": 12}
    return RatingRule.objects.create(version="sterkte-2027", params=params, note="Minder streng.")


def try_url(rule):
    return reverse("admin:practices_ratingrule_try", args=[rule.pk])


def adopt_url(rule):
    return reverse("admin:practices_ratingrule_adopt", args=[rule.pk])


def make_computed(slug, count=12, **fields):
    effects = [make_effect(0.3 + 0.01 * n, 0.02, study=make_study(design="randomised")) for n in range(count)]
    ratings = [rating(basis="studies", unknown_reason="", strength_reason="")]
    return make_practice(slug, effects=effects, ratings=ratings, **{"state": "draft"} | fields)


@each_role
def test_who_reads_the_rules(role, proposal):
    client = logged_in(role)
    assert client.get(admin_url(RatingRule, "changelist")).status_code == 200
    response = client.get(change_url(proposal))
    assert response.status_code == 200
    assert try_url(proposal) in response.content.decode()
    assert ("_save" in response.content.decode()) == (role == "beheerder")


@each_role
def test_who_tries_a_rule(role, proposal):
    assert logged_in(role).get(try_url(proposal)).status_code == 200


def test_a_stranger_logs_in_first(client, proposal):
    for url in (try_url(proposal), adopt_url(proposal)):
        assert client.get(url).status_code == 302


@pytest.mark.parametrize("page", [try_url, adopt_url])
def test_a_rule_that_is_not_there(page, proposal):
    missing = RatingRule(pk=proposal.pk + 1)
    assert logged_in("beheerder").get(page(missing)).status_code == 404


def test_wrong_verbs(proposal):
    client = logged_in("beheerder")
    assert client.post(try_url(proposal)).status_code == 405
    assert client.put(adopt_url(proposal)).status_code == 405


def test_trying_shows_each_text_before_and_after(proposal):
    version = make_computed("schrijven", title="Schrijven")
    version.derive()
    before = list(RatingRule.objects.values())
    response = logged_in("beheerder").get(try_url(proposal))
    assert [(row["change"].before, row["change"].after) for row in response.context["rows"]] == [(1, 2)]
    assert response.context["changing"] == 1
    content = response.content.decode()
    assert "Schrijven" in content
    assert adopt_url(proposal) in content
    assert list(RatingRule.objects.values()) == before
    assert version.ratings.get().strength == 1


def test_trying_without_texts_says_so(proposal):
    response = logged_in("lid").get(try_url(proposal))
    assert response.context["rows"] == []
    assert adopt_url(proposal) not in response.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_trying_asks_the_same_of_each_text(count, proposal, django_assert_max_num_queries):
    for number in range(count):
        make_computed(f"tekst-{number}", 3).derive()
    client = logged_in("beheerder")
    with django_assert_max_num_queries(30 + 8 * count):
        client.get(try_url(proposal))


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "voorzitter", "lid"])
def test_only_the_administrator_adopts(role, proposal):
    client = logged_in(role)
    assert client.get(adopt_url(proposal)).status_code == 403
    assert client.post(adopt_url(proposal), {"decision": "3 mei"}).status_code == 403
    proposal.refresh_from_db()
    assert proposal.state == "proposed"


def test_adopting_needs_a_decision_and_lists_what_to_open(proposal):
    client = logged_in("beheerder")
    version = make_computed("schrijven", title="Schrijven")
    version.derive()
    bring_to(version, "published")
    refused = client.post(adopt_url(proposal), {"decision": " "})
    assert refused.status_code == 200
    assert list(refused.context["form"].errors) == ["decision"]
    response = client.post(adopt_url(proposal), {"decision": "3 mei 2027"}, follow=True)
    assert len(messages_of(response)) == 1
    assert [change.version.title for change in response.context["to_open"]] == ["Schrijven"]
    assert RatingRule.objects.get(state="adopted").version == "sterkte-2027"
    again = client.post(adopt_url(proposal), {"decision": "4 mei 2027"}, follow=True)
    assert len(messages_of(again)) == 1
    assert RatingRule.objects.get(state="adopted").decision == "3 mei 2027"


def test_a_proposal_is_written_and_kept_in_the_trail():
    client = logged_in("beheerder")
    data = form_data(client.get(admin_url(RatingRule, "add")), version="sterkte-2028", note="Proef.")
    assert client.post(admin_url(RatingRule, "add"), data).status_code == 302
    rule = RatingRule.objects.get(version="sterkte-2028")
    assert (rule.state, rule.params) == ("proposed", first_params())
    assert AuditEvent.objects.filter(action="add_ratingrule").count() == 1


@pytest.mark.parametrize("params", ["{", "[]", json.dumps({"starts": {}})])
def test_a_rule_that_cannot_be_read_keeps_what_was_typed(params):
    client = logged_in("beheerder")
    data = form_data(client.get(admin_url(RatingRule, "add")), version="sterkte-2028", params=params)
    response = client.post(admin_url(RatingRule, "add"), data)
    assert response.status_code == 200
    assert "params" in response.context["adminform"].form.errors
    assert "sterkte-2028" in response.content.decode()
    assert not RatingRule.objects.filter(version="sterkte-2028").exists()


def test_an_adopted_rule_is_read_only_and_never_deleted():
    client, rule = logged_in("beheerder"), RatingRule.objects.get()
    response = client.post(change_url(rule), {"version": "anders", "params": "{}", "note": "Waarom."})
    assert response.status_code == 302
    rule.refresh_from_db()
    assert (rule.version, rule.params, rule.note) == ("sterkte-2026", first_params(), "Waarom.")
    assert client.post(admin_url(RatingRule, "delete", rule.pk)).status_code == 403


def test_a_rule_is_said_in_words_where_it_is_changed_and_tried(proposal):
    make_computed("schrijven").derive()
    client = logged_in("beheerder")
    changing, tried = client.get(change_url(proposal)), client.get(try_url(proposal))
    for response in (changing, tried):
        assert "punten om mee te beginnen: 1 vanaf 5 studies; 2 vanaf 12 studies;" in response.content.decode()
    assert "&quot;starts&quot;: {\n  &quot;1&quot;: 5," in changing.content.decode()
    assert "Hoe de studies zijn opgezet: 0. 0 van de 12 studies namen alleen waar" in " ".join(
        tried.content.decode().split()
    )


def test_a_rule_that_cannot_be_read_is_refused_and_what_was_typed_stays(proposal):
    client = logged_in("beheerder")
    for typed in ('{"starts": {}}', "{kapot"):
        response = client.post(change_url(proposal), form_data(client.get(change_url(proposal)), params=typed))
        assert response.status_code == 200
        assert list(response.context["adminform"].form.errors) == ["params"]
        assert "".join(response.context["adminform"].form["params"].value().split()) == "".join(typed.split())
