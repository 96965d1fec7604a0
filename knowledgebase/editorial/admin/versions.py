from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.forms import LockedForm, VersionForm, WithdrawForm
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.editorial.transitions import EDGES, problems_of, publish, saved, withdraw
from knowledgebase.models import Item, User, Version

from .children import ConceptLinkInline, ItemLinkInline, SourceLinkInline
from .items import item_url, version_url

State = Version.State
MAY_MOVE = "knowledgebase.publish_version"


class VersionAdmin(admin.ModelAdmin):
    """The text of one version: written while it is open to editors, read-only to everybody after that.

    Versions begin at TextAdmin and change state here through the verbs of transitions.py.
    """

    form = VersionForm
    change_form_template = "admin/editorial/version_change_form.html"
    delete_confirmation_template = "admin/editorial/version_delete.html"
    actions = None
    save_as = False
    view_on_site = False
    inlines: ClassVar[Any] = (ConceptLinkInline, SourceLinkInline, ItemLinkInline)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    opening_fields: tuple[str, ...] = ("title", "lead")
    markdown_sections: tuple[tuple[Any, tuple[str, ...]], ...] = ()  # headings with Markdown fields, in reading order

    class Media:
        js = ("js/markdown-preview.js",)

    # -- who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft that never was public; the only one of a text that others refer to stays as well."""
        if not super().has_delete_permission(request, obj) or obj is None:
            return False
        if obj.state != State.DRAFT or obj.published_at is not None:
            return False
        return Version.objects.filter(item=obj.item_id).count() > 1 or not _referred_to(obj)

    # -- reading and writing

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("item", "created_by")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The version; one that is about to be written is read under the lock of its item (item, then version)."""
        version = super().get_object(request, object_id, from_field)
        if version is None or request.method != "POST":
            return version
        return _locked(self.get_queryset(request), version)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = self.markdown_sections or ((gettext_lazy("Text"), self.model.markdown_fields),)
        fieldsets = [
            (None, {"fields": self.opening_fields}),
            *((heading, {"fields": fields, "classes": ("markdown",)}) for heading, fields in sections),
        ]
        if obj is not None and obj.number > 1:
            change = {
                "fields": ("change_type", "conclusion_changed", "change_note"),
                "description": _("Readers see this in the list of versions. It is needed before publication."),
            }
            fieldsets.append((gettext_lazy("What changed"), change))
        dates = {"fields": (("checked_on", "searched_on"), ("licence", "is_demo"))}
        return [*fieldsets, (gettext_lazy("Dates and licence"), dates)]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Who saves what others have frozen meanwhile is refused, and gets the typed text back."""
        if request.method == "POST" and object_id is not None:
            version = super().get_object(request, object_id)
            if version is not None and not version.is_editable and self.has_view_permission(request, version):
                return self._frozen(request, version)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _frozen(self, request: HttpRequest, version: Any) -> HttpResponse:
        names = [
            name for name in (*self.opening_fields, *version.markdown_fields) if request.POST.get(name, "").strip()
        ]
        context = self._context(request, version, _("This version can no longer be changed"))
        context["typed"] = [(version._meta.get_field(name).verbose_name, request.POST[name]) for name in names]
        return TemplateResponse(request, "admin/editorial/frozen.html", context, status=403)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        saved(form.instance, by=cast(User, request.user))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """A text without any version left goes with its draft."""
        item = obj.item
        super().delete_model(request, obj)
        if not item.versions.exists():
            item.delete()

    # -- around the form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        version = kwargs["obj"]
        context |= self._context(request, version, version.title) | {
            "may_publish": self.may_move(request, version, State.PUBLISHED),
            "may_withdraw": self.may_move(request, version, State.WITHDRAWN),
            "subtitle": None,
            "markdown_help": _(
                "Texts are Markdown: **strong**, lists with - or 1., [words](address) for a link, [@key] for a source "
                "of this version. The preview knows the sources and figures as they were last saved."
            ),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect(f"admin:{self.opts.app_label}_{self.model.kind}_changelist")

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        message = _("The draft “%(text)s” was thrown away.") % {"text": obj_display}
        self.message_user(request, message, messages.SUCCESS)
        return redirect(f"admin:{self.opts.app_label}_{self.model.kind}_changelist")

    def _context(self, request: HttpRequest, version: Any, title: str) -> dict[str, Any]:
        item = version.item
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "version": version,
            "item": item,
            "item_url": item_url(item),
            "items_url": reverse(f"admin:{self.opts.app_label}_{self.model.kind}_changelist"),
            "items_name": apps.get_model(self.opts.app_label, self.model.kind)._meta.verbose_name_plural,
        }

    # -- moves

    def get_urls(self) -> list[URLPattern]:
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<int:pk>/publiceren/", self.admin_site.admin_view(self.publish_view), name=f"{info}_publish"),
            path("<int:pk>/intrekken/", self.admin_site.admin_view(self.withdraw_view), name=f"{info}_withdraw"),
            *super().get_urls(),
        ]

    def may_move(self, request: HttpRequest, version: Version, to: str) -> bool:
        return (version.state, to) in EDGES and request.user.has_perm(MAY_MOVE)

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, and says what is still missing; then publishes."""

        def move(version: Any, _form: LockedForm) -> str:
            publish(version, by=cast(User, request.user))
            return _("Published: readers see this version now.")

        return self._move(request, pk, State.PUBLISHED, "admin/editorial/publish.html", LockedForm, move)

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for the reason; then takes the text offline."""

        def move(version: Any, form: LockedForm) -> str:
            withdraw(version, by=cast(User, request.user), reason=form.cleaned_data["reason"])
            return _("Withdrawn: the address of the text now says why.")

        return self._move(request, pk, State.WITHDRAWN, "admin/editorial/withdraw.html", WithdrawForm, move)

    def _move(
        self,
        request: HttpRequest,
        pk: int,
        to: str,
        template: str,
        form_class: type[LockedForm],
        move: Callable[[Any, LockedForm], str],
    ) -> HttpResponse:
        """A page that asks, and the move when it is posted: under the lock, for the version as it was shown."""
        with transaction.atomic():
            version = self.get_object(request, str(pk))
            if version is None:
                raise Http404
            if not (self.has_view_permission(request, version) and request.user.has_perm(MAY_MOVE)):
                raise PermissionDenied
            back = redirect(version_url(self.model, pk))
            if (version.state, to) not in EDGES:
                message = _("This version is “%(state)s”: there is nothing to do here.")
                self.message_user(request, message % {"state": version.get_state_display()}, messages.WARNING)
                return back
            form = form_class(request.POST if request.method == "POST" else None, version=version)
            if request.method == "POST" and form.is_valid():
                try:
                    done = move(version, form)
                except MoveRefused as refusal:
                    for reason in refusal.reasons:
                        self.message_user(request, reason, messages.ERROR)
                else:
                    self.log_change(request, version, done)
                    self.message_user(request, done, messages.SUCCESS)
                return back
            context = self._context(request, version, version.title) | {"form": form}
            if to == State.PUBLISHED:
                context["problems"] = problems_of(version)
        return TemplateResponse(request, template, context)


def _locked(versions: QuerySet, version: Any) -> Any:
    Item.objects.locked().get(pk=version.item_id)
    return versions.select_for_update(of=("self", "version_ptr")).filter(pk=version.pk).first()


def _referred_to(version: Version) -> bool:
    return version.item.linked_from.exclude(version=version.pk).exists()
