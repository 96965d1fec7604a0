from datetime import timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from knowledgebase.editorial.previews import resolve, revoke, share
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.models import AuditEvent, PreviewToken
from tests.factories import anybody, bring_to, make_practice, make_user

pytestmark = pytest.mark.django_db


def editor():
    return make_user(role="redacteur")


def test_only_the_hash_of_the_secret_is_kept():
    version, by = make_practice(state="draft"), editor()

    token, secret = share(version, by=by, days=7, note=" Voor An ")

    assert len(secret) >= 43
    assert (token.token_sha256, token.note, token.created_by) == (sha256(secret.encode()).hexdigest(), "Voor An", by)
    assert token.expires_at - token.created_at == pytest.approx(timedelta(days=7), abs=timedelta(seconds=5))
    assert resolve(secret) == version
    event = AuditEvent.objects.get(action="share")
    assert (event.actor_id, event.item, event.data) == (by.pk, version.item, {"link": token.pk, "days": 7})
    assert secret not in str(event.data)


@pytest.mark.parametrize("days", [0, -1, 31])
def test_a_link_lives_from_one_to_thirty_days(days):
    with pytest.raises(MoveRefused):
        share(make_practice(state="draft"), by=editor(), days=days)
    assert not PreviewToken.objects.exists()


@pytest.mark.parametrize("state", ["published", "superseded", "withdrawn", "discarded"])
def test_only_what_is_not_public_yet_gets_a_link(state):
    with pytest.raises(MoveRefused):
        share(make_practice(state=state), by=editor(), days=1)


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_only_editors_share_and_revoke(role):
    version, other = make_practice(state="draft"), make_user(role=role)
    token, secret = share(version, by=editor(), days=1)

    with pytest.raises(NotAllowed):
        share(version, by=other, days=1)
    with pytest.raises(NotAllowed):
        revoke(token, by=other)
    assert resolve(secret) == version


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested", "approved"])
def test_a_link_opens_as_long_as_the_version_is_open(state):
    version = make_practice(state="draft")
    _token, secret = share(version, by=editor(), days=1)

    bring_to(version, state)

    assert resolve(secret) == version


@pytest.mark.parametrize("state", ["published", "superseded", "withdrawn", "discarded"])
def test_a_link_dies_when_the_version_is_public_or_thrown_away(state):
    version = make_practice(state="draft")
    _token, secret = share(version, by=editor(), days=30)

    bring_to(version, state)

    assert resolve(secret) is None


def test_a_revoked_link_is_dead_and_revoking_twice_changes_nothing():
    token, secret = share(make_practice(state="draft"), by=anybody(), days=1)

    revoked = revoke(token, by=anybody())

    assert revoked.revoked_at is not None
    assert resolve(secret) is None
    with pytest.raises(AlreadyDone):
        revoke(token, by=anybody())
    assert PreviewToken.objects.get().revoked_at == revoked.revoked_at
    assert AuditEvent.objects.filter(action="unshare").count() == 1


def test_an_expired_link_and_an_unknown_secret_are_dead():
    token, secret = share(make_practice(state="draft"), by=anybody(), days=1)
    PreviewToken.objects.update(
        created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
    )

    assert resolve(secret) is None
    assert resolve(token.token_sha256) is None
    assert resolve("") is None
