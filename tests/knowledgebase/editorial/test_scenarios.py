"""Ways to break the promise, as numbered in the design of the workflow: each through the verbs, bulk writes and SQL.

The admin form and hand-made requests have tests of their own beside the admin and the desk; races are in test_races.
"""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from knowledgebase import search
from knowledgebase.editorial import jobs, reviews, transitions
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.editorial.versions import content_hash
from knowledgebase.models import (
    AuditEvent,
    Concept,
    ConceptLink,
    Decision,
    Membership,
    OutboxMessage,
    RenderedText,
    Review,
    ReviewRound,
    SearchEntry,
    SourceLink,
    Version,
)
from leerpunt.content_import import Fate, take_in
from practices.models import EvidenceRating, FacetIndex, PracticeVersion
from tests.commissions import decide, quorum, review
from tests.factories import (
    approve,
    chair,
    commission,
    decision,
    in_review,
    make_concept,
    make_member,
    make_practice,
    make_source,
    make_summary,
    make_user,
    make_version,
    rating,
)

pytestmark = pytest.mark.django_db
State = Version.State
DOORS = ("save", "update", "bulk_update", "sql")


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@contextmanager
def refused_by(guard):
    """The database refuses what is written here, by this guard."""
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        yield


def write(row, door, **values):
    """Write these values to a row of the database, past every verb."""
    for name, value in values.items():
        setattr(row, name, value)
    if door == "save":
        row.save(update_fields=list(values))
    elif door == "update":
        type(row).objects.filter(pk=row.pk).update(**values)
    elif door == "bulk_update":
        type(row).objects.bulk_update([row], list(values))
    else:
        values = {name: getattr(value, "pk", value) for name, value in values.items()}
        fields = ", ".join(f'"{row._meta.get_field(name).column}" = %s' for name in values)
        model = next(m for m in (*row._meta.get_parent_list(), type(row)) if _has(m, values))
        pk = model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {model._meta.db_table} SET {fields} WHERE {pk} = %s", [*values.values(), row.pk])  # noqa: S608


def _has(model, names):
    return set(names) <= {field.name for field in model._meta.local_fields}


def members(code):
    return [make_member(code), make_member(code)]


def public():
    """All that readers get: texts, their HTML, search and the index of the overview."""
    shown = Version.objects.published()
    return {
        "versions": list(shown.order_by("pk").values()),
        "practices": list(PracticeVersion.objects.published().order_by("pk").values()),
        "children": [
            list(model.objects.filter(version__in=shown).order_by("pk").values())
            for model in (ConceptLink, SourceLink, EvidenceRating)
        ],
        "html": list(RenderedText.objects.filter(version__in=shown).order_by("pk").values()),
        "search": list(SearchEntry.objects.order_by("pk").values()),
        "index": {row.name: bytes(row.data) for row in FacetIndex.objects.all()},
    }


# -- the rule of publication


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("approvals", [(), ("user",), ("scientific",)])
def test_1_without_an_approval_of_both_nothing_is_published(approvals, door):
    version = make_practice(state=State.DRAFT)
    round = in_review(version)
    for code in approvals:
        decision(round, code)
    with pytest.raises(MoveRefused, match="cannot become “published”"):
        transitions.publish(version, by=make_user(role="eindredacteur"))
    for state in (State.APPROVED, State.PUBLISHED):
        with refused_by("version_approved|version_edge"):
            write(Version.objects.get(pk=version.pk), door, state=state)
    assert Version.objects.get(pk=version.pk).state == State.IN_REVIEW


def test_1_a_commission_decides_once_whoever_leads_it():
    round = in_review(make_practice(state=State.DRAFT))
    decision(round, "user")
    deputy = make_member("user", role="deputy")
    with pytest.raises(AlreadyDone):
        decide(round, deputy)
    with refused_by("commission_decides_once_a_round|UNIQUE"):
        decision(round, "user", membership=deputy, decided_by=deputy.user)
    with refused_by("decision_of_a_chair"):  # a seat in one commission, a decision for the other
        decision(round, "scientific", membership=deputy, decided_by=deputy.user)


