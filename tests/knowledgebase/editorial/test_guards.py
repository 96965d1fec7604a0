"""What the database refuses by itself: raw SQL and bulk writes, on both databases."""

import re
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from knowledgebase.editorial import audit, guards
from knowledgebase.editorial.transitions import EDGES
from knowledgebase.models import (
    EDITABLE,
    AuditEvent,
    Commission,
    ConceptLink,
    Decision,
    EffectSize,
    Membership,
    Review,
    ReviewRound,
    Study,
    Version,
)
from practices.models import EvidenceRating, PracticeVersion
from tests.factories import (
    approve,
    chair,
    decision,
    in_review,
    make_concept,
    make_effect,
    make_item,
    make_member,
    make_practice,
    make_user,
    make_version,
    select,
)

pytestmark = pytest.mark.django_db
State = Version.State


def refused(guard: str):
    """A block that a guard refuses, in a savepoint of its own."""
    return _Refused(guard)


class _Refused:
    def __init__(self, guard: str) -> None:
        self.raises = pytest.raises(IntegrityError, match=guard)
        self.savepoint = transaction.atomic()

    def __enter__(self) -> None:
        self.raises.__enter__()
        self.savepoint.__enter__()

    def __exit__(self, *args) -> bool:
        self.savepoint.__exit__(*args)
        return self.raises.__exit__(*args)


def sql(statement: str, *parameters) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def set_state(version, state: str) -> None:
    sql("UPDATE knowledgebase_version SET state = %s WHERE id = %s", state, version.pk)


def test_they_are_installed_and_the_check_says_which_one_is_gone():
    assert guards.missing() == []
    name = "guard_version_edge"
    sql(f"DROP TRIGGER {name}" + ("" if connection.vendor == "sqlite" else " ON knowledgebase_version"))
    assert guards.missing() == [name]
    [error] = guards.check_guards(["default"])
    assert error.id == "knowledgebase.E001"
    assert name in error.msg
    guards.install()
    assert guards.check_guards(["default"]) == []


def test_they_come_back_with_migrate():
    guards.remove()
    assert len(guards.missing()) > 40
    call_command("migrate", verbosity=0)
    assert guards.missing() == []


@pytest.mark.parametrize("state", State.values)
def test_every_edge_that_python_does_not_know_is_refused(state):
    version = make_practice(state=state)
    for to in State.values:
        if to != state and (state, to) not in EDGES:
            with refused("version_"):
                set_state(version, to)


def test_the_edges_in_sql_are_those_of_python():
    [guard] = [guard for guard in guards.guards() if guard.name == "version_edge"]
    in_sql = {tuple(edge.split(">")) for edge in re.findall(r"'([a-z_]+>[a-z_]+)'", guard.refuse)}
    assert in_sql == {(str(before), str(after)) for before, after in EDGES}


def test_a_version_begins_as_a_draft():
    with refused("version_starts_as_draft"):
        PracticeVersion.objects.create(
            item=make_item(), number=1, state=State.PUBLISHED, created_by=make_user(), published_by=make_user(),
            published_at=timezone.now(), content_hash="0" * 64, title="Titel",
        )  # fmt: skip


# -- publication


def test_no_approval_no_publication():
    version = make_practice(state=State.IN_REVIEW)
    with refused("version_approved"):
        set_state(version, State.APPROVED)


def test_one_approval_is_not_enough():
    version = make_practice(state=State.DRAFT)
    decision(in_review(version), "user")
    with refused("version_approved"):
        set_state(version, State.APPROVED)


def test_a_revoked_approval_does_not_count():
    version = approve(make_practice(state=State.DRAFT))
    Decision.objects.filter(commission__code="user").update(
        revoked_at=timezone.now(), revoked_by=chair("user").user, revoked_reason="Een fout."
    )
    with refused("version_approved"):
        set_state(version, State.PUBLISHED)


def test_one_person_does_not_decide_for_both():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    both = chair("user").user
    second = Membership.objects.create(
        commission=Commission.objects.get(code="scientific"), user=both, role=Membership.Role.CHAIR
    )
    decision(round, "user")
    with refused("nobody_decides_for_both|round_id"):
        decision(round, "scientific", membership=second, decided_by=both)


def test_an_approval_of_an_earlier_round_does_not_count():
    version = make_practice(state=State.CHANGES_REQUESTED)
    round = in_review(version)
    decision(round, "user")
    earlier = ReviewRound.objects.get(version=version, number=1)
    with refused("decision_of_a_chair"):
        decision(earlier, "scientific")
    with refused("version_approved"):
        set_state(version, State.APPROVED)


def test_an_approval_of_another_text_does_not_count():
    round = in_review(make_practice(state=State.DRAFT))
    with refused("decision_of_a_chair"):
        decision(round, "user", content_hash="f" * 64)


