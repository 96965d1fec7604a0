from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import ReferenceAdmin
from knowledgebase.models import Commission, Criterion, CriterionAnswer, Membership, ReadabilityNorm


class Whole(forms.ModelForm):
    """Checks every constraint of the row, those on fields that cannot be changed here included."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which sets the fields of the instance
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(NON_FIELD_ERRORS, error.messages)


class CommissionForm(Whole):
    quorum = forms.IntegerField(
        label=gettext_lazy("quorum"),
        min_value=1,
        max_value=50,
        help_text=gettext_lazy("How many members give a recommendation before the chair decides."),
    )
    review_days = forms.IntegerField(
        label=gettext_lazy("days for a review"),
        min_value=1,
        max_value=365,
        help_text=gettext_lazy("Counted from the day on which a text is submitted."),
    )


class NeverDeleted(ReferenceAdmin):
    view_on_site = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Commission)
class CommissionAdmin(NeverDeleted):
    """Quorum and term; there are two commissions, and there stay two."""

    form = CommissionForm
    list_display = ("__str__", "quorum", "review_days")
    fields = ("code", "quorum", "review_days")
    readonly_fields = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class SeatForm(Whole):
    def clean_valid_from(self) -> date:
        day: date = self.cleaned_data["valid_from"]
        if abs((day - timezone.localdate()).days) > 3_660:
            raise ValidationError(_("Choose a day within ten years of today."), code="far")
        return day


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("held now")
    parameter_name = "nu"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ja", _("yes")), ("nee", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        active = Membership.objects.active().values("pk")
        if self.value() == "ja":
            return queryset.filter(pk__in=active)
        return queryset.exclude(pk__in=active) if self.value() == "nee" else queryset


@admin.register(Membership)
class MembershipAdmin(NeverDeleted):
    """A seat is given and closed, never rewritten: what was judged in it keeps its meaning."""

    form = SeatForm
    list_display = ("person", "commission", "role", "valid_from", "valid_to", "name_is_public")
    list_filter = ("commission", "role", OpenFilter)
    list_select_related = ("commission", "user")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user",)
    fields = ("commission", "user", "role", "valid_from", "valid_to", "name_is_public")
    given: ClassVar[tuple[str, ...]] = ("commission", "user", "role", "valid_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.given if obj else ()

    @admin.display(description=gettext_lazy("account"), ordering="user__last_name")
    def person(self, seat: Membership) -> str:
        return seat.user.get_full_name() or seat.user.get_username()


@admin.register(Criterion)
class CriterionAdmin(NeverDeleted):
    """Reviews keep the text as it was asked; a criterion that is no longer asked is switched off."""

    form = Whole
    list_display = ("text", "commission", "order", "is_active")
    list_filter = ("commission", "is_active")
    list_select_related = ("commission",)
    fields = ("commission", "order", "text", "help", "is_active", "times_answered")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("commission", "times_answered") if obj else ("times_answered",)

    @admin.display(description=gettext_lazy("answered in"))
    def times_answered(self, criterion: Criterion) -> str:
        count = CriterionAnswer.objects.filter(criterion=criterion.pk).count() if criterion.pk else 0
        return _("%(count)s reviews, which keep the text as it was asked") % {"count": count}


@admin.register(ReadabilityNorm)
class ReadabilityNormAdmin(NeverDeleted):
    """What the user commission asks of the texts; its chair and the administrator change it."""

    form = Whole
    list_display = ("__str__", "douma", "mean_sentence", "long_share", "longest_sentence", "explains_jargon")
    fields = ("kind", "part", "douma", "mean_sentence", "long_share", "longest_sentence", "explains_jargon")
    readonly_fields = ("kind", "part")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) or _chairs_users(request)


def _chairs_users(request: HttpRequest) -> bool:
    seats = Membership.objects.active().leading().filter(commission__code=Commission.Code.USER)
    return bool(request.user.is_active and request.user.is_staff and seats.filter(user=request.user.pk).exists())
