import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import ReferenceAdmin, actor, tell
from knowledgebase.editorial.refusals import MoveRefused, NotAllowed
from practices import rules
from practices.models import RatingRule
from practices.models.rules import first_params
from practices.ratings import RuleUnreadable, StrengthRule
from practices.rules import Change, may_propose
from practices.wording import rule_words, strength_steps


class AdoptForm(forms.Form):
    decision = forms.CharField(
        label=gettext_lazy("Decision of the commissions"),
        max_length=300,
        help_text=gettext_lazy("When and where they decided, as it will stand with the rule."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


class ParamsField(forms.JSONField):
    """JSON on lines of its own."""

    def prepare_value(self, value: Any) -> Any:
        shown = super().prepare_value(value)
        return shown if isinstance(value, str) else json.dumps(value, indent=1)


class RuleForm(forms.ModelForm):
    params = ParamsField(
        label=capfirst(RatingRule._meta.get_field("params").verbose_name),
        initial=first_params,
        widget=forms.Textarea(attrs={"rows": 34, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "“starts”: from how many studies there are 1 to 5 points. Of each threat “minus” says how many points it costs"
            " (0: none), “above” from which share of the studies (0.5 is half). “spread”: a prediction interval with zero"
            " (true or false), and the I² from which it costs points (0 to 100, or null). “asymmetry”: the p of Egger's"
            " test. “old”: the year. Save, and read below what the rule says."
        ),
    )

    class Meta:
        model = RatingRule
        fields = ("version", "params", "note")


@admin.register(RatingRule)
class RatingRuleAdmin(ReferenceAdmin):
    """Rules for the strength: a proposed one is tried on every text, and adopted when the commissions decided so."""

    change_form_template = "admin/practices/rule_change_form.html"
    list_display = ("version", "state", "adopted_at", "decision")
    fields = ("version", "params", "note")
    form = RuleForm
    decided = ("said", "state", "adopted_at", "adopted_by", "decision")
    view_on_site = False
    save_as = True  # a proposal begins from a rule that is there

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, *self.decided) if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = RatingRule.FIXED if obj and obj.state != RatingRule.State.PROPOSED else ()
        return (*fixed, *self.decided) if obj else ()

    @admin.display(description=gettext_lazy("what this rule says"))
    def said(self, rule: RatingRule) -> str:
        try:
            words = rule_words(rule.rule())
        except RuleUnreadable:  # as it was typed; the form says what is wrong
            return "–"
        return render_to_string("admin/practices/_rule_words.html", {"words": words})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # ratings may be pinned to it

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(view), name=f"practices_ratingrule_{name}")

        return [
            page("<int:pk>/proberen/", self.try_view, "try"),
            page("<int:pk>/aannemen/", self.adopt_view, "adopt"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rule = kwargs.get("obj")
        if rule is not None:
            context["try_url"] = reverse("admin:practices_ratingrule_try", args=[rule.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every text that rests on study rows, as it would be under this rule; nothing is written."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        rule = self._rule(request, pk)
        return TemplateResponse(request, "admin/practices/rule_try.html", self._tried(request, rule))

    def adopt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        rule = self._rule(request, pk)
        if not may_propose(actor(request)):
            raise PermissionDenied(_("Only the administrator records which rule the commissions adopted."))
        form = AdoptForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                rules.adopt(rule, by=actor(request), decision=form.cleaned_data["decision"])
            except NotAllowed as refusal:
                raise PermissionDenied(str(refusal)) from refusal
            except MoveRefused as refusal:
                tell(request, refusal)
            else:
                done = _("Adopted: drafts follow this rule from now on. No published page was changed.")
                self.message_user(request, done, messages.SUCCESS)
            return redirect("admin:practices_ratingrule_try", pk)
        return TemplateResponse(request, "admin/practices/rule_adopt.html", self._tried(request, rule) | {"form": form})

    def _rule(self, request: HttpRequest, pk: int) -> RatingRule:
        rule = RatingRule.objects.select_related("adopted_by").filter(pk=pk).first()
        if rule is None:
            raise Http404
        if not self.has_view_permission(request, rule):
            raise PermissionDenied
        return rule

    def _tried(self, request: HttpRequest, rule: RatingRule) -> dict[str, Any]:
        read = rule.rule()
        found = [self._row(change, read) for change in rules.under(read)]
        proposed = rule.state == RatingRule.State.PROPOSED
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Try the rule %(version)s") % {"version": rule.version},
            "rule": rule,
            "rule_words": rule_words(read),
            "rows": found,
            "changing": sum(row["change"].differs for row in found),
            "to_open": [] if proposed else rules.to_open(read),
            "adopt_url": reverse("admin:practices_ratingrule_adopt", args=[rule.pk])
            if proposed and may_propose(actor(request))
            else "",
        }

    def _row(self, change: Change, rule: StrengthRule) -> dict[str, Any]:
        return {
            "change": change,
            "url": reverse("admin:practices_practice_change", args=[change.version.item_id]),
            "steps": strength_steps(change.waterfall, rule),
        }
