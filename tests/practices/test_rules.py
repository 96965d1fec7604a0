import pytest
from django.db import IntegrityError, transaction

from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.models import AuditEvent
from practices import rules
from practices.models import PracticeVersion, RatingRule
from practices.models.rules import first_params
from tests.factories import CHANGE, bring_to, make_effect, make_practice, make_study, make_user, make_version, rating

pytestmark = pytest.mark.django_db


def effects(count, **study):
    return [make_effect(0.3 + 0.01 * n, 0.02, study=make_study(**study)) for n in range(count)]


def computed(**fields):
    """A rating that rests on study rows."""
    return rating(basis="studies", strength_reason="", unknown_reason="") | fields


def make_computed(slug="schrijven", count=12, state="published", **study):
    practice = make_practice(slug, effects=effects(count, **study), ratings=[computed()], state="draft")
    practice.derive()
    return bring_to(practice, state)


def proposal(**parts):
    params = first_params()
    for name, values in parts.items():
        params[name] |= values
    return RatingRule.objects.create(version=f"voorstel-{RatingRule.objects.count()}", params=params)


def test_trying_a_rule_lists_what_would_change_and_changes_nothing():
    published = make_computed(design="randomised")
    draft = make_computed("lezen", 12, "draft", design="observational")
    make_practice("rekenen")  # rests on nothing
    rule = proposal(starts={"1": 5, "2": 12})
    before = list(RatingRule.objects.values()), list(PracticeVersion.objects.order_by("pk").values())
    found = list(rules.under(rule.rule()))
    assert [(change.version.pk, change.before, change.after, change.differs) for change in found] == [
        (draft.pk, 0, 1, True),
        (published.pk, 1, 2, True),
    ]
    assert before == (list(RatingRule.objects.values()), list(PracticeVersion.objects.order_by("pk").values()))
    assert published.ratings.get().strength == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"params": {}},
        {"version": "anders"},
        {"decision": "Anders."},
        {"state": "proposed", "adopted_at": None},
    ],
)
def test_the_database_keeps_an_adopted_rule_as_it_was(fields):
    first = RatingRule.objects.values().get()
    with pytest.raises(IntegrityError, match="adopted_rule_stays"), transaction.atomic():
        RatingRule.objects.update(**fields)
    with pytest.raises(IntegrityError, match="adopted_rule_is_kept"), transaction.atomic():
        RatingRule.objects.all().delete()
    assert RatingRule.objects.values().get() == first


def test_a_proposal_may_change_and_go():
    rule = proposal()
    assert RatingRule.objects.filter(pk=rule.pk).update(note="Beter.") == 1
    assert rule.delete()[0] == 1


def test_adoption_replaces_the_rule_and_leaves_published_pages():
    published = make_computed(design="randomised")
    make_computed("lezen", 12, "draft", design="randomised")
    by, first, rule = make_user(role="beheerder"), RatingRule.objects.get(), proposal(starts={"1": 5, "2": 12})
    adopted = rules.adopt(rule, by=by, decision=" Vergadering van 3 mei 2027. ")
    first.refresh_from_db()
    assert (first.state, adopted.state, adopted.adopted_by) == ("replaced", "adopted", by)
    assert adopted.decision == "Vergadering van 3 mei 2027."
    assert adopted.adopted_at is not None
    event = AuditEvent.objects.get(action="adopt_rule")
    assert (event.item, event.actor_id, event.from_state, event.to_state) == (
        None,
        by.pk,
        "sterkte-2026",
        rule.version,
    )
    kept = published.ratings.get()
    assert (kept.strength, kept.strength_scale) == (1, "sterkte-2026")
    assert kept.waterfall().rule == "sterkte-2026"
    assert [change.version.pk for change in rules.to_open(adopted.rule())] == [published.pk]


def test_a_new_draft_follows_the_adopted_rule():
    published = make_computed(design="randomised")
    rule = rules.adopt(proposal(starts={"1": 5, "2": 12}), by=make_user(role="beheerder"), decision="3 mei 2027")
    draft = make_version(published.item, **CHANGE)
    assert draft.publication_gaps()[0][0] == "ratings"
    draft.derive()
    assert draft.publication_gaps() == []
    pinned = draft.ratings.get()
    assert (pinned.strength, pinned.strength_scale) == (2, rule.version)
    bring_to(draft, "published")
    assert rules.to_open(rule.rule()) == []


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "voorzitter", "lid"])
def test_only_the_administrator_records_an_adoption(role):
    rule = proposal()
    with pytest.raises(NotAllowed):
        rules.adopt(rule, by=make_user(role=role), decision="3 mei 2027")
    rule.refresh_from_db()
    assert rule.state == "proposed"


def test_an_adoption_says_when_and_is_done_once():
    by, rule, first = make_user(role="beheerder"), proposal(), RatingRule.objects.get(state="adopted")
    with pytest.raises(MoveRefused):
        rules.adopt(rule, by=by, decision=" ")
    rules.adopt(rule, by=by, decision="3 mei 2027")
    with pytest.raises(AlreadyDone):
        rules.adopt(rule, by=by, decision="3 mei 2027")
    with pytest.raises(MoveRefused):
        rules.adopt(first, by=by, decision="3 mei 2027")
