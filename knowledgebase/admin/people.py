from typing import Any

from axes.utils import reset
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial import notifications
from knowledgebase.editorial.accounts import has_acted, is_pseudonymised, pseudonymise
from knowledgebase.editorial.admin import ReferenceAdmin, actor, tell
from knowledgebase.editorial.permissions import ROLES
from knowledgebase.editorial.refusals import MoveRefused, NotAllowed
from knowledgebase.models import OutboxMessage, User

DESCRIPTIONS = {role.name: role.description for role in ROLES}
admin.site.unregister(Group)


class RoleField(forms.ModelMultipleChoiceField):
    """Roles as boxes to tick, each with what it may do."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}: {_(DESCRIPTIONS[obj.name])}" if obj.name in DESCRIPTIONS else str(obj)


@admin.register(User)
class UserAdmin(ReferenceAdmin, auth_admin.UserAdmin):
    """Accounts, made by the administrator. Rights come with roles; only a superuser sees the superusers' box."""

    change_form_template = "admin/knowledgebase/user/change_form.html"
    list_display = ("username", "full_name", "email", "role_names", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "groups")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "first_name", "last_name", "email", "groups")}),
        (gettext_lazy("Password"), {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not request.user.is_superuser:
            return fieldsets
        return (*fieldsets, (gettext_lazy("Superuser"), {"fields": ("is_staff", "is_superuser")}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody changes their own roles or locks themselves out."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "groups", "is_active") if obj is not None and obj == request.user else fields

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            return RoleField(Group.objects.order_by("name"), label=gettext_lazy("Roles"), required=False)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only an account that nobody ever used: what people did stays under their name. Others are made inactive."""
        unused = obj is not None and obj.last_login is None and obj != request.user and not obj.is_superuser
        return unused and super().has_delete_permission(request, obj) and not has_acted(obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Says why an account is kept, to whoever may delete others."""
        user = self.get_object(request, object_id)
        if user is not None and has_acted(user) and self.has_change_permission(request, user):
            message = _(
                "This account did something that the audit trail keeps, or held a seat, so it stays. Make it inactive; "
                "if the name has to go as well, take it from the account."
            )
            self.message_user(request, message, messages.ERROR)
            return redirect("admin:knowledgebase_user_change", user.pk)
        return super().delete_view(request, object_id, extra_context)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            self.keep(request, "change", self.get_object(request, id), fields=["password"])
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # readers need no account, so an account is for the admin
        super().save_model(request, obj, form, change)
        if not change and obj.email and not obj.has_usable_password():
            self.invite(request, obj)

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("roles"))
    def role_names(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or self.get_empty_value_display()

    # -- a name that has to go

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        user = kwargs.get("obj")
        if user is not None:
            context["can_pseudonymise"] = (
                self.has_change_permission(request, user) and user != request.user and not is_pseudonymised(user)
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def pseudonymise_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, as it cannot be undone."""
        user = self._changeable(request, pk)
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": user,
                "title": _("Take the name from %(name)s") % {"name": user.get_username()},
            }
            return TemplateResponse(request, "admin/knowledgebase/user/pseudonymise.html", context)
        try:
            pseudonymise(user, by=actor(request))
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except MoveRefused as refusal:
            tell(request, refusal)
        else:
            message = _("The account has no name any more. What was done with it stays in the audit trail.")
            self.message_user(request, message, messages.SUCCESS)
        return redirect("admin:knowledgebase_user_change", pk)

    # -- letting somebody in: again after too many wrong passwords, or for the first time

    def get_urls(self) -> list[URLPattern]:
        views = (self.unlock_view, self.invite_view, self.pseudonymise_view)
        unlock, invite, nameless = (self.admin_site.admin_view(view) for view in views)
        return [
            path("<int:pk>/vrijgeven/", unlock, name="knowledgebase_user_unlock"),
            path("<int:pk>/uitnodigen/", invite, name="knowledgebase_user_invite"),
            path("<int:pk>/naam-wegnemen/", nameless, name="knowledgebase_user_pseudonymise"),
            *super().get_urls(),
        ]

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = self._changeable(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        reset(username=user.get_username())
        message = _("%(name)s can log in again; the count of wrong passwords is back to zero.")
        self._say(request, user, message)
        return redirect("admin:knowledgebase_user_change", pk)

    def invite_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = self._changeable(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not user.email or not user.is_active or user.last_login is not None:
            message = _("No invitation was sent: give a mail address, to an open account that nobody used yet.")
            self.message_user(request, message, messages.ERROR)
        else:
            self.invite(request, user)
        return redirect("admin:knowledgebase_user_change", pk)

    def invite(self, request: HttpRequest, user: User) -> None:
        notifications.send_link(OutboxMessage.Kind.INVITE, user)
        self._say(request, user, _("%(name)s gets a mail with a link to choose a password."))

    def _changeable(self, request: HttpRequest, pk: int) -> User:
        user = User.objects.filter(pk=pk).first()
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _say(self, request: HttpRequest, user: User, message: str) -> None:
        text = message % {"name": user.get_username()}
        self.message_user(request, text, messages.SUCCESS)
        self.log_change(request, user, text)


@admin.register(Group)
class RoleAdmin(admin.ModelAdmin):
    """Roles are written in knowledgebase.editorial.permissions; here one reads what they are for."""

    list_display = ("name", "description")
    ordering = ("name",)
    fields = ("name", "description")
    readonly_fields = ("description",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("what it may do"))
    def description(self, group: Group) -> str:
        return _(DESCRIPTIONS[group.name]) if group.name in DESCRIPTIONS else self.get_empty_value_display()
