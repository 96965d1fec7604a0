import json
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from knowledgebase.editorial import export
from knowledgebase.models import AuditActor, AuditEvent, OutboxMessage, Version

DEEDS = {
    "begin": gettext_noop("began a version"),
    "save": gettext_noop("saved"),
    "submit": gettext_noop("submitted"),
    "recall": gettext_noop("recalled"),
    "review": gettext_noop("gave a review"),
    "recuse": gettext_noop("stepped back"),
    "comment": gettext_noop("commented"),
    "resolve": gettext_noop("settled a comment"),
    "decide": gettext_noop("recorded a decision"),
    "confirm": gettext_noop("confirmed an earlier approval"),
    "revoke": gettext_noop("revoked a decision"),
    "settle": gettext_noop("the round ended"),
    "reopen": gettext_noop("went back to the editors"),
    "schedule": gettext_noop("planned the publication"),
    "unschedule": gettext_noop("cancelled the plan"),
    "publish": gettext_noop("published"),
    "publish_failed": gettext_noop("a planned publication failed"),
    "supersede": gettext_noop("replaced by a newer version"),
    "withdraw": gettext_noop("withdrew"),
    "discard": gettext_noop("threw away"),
    "delete": gettext_noop("threw a first draft away"),
    "revalidate": gettext_noop("asked to confirm"),
    "confirmed": gettext_noop("confirmed by both commissions"),
    "not_confirmed": gettext_noop("not confirmed"),
    "share": gettext_noop("made a preview link"),
    "unshare": gettext_noop("revoked a preview link"),
    "adopt_rule": gettext_noop("recorded the adoption of a rule"),
    "change_text": gettext_noop("changed address, owner or review date"),
    "pseudonymise": gettext_noop("took the name from an account"),
    "maintenance": gettext_noop("maintenance past the guards"),
}
CHANGES = {"add": gettext_noop("added"), "change": gettext_noop("changed"), "delete": gettext_noop("deleted")}
STATES = dict(Version.State.choices)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Written by the portal itself; nobody adds, changes or deletes here, superusers neither."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeedFilter(admin.SimpleListFilter):
    title = gettext_lazy("deed")
    parameter_name = "daad"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = AuditEvent.objects.order_by("action").values_list("action", flat=True).distinct()
        return [(action, deed_of(action)) for action in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(action=self.value()) if self.value() else queryset


class ChainFilter(admin.SimpleListFilter):
    title = gettext_lazy("about")
    parameter_name = "keten"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("tekst", _("a text")), ("site", _("the site: accounts, seats, reference data"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("tekst", "site"):
            return queryset
        return queryset.filter(item__isnull=self.value() == "site")


def deed_of(action: str) -> str:
    """A deed in words; changes of what no version holds are named by what they change."""
    if action in DEEDS:
        return _(DEEDS[action])
    verb, _line, model_name = action.partition("_")
    try:
        model = apps.get_model("knowledgebase", model_name)
    except LookupError:
        return action
    return f"{_(CHANGES[verb])}: {model._meta.verbose_name}" if verb in CHANGES else action


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Everything that was done, newest first, with the names that belong to the numbers."""

    change_list_template = "admin/knowledgebase/auditevent/change_list.html"
    list_display = ("at", "who", "actor_role", "deed", "text", "version_number", "moved")
    list_display_links = ("at",)
    list_filter = (ChainFilter, DeedFilter, "actor_role", "at")
    list_select_related = ("item",)
    list_per_page = 100
    search_fields = ("item__slug", "item__versions__title")
    search_help_text = gettext_lazy("Search in addresses and titles of texts.")
    ordering = ("-at", "-pk")
    date_hierarchy = None
    fields = (
        "at", "who", "actor_role", "behalf", "deed", "text", "version_number", "moved", "details", "seq", "content_hash",
        "prev_hash", "hash",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        names = AuditActor.objects.values("name")
        events: QuerySet = (
            super()
            .get_queryset(request)
            .annotate(
                actor_name=Subquery(names.filter(user_id=OuterRef("actor_id"))),
                behalf_name=Subquery(names.filter(user_id=OuterRef("on_behalf_of"))),
            )
        )
        return events

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "item__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("who"), ordering="actor_name")
    def who(self, event: Any) -> str:
        return event.actor_name or (_("the system") if event.actor_id is None else str(event.actor_id))

    @admin.display(description=gettext_lazy("on behalf of"))
    def behalf(self, event: Any) -> str:
        return event.behalf_name or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("deed"), ordering="action")
    def deed(self, event: AuditEvent) -> str:
        return deed_of(event.action)

    @admin.display(description=gettext_lazy("text"), ordering="item__slug")
    def text(self, event: AuditEvent) -> str:
        return f"{event.item} ({event.item.get_kind_display()})" if event.item else self.get_empty_value_display()

    @admin.display(description=gettext_lazy("state"))
    def moved(self, event: AuditEvent) -> str:
        states = [str(STATES.get(state, state)) for state in (event.from_state, event.to_state) if state]
        return " → ".join(states) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("details"))
    def details(self, event: AuditEvent) -> str:
        return json.dumps(event.data, ensure_ascii=False, indent=1) if event.data else self.get_empty_value_display()

    # -- as a file

    def get_urls(self) -> list[URLPattern]:
        def page(name: str, write: Callable[..., None], kind: str) -> URLPattern:
            def view(request: HttpRequest) -> HttpResponse:
                return self._export(request, name, write, kind)

            return path(f"uitvoer.{name}", self.admin_site.admin_view(view), name=f"knowledgebase_auditevent_{name}")

        return [
            page("csv", export.write_csv, "text/csv; charset=utf-8"),
            page("json", export.write_json, "application/json"),
            *super().get_urls(),
        ]

    def _export(self, request: HttpRequest, name: str, write: Callable[..., None], kind: str) -> HttpResponse:
        """The events of the list as it was filtered, oldest first in each chain."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request)
        events = AuditEvent.objects.filter(pk__in=found.order_by().values("pk"))
        day = timezone.localdate().isoformat()
        response = HttpResponse(
            content_type=kind, headers={"Content-Disposition": f'attachment; filename="logboek-{day}.{name}"'}
        )
        write(events.order_by(F("item_id").asc(nulls_first=True), "seq"), response)
        return response


class SentFilter(admin.SimpleListFilter):
    title = gettext_lazy("sent")
    parameter_name = "verstuurd"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ja", _("yes")), ("wacht", _("waiting")), ("niet", _("not sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "ja":
            return queryset.filter(sent_at__isnull=False)
        if self.value() == "niet":
            return queryset.filter(skipped_at__isnull=False)
        return queryset.filter(sent_at=None, skipped_at=None) if self.value() == "wacht" else queryset


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Which mails went out, and which did not and why. What is in them stays out of sight."""

    list_display = ("due_at", "kind", "recipient", "item", "is_urgent", "sent_at", "attempts", "last_error")
    list_filter = (SentFilter, "kind", "is_urgent")
    list_select_related = ("recipient", "item")
    list_per_page = 100
    ordering = ("-due_at", "-pk")
    fields = (
        "kind", "recipient", "item", "is_urgent", "due_at", "sent_at", "skipped_at", "attempts", "last_error",
    )  # fmt: skip
