"""Who should hear of a deed: rows for the outbox, written in its transaction. `manage.py run_jobs` sends them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q

from knowledgebase.models import Commission, Membership, OutboxMessage, User, Version

Kind = OutboxMessage.Kind
URGENT = frozenset({
    Kind.REVIEW, Kind.DECIDE, Kind.CHANGES, Kind.PUBLISH, Kind.REVOKED, Kind.WITHDRAWN, Kind.RECUSED, Kind.OVERDUE,
    Kind.FAILED,
})  # fmt: skip


def tell(kind: str, version: Version, recipients: Iterable[User], *, by: User | None, about: str, **data: Any) -> None:
    """Write one message to each recipient but the actor. `about` makes it one of a kind: the same is told once."""
    told = {user.pk: user for user in recipients if user.is_active and (by is None or user.pk != by.pk)}
    content = {"version": version.number, "title": version.title, "by": by.pk if by else None} | data
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                recipient=user,
                kind=kind,
                item_id=version.item_id,
                data=content,
                is_urgent=kind in URGENT,
                dedupe_key=f"{kind}:{version.pk}:{about}:{pk}",
            )
            for pk, user in sorted(told.items())
        ],
        ignore_conflicts=True,
    )


def authors_of(version: Version) -> list[User]:
    """Who wrote this version, its submitter included."""
    wrote = Q(contributions__version=version.pk) | Q(pk=version.submitted_by_id) | Q(pk=version.created_by_id)
    return list(User.objects.filter(wrote, is_active=True).distinct())


def publishers() -> list[User]:
    """The editors in chief: those whose role lets them publish (superusers only when they have the role)."""
    permission = Permission.objects.filter(codename="publish_version", content_type__app_label="knowledgebase")
    return list(User.objects.filter(groups__permissions__in=permission, is_active=True).distinct())


def seats(commission: Commission, *, leading: bool = False, on: date | None = None) -> list[Membership]:
    """The active seats of a commission; `leading` for those of the chair and the deputy only."""
    active = Membership.objects.active(on).filter(commission=commission).select_related("user", "commission")
    return list(active.leading() if leading else active)
