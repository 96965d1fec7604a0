import re
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from knowledgebase.editorial import audit
from knowledgebase.editorial.permissions import role_of
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused
from knowledgebase.models import User, Version

_ROW = re.compile(r"(?P<prefix>\w+)-(?P<number>\d+)-(?P<field>\w+)\Z")


def actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def tell(request: HttpRequest, refusal: MoveRefused) -> None:
    """Say why a move was refused; one that was made before is no error."""
    level = messages.INFO if isinstance(refusal, AlreadyDone) else messages.ERROR
    for reason in refusal.reasons:
        messages.add_message(request, level, reason)


def why(error: Exception) -> str:
    """What a guard or a constraint of the database says, as a sentence."""
    known = {
        "used_": _("A text that was submitted rests on this row. Enter a correction: a new row that takes its place."),
        "frozen": _("This version is with the commissions or public: nobody can change it. Start a new version."),
        "seat_is_closed": _("A seat is not rewritten. Close it with a last day, and give a new one."),
        "person_who_acted": _("This account did something that the audit trail keeps. Make it inactive instead."),
        "item_identity": _("Kind and key of a text stay once it was submitted."),
    }
    text = str(error)
    return next((sentence for mark, sentence in known.items() if mark in text), "") or _(
        "The database refused it, because a rule of the portal would break or somebody was just before you."
    )


class GuardedAdmin(admin.ModelAdmin):
    """What the guards of the database refuse becomes a page that says why and gives back what was typed."""

    actions = None

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (IntegrityError, MoveRefused) as error:
            reasons = error.reasons if isinstance(error, MoveRefused) else [why(error)]
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Not saved"),
                "reasons": reasons,
                "typed": self.typed(request),
            }
            return TemplateResponse(request, "admin/editorial/refused.html", context, status=409)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except IntegrityError as error:
            self.message_user(request, why(error), messages.ERROR)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", unquote(object_id))

    def typed(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Label and text of everything that was filled in, the rows included."""
        found = []
        rows = {
            inline.get_formset(request).get_default_prefix(): inline.model
            for inline in self.get_inline_instances(request)
        }
        for name, value in request.POST.items():
            if not isinstance(value, str) or not value.strip():
                continue
            row = _ROW.match(name)
            if row and (model := rows.get(row["prefix"])):
                label = _label(model, row["field"])
                if label:
                    found.append((f"{model._meta.verbose_name} {int(row['number']) + 1}: {label[0]}", label[1](value)))
            elif not row and (label := _label(self.model, name)):
                found.append((label[0], label[1](value)))
        return found


def _label(model: type[models.Model], name: str) -> Any:
    """The name of a field that people fill in, and how its value reads."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    if not field.concrete or not field.editable or field.primary_key or name == "password":
        return None
    if field.is_relation:
        related: Any = field.related_model
        if issubclass(related, Version):
            return None
        manager = related._default_manager
        return str(field.verbose_name), lambda pk: str(manager.filter(pk=pk).first() or pk) if pk.isdigit() else pk
    return str(field.verbose_name), str


class ReferenceAdmin(GuardedAdmin):
    """Data that no version holds. Every change, in rows as well, is an event in the trail of the site."""

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rows = {}
        for formset in formsets:
            changes = {
                "added": [str(row) for row in formset.new_objects],
                "changed": {str(row): fields for row, fields in formset.changed_objects},
                "deleted": [str(row) for row in formset.deleted_objects],
            }
            if any(changes.values()):
                rows[formset.model._meta.model_name] = {name: value for name, value in changes.items() if value}
        if not change or form.changed_data or rows:
            fields = [] if not change else list(form.changed_data)
            self.keep(request, "change" if change else "add", form.instance, fields=fields, rows=rows)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.keep(request, "delete", obj)
        super().delete_model(request, obj)

    def keep(self, request: HttpRequest, deed: str, obj: Any, **data: Any) -> None:
        """Write a change to the audit trail: what was changed, never the values."""
        by = actor(request)
        filled = {name: value for name, value in data.items() if value}
        audit.record(
            f"{deed}_{self.opts.model_name}", by=by, role=role_of(by), data={"object": self.named(obj)} | filled
        )

    def named(self, obj: Any) -> Any:
        """How the audit trail names an object: never by a person's name."""
        return list(obj.natural_key()) if hasattr(obj, "natural_key") and not isinstance(obj, User) else obj.pk
