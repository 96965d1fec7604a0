from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase import search
from knowledgebase.editorial import audit
from knowledgebase.editorial.forms import ItemForm, NewItemForm, item_label
from knowledgebase.editorial.permissions import role_of
from knowledgebase.editorial.refusals import MoveRefused, NotAllowed
from knowledgebase.editorial.transitions import begin, saved
from knowledgebase.editorial.versions import OpenVersionNotEditable
from knowledgebase.models import (
    OPEN,
    AuditActor,
    AuditEvent,
    Item,
    ReviewRound,
    SiteState,
    SlugRedirect,
    User,
    Version,
)

from .filters import DemoFilter, LevelFilter, StateFilter, ThemeFilter, TurnFilter
from .guarded import GuardedAdmin, actor, tell
from .turns import Turn, turn_column, waiting_column

State = Version.State


def newest(items: QuerySet) -> QuerySet:
    """Items with the id and the title of their newest version."""
    versions = Version.objects.filter(item=OuterRef("pk")).order_by("-number")
    columns = {name: Subquery(versions.values(field)[:1]) for name, field in (("newest_id", "pk"), ("title", "title"))}
    return cast(QuerySet, items.annotate(**columns))


def state_columns(items: QuerySet) -> QuerySet:
    """Items as a list shows them: what readers see, what is being written, who has to act, and who acted last."""
    versions = Version.objects.filter(item=OuterRef("pk"))
    public, open_one, last = versions.published(), versions.open(), versions.order_by("-number")
    events = AuditEvent.objects.filter(item=OuterRef("pk")).order_by("-seq")
    columns = {
        "public_number": Subquery(public.values("number")[:1]),
        "published_at": Subquery(public.values("published_at")[:1]),
        "withdrawn_at": Subquery(versions.filter(state=State.WITHDRAWN).order_by("-number").values("withdrawn_at")[:1]),
        "open_id": Subquery(open_one.values("pk")[:1]),
        "open_number": Subquery(open_one.values("number")[:1]),
        "open_state": Subquery(open_one.values("state")[:1]),
        "publish_at": Subquery(open_one.values("publish_at")[:1]),
        "last_actor": Subquery(events.values("actor_id")[:1]),
        "last_at": Subquery(events.values("at")[:1]),
    }
    names = AuditActor.objects.filter(user_id=OuterRef("last_actor"))
    return cast(
        QuerySet,
        newest(items)
        .annotate(**columns)
        .annotate(
            turn=turn_column(),
            confirming=waiting_column(ReviewRound.Kind.REVALIDATION),
            changed_by=Subquery(names.values("name")[:1]),
            changed_at=Coalesce("last_at", Subquery(last.values("created_at")[:1])),
        ),
    )


