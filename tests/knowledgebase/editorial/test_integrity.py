import pytest
from django.db import connection
from django.utils import timezone

from knowledgebase.editorial import audit, guards, integrity, transitions
from knowledgebase.editorial.versions import canonical, content_hash, hash_of
from knowledgebase.models import AuditEvent, Decision, ReviewRound, Version
from practices.models import PracticeVersion
from tests.commissions import decide, quorum
from tests.factories import anybody, chair, make_member, make_practice, make_source, make_user

pytestmark = pytest.mark.django_db
State = Version.State
DOOR = "a test of what is found afterwards"


def whole_story(slug="feedback"):
    """A text that went through every verb to publication."""
    for code in ("user", "scientific"):
        chair(code)
        make_member(code)
        make_member(code)
    editor = make_user(role="redacteur")
    version = make_practice(slug, state=State.DRAFT, by=editor, title="Feedback")
    round = transitions.submit(version, by=editor)
    for code in ("user", "scientific"):
        quorum(round, code)
        decide(round, chair(code))
    return transitions.publish(Version.objects.get(pk=version.pk), by=anybody())


def raw(sql, *values):
    with guards.door(DOOR), connection.cursor() as cursor:
        cursor.execute(sql, values)


def events(version):
    return AuditEvent.objects.filter(item=version.item_id).order_by("seq")


def faults():
    """(chain, event, why) of every broken chain."""
    return [(link.item.slug if link.item else "", link.seq, link.why) for link in audit.broken_links()]


def mismatches():
    return [str(mismatch) for mismatch in integrity.check_content().mismatches]


# -- the chain ------------------------------------------------------------------------------------


def test_a_trail_that_nobody_touched_is_whole():
    version = whole_story()

    assert events(version).count() == 9
    assert faults() == []
    content = integrity.check_content()
    assert (content.versions, content.rounds, content.mismatches, content.dated) == (1, 1, [], [])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor_id", 999), ("actor_role", "eindredacteur"), ("action", "recall"), ("to_state", "draft"),
        ("content_hash", "0" * 64), ("on_behalf_of", 7), ("version_number", 9), ("from_state", "approved"),
    ],
)  # fmt: skip
def test_a_changed_event_is_named(column, value):
    version = whole_story()
    other = make_practice("huiswerk")
    with guards.door(DOOR):
        events(version).filter(seq=3).update(**{column: value})

    assert faults() == [("feedback", 3, "its content was changed")]
    assert events(other).exists()


def test_a_changed_moment_and_changed_data_are_named():
    version = whole_story()
    with guards.door(DOOR):
        events(version).filter(seq=2).update(at=timezone.now())
    assert faults() == [("feedback", 2, "its content was changed")]


def test_a_changed_recommendation_is_named():
    version = whole_story()
    with guards.door(DOOR):
        events(version).filter(seq=4).update(data={"round": 1, "recommendation": "changes"})
    assert faults() == [("feedback", 4, "its content was changed")]


def test_a_missing_event_is_named():
    version = whole_story()
    raw("DELETE FROM knowledgebase_auditevent WHERE item_id = %s AND seq = 2", version.item_id)

    assert faults() == [("feedback", 3, "event 2 is missing")]


def test_a_missing_beginning_is_named():
    version = whole_story()
    raw("DELETE FROM knowledgebase_auditevent WHERE item_id = %s AND seq = 1", version.item_id)

    assert faults() == [("feedback", 2, "event 1 is missing")]


def test_swapped_events_are_named():
    version = whole_story()
    for before, after in ((2, 100), (3, 2), (100, 3)):
        raw(
            "UPDATE knowledgebase_auditevent SET seq = %s WHERE item_id = %s AND seq = %s", after, version.item_id,
            before,
        )  # fmt: skip

    assert faults() == [("feedback", 2, "it does not follow from the event before it")]


def test_renumbering_after_a_removal_does_not_hide_it():
    version = whole_story()
    raw("DELETE FROM knowledgebase_auditevent WHERE item_id = %s AND seq = 4", version.item_id)
    for seq in range(5, 10):
        raw(
            "UPDATE knowledgebase_auditevent SET seq = %s WHERE item_id = %s AND seq = %s",
            seq - 1,
            version.item_id,
            seq,
        )

    assert faults() == [("feedback", 4, "it does not follow from the event before it")]


