"""Forms of versioned texts and of the rows that belong to them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial import norms
from knowledgebase.editorial.previews import MOST_DAYS
from knowledgebase.models import (
    AuditActor,
    AuditEvent,
    Concept,
    ConceptLabel,
    Item,
    Scheme,
    SlugRedirect,
    Version,
    VersionChild,
)
from knowledgebase.rendering import TextTooComplex

RESERVED_SLUGS = frozenset({"vergelijk", "versies"})  # the comparison, and the versions of the page above


def last_actor(version: Version) -> str:
    """Who did something with a version last, by name."""
    event = AuditEvent.objects.filter(item=version.item_id, version_number=version.number).order_by("-seq").first()
    actor = AuditActor.objects.filter(user_id=event.actor_id or 0).first() if event else None
    return actor.name if actor else _("Somebody else")


def stale(version: Version, message: str) -> ValidationError:
    """Somebody else saved or moved the version after this form was opened."""
    return ValidationError(message % {"who": last_actor(version)}, code="stale")


class LockedForm(forms.Form):
    """A form that only counts for the version as it was shown: `version` is the row read again under its lock."""

    lock_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, version: Version, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = version
        self.fields["lock_version"].initial = version.lock_version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("lock_version") != self.version.lock_version:
            renew(self, self.version)
            raise stale(
                self.version,
                _("%(who)s changed this version after you opened this page. Look at it again before you go on."),
            )
        return cleaned


def renew(form: Any, version: Version) -> None:
    """Let a form that came too late be sent again on purpose, on top of the version as it is now."""
    form.data = form.data.copy()
    form.data[form.add_prefix("lock_version")] = str(version.lock_version)


class SubmitForm(LockedForm):
    remark = forms.CharField(
        label=gettext_lazy("Remark for the commissions"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=gettext_lazy("For example what you did with the remarks of the round before. Readers do not see it."),
    )
    readability_reason = forms.CharField(
        label=gettext_lazy("Why the text is harder to read than the norm"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("The user commission reads this with the text."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            self.above_norm = norms.readability_of(self.version).over
        except TextTooComplex:  # a finding of its own, which blocks
            self.above_norm = []
        if self.above_norm:
            self.fields["readability_reason"].required = True
        else:
            del self.fields["readability_reason"]


class ScheduleForm(LockedForm):
    at = forms.DateTimeField(
        label=gettext_lazy("Publish at"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "vTextField"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("A moment in the future, in Belgian time."),
    )

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at > timezone.now() + timedelta(days=731):
            raise ValidationError(_("Choose a moment within two years."), code="far")
        return at


class ShareForm(forms.Form):
    """For how long a preview link opens, and a word to know it by."""

    days = forms.IntegerField(
        label=gettext_lazy("Valid for how many days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=7,
        widget=forms.NumberInput(attrs={"class": "vIntegerField", "min": 1, "max": MOST_DAYS}),
    )
    note = forms.CharField(
        label=gettext_lazy("For whom"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("Only editors see this."),
    )


class WithdrawForm(LockedForm):
    reason = forms.CharField(
        label=gettext_lazy("Why the text is withdrawn"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=gettext_lazy("Readers see this reason at the address of the text."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note for the audit trail"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("Readers do not see this."),
    )


class VersionForm(forms.ModelForm):
    """The text of a version. Its Markdown fields name the address that previews them (js/markdown-preview.js)."""

    lock_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    is_stale = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lock_version"].initial = self.instance.lock_version
        for name in self.instance.markdown_fields:
            if name in self.fields:
                field = self.fields[name]
                field.widget.attrs |= {
                    "rows": 8,
                    "data-preview-url": reverse("preview", args=[self.instance.pk]),
                    "data-preview-label": _("Preview of “%(field)s”") % {"field": field.label},
                    "data-preview-failed": _("The preview cannot be shown now. Are you still logged in?"),
                }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("lock_version") != self.instance.lock_version:
            renew(self, self.instance)
            self.is_stale = True
            message = _(
                "%(who)s saved this version after you opened it, so yours is not saved yet. Below you see where the two "
                "differ. What you typed is still in the form: change it where you want to, then save again."
            )
            self.add_error(None, stale(self.instance, message))
        return cleaned


@dataclass(frozen=True)
class Conflict:
    """A place where what somebody typed and what is saved differ, each as a reader of the form sees it."""

    label: str
    mine: str
    theirs: str


def conflicts(form: forms.ModelForm, formsets: Iterable[Any]) -> Iterator[Conflict]:
    """Both texts of a form that came too late, its rows included."""
    yield from _differing(form)
    for formset in formsets:
        name = str(formset.model._meta.verbose_name)
        rows = {row.pk: row for row in formset.get_queryset().all()}
        for number, row_form in enumerate(formset.forms, start=1):
            label = f"{name} {number}"
            saved = rows.pop(row_form.instance.pk, None)
            if formset.can_delete and formset._should_delete_form(row_form):
                if saved is not None:
                    yield Conflict(label, _("taken out"), str(saved))
            elif saved is None:
                if row_form.has_changed():
                    values = (
                        f"{row_form[name].label}: {_shown(row_form[name], row_form[name].data)}"
                        for name in row_form.changed_data
                    )
                    yield Conflict(label, "\n".join(values), _("not there"))
            else:
                yield from _differing(row_form, f"{label}: ")
        for row in rows.values():
            yield Conflict(name, _("not there"), str(row))


def _differing(form: forms.ModelForm, prefix: str = "") -> Iterator[Conflict]:
    for name in form.changed_data:
        if name != "lock_version":
            bound = form[name]
            label = prefix + str(bound.label)
            yield Conflict(label, _shown(bound, bound.data), _shown(bound, bound.initial))


def _shown(bound: forms.BoundField, value: Any) -> str:
    """A value as its field shows it."""
    field: Any = bound.field
    if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
        chosen = field.queryset.filter(pk=value).first() if str(value or "").isdigit() else None
        return field.label_from_instance(chosen) if chosen else _("nothing")
    if isinstance(field, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        value = dict(choices).get(value, value)
    shown = field.prepare_value(value)
    return _("nothing") if shown in (None, "") else str(shown)


class ItemForm(forms.ModelForm):
    """The identity of a text; `kind` is that of the model."""

    class Meta:
        help_texts = {
            "slug": gettext_lazy("The last part of the address. When it changes, the old address keeps working."),
            "key": gettext_lazy("A stable name for files and links between texts. It cannot change later."),
        }

    def clean_slug(self) -> str:
        slug, kind = self.cleaned_data["slug"], self.instance.kind
        if slug in RESERVED_SLUGS:
            raise ValidationError(_("The site itself uses this address: choose another one."), code="reserved")
        if Item.objects.filter(kind=kind, slug=slug).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Another text has this address: choose another one."), code="taken")
        if SlugRedirect.objects.filter(kind=kind, slug=slug).exclude(item=self.instance.pk).exists():
            raise ValidationError(
                _("This address leads to a text that used to have it: choose another one."), code="taken"
            )
        return str(slug)


class NewItemForm(ItemForm):
    """A new text: its identity, and the title of its first draft."""

    title = forms.CharField(
        label=gettext_lazy("title"), max_length=160, widget=forms.TextInput(attrs={"class": "vTextField"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if slug := cleaned.get("slug"):
            kind = self.instance.kind
            cleaned["key"] = cleaned.get("key") or (slug if kind == Item.Kind.PRACTICE else f"{kind}-{slug}"[:80])
        return cleaned

    def draft_fields(self) -> dict[str, Any]:
        """What the first draft begins with."""
        return {"title": self.cleaned_data["title"]}


class ChildForm(forms.ModelForm):
    """A row of a version; without an order it comes last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not field.widget.is_hidden:
                field.widget.attrs.setdefault("aria-label", str(field.label or ""))  # a table has no labels
        if "order" in self.fields:
            self.fields["order"].required = False
            if self.instance._state.adding:
                self.initial["order"] = None


