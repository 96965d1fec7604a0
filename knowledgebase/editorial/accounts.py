"""Accounts of people who leave: what they did stays, under a name that says nothing."""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from knowledgebase.models import AuditActor, AuditEvent, Membership, User

from . import audit
from .permissions import role_of
from .refusals import AlreadyDone, MoveRefused, NotAllowed


def has_acted(user: User) -> bool:
    """Whether the audit trail or a seat names somebody: such an account is never deleted."""
    named = AuditEvent.objects.filter(actor_id=user.pk) | AuditEvent.objects.filter(on_behalf_of=user.pk)
    return named.exists() or Membership.objects.filter(user=user).exists()


def is_pseudonymised(user: User) -> bool:
    return user.username == _username(user)


def pseudonymise(user: User, *, by: User) -> User:
    """Take name, address and access from an account for good; the audit trail keeps its number. Returns the account."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not by.has_perm("knowledgebase.change_user") or (user.is_superuser and not by.is_superuser):
            raise NotAllowed(_("Only the administrator takes the name from an account."))
        if user.pk == by.pk:
            raise MoveRefused(_("You cannot do this to your own account. Ask another administrator."))
        if is_pseudonymised(user):
            raise AlreadyDone(_("This account has no name any more: nothing was changed."))
        if Membership.objects.filter(user=user, valid_to=None).exists():
            raise MoveRefused(_("This account holds a seat in a commission. Close that seat first."))
        name = _("Former colleague %(number)s") % {"number": user.pk}
        user.username, user.first_name, user.last_name, user.email = _username(user), "", "", ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
        AuditActor.objects.update_or_create(user_id=user.pk, defaults={"name": name})
        accounts = ContentType.objects.get_for_model(User)
        LogEntry.objects.filter(content_type=accounts, object_id=str(user.pk)).update(object_repr=name)
        audit.record("pseudonymise", by=by, role=role_of(by), data={"account": user.pk})
    return user


def _username(user: User) -> str:
    return f"oud-{user.pk}"
