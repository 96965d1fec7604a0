from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial import audit, reported, studies, study_import, study_lines
from knowledgebase.editorial.admin import GuardedAdmin, actor, tell
from knowledgebase.editorial.forms import ConceptChoiceField
from knowledgebase.editorial.permissions import may_write, role_of
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.editorial.study_checks import doubts_on, shown
from knowledgebase.editorial.study_forms import EffectForm, ImportForm
from knowledgebase.editorial.study_tables import Unreadable
from knowledgebase.models import EffectSize, SelectedEffect, Study

METHODS = ("GET", "HEAD", "POST")


class EffectInline(admin.TabularInline):
    """The effects of a study, each with a page of its own to see how it was computed."""

    model = EffectSize
    fk_name = "study"
    extra = 0
    can_delete = False
    fields = readonly_fields = ("named", "shown_effect", "shown_variance", "how", "follows")
    verbose_name_plural = gettext_lazy("effects")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # by a page for each kind of statistics

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        effects: QuerySet = super().get_queryset(request)
        return effects.select_related("study", "superseded_by")

    @admin.display(description=gettext_lazy("effect"))
    def named(self, effect: EffectSize) -> str:
        url = reverse("admin:knowledgebase_study_effect", args=[effect.study_id, effect.pk])
        words = ", ".join(filter(None, [effect.outcome, effect.contrast])) or _("effect")
        return format_html('<a href="{}">{}</a>', url, words)

    @admin.display(description=gettext_lazy("value"))
    def shown_effect(self, effect: EffectSize) -> str:
        return f"{effect.measure} = {shown(effect.effect)}"

    @admin.display(description=gettext_lazy("variance"))
    def shown_variance(self, effect: EffectSize) -> str:
        return shown(effect.variance)

    @admin.display(description=gettext_lazy("conversion"))
    def how(self, effect: EffectSize) -> str:
        return reported.name_of(effect.conversion)

    @admin.display(description=gettext_lazy("correction"))
    def follows(self, effect: EffectSize) -> str:
        if hasattr(effect, "superseded_by"):
            return _("a correction took its place")
        return _("takes the place of an older row") if effect.supersedes_id else ""


class SupersededFilter(admin.SimpleListFilter):
    title = gettext_lazy("correction")
    parameter_name = "verbeterd"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ja", _("also rows that a correction replaced"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset if self.value() == "ja" else queryset.filter(superseded_by=None)