@pytest.mark.parametrize("door", DOORS)
def test_2_an_approval_of_an_earlier_round_or_of_another_text_counts_for_nothing(door):
    version = make_practice(state=State.DRAFT)
    first = in_review(version)
    decision(first, "user", outcome="changes")
    decision(first, "scientific")
    version = transitions.settle(first, by=None, role="system")
    version.lead = "Een andere inleiding."
    version.save()
    second = in_review(version)
    decision(second, "user")
    with refused_by("version_approved"):
        write(Version.objects.get(pk=version.pk), door, state=State.APPROVED)
    with refused_by("decision_of_a_chair"):
        decision(second, "scientific", content_hash=first.content_hash)
    with refused_by("decision_written_once|decision_revoked"):
        write(first.decisions.get(commission__code="scientific"), door, content_hash=second.content_hash)
    assert Version.objects.get(pk=version.pk).state == State.IN_REVIEW


def test_2_a_text_that_is_no_longer_what_was_approved_is_not_published():
    version = make_practice(state=State.APPROVED)
    source = make_source("jansen-2020")
    source.title = "Een ander onderzoek"
    source.save()
    with pytest.raises(MoveRefused, match="not the one that was approved"):
        transitions.publish(version, by=make_user(role="eindredacteur"))
    assert not Version.objects.published().exists()


def test_3_one_person_never_decides_for_both():
    round = in_review(make_practice(state=State.DRAFT))
    both = chair("user")
    seat = Membership.objects.create(commission=commission("scientific"), user=both.user, role="chair")
    members("user"), members("scientific")
    for code in ("user", "scientific"):
        quorum(round, code)
    decide(round, both)
    with pytest.raises(NotAllowed, match="One person never decides for both"):
        decide(round, seat)
    with refused_by("nobody_decides_for_both|UNIQUE"):
        Decision.objects.bulk_create([
            Decision(
                round=round, commission=seat.commission, membership=seat, decided_by=both.user, outcome="approve",
                content_hash=round.content_hash, quorum_needed=2, quorum_reached=2, rationale="Goed.",
            )
        ])  # fmt: skip
    assert Version.objects.get(pk=round.version_id).state == State.IN_REVIEW


@pytest.mark.parametrize("door", DOORS)
def test_4_one_approves_and_one_asks_for_changes(door):
    editor = make_user(role="redacteur")
    version = make_practice(state=State.DRAFT, by=editor)
    members("user"), members("scientific")
    chair("user"), chair("scientific")
    round = transitions.submit(version, by=editor)
    quorum(round, "user")
    quorum(round, "scientific")
    decide(round, chair("user"))
    decide(round, chair("scientific"), "changes")
    version = Version.objects.get(pk=version.pk)
    assert version.state == State.CHANGES_REQUESTED
    round.refresh_from_db()
    assert len(reviews.visible_reviews(round, to=editor)) == 4
    with refused_by("version_edge|version_approved"):
        write(version, door, state=State.PUBLISHED)


def test_5_a_decision_that_was_revoked_stops_the_planned_publication():
    editor = make_user(role="eindredacteur")
    version = approve(make_practice(state=State.DRAFT))
    planned = timezone.now() + timedelta(hours=1)
    transitions.schedule(version, by=editor, at=planned)
    given = Decision.objects.get(commission__code="scientific")
    reviews.revoke(given, by=given.decided_by, reason="De tabel klopt niet.")
    with time_machine.travel(planned + timedelta(minutes=1)):
        assert jobs.publish_due().done.startswith("0 published")
    assert Version.objects.get(pk=version.pk).state == State.CHANGES_REQUESTED


@pytest.mark.parametrize("door", DOORS)
def test_5_nor_does_it_count_for_whoever_writes_past_the_verbs(door):
    version = approve(make_practice(state=State.DRAFT))
    given = Decision.objects.get(commission__code="scientific")
    Decision.objects.filter(pk=given.pk).update(
        revoked_at=timezone.now(), revoked_by=given.decided_by, revoked_reason="Een fout."
    )
    with refused_by("version_approved"):
        write(Version.objects.get(pk=version.pk), door, state=State.PUBLISHED)
    with pytest.raises(MoveRefused, match="scientific commission has not approved"):
        transitions.publish(version, by=make_user(role="eindredacteur"))