class TextAdmin(GuardedAdmin):
    """The texts of one kind: a list of items, and per item its versions. Editing happens on versions (VersionAdmin)."""

    version_model: type[Version]

    form = ItemForm
    add_form: type[NewItemForm] = NewItemForm
    change_form_template = "admin/editorial/item_change_form.html"
    list_per_page = 50
    list_display: Any = ("shown_title", "public", "being_written", "to_act", "last_change")
    list_filter: ClassVar[Any] = (TurnFilter, StateFilter, LevelFilter, ThemeFilter, DemoFilter)
    ordering = ("slug",)
    search_fields = ("slug", "key", "versions__title")
    search_help_text = gettext_lazy("Search in titles, addresses and keys.")
    view_on_site = False

    # -- the list

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return state_columns(super().get_queryset(request))

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def shown_title(self, item: Any) -> str:
        return str(item.title or item.slug)

    @admin.display(description=gettext_lazy("published"), ordering="published_at")
    def public(self, item: Any) -> str:
        if item.public_number:
            return _("version %(number)s, %(date)s") % {"number": item.public_number, "date": _day(item.published_at)}
        if item.withdrawn_at:
            return _("withdrawn, %(date)s") % {"date": _day(item.withdrawn_at)}
        return self.get_empty_value_display()

    @admin.display(description=gettext_lazy("being written"), ordering="open_state")
    def being_written(self, item: Any) -> str:
        if not item.open_number:
            return self.get_empty_value_display()
        words = _("version %(number)s, %(state)s") % {
            "number": item.open_number,
            "state": State(item.open_state).label,
        }
        return format_html('<a href="{}">{}</a>', version_url(self.version_model, item.open_id), words)

    @admin.display(description=gettext_lazy("last change"), ordering="changed_at")
    def last_change(self, item: Any) -> str:
        if item.changed_at is None:
            return self.get_empty_value_display()
        by = item.changed_by or (_("the system") if item.last_at else "")
        return f"{by}, {_day(item.changed_at)}" if by else _day(item.changed_at)

    @admin.display(description=gettext_lazy("who has to act"), ordering="turn")
    def to_act(self, item: Any) -> str:
        return " · ".join(self._turns(item)) or self.get_empty_value_display()

    def _turns(self, item: Any) -> Iterator[str]:
        """For the open version, and for the published one when the commissions are asked to confirm it."""
        if item.turn == Turn.PLANNED:
            yield _("planned for %(moment)s") % {
                "moment": date_format(timezone.localtime(item.publish_at), "SHORT_DATETIME_FORMAT")
            }
        elif item.turn:
            yield str(Turn(item.turn).label)
        if item.confirming:
            yield _("%(who)s (to confirm)") % {"who": Turn(item.confirming).label}

    # -- the page of one text

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs | ({} if obj else {"form": self.add_form}))
        kind = self.version_model.kind

        class OfThisKind(form):  # type: ignore[misc,valid-type]  # made per request by Django
            def __init__(self, *args: Any, **fields: Any) -> None:
                super().__init__(*args, **fields)
                self.instance.kind = kind

        return OfThisKind

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("slug", "key", "owner", "review_due_on")
        return (*fields, "also_searched_as") if obj else (*self.add_form.declared_fields, *fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("key",) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _may(request, "add", self.version_model)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a text goes with its only draft, or stays with its history

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        item = kwargs.get("obj")
        if item is not None:
            versions = item.versions.select_related("created_by", "published_by")
            context |= {
                "title": item.title or item.slug,
                "subtitle": None,
                "versions": [(version, version_url(self.version_model, version.pk)) for version in versions],
                "is_public": any(version.is_published for version in versions),
                "history_url": history_url(item, actor(request)),
                "can_start": self.may_start(request, item) and not any(version.state in OPEN for version in versions),
                "new_version_url": self._url("new_version", item.pk),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = actor(request)
        if change:
            old = Item.objects.locked().get(pk=obj.pk).slug
            super().save_model(request, obj, form, change)
            if old != obj.slug:
                SlugRedirect.objects.filter(kind=obj.kind, slug=obj.slug).delete()
                SlugRedirect.objects.get_or_create(kind=obj.kind, slug=old, defaults={"item_id": obj.pk})
                SiteState.touch()
            if "also_searched_as" in form.changed_data:
                self.index_again(obj)
            if form.changed_data:
                moved = {"address": [old, obj.slug]} if old != obj.slug else {}
                data = {"fields": list(form.changed_data)} | moved
                audit.record("change_text", by=by, role=role_of(by), item=Item.objects.get(pk=obj.pk), data=data)
            return
        super().save_model(request, obj, form, change)
        self.first_draft(obj, by=by, **form.draft_fields())

    def index_again(self, item: Any) -> None:
        """What a published text is found under changed: readers find it so at once."""
        if public := item.versions.published().first():
            search.index(public.specific())
            SiteState.touch()

    def first_draft(self, item: Any, *, by: User, **fields: Any) -> Any:
        """The draft of a text that has no version."""
        draft = begin(item, by=by)
        for name, value in fields.items():
            setattr(draft, name, value)
        draft.save()
        saved(draft, by=by)
        return draft

    def fields_again(self, item: Any) -> dict[str, Any]:
        """What a draft begins with when the only one of a text was thrown away."""
        return {"title": item.slug.replace("-", " ").capitalize()}

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """A new text goes on in its first draft."""
        self.message_user(
            request, _("“%(text)s” was added. This is its first draft.") % {"text": obj}, messages.SUCCESS
        )
        return redirect(version_url(self.version_model, obj.versions.get().pk))

    # -- starting a version

    def get_urls(self) -> list[URLPattern]:
        info = (self.opts.app_label, self.opts.model_name)
        view = self.admin_site.admin_view(self.new_version_view)
        return [
            path("<int:pk>/nieuwe-versie/", view, name="{}_{}_new_version".format(*info)),
            *super().get_urls(),
        ]

    def may_start(self, request: HttpRequest, item: Item) -> bool:
        return self.has_change_permission(request, item) and _may(request, "add", self.version_model)

    def new_version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open the draft of a text: a new one, or the one that somebody already began."""
        item = self.get_queryset(request).filter(pk=pk).first()
        if item is None:
            raise Http404
        if not self.may_start(request, item):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        by, known = actor(request), set(item.versions.values_list("pk", flat=True))
        try:
            with transaction.atomic():
                draft = begin(item, by=by) if known else self.first_draft(item, by=by, **self.fields_again(item))
        except OpenVersionNotEditable:
            waiting = _("The open version is with the commissions: nobody can edit it now.")
            self.message_user(request, waiting, messages.WARNING)
            return redirect(self._url("change", item.pk))
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except MoveRefused as refusal:
            tell(request, refusal)
            return redirect(self._url("change", item.pk))
        if draft.pk in known:
            message = _("This text already has a draft: version %(number)s.")
            self.message_user(request, message % {"number": draft.number}, messages.INFO)
        else:
            message = _("Version %(number)s is a draft. Readers keep seeing the published version.")
            self.message_user(request, message % {"number": draft.number}, messages.SUCCESS)
        return redirect(version_url(self.version_model, draft.pk))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        item = self.get_object(request, object_id)
        if item is None:
            raise Http404
        if not (url := history_url(item, actor(request))):
            raise PermissionDenied
        return redirect(url)

    def _url(self, name: str, pk: int) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=[pk])


class ItemReferenceAdmin(admin.ModelAdmin):
    """Every text, only to be found by autocompletes; its own page is that of its kind."""

    search_fields = ("slug", "key", "versions__title")
    ordering = ("kind", "slug")

    label_of = staticmethod(item_label)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return newest(super().get_queryset(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:index"))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        item = self.get_object(request, object_id)
        if item is None:
            raise Http404
        return redirect(item_url(item))


def version_url(model: type[Version], pk: int) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])


def item_url(item: Item) -> str:
    app_label = Version.model_for(item.kind)._meta.app_label
    return reverse(f"admin:{app_label}_{item.kind}_change", args=[item.pk])


def history_url(item: Any, user: User) -> str:
    """The audit trail of a text, for whoever may read it."""
    if not user.has_perm("knowledgebase.view_auditevent"):
        return ""
    return f"{reverse('admin:knowledgebase_auditevent_changelist')}?item__id__exact={item.pk}"


def _day(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT")


def _may(request: HttpRequest, deed: str, model: type[Version]) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.{deed}_{model._meta.model_name}")