def test_only_an_independent_chair_with_an_open_seat_decides():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    member = make_member("user")
    with refused("decision_of_a_chair"):
        decision(round, "user", membership=member, decided_by=member.user)
    with refused("decision_of_a_chair"):  # the chair of the other commission
        decision(round, "user", membership=chair("scientific"), decided_by=chair("scientific").user)
    writer = make_member("user", role="deputy")
    make_version(make_item(), by=writer.user)  # elsewhere: no objection
    decision(round, "user", membership=writer, decided_by=writer.user)
    version.contributors.create(user=chair("scientific").user)
    with refused("decision_of_a_chair"):
        decision(round, "scientific")


def test_a_submission_opens_a_round_for_its_hash():
    version = make_practice(state=State.DRAFT)
    with refused("version_submitted"):
        set_state(version, State.IN_REVIEW)


# -- frozen content


@pytest.mark.parametrize("state", [state for state in State.values if state not in EDITABLE])
def test_what_is_not_open_to_editors_is_frozen(state):
    version = make_practice(state=state)
    with refused("version_frozen"):
        sql("UPDATE knowledgebase_version SET title = 'Anders' WHERE id = %s", version.pk)
    with refused("version_frozen"):
        Version.objects.filter(pk=version.pk).update(change_note="Anders")
    with refused("frozen_update"):
        PracticeVersion.objects.filter(pk=version.pk).update(in_short="Anders")
    with refused("frozen_delete"):
        sql("DELETE FROM practices_practiceversion WHERE version_ptr_id = %s", version.pk)
    with refused("frozen_update"):
        EvidenceRating.objects.filter(version=version).update(note="Anders")
    with refused("frozen_insert"):
        ConceptLink.objects.bulk_create([ConceptLink(version=version, concept=make_concept("subject", "wiskunde"))])
    with refused("frozen_delete"):
        version.source_links.all().delete()
    with refused("frozen_update"):  # a row is not moved out of it either
        version.concept_links.update(version=make_practice(state=State.DRAFT))
    with refused("version_kept|frozen_delete|knowledgebase_version|FOREIGN KEY"):
        sql("DELETE FROM knowledgebase_version WHERE id = %s", version.pk)


def test_every_table_with_content_is_guarded():
    assert {"practices_practiceversion", "practices_evidencerating", "knowledgebase_sourcelink"} <= set(
        guards.content_tables()
    )
    named = {guard.name for guard in guards.guards()}
    for table in guards.content_tables():
        assert {f"frozen_insert_{table}", f"frozen_update_{table}", f"frozen_delete_{table}"} <= named


def test_the_hash_and_the_signatures_of_a_version_stay():
    version = make_practice()
    with refused("version_hash"):
        sql("UPDATE knowledgebase_version SET content_hash = %s WHERE id = %s", "f" * 64, version.pk)
    with refused("version_published"):
        Version.objects.filter(pk=version.pk).update(published_at=timezone.now())
    with refused("version_withdrawn"):
        Version.objects.filter(pk=version.pk).update(withdrawal_reason="Zomaar")
    with refused("version_identity"):
        Version.objects.filter(pk=version.pk).update(number=7)
    with refused("item_identity"):
        type(version.item).objects.filter(pk=version.item_id).update(key="anders")


def test_a_recalled_version_is_not_deleted():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    round.closed_at, round.outcome = timezone.now(), ReviewRound.Outcome.RECALLED
    round.save()
    set_state(version, State.DRAFT)
    with refused("version_kept"):
        sql("DELETE FROM practices_evidencerating WHERE version_id = %s", version.pk)  # its children may go
        sql("DELETE FROM knowledgebase_version WHERE id = %s", version.pk)


def test_a_draft_is_written_and_deleted_freely():
    version = make_practice(state=State.DRAFT)
    version.title = "Anders"
    version.save()
    version.delete()
    assert not Version.objects.exists()


# -- write-once rows


def test_reviews_and_decisions_are_written_once():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    member = make_member("user")
    review = Review.objects.create(
        round=round, commission=member.commission, membership=member, interest="none", recommendation="approve"
    )
    given = decision(round, "user")
    with refused("review_no_update"):
        Review.objects.filter(pk=review.pk).update(recommendation="changes")
    with refused("review_no_delete"):
        sql("DELETE FROM knowledgebase_review WHERE id = %s", review.pk)
    with refused("decision_written_once"):
        Decision.objects.filter(pk=given.pk).update(rationale="Anders")
    with refused("decision_no_delete"):
        sql("DELETE FROM knowledgebase_decision WHERE id = %s", given.pk)
    with refused("reviewround_written_once"):
        ReviewRound.objects.filter(pk=round.pk).update(content_hash="f" * 64)
    with refused("reviewround_no_delete"):
        sql("DELETE FROM knowledgebase_reviewround WHERE id = %s", round.pk)


