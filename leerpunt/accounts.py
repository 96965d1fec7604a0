from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

DEMO_PASSWORD = "leerpunt-demo"  # noqa: S105  # public on purpose: it opens the demonstration and nothing else


class NoDemoPassword:
    """The password that everybody knows opens the demonstration only, whichever database a server is given.

    No BaseBackend: its get_user, which knows nobody, would be taken for that of whoever is logged in by code.
    """

    def authenticate(self, request: HttpRequest | None, password: str | None = None, **credentials: Any) -> None:
        if password == DEMO_PASSWORD and not settings.DEMO:
            raise PermissionDenied