def test_6_and_7_pressing_again_changes_nothing_and_says_so():
    """Both at the same moment is in test_races."""
    round = in_review(make_practice(state=State.DRAFT))
    members("user"), members("scientific")
    for code in ("user", "scientific"):
        quorum(round, code)
        decide(round, chair(code))
    before = list(Decision.objects.values()), list(AuditEvent.objects.values()), list(OutboxMessage.objects.values())
    for code in ("user", "scientific"):
        with pytest.raises(AlreadyDone, match=f"chair-{code} recorded the decision"):
            decide(round, chair(code))
    editor = make_user(role="eindredacteur")
    after = list(Decision.objects.values()), list(AuditEvent.objects.values()), list(OutboxMessage.objects.values())
    assert after == before
    assert AuditEvent.objects.filter(action="settle").count() == 1
    transitions.publish(round.version, by=editor)
    with pytest.raises(AlreadyDone, match="already"):
        transitions.publish(round.version, by=editor)
    assert AuditEvent.objects.filter(action="publish").count() == 1


@pytest.mark.parametrize("door", DOORS)
def test_8_never_two_published_and_never_none(door, monkeypatch):
    first = make_practice()
    second = approve(make_version(first.item))
    by = {"published_at": timezone.now(), "published_by": first.published_by}
    with refused_by("item_has_one_published_version|UNIQUE"):
        write(Version.objects.get(pk=second.pk), door, state=State.PUBLISHED, **by)

    def broken(_version):
        raise RuntimeError("no more room")

    before = public()
    monkeypatch.setattr(search, "index", broken)
    with pytest.raises(RuntimeError):
        transitions.publish(second, by=make_user(role="eindredacteur"))
    assert public() == before
    assert [version.pk for version in first.item.versions.published()] == [first.pk]


# -- frozen content

FROZEN = [State.IN_REVIEW, State.APPROVED, State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN]


@pytest.mark.parametrize("state", FROZEN)
@pytest.mark.parametrize("door", DOORS)
def test_9_the_words_of_a_frozen_text_stay(state, door):
    version = make_practice(state=state)
    before = content_hash(version)
    with refused_by("version_frozen"):
        write(Version.objects.get(pk=version.pk), door, title="Anders")
    with refused_by("frozen_update_practices_practiceversion"):
        write(PracticeVersion.objects.get(pk=version.pk), door, steps="1. Iets anders.")
    assert content_hash(PracticeVersion.objects.get(pk=version.pk)) == before


@pytest.mark.parametrize("state", FROZEN)
def test_9_the_rows_of_a_frozen_text_stay(state):
    version = make_practice(state=state, ratings=[rating("0.48")])
    before = content_hash(version)
    concept, other = make_concept("niveau", "secundair"), make_practice(state=State.DRAFT)
    link, figures = version.concept_links.first(), version.ratings.get()
    for door in DOORS:
        with refused_by("frozen_update"):
            write(ConceptLink.objects.get(pk=link.pk), door, order=9)
        with refused_by("frozen_update"):
            write(EvidenceRating.objects.get(pk=figures.pk), door, effect="1.48")
    with refused_by("frozen_insert"):
        ConceptLink.objects.create(version=version, concept=concept)
    with refused_by("frozen_insert"):
        ConceptLink.objects.bulk_create([ConceptLink(version=version, concept=concept)])
    with refused_by("frozen_delete"):
        link.delete()
    with refused_by("frozen_delete"):
        version.ratings.all().delete()
    with refused_by("frozen_update"):  # carried in from another text, or out to it
        write(other.concept_links.first(), "update", version=version)
    with refused_by("frozen_update"):
        write(ConceptLink.objects.get(pk=link.pk), "update", version=other)
    assert content_hash(PracticeVersion.objects.get(pk=version.pk)) == before