def test_only_an_independent_member_of_the_commission_reviews():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    member, writer = make_member("user"), make_member("user")
    version.contributors.create(user=writer.user)
    fields = {"round": round, "interest": "none", "recommendation": "approve"}
    with refused("review_of_a_member"):
        Review.objects.create(commission=Commission.objects.get(code="scientific"), membership=member, **fields)
    with refused("review_of_a_member"):
        Review.objects.create(commission=member.commission, membership=writer, **fields)


def test_after_publication_a_decision_is_not_revoked():
    make_practice()
    with refused("decision_revoked_in_time"):
        Decision.objects.update(revoked_at=timezone.now(), revoked_by=make_user(), revoked_reason="Te laat.")


def test_the_audit_trail_is_append_only():
    person = make_user()
    event = audit.record("test", by=person, role="redacteur")
    with refused("auditevent_no_update"):
        AuditEvent.objects.filter(pk=event.pk).update(action="anders")
    with refused("auditevent_no_delete"):
        AuditEvent.objects.all().delete()
    with refused("person_who_acted_stays"):
        sql("DELETE FROM knowledgebase_user WHERE id = %s", person.pk)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite knows no TRUNCATE")
def test_the_audit_trail_is_not_truncated():
    with refused("auditevent_no_truncate"):
        sql("TRUNCATE knowledgebase_auditevent")


def test_seats_are_closed_and_never_rewritten():
    seat = make_member("user")
    with refused("seat_stays"):
        seat.delete()
    with refused("seat_is_closed_not_rewritten"):
        Membership.objects.filter(pk=seat.pk).update(role="chair")
    seat.valid_to = timezone.localdate()
    seat.save()


def test_who_wrote_in_a_submitted_text_is_not_forgotten():
    version = make_practice(state=State.IN_REVIEW)
    with refused("contributor_stays"):
        version.contributors.all().delete()


# -- the door


def test_maintenance_is_the_one_door_and_it_leaves_a_trace():
    version, person = make_practice(), make_user()
    with guards.maintenance("TICKET-7: een tikfout in de titel", by=person):
        Version.objects.filter(pk=version.pk).update(title="Anders")
    with refused("version_frozen"):
        Version.objects.filter(pk=version.pk).update(title="Nog anders")
    event = AuditEvent.objects.filter(item=None).get()
    assert (event.action, event.actor_id) == ("maintenance", person.pk)
    assert event.data == {"reason": "TICKET-7: een tikfout in de titel"}
    with pytest.raises(ValueError, match="reason"), guards.maintenance(" ", by=person):
        pass


def test_the_door_closes_when_the_work_fails():
    version = make_practice()
    with pytest.raises(RuntimeError), guards.maintenance("TICKET-8", by=make_user()):
        raise RuntimeError
    with refused("version_frozen"):
        Version.objects.filter(pk=version.pk).update(title="Anders")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL guards every session alike, without a function")
@pytest.mark.django_db(transaction=True)  # a copy waits for the end of a transaction
def test_another_program_reads_a_sqlite_file_and_writes_nothing_guarded(tmp_path):
    version = make_practice()
    audit.record("test", by=None, role="system", item=version.item)
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as file:
        connection.connection.backup(file)
        assert file.execute("SELECT title, state FROM knowledgebase_version").fetchall() == [
            (version.title, "published")
        ]
        for statement in (
            "UPDATE knowledgebase_version SET title = 'Anders'",
            "DELETE FROM knowledgebase_auditevent",
            "UPDATE knowledgebase_decision SET rationale = 'Anders'",
            "DELETE FROM knowledgebase_conceptlink",
        ):
            with pytest.raises(sqlite3.OperationalError, match=guards.DOOR_FUNCTION):
                file.execute(statement)
        file.execute("UPDATE knowledgebase_searchentry SET boost = 0")  # derived: it can be made again
        assert file.execute("SELECT count(*) FROM knowledgebase_auditevent").fetchone() > (0,)


# -- they come and go with migrations