@admin.register(Study)
class StudyAdmin(GuardedAdmin):
    change_form_template = "admin/knowledgebase/study/change_form.html"
    list_display = ("label", "year", "synthesis_key", "level", "subject", "design", "effects_count", "in_use")
    list_filter = (SupersededFilter, "design", "risk_of_bias", "level", "subject", "synthesis")
    list_select_related = ("synthesis",)
    list_per_page = 100
    search_fields = ("label", "key", "subject_text", "synthesis__key")
    search_help_text = gettext_lazy("Search in names, keys, subjects and syntheses.")
    autocomplete_fields = ("synthesis", "source", "level", "subject")
    view_on_site = False
    inlines = (EffectInline,)
    fieldsets = (
        (None, {"fields": ("label", "key", "synthesis", "source", ("year", "country", "pupils"))}),
        (
            gettext_lazy("What readers choose by"),
            {"fields": ("level", ("subject", "subject_text"), ("design", "risk_of_bias"))},
        ),
        (gettext_lazy("Note"), {"fields": ("note",)}),
    )

    # -- reading and writing

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        used = SelectedEffect.objects.submitted().filter(effect__study=OuterRef("pk"))
        rows: QuerySet = super().get_queryset(request)
        named = rows.prefetch_related("level", "subject")  # by their manager, which knows their names
        return cast(QuerySet, named.annotate(number=Count("effects"), used=Exists(used)))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("key",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("level", "subject"):
            kwargs["form_class"] = ConceptChoiceField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """A study on which a submitted version rests stays: the changes make a new one in its place."""
        if not change:
            super().save_model(request, obj, form, change)
            by = actor(request)
            audit.record("add_study", by=by, role=role_of(by), data={"study": obj.key})
        elif form.changed_data:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            studies.correct_study(obj, by=actor(request), **changes)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        more = {"kinds": _kinds(), "newer": Study.objects.filter(supersedes__pk=object_id).first()} if (
            object_id.isdigit()
        ) else {}  # fmt: skip
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        newer = Study.objects.filter(supersedes=obj.pk).first()
        if newer is not None:
            message = _("A submitted text rests on the old row, which stays. Your correction is the new row %(key)s.")
            self.message_user(request, message % {"key": newer.key}, messages.SUCCESS)
            return redirect("admin:knowledgebase_study_change", newer.pk)
        return super().response_change(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not Study.objects.filter(supersedes=obj.pk).exists())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        by = actor(request)
        audit.record("delete_study", by=by, role=role_of(by), data={"study": obj.key})
        super().delete_model(request, obj)

    # -- the list

    @admin.display(description=gettext_lazy("synthesis"), ordering="synthesis__key")
    def synthesis_key(self, study: Any) -> str:
        return str(study.synthesis.key)

    @admin.display(description=gettext_lazy("effects"), ordering="number")
    def effects_count(self, study: Any) -> int:
        return int(study.number)

    @admin.display(description=gettext_lazy("in a submitted text"), boolean=True, ordering="used")
    def in_use(self, study: Any) -> bool:
        return bool(study.used)

    # -- effects

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(view), name=f"knowledgebase_study_{name}")

        return [
            page("inlezen/", self.import_view, "import"),
            page("<int:pk>/effect/nieuw/<str:kind>/", self.add_effect_view, "add_effect"),
            page("<int:pk>/effect/<int:effect>/", self.effect_view, "effect"),
            page("<int:pk>/effect/<int:effect>/weg/", self.remove_effect_view, "remove_effect"),
            *super().get_urls(),
        ]

    def add_effect_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """A form for one kind of statistics; “look first” shows what it gives, “save” keeps it."""
        study = self._study(request, pk)
        if kind != EffectSize.AS_REPORTED and kind not in reported.KINDS:
            raise Http404
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        self._check_writer(request)
        form = EffectForm(request.POST if request.method == "POST" else None, kind=kind)
        if form.is_bound and form.is_valid() and "save" in request.POST:
            effect = studies.add_effect(study, by=actor(request), **form.values)
            self.message_user(request, _("The effect was saved: %(value)s.") % {"value": shown(effect.effect)})
            return redirect("admin:knowledgebase_study_change", study.pk)
        return self._effect_page(request, study, form, None)

    def effect_view(self, request: HttpRequest, pk: int, effect: int) -> HttpResponse:
        study = self._study(request, pk)
        row = EffectSize.objects.with_study().filter(study=study, pk=effect).first()
        if row is None:
            raise Http404
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if request.method == "POST":
            self._check_writer(request)
        form = EffectForm(request.POST if request.method == "POST" else None, kind=row.conversion, effect=row)
        if form.is_bound and form.is_valid() and "save" in request.POST:
            try:
                kept = studies.correct_effect(row, by=actor(request), **form.values)
            except MoveRefused as refusal:
                tell(request, refusal)
                return redirect(request.path)
            if kept.effect * row.effect < 0:
                message = _("The sign changed: %(old)s became %(new)s. Is that what the source says?")
                facts = {"old": shown(row.effect), "new": shown(kept.effect)}
                self.message_user(request, message % facts, messages.WARNING)
            done = _("Saved.") if kept.pk == row.pk else _(
                "A submitted text rests on the old row, which stays. Your correction is a new row."
            )  # fmt: skip
            self.message_user(request, done, messages.SUCCESS)
            return redirect("admin:knowledgebase_study_change", study.pk)
        return self._effect_page(request, study, form, row)

    def remove_effect_view(self, request: HttpRequest, pk: int, effect: int) -> HttpResponse:
        study = self._study(request, pk)
        row = EffectSize.objects.with_study().filter(study=study, pk=effect).first()
        if row is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._check_writer(request)
        try:
            studies.remove_effect(row, by=actor(request))
        except MoveRefused as refusal:
            tell(request, refusal)
            return redirect("admin:knowledgebase_study_effect", study.pk, row.pk)
        self.message_user(request, _("The effect was removed."), messages.SUCCESS)
        return redirect("admin:knowledgebase_study_change", study.pk)

    def _effect_page(
        self, request: HttpRequest, study: Study, form: EffectForm, row: EffectSize | None
    ) -> HttpResponse:
        result = None
        if form.is_bound and form.values:
            result = EffectSize(study=study, **form.values)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Effect of %(study)s") % {"study": study.label},
            "study": study,
            "row": row,
            "newer": EffectSize.objects.filter(supersedes=row.pk).first() if row else None,
            "used": row is not None and studies.is_used(row),
            "form": form,
            "kind": reported.name_of(form.kind),
            "formula": form.formula,
            "result": result,
            "doubts": doubts_on([result]) if result else [],
            "shown": [(label, shown(value)) for label, value in _figures(result)] if result else [],
            "may_write": may_write(actor(request)),
        }
        return TemplateResponse(request, "admin/knowledgebase/study/effect.html", context)

    # -- a file

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A table from a file or pasted: first what would happen to each row, then the same with the rows saved."""
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        self._check_writer(request)
        form, report = ImportForm(request.POST or None, request.FILES or None), None
        if form.is_bound and form.is_valid() and form.table is not None:
            choices = {name: form.cleaned_data[name] for name in ("synthesis", "measure", "corrections")}
            try:
                report = study_import.enter(form.table, by=actor(request), save="save" in request.POST, **choices)
            except Unreadable as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Study rows from a CSV file"),
            "form": form,
            "report": report,
            "kept": _kept(form, report),
            "columns": ", ".join(sorted(study_lines.COLUMNS)),
            "kinds": [(kind.name, kind.label, ", ".join(kind.names)) for kind in reported.KINDS.values()],
        }
        return TemplateResponse(request, "admin/knowledgebase/study/import.html", context)

    def _study(self, request: HttpRequest, pk: int) -> Study:
        if not self.has_view_permission(request):
            raise PermissionDenied
        study = Study.objects.select_related("synthesis", "source").filter(pk=pk).first()
        if study is None:
            raise Http404
        return study

    def _check_writer(self, request: HttpRequest) -> None:
        if not may_write(actor(request)):
            raise PermissionDenied(_("Only editors enter study rows. Ask an editor to do it."))


def _kinds() -> list[tuple[str, str]]:
    return [(name, str(kind.label)) for name, kind in reported.KINDS.items()] + [
        (EffectSize.AS_REPORTED, reported.name_of(EffectSize.AS_REPORTED))
    ]


def _kept(form: ImportForm, report: study_import.Report | None) -> str:
    """What was read of a file and not entered yet: the next button needs no file again."""
    if not form.is_bound or (report is not None and report.saved):
        return ""
    if form.table is None:
        return str(form["kept"].data or "")
    return "" if str(form["text"].data or "").strip() else form.table.text


def _figures(effect: EffectSize) -> list[tuple[str, float]]:
    se = effect.variance**0.5
    return [
        (_("effect"), effect.effect),
        (_("variance"), effect.variance),
        (_("standard error"), se),
        (_("95% interval from"), effect.effect - 1.96 * se),
        (_("95% interval to"), effect.effect + 1.96 * se),
    ]
