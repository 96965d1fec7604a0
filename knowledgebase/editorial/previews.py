"""Links at which somebody without an account reads a version that is not public: made, revoked, and looked up."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledgebase.models import OPEN, PreviewToken, User, Version

from . import audit
from .permissions import check_writes, role_of
from .refusals import AlreadyDone, MoveRefused
from .transitions import locked

MOST_DAYS = 30


def share(version: Version, *, by: User, days: int, note: str = "") -> tuple[PreviewToken, str]:
    """A new link and its secret, which is stored nowhere: whoever loses it makes another link."""
    with transaction.atomic():
        version = locked(version)
        check_writes(by)
        if version.state not in OPEN:
            raise MoveRefused(_("Only a version that is not public yet gets a preview link."))
        if not 1 <= days <= MOST_DAYS:
            raise MoveRefused(_("A preview link lives from 1 to %(most)s days.") % {"most": MOST_DAYS})
        secret, now = secrets.token_urlsafe(32), timezone.now()
        token = PreviewToken.objects.create(
            version_id=version.pk,
            token_sha256=_hashed(secret),
            note=note.strip(),
            created_by=by,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        audit.record("share", by=by, role=role_of(by), version=version, data={"link": token.pk, "days": days})
    return token, secret


def revoke(token: PreviewToken, *, by: User) -> PreviewToken:
    """Make a link dead at once."""
    with transaction.atomic():
        version = locked(token.version)
        check_writes(by)
        token = PreviewToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if token.revoked_at is not None:
            raise AlreadyDone(_("This link was revoked already: nothing was changed."))
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record("unshare", by=by, role=role_of(by), version=version, data={"link": token.pk})
    return token


def resolve(secret: str) -> Any:
    """The version behind a living link, as the model of its kind; None for any other secret, whatever is wrong with it."""
    tokens = PreviewToken.objects.live().select_related("version__item")
    token = tokens.filter(token_sha256=_hashed(secret)).first()
    return token.version.specific() if token else None


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