def test_10_who_saves_what_was_submitted_meanwhile_is_refused():
    """The form that keeps what was typed is in the tests of the admin."""
    editor = make_user(role="redacteur")
    version = make_practice(state=State.DRAFT, by=editor)
    mine = PracticeVersion.objects.get(pk=version.pk)
    in_review(version)
    mine.lead = "Mijn versie."
    with refused_by("version_frozen|version_hash|version_edge|version_leaves"):
        mine.save()
    with pytest.raises(MoveRefused, match="frozen"):
        transitions.saved(version, by=editor)
    assert Version.objects.get(pk=version.pk).lead == "Je doet dit met je klas."


def test_11_every_row_is_in_the_hash_or_refused():
    """With two connections at once it is in test_races."""
    version = make_practice(state=State.DRAFT)
    ConceptLink.objects.create(version=version, concept=make_concept("niveau", "secundair"), order=7)
    round = in_review(version)
    assert len(round.content["concept_links"]) == version.concept_links.count() == 3
    with refused_by("frozen_insert"):
        ConceptLink.objects.create(version=version, concept=make_concept("niveau", "kleuter"), order=8)
    assert content_hash(PracticeVersion.objects.get(pk=version.pk)) == round.content_hash


def test_12_what_readers_see_stays_the_same_through_a_whole_cycle_of_the_next_version():
    editor = make_user(role="eindredacteur")
    version = make_practice("feedback", ratings=[rating("0.48")], steps="1. Doe dit.")
    members("user"), members("scientific")
    chair("user"), chair("scientific")
    before = public()
    draft = transitions.begin(version.item, by=editor)
    assert public() == before
    draft.title, draft.steps = "Heel anders", "1. Doe dat."
    draft.change_type, draft.conclusion_changed, draft.change_note = "taal", "nee", "Anders."
    draft.save()
    draft.ratings.update(effect="0.90")
    ConceptLink.objects.create(version=draft, concept=make_concept("niveau", "secundair"), order=9)
    transitions.saved(draft, by=editor)
    assert public() == before
    round = transitions.submit(draft, by=editor)
    assert public() == before
    for code, outcome in (("user", "approve"), ("scientific", "changes")):
        quorum(round, code)
        decide(round, chair(code), outcome)
    assert public() == before
    draft = PracticeVersion.objects.get(pk=draft.pk)
    draft.lead = "Wat gevraagd was."
    draft.save()
    round = transitions.submit(draft, by=editor)
    for code in ("user", "scientific"):
        quorum(round, code)
        decide(round, chair(code))
    transitions.schedule(draft, by=editor, at=timezone.now() + timedelta(days=1))
    assert public() == before
    transitions.publish(draft, by=editor)
    assert public() != before
    old = Version.objects.get(pk=version.pk)
    assert content_hash(old.specific()) == version.content_hash == old.content_hash


@pytest.mark.parametrize("state", FROZEN)
def test_13_loading_texts_leaves_what_is_there_alone(state, tmp_path):
    version = make_summary("summary-lezen", state=state, title="Zoals beoordeeld")
    path = tmp_path / "lezen.md"
    path.write_text(
        "---\nkind: summary\nkey: lezen\nslug: lezen\ntitle: Overschreven\nquestion: Hoe?\nanswer: Zo.\n---\n",
        encoding="utf-8",
    )
    before = list(Version.objects.order_by("pk").values())
    report = take_in([path], by=make_user(role="redacteur"), only_new=True)
    assert [told.fate for told in report.told] == [Fate.LEFT]
    assert list(Version.objects.order_by("pk").values()) == before
    with refused_by("item_identity"):
        write(version.item, "save", key="summary-anders")


def test_14_the_html_of_a_published_text_is_that_of_its_own_version():
    """Images are static files of the code so far: nobody replaces them from the admin."""
    version = make_practice(steps="1. Doe dit.")
    html = dict(RenderedText.objects.filter(version=version).values_list("field", "html"))
    draft = make_version(version.item, steps="1. Doe dat.")
    assert dict(RenderedText.objects.filter(version=version).values_list("field", "html")) == html
    assert not RenderedText.objects.filter(version=draft).exists()


# -- four eyes, and interests


