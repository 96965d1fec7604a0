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
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.permissions import ROLES
from knowledgebase.models import User

DESCRIPTIONS = {role.name: role.description for role in ROLES}
admin.site.unregister(Group)


class RoleField(forms.ModelMultipleChoiceField):
    """Roles as boxes to tick, each with what it may do."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}: {_(DESCRIPTIONS[obj.name])}" if obj.name in DESCRIPTIONS else str(obj)


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin):
    """Accounts, made by the administrator. Rights come with roles; only a superuser sees the superusers' box."""

    change_form_template = "admin/knowledgebase/user/change_form.html"
    list_display = ("username", "full_name", "email", "role_names", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    actions = None
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
        return unused and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # readers need no account, so an account is for the admin
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("roles"))
    def role_names(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or self.get_empty_value_display()

    # -- letting somebody in again after too many wrong passwords

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.unlock_view)
        return [path("<int:pk>/vrijgeven/", view, name="knowledgebase_user_unlock"), *super().get_urls()]

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = User.objects.filter(pk=pk).first()
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        reset(username=user.get_username())
        message = _("%(name)s can log in again; the count of wrong passwords is back to zero.")
        self.message_user(request, message % {"name": user.get_username()}, messages.SUCCESS)
        self.log_change(request, user, message % {"name": user.get_username()})
        return redirect("admin:knowledgebase_user_change", pk)


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