def test_a_guard_with_another_text_is_missing_too():
    name = "guard_auditevent_no_delete"
    if connection.vendor == "sqlite":
        sql(f"DROP TRIGGER {name}")
        sql(f"CREATE TRIGGER {name} BEFORE DELETE ON knowledgebase_auditevent WHEN 1 = 0 BEGIN SELECT 1; END")
    else:
        sql(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$")
    assert guards.missing() == [name]
    guards.install()
    assert guards.missing() == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite cannot switch a trigger off")
def test_a_guard_that_is_switched_off_is_missing():
    sql("ALTER TABLE knowledgebase_auditevent DISABLE TRIGGER guard_auditevent_no_delete")
    assert guards.missing() == ["guard_auditevent_no_delete"]
    guards.install()
    assert guards.missing() == []


def test_the_check_command_says_so_too():
    sql("DROP TRIGGER guard_version_kept" + ("" if connection.vendor == "sqlite" else " ON knowledgebase_version"))
    with pytest.raises(SystemCheckError, match=r"knowledgebase\.E001.*guard_version_kept"):
        call_command("check", databases=["default"])
    guards.install()
    call_command("check", databases=["default"])


@pytest.mark.django_db(transaction=True)
def test_after_migrations_backwards_and_forwards_they_are_all_there():
    """A table that SQLite makes anew loses its triggers; every migrate ends with all guards in place."""
    steps = MigrationLoader(connection).graph.leaf_nodes("knowledgebase")
    [(app, last)] = steps
    [before] = [node for node in MigrationLoader(connection).graph.node_map[app, last].parents if node.key[0] == app]
    try:
        call_command("migrate", app, before.key[1], verbosity=0)
        assert guards.missing() == []  # of the tables that are left
        assert guards.check_guards(["default"]) == []
    finally:
        call_command("migrate", verbosity=0)
    assert guards.missing() == []
    version = make_practice()
    with refused("version_frozen"):
        Version.objects.filter(pk=version.pk).update(title="Anders")


# -- study rows


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.CHANGES_REQUESTED, State.APPROVED, State.PUBLISHED,
                                   State.SUPERSEDED, State.WITHDRAWN])  # fmt: skip
def test_rows_that_a_submitted_version_rests_on_stay(state):
    effect, left_out = make_effect(0.3), make_effect(-0.1)
    make_practice(state=state, effects=[effect, (left_out, "Geen controlegroep.")])
    for row in (effect, left_out):
        with refused("used_update_effectsize"):
            EffectSize.objects.filter(pk=row.pk).update(effect=-row.effect)
        with refused("used_update_study"):
            Study.objects.filter(pk=row.study_id).update(label="Anders")
        with refused("used_delete_effectsize"):
            sql("DELETE FROM knowledgebase_effectsize WHERE id = %s", row.pk)
        with refused("used_delete_study"):
            sql("DELETE FROM knowledgebase_study WHERE id = %s", row.study_id)
    newer = make_effect(0.2, study=effect.study, supersedes=effect)  # a new row is always possible
    EffectSize.objects.filter(pk=newer.pk).update(effect=0.1)


def test_rows_of_a_draft_and_of_nothing_may_change():
    effect, loose = make_effect(0.3), make_effect(0.4)
    make_practice(state=State.DRAFT, effects=[effect])
    assert EffectSize.objects.update(effect=0.1) == 2
    assert Study.objects.update(label="Anders") == 2
    study = loose.study
    loose.delete()
    study.delete()
    assert Study.objects.get() == effect.study


def test_what_is_selected_is_frozen_with_its_version():
    version = make_practice(effects=[make_effect(0.3)])
    with refused("frozen_update_knowledgebase_selectedeffect"):
        version.selected_effects.update(included=False, reason="Past niet.")
    row = version.selected_effects.get()
    row.pk, row.uid, row.effect = None, uuid4(), make_effect(0.2)
    with refused("frozen_insert_knowledgebase_selectedeffect"):
        row.save(force_insert=True)
    with refused("frozen_insert_knowledgebase_selection"):
        select(version, make_effect(0.2), context_key="niveau:lager")
    with refused("frozen_update_knowledgebase_selection"):
        version.selections.update(model="che")


# -- what else no row may become


def test_a_text_returns_to_its_editors_only_when_its_round_is_closed():
    version = make_practice(state=State.IN_REVIEW)
    for state in EDITABLE:
        with refused("version_leaves_review"):
            set_state(version, state)


def test_approval_counts_when_the_round_ended_with_it():
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    for code in ("user", "scientific"):
        decision(round, code)
    with refused("version_approved"):
        set_state(version, State.APPROVED)
    ReviewRound.objects.filter(pk=round.pk).update(closed_at=timezone.now(), outcome="changes")
    with refused("version_approved"):
        set_state(version, State.APPROVED)


def test_one_person_reviews_a_round_once_from_whichever_seat():
    round = in_review(make_practice(state=State.DRAFT))
    first = make_member("user")
    fields = {"round": round, "commission": first.commission, "interest": "none", "recommendation": "approve"}
    Review.objects.create(membership=first, **fields)
    Membership.objects.filter(pk=first.pk).update(valid_to=timezone.localdate())
    second = Membership.objects.create(commission=first.commission, user=first.user, role="member")
    with refused("review_of_a_member"):
        Review.objects.create(membership=second, **fields)
    assert guards.missing() == []
