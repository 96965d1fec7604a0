"""Who should hear of a deed: rows for the outbox, written in its transaction. `manage.py run_jobs` sends them."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils import timezone

from knowledgebase.models import Commission, Membership, OutboxMessage, User, Version

Kind = OutboxMessage.Kind
URGENT = frozenset({
    Kind.REVIEW, Kind.DECIDE, Kind.CHANGES, Kind.PUBLISH, Kind.REVOKED, Kind.WITHDRAWN, Kind.RECUSED, Kind.OVERDUE,
    Kind.FAILED, Kind.STUCK, Kind.HEADS, Kind.RESET, Kind.INVITE,
})  # fmt: skip
LINK_EVERY = timedelta(minutes=15)  # nobody gets more mails with a link to a new password than this


def tell(kind: str, version: Version, recipients: Iterable[User], *, by: User | None, about: str, **data: Any) -> None:
    """Write one message to each recipient but the actor. `about` makes it one of a kind: the same is told once."""
    told = {user.pk: user for user in recipients if user.is_active and (by is None or user.pk != by.pk)}
    due_at = timezone.now() if kind in URGENT else next_digest()
    content = {"version": version.number, "title": version.title, "by": by.pk if by else None} | data
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                recipient=user,
                kind=kind,
                item_id=version.item_id,
                data=content,
                is_urgent=kind in URGENT,
                due_at=due_at,
                dedupe_key=f"{kind}:{version.pk}:{about}:{pk}",
            )
            for pk, user in sorted(told.items())
        ],
        ignore_conflicts=True,
    )


def next_digest(now: datetime | None = None) -> datetime:
    """The next moment at which digests go out: the same hour of the clock every day, summer and winter."""
    local = timezone.localtime(now)
    day = local.date() + timedelta(days=local.hour >= settings.DIGEST_HOUR)
    return timezone.make_aware(datetime.combine(day, time(settings.DIGEST_HOUR)))


def send_link(kind: str, user: User) -> None:
    """Have a link to choose a password mailed (kind RESET or INVITE); asking again soon sends no second one.

    The link itself is made when the mail is: it is never in the database.
    """
    period = int(timezone.now().timestamp() // LINK_EVERY.total_seconds())
    OutboxMessage.objects.bulk_create(
        [OutboxMessage(recipient=user, kind=kind, is_urgent=True, dedupe_key=f"{kind}:{period}:{user.pk}")],
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