class ChildFormSet(BaseInlineFormSet):
    """Rows of one kind of a version, in the order that their numbers say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self._put_back_lost_rows()

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = str(form.fields["DELETE"].label)

    def get_unique_error_message(self, unique_check: Any) -> str:
        """With the words of the form for what is there twice."""
        fields = [self.form.base_fields.get(name) for name in unique_check]
        return str(super().get_unique_error_message([str(field.label) for field in fields if field is not None]))

    def _put_back_lost_rows(self) -> None:
        """A row that somebody else took out meanwhile counts as a new one: what was typed in it is kept."""
        data: Any = self.data
        initial = data.get(f"{self.prefix}-INITIAL_FORMS", "")
        known = {str(row.pk) for row in self.get_queryset()}
        rows: dict[int, dict[str, list[str]]] = {}
        for name in data:
            if found := re.match(rf"{re.escape(str(self.prefix))}-(\d{{1,4}})-(\w+)\Z", name):
                rows.setdefault(int(found[1]), {})[found[2]] = data.getlist(name)
        lost = [n for n, row in rows.items() if row.get("id", [""])[-1] not in {"", *known}]
        if not lost or not initial.isdigit():
            return
        kept = [rows[n] for n in sorted(rows) if n not in lost and n < int(initial)]
        new = [rows[n] for n in sorted(rows) if n not in lost and n >= int(initial)]
        new += [rows[n] | {"id": [""]} for n in sorted(lost) if "DELETE" not in rows[n]]
        data = data.copy()
        for n, row in rows.items():
            for field in row:
                del data[f"{self.prefix}-{n}-{field}"]
        for n, row in enumerate([*kept, *new]):
            for field, values in row.items():
                data.setlist(f"{self.prefix}-{n}-{field}", values)
        data[f"{self.prefix}-INITIAL_FORMS"] = str(len(kept))
        data[f"{self.prefix}-TOTAL_FORMS"] = str(len(kept) + len(new))
        self.data = data

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Any:
        self._number(form.instance)
        return super().save_new(form, commit=commit)

    def save_existing(self, form: forms.ModelForm, obj: Any, commit: bool = True) -> Any:
        self._number(obj)
        return super().save_existing(form, obj, commit=commit)

    def _number(self, row: VersionChild) -> None:
        order: int | None = row.order  # the form may leave it empty
        if order is None:
            others = [form.instance.order for form in self.forms if form.instance.order is not None]
            row.order = max(others, default=-1) + 1


class ConceptChoiceField(forms.ModelChoiceField):
    """A concept with the vocabulary that it is of: “Lezen” is a subject and an outcome."""

    def label_from_instance(self, obj: Any) -> str:
        return concept_label(obj)


class ItemChoiceField(forms.ModelChoiceField):
    """A text by the title of its newest version (the queryset brings it as `title`)."""

    def label_from_instance(self, obj: Any) -> str:
        return item_label(obj)


def concept_label(concept: Concept) -> str:
    return f"{concept} ({concept.get_scheme_display()})"


def item_label(item: Any) -> str:
    return f"{item.title or item.slug} ({item.get_kind_display()})"


def concept_choices(scheme: Scheme) -> list[tuple[str, str]]:
    """Slug and name of every concept of a vocabulary."""
    labels = ConceptLabel.objects.filter(
        concept__scheme=scheme, relation=ConceptLabel.Relation.PREFERRED, language="nl"
    ).order_by("concept__order", "concept__slug")
    return list(labels.values_list("concept__slug", "label"))
