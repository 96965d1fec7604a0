from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# The index of the admin, in the order in which editors use it; other models follow under the name of their app.
SECTIONS = (
    ("texts", _("Texts"), ("Practice", "Summary", "Theme", "Page")),
    ("reference", _("Reference data"), ("Concept", "Source", "Study")),
    ("search", _("Search"), ("SearchMiss",)),
    ("commissions", _("Commissions"), ("Commission", "Membership", "Criterion", "ReadabilityNorm", "RatingRule")),
    ("accounts", _("Accounts and roles"), ("User", "Group")),
    ("trail", _("What was done"), ("AuditEvent", "OutboxMessage")),
)


class Autocomplete(AutocompleteJsonView):
    """Says more than a name where the admin of the found objects has a `label_of`."""

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        label_of = getattr(self.model_admin, "label_of", str)
        return super().serialize_result(obj, to_field_name) | {"text": label_of(obj)}


class Site(admin.AdminSite):
    site_title = site_header = "Leerpunt"
    index_title = _("Editing")
    empty_value_display = "–"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one login page; who is logged in and comes here has no business in the admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index", current_app=self.name)
        return redirect_to_login(target, settings.LOGIN_URL)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, Autocomplete.as_view(admin_site=self)(request))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """All models in our sections; one app's own models on the page of that app."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        sections = [
            {
                "name": name,
                "app_label": label,
                "app_url": reverse("admin:index", current_app=self.name),
                "has_module_perms": True,
                "models": [models.pop(model) for model in names if model in models],
            }
            for label, name, names in SECTIONS
        ]
        others = [app | {"models": [m for m in app["models"] if m["object_name"] in models]} for app in apps]
        return [section for section in [*sections, *others] if section["models"]]
