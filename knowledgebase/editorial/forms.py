"""Forms of versioned texts and of the rows that belong to them."""

from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.models import Concept, ConceptLabel, Item, Scheme, SlugRedirect, Version, VersionChild


def stale(version: Version) -> ValidationError:
    """Somebody else saved or moved the version after this form was opened."""
    log = LogEntry.objects.filter(
        content_type__app_label=version._meta.app_label,
        content_type__model=version._meta.model_name,
        object_id=str(version.pk),
    )
    last = log.select_related("user").order_by("-action_time", "-pk").first()
    message = _(
        "%(who)s saved this version after you opened it, so yours was not saved. What you typed is still here: "
        "open this page in a second tab, copy your changes into it and save there, or first ask %(who)s."
    )
    who = last.user.get_username() if last else _("Somebody else")
    return ValidationError(message % {"who": who}, code="stale")


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
            raise stale(self.version)
        return cleaned


class WithdrawForm(LockedForm):
    reason = forms.CharField(
        label=gettext_lazy("Why the text is withdrawn"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=gettext_lazy("Readers see this reason at the address of the text."),
    )


class VersionForm(forms.ModelForm):
    """The text of a version. Its Markdown fields name the address that previews them (js/markdown-preview.js)."""

    lock_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

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
            self.add_error(None, stale(self.instance))
        return cleaned


class ItemForm(forms.ModelForm):
    """The identity of a text; `kind` is that of the model."""

    class Meta:
        help_texts = {
            "slug": gettext_lazy("The last part of the address. When it changes, the old address keeps working."),
            "key": gettext_lazy("A stable name for files and links between texts. It cannot change later."),
        }

    def clean_slug(self) -> str:
        slug, kind = self.cleaned_data["slug"], self.instance.kind
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
        if "order" in self.fields:
            self.fields["order"].required = False
            if self.instance._state.adding:
                self.initial["order"] = None


class ChildFormSet(BaseInlineFormSet):
    """Rows of one kind of a version, in the order that their numbers say."""

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