def test_a_fork_is_named():
    """An event that was written after an earlier head, by somebody who has the key."""
    version = whole_story()
    last, before = events(version).order_by("-seq")[:2]
    fork = AuditEvent(
        item=version.item, seq=last.seq + 1, actor_role="system", action="save", at=timezone.now(),
        prev_hash=before.hash,
    )  # fmt: skip
    fork.hash = audit.hash_of(fork)
    fork.save(force_insert=True)

    assert faults() == [("feedback", last.seq + 1, "it does not follow from the event before it")]


def test_two_events_with_one_number_are_named():
    """The constraint that forbids it may be gone from a database that somebody tampered with."""
    event = events(whole_story()).get(seq=2)

    assert audit._fault(event, 3, event.prev_hash) == "another event has this number too"


def test_another_key_seals_nothing(settings):
    whole_story()
    settings.AUDIT_KEY = "another key"

    assert [why for _chain, _seq, why in faults()] == ["its content was changed"]


def test_every_broken_chain_is_named_once():
    first, second = whole_story("een"), whole_story("twee")
    for version in (first, second):
        raw("UPDATE knowledgebase_auditevent SET action = 'x' WHERE item_id = %s AND seq > 4", version.item_id)
    with guards.maintenance("een reden", by=anybody()):
        pass
    raw("UPDATE knowledgebase_auditevent SET action = 'x' WHERE item_id IS NULL")

    assert sorted(faults()) == [
        ("", 1, "its content was changed"), ("een", 5, "its content was changed"),
        ("twee", 5, "its content was changed"),
    ]  # fmt: skip


# -- the texts ------------------------------------------------------------------------------------


def test_a_published_text_that_was_changed_is_named():
    version = whole_story()
    raw("UPDATE knowledgebase_version SET title = 'Wat anders' WHERE id = %s", version.pk)

    assert mismatches() == ["practice/feedback v1: its text was changed: title"]
    assert faults() == []


def test_a_changed_rating_is_named():
    version = whole_story()
    with guards.door(DOOR):
        version.ratings.update(unknown_reason="Toch wel.")

    assert mismatches() == ["practice/feedback v1: its text was changed: ratings"]


def test_a_text_that_was_replaced_with_its_hash_does_not_fit_its_round():
    version = whole_story()
    with guards.door(DOOR):
        PracticeVersion.objects.filter(pk=version.pk).update(title="Wat anders")
        changed = PracticeVersion.objects.get(pk=version.pk)
        Version.objects.filter(pk=version.pk).update(content_hash=content_hash(changed))

    assert "practice/feedback v1: its hash is not the one of round 1" in mismatches()


def test_a_text_that_was_replaced_everywhere_does_not_fit_the_trail():
    version = whole_story()
    with guards.door(DOOR):
        PracticeVersion.objects.filter(pk=version.pk).update(title="Wat anders")
        content = canonical(PracticeVersion.objects.get(pk=version.pk))
        hashed = hash_of(content)
        Version.objects.filter(pk=version.pk).update(content_hash=hashed)
        ReviewRound.objects.filter(version=version.pk).update(content=content, content_hash=hashed)
        Decision.objects.filter(round__version=version.pk).update(content_hash=hashed)

    assert faults() == []
    assert mismatches()[0] == "practice/feedback v1: event 1 (submit) is about another text"
    assert mismatches()[-1] == "practice/feedback v1: event 9 (publish) is about another text"


def test_a_round_whose_text_was_changed_is_named():
    version = whole_story()
    with guards.door(DOOR):
        ReviewRound.objects.filter(version=version.pk).update(content={"title": "Wat anders"})

    assert mismatches() == ["practice/feedback v1: the text of round 1 is not the one of its hash"]


def test_a_decision_about_another_text_is_named():
    version = whole_story()
    with guards.door(DOOR):
        Decision.objects.filter(round__version=version.pk, commission__code="user").update(content_hash="0" * 64)

    assert mismatches() == ["practice/feedback v1: a decision of round 1 is about another text"]


def test_a_draft_may_differ_from_its_last_round():
    version = make_practice("feedback", state=State.CHANGES_REQUESTED)
    PracticeVersion.objects.filter(pk=version.pk).update(title="Beter")

    assert mismatches() == []


def test_the_record_of_a_source_may_be_edited_which_is_said():
    whole_story()
    source = make_source("jansen-2020")
    source.title = "Een verbeterde titel"
    source.save()

    content = integrity.check_content()
    assert (content.mismatches, content.dated) == ([], ["practice/feedback v1"])