@pytest.mark.parametrize("role", ["member", "chair"])
def test_15_who_wrote_in_an_earlier_version_neither_reviews_nor_decides(role):
    seat = chair("user") if role == "chair" else make_member("user")
    version = make_practice(state=State.PUBLISHED)
    version.contributors.create(user=seat.user)
    editor = make_user(role="redacteur")
    round = in_review(make_version(version.item, by=editor), by=editor)
    assert seat.user not in {editor, round.opened_by}
    with pytest.raises(NotAllowed, match="never judges it"):
        review(round, seat)
    with refused_by("review_of_a_member"):
        Review.objects.bulk_create([
            Review(round=round, commission=seat.commission, membership=seat, interest="none", recommendation="approve")
        ])  # fmt: skip
    if role == "chair":
        with pytest.raises(NotAllowed, match="never judges it"):
            decide(round, seat)
        with refused_by("decision_of_a_chair"):
            decision(round, "user")


def test_15_nobody_is_forgotten_who_wrote():
    version = make_practice(state=State.IN_REVIEW)
    with refused_by("contributor_stays"):
        version.contributors.all().delete()
    for door in DOORS:
        person = make_user()
        with refused_by("contributor_is_not_rewritten"):
            row = version.contributors.get()
            if door == "sql":
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE knowledgebase_versioncontributor SET user_id = %s", [person.pk])
            elif door == "update":
                version.contributors.update(user=person)
            elif door == "bulk_update":
                row.user = person
                version.contributors.bulk_update([row], ["user"])
            else:
                row.user = person
                row.save()


def test_16_who_saves_is_who_counts():
    """Nobody works under the account of somebody else here: there is no such door, so the saver is the author."""
    writer, helper = make_user(role="redacteur"), make_user(role="eindredacteur")
    draft = make_practice(state=State.DRAFT, by=writer)
    transitions.saved(draft, by=helper)
    assert {row.user for row in draft.contributors.all()} == {writer, helper}
    event = AuditEvent.objects.filter(item=draft.item).latest("seq")
    assert (event.actor_id, event.on_behalf_of) == (helper.pk, None)


def test_17_a_conflict_after_a_review_takes_the_review_out_of_the_quorum():
    round = in_review(make_practice(state=State.DRAFT))
    first, second = members("user")
    leader = chair("user")
    review(round, first)
    review(round, second)
    reviews.recuse(round, commission=first.commission, by=first.user, reason="Ik werk mee aan die studie.")
    assert reviews.standing(round, first.commission).state == "reviewing"
    assert OutboxMessage.objects.filter(kind="recused", recipient=leader.user).count() == 1
    with pytest.raises(MoveRefused, match="1 of the 2"):
        decide(round, leader)
    with refused_by("recusal_no_delete"):
        round.recusals.all().delete()


def test_18_the_deputy_decides_for_a_chair_with_an_interest_else_the_round_waits():
    round = in_review(make_practice(state=State.DRAFT))
    members("user")
    leader, editor = chair("user"), make_user(role="eindredacteur")
    reviews.recuse(round, commission=leader.commission, by=leader.user, reason="Ik gaf deze vorming.")
    quorum(round, "user")
    with pytest.raises(NotAllowed, match="stepped back"):
        decide(round, leader)
    assert list(reviews.standing(round, leader.commission).deciding) == []
    assert OutboxMessage.objects.filter(kind="stuck", recipient=editor).count() == 1
    assert Version.objects.get(pk=round.version_id).state == State.IN_REVIEW
    deputy = make_member("user", role="deputy")
    assert list(reviews.standing(round, leader.commission).deciding) == [deputy]
    decide(round, deputy)
    assert AuditEvent.objects.get(action="decide").on_behalf_of == leader.user_id


def test_reference_data_may_change_while_texts_are_frozen():
    """Vocabularies and sources are live; what a text printed of them is in its hash."""
    version = make_practice()
    Concept.objects.filter(slug="lager").update(order=99)
    ReviewRound.objects.get(version=version)
    assert content_hash(PracticeVersion.objects.get(pk=version.pk)) == version.content_hash
