from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from knowledgebase.editorial import audit, guards
from knowledgebase.models import AuditEvent, Version
from tests.factories import make_practice

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_practice("feedback")


def test_a_whole_trail_is_counted(version, capsys):
    call_command("verify_audit")

    assert capsys.readouterr().out.splitlines() == [
        "1 events in 1 chains, 0 broken.",
        "1 versions in 1 rounds, 0 not what was judged.",
        "The audit trail and the texts are whole.",
    ]


def test_an_empty_database_is_whole(capsys):
    call_command("verify_audit")

    assert capsys.readouterr().out.endswith("The audit trail and the texts are whole.\n")


def test_what_is_broken_is_named(version, capsys):
    with guards.door("a test"):
        AuditEvent.objects.update(action="withdraw")
        Version.objects.filter(pk=version.pk).update(title="Wat anders")
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit")

    out, err = capsys.readouterr()
    assert refused.value.returncode == 1
    assert str(refused.value) == "2 faults. deploy/README.md says what to do."
    assert err.splitlines() == [
        "practice/feedback, event 1: its content was changed",
        "practice/feedback v1: its text was changed: title",
    ]
    assert out.splitlines() == ["1 events in 1 chains, 1 broken.", "1 versions in 1 rounds, 1 not what was judged."]


def test_the_digest_of_a_mail_shows_that_a_chain_lost_its_end(version, capsys):
    audit.record("save", by=None, role=audit.SYSTEM, version=version)
    until = timezone.now() + timedelta(seconds=1)
    digest = audit.heads(until=until).digest
    call_command("verify_audit", until=until.isoformat(), digest=digest)
    with guards.door("a test"):
        AuditEvent.objects.order_by("-seq").first().delete()
    call_command("verify_audit")  # the chain itself does not miss its end
    with pytest.raises(CommandError):
        call_command("verify_audit", until=until.isoformat(), digest=digest)

    assert f"not {digest}." in capsys.readouterr().err


@pytest.mark.parametrize("until", ["", "gisteren", "2026-11-22", "2026-11-22T00:00:00", "2026-99-99T00:00:00+01:00"])
def test_a_moment_that_is_none_is_refused(version, until):
    with pytest.raises(CommandError, match="as they stand in the mail"):
        call_command("verify_audit", until=until, digest="x")
