"""The moves of a version through its states. Every change of state goes through a verb of this module."""

from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledgebase import rendering, search
from knowledgebase.models import Item, SiteState, User, Version

from .versions import HASH_VERSION, content_hash

# Sent inside the transaction with `version`: what is derived from published texts is renewed with it.
version_published = Signal()
version_withdrawn = Signal()

State = Version.State
EDGES = frozenset({
    (State.DRAFT, State.PUBLISHED),
    (State.APPROVED, State.PUBLISHED),
    (State.PUBLISHED, State.SUPERSEDED),
    (State.PUBLISHED, State.WITHDRAWN),
    (State.DRAFT, State.DISCARDED),
})  # fmt: skip


class MoveRefused(Exception):
    """A move that may not be made; `reasons` are sentences that say why and what to do."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


def _locked(version: Version) -> Any:
    """The version as its kind, read again under the lock of its item (lock order: item, version, children)."""
    Item.objects.select_for_update().get(pk=version.item_id)
    return Version.model_for(version.item.kind).objects.select_for_update(of=("self",)).get(pk=version.pk)


def _check_edge(version: Version, to: str) -> None:
    if (version.state, to) not in EDGES:
        raise MoveRefused(
            _("Version %(number)s is “%(state)s” and cannot become “%(to)s”.")
            % {"number": version.number, "state": version.get_state_display(), "to": State(to).label}
        )


def problems_of(version: Version) -> list[str]:
    """What is still missing before a version (as the model of its kind) may be public, as sentences."""
    problems = version.publication_problems()
    says_change = version.change_type and version.conclusion_changed and version.change_note.strip()
    if version.number > 1 and not says_change:
        problems.append(_("Say what kind of change this is, whether the conclusion changed, and what changed."))
    return problems


def publish(version: Version, *, by: User) -> Any:
    """Make a version public in place of the one that was; fill what is derived from it, in one transaction.

    Returns the published version. Raises MoveRefused when something is missing or the state does not allow it.
    """
    with transaction.atomic():
        version = _locked(version)
        SiteState.touch()  # first, so that publications wait for each other: all of them write the index
        _check_edge(version, State.PUBLISHED)
        if problems := problems_of(version):
            raise MoveRefused(*problems)
        previous = version.item.versions.published().first()
        if previous is not None:
            previous.state = State.SUPERSEDED
            previous.save(update_fields=["state"])
        version.state = State.PUBLISHED
        version.published_at, version.published_by = timezone.now(), by
        version.content_hash, version.hash_version = content_hash(version), HASH_VERSION
        version.save(update_fields=["state", "published_at", "published_by", "content_hash", "hash_version"])
        rendering.store(version)
        search.index(version)
        version_published.send(type(version), version=version)
    return version


def withdraw(version: Version, *, by: User, reason: str) -> Any:
    """Take a published version offline; its address then says why. Raises MoveRefused without a reason."""
    with transaction.atomic():
        version = _locked(version)
        SiteState.touch()
        _check_edge(version, State.WITHDRAWN)
        if not reason.strip():
            raise MoveRefused(_("Say why the text is withdrawn: readers will see this reason."))
        version.state, version.withdrawn_at, version.withdrawal_reason = State.WITHDRAWN, timezone.now(), reason
        version.save(update_fields=["state", "withdrawn_at", "withdrawal_reason"])
        search.remove(version.item)
        version_withdrawn.send(type(version), version=version, by=by)
    return version
