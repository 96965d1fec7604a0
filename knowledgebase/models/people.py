from django.contrib.auth.models import AbstractUser
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Somebody with an account: an editor, a commission member or an administrator. Readers have none."""

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
