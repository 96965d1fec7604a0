"""Which study rows a version rests on: the settings among its other rows, the rows themselves on a page of their own."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from knowledgebase.editorial import studies, study_checks
from knowledgebase.editorial.forms import ChildFormSet, LockedForm
from knowledgebase.editorial.permissions import may_write
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.editorial.study_forms import SelectionForm
from knowledgebase.models import EffectSize, SelectedEffect, Selection, Source, Version

from .children import FrozenWithVersion
from .guarded import actor, tell
from .items import version_url

ROWS_ON_A_PAGE = 100
LONGEST_REASON = SelectedEffect._meta.get_field("reason").max_length or 0


class SelectionFormSet(ChildFormSet):
    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        """The rows of a selection go with it."""
        if commit:
            obj.rows().delete()
        super().delete_existing(obj, commit=commit)


class SelectionInline(FrozenWithVersion, admin.StackedInline):
    model = Selection
    form: Any = SelectionForm
    formset = SelectionFormSet
    autocomplete_fields = ("synthesis",)
    readonly_fields = ("chosen",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("context_key", "label", "order"), "synthesis", ("measure", "model", "months"), "chosen",
                    "moderators", "caveats",
                ),
                "description": gettext_lazy(
                    "Only for a text that we compute ourselves from study rows. Save first, then choose the rows."
                ),
            },
        ),
        # not on one line: Django opens a folded part with an error in it only by the names of single fields
        (gettext_lazy("Method"), {"fields": ("method", "test", "rho"), "classes": ("collapse",)}),
    )  # fmt: skip

    @admin.display(description=gettext_lazy("study rows"))
    def chosen(self, selection: Any) -> str:
        if selection.pk is None:
            return "–"
        count = counts(selection)
        words = ngettext("%(count)s row counts", "%(count)s rows count", count["counting"]) % {
            "count": count["counting"]
        }
        if count["out"]:
            words += ", " + ngettext("%(count)s is left out", "%(count)s are left out", count["out"]) % {
                "count": count["out"]
            }
        version = selection.version.specific()
        name = f"admin:{version._meta.app_label}_{version._meta.model_name}_selection"
        url = reverse(name, args=[version.pk, selection.uid])
        return format_html('{}. <a href="{}">{}</a>', words, url, _("See and choose the rows"))


def counts(selection: Selection) -> dict[str, int]:
    """How many rows count, and how many are left out."""
    counting, out = (Count("pk", filter=Q(included=included)) for included in (True, False))
    return selection.rows().aggregate(counting=counting, out=out)


class SelectionPages:
    """The page of a version on which its study rows are chosen; part of VersionAdmin."""

    def selection_view(self: Any, request: HttpRequest, pk: int, uid: UUID) -> Any:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        with transaction.atomic():
            version = self.get_object(request, str(pk))  # under its lock when it is written
            selection = Selection.objects.filter(version=pk, uid=uid).select_related("synthesis").first()
            if version is None or selection is None:
                raise Http404
            if not self.has_view_permission(request, version):
                raise PermissionDenied
            selection.version = version
            if request.method == "POST":
                if not may_write(actor(request)):
                    raise PermissionDenied(_("Only editors do this."))
                return self._choose(request, version, selection)
            return self._selection_page(request, version, selection)

    def _choose(self: Any, request: HttpRequest, version: Version, selection: Selection) -> Any:
        form = LockedForm(request.POST, version=version)
        if not form.is_valid():
            return self._selection_page(request, version, selection, form=form, status=409)
        by, deed = actor(request), request.POST.get("deed", "")
        try:
            if deed == "add":
                done = self._add_synthesis(request, selection)
            elif deed == "corrections":
                number = studies.take_corrections(selection, by=by)
                done = ngettext(
                    "%(count)s correction was taken over.", "%(count)s corrections were taken over.", number
                )
                done %= {"count": number}
            elif deed == "empty":
                number = studies.drop_rows(selection, by=by)
                done = ngettext("%(count)s row was taken out.", "%(count)s rows were taken out.", number)
                done %= {"count": number}
            else:
                chosen, wrong = _typed_rows(request)
                if wrong:
                    return self._selection_page(request, version, selection, wrong=wrong, typed=chosen, status=200)
                number = studies.choose_rows(selection, chosen, by=by)
                done = ngettext("%(count)s row was changed.", "%(count)s rows were changed.", number) % {
                    "count": number
                }
        except MoveRefused as refusal:
            tell(request, refusal)
        else:
            if done:
                self.message_user(request, done, messages.SUCCESS)
        return redirect(request.get_full_path())

    def _add_synthesis(self: Any, request: HttpRequest, selection: Selection) -> str:
        key = request.POST.get("synthesis", "")
        source = Source.objects.filter(key=key).first()
        if source is None:
            self.message_user(request, _("Choose a synthesis that has study rows."), messages.ERROR)
            return ""
        effects = EffectSize.objects.current().filter(study__synthesis=source, measure=selection.measure)
        number = studies.add_rows(selection, effects.order_by("pk"), by=actor(request))
        facts = {"count": number, "synthesis": source.short}
        return (
            ngettext("%(count)s row of %(synthesis)s came in.", "%(count)s rows of %(synthesis)s came in.", number)
            % facts
        )

    def _selection_page(
        self: Any,
        request: HttpRequest,
        version: Version,
        selection: Selection,
        *,
        form: LockedForm | None = None,
        wrong: dict[int, str] | None = None,
        typed: dict[int, tuple[bool, str]] | None = None,
        status: int = 200,
    ) -> Any:
        shown, words = request.GET.get("toon", ""), request.GET.get("q", "").strip()[:100]
        rows = _rows(selection, shown, words)
        page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("blad"))
        row: Any  # with what the table shows
        for row in page.object_list:
            if typed and row.pk in typed:
                row.included, row.reason = typed[row.pk]
            row.wrong = (wrong or {}).get(row.pk, "")
            row.shown_effect = study_checks.shown(row.effect.effect)
            row.shown_error = study_checks.shown(row.effect.variance**0.5)
        user = actor(request)
        context = self._context(request, version, version.title) | {
            "selection": selection,
            "page": page,
            "count": counts(selection),
            "toon": shown,
            "q": words,
            "query": urlencode({name: value for name, value in (("toon", shown), ("q", words)) if value}),
            "form": form or LockedForm(version=version),
            "wrong": wrong,
            "may_choose": version.is_editable and may_write(user),
            "syntheses": Source.objects.filter(studies__isnull=False).distinct(),
            "doubts": study_checks.doubts(version),
            "corrections": selection.rows().filter(effect__superseded_by__isnull=False).exists(),
            "version_url": version_url(self.model, version.pk),
        }
        return TemplateResponse(request, "admin/editorial/selection.html", context, status=status)


def _rows(selection: Selection, shown: str, words: str) -> QuerySet[SelectedEffect]:
    rows = selection.rows().order_by("order", "pk")
    if shown in ("in", "uit"):
        rows = rows.filter(included=shown == "in")
    for word in words.split():
        rows = rows.filter(
            Q(effect__study__label__icontains=word)
            | Q(effect__outcome__icontains=word)
            | Q(effect__contrast__icontains=word)
            | Q(reason__icontains=word)
        )
    return rows


def _typed_rows(request: HttpRequest) -> tuple[dict[int, tuple[bool, str]], dict[int, str]]:
    """What was chosen for each row of the page, and what is wrong with it."""
    chosen: dict[int, tuple[bool, str]] = {}
    wrong: dict[int, str] = {}
    for pk in request.POST.getlist("row")[: ROWS_ON_A_PAGE * 2]:
        if not pk.isascii() or not pk.isdigit() or len(pk) > 18:
            continue
        included, reason = f"in-{pk}" in request.POST, request.POST.get(f"reason-{pk}", "").strip()
        chosen[int(pk)] = included, reason
        if not included and not reason:
            wrong[int(pk)] = _("Say why this row is left out: readers see it.")
        elif len(reason) > LONGEST_REASON:
            wrong[int(pk)] = _("At most %(limit)s characters.") % {"limit": LONGEST_REASON}
    return chosen, wrong
