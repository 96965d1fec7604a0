"""Forms in which editors enter study rows: one for each kind of statistics, one for a file, one for choosing rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial import reported
from knowledgebase.editorial.study_tables import MOST_BYTES, Table, Unreadable, read
from knowledgebase.models import LARGEST, EffectSize, Measure, Selection, Study

WIDE = {"class": "vTextField"}


class LinesField(forms.CharField):
    """A list of words, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys(line.strip() for line in str(value or "").splitlines() if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial or [])) != self.to_python(data))


class CharacteristicsField(forms.CharField):
    """Characteristics one a line, “feedback: ja”, for an object of names with words or numbers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name}: {_written(part)}" for name, part in value.items())

    def to_python(self, value: Any) -> Any:
        found: dict[str, Any] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            name, colon, text = (part.strip() for part in line.partition(":"))
            if not (name and colon):
                message = _("Line %(number)s: write a name, a colon and a value, as in “feedback: ja”.")
                raise ValidationError(message % {"number": number}, code="characteristic")
            if name in found:
                message = _("Line %(number)s: “%(name)s” stands there twice.")
                raise ValidationError(message % {"number": number, "name": name}, code="characteristic")
            if text:
                found[name] = reported.characteristic(text)
        return found


def _written(value: Any) -> str:
    return str(value).replace(".", ",") if isinstance(value, float) else str(value)


class EffectForm(forms.Form):
    """An effect by one kind of statistics. Once valid, `values` is what the row becomes and `formula` how."""

    outcome = EffectSize._meta.get_field("outcome").formfield(widget=forms.TextInput(attrs=WIDE))
    contrast = EffectSize._meta.get_field("contrast").formfield(widget=forms.TextInput(attrs=WIDE))
    moderators = CharacteristicsField(
        label=gettext_lazy("characteristics"),
        help_text=gettext_lazy("One a line: “feedback: ja”, “duur in weken: 12”. Leave out what is unknown."),
    )

    def __init__(self, *args: Any, kind: str, effect: EffectSize | None = None, **kwargs: Any) -> None:
        if effect is not None:
            kwargs["initial"] = _initial(effect) | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.values: dict[str, Any] = {}
        own = _as_reported() if kind == EffectSize.AS_REPORTED else _fields(reported.KINDS[kind])
        common = {name: self.fields.pop(name) for name in ("outcome", "contrast", "moderators")}
        if kind == EffectSize.AS_REPORTED or not reported.KINDS[kind].measure:
            own = {"measure": forms.ChoiceField(label=gettext_lazy("measure"), choices=Measure.choices)} | own
        self.fields |= own | common
        _name_as_labels(self)

    @property
    def formula(self) -> str:
        return "" if self.kind == EffectSize.AS_REPORTED else reported.KINDS[self.kind].formula

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        values = {name: cleaned[name] for name in ("outcome", "contrast", "moderators")} | {"conversion": self.kind}
        if self.kind == EffectSize.AS_REPORTED:
            given = self._given(cleaned)
            if not self.errors:
                self.values = values | given | {"measure": cleaned["measure"], "reported": {}}
            return cleaned
        kind = reported.KINDS[self.kind]
        statistics = {name: cleaned[name].strip() for name in kind.names if cleaned[name].strip()}
        try:
            effect = reported.converted(self.kind, statistics)
            sizes = dict.fromkeys(("n1", "n2", "n")) | reported.sizes(self.kind, statistics)
        except reported.NotConverted as error:
            raise ValidationError(str(error), code="not-converted") from error
        self.values = values | sizes | {
            "reported": statistics, "effect": effect.value, "variance": effect.variance,
            "measure": kind.measure or cleaned["measure"],
        }  # fmt: skip
        return cleaned

    def _given(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("effect", "variance"):
            found[name] = self._number(name, reported.number, _("Give a number, as in 0,35."))
            if found[name] is None and name not in self.errors:
                self.add_error(name, _("Give a number, as in 0,35."))
        for name in ("n1", "n2", "n"):
            found[name] = self._number(name, reported.count, _("Give a whole number, or leave it empty."))
        if (variance := found["variance"]) is not None and not 0 < variance < LARGEST:
            self.add_error("variance", _("A variance is above zero."))
        if (effect := found["effect"]) is not None and abs(effect) >= LARGEST:
            self.add_error("effect", _("This effect is on no standardised scale."))
        return found

    def _number(self, name: str, read_as: Any, message: str) -> Any:
        try:
            return read_as(self.cleaned_data.get(name))
        except ValueError:
            self.add_error(name, message)
            return None


def _as_reported() -> dict[str, forms.Field]:
    labels = {field.name: field.verbose_name for field in EffectSize._meta.fields}
    return {
        name: forms.CharField(label=labels[name], max_length=40, required=name in ("effect", "variance"))
        for name in ("effect", "variance", "n1", "n2", "n")
    }


def _fields(kind: reported.Kind) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    for statistic in kind.statistics:
        label = f"{statistic.label} ({statistic.name})"
        if statistic.choices:
            found[statistic.name] = forms.ChoiceField(label=label, choices=statistic.choices)
        else:
            found[statistic.name] = forms.CharField(
                label=label, max_length=40, required=not statistic.default, initial=statistic.default.replace(".", ",")
            )
    return found


def _initial(effect: EffectSize) -> dict[str, Any]:
    own = ("outcome", "contrast", "moderators", "measure", "effect", "variance", "n1", "n2", "n")
    values = {name: getattr(effect, name) for name in own}
    written = {
        name: repr(value).replace(".", ",") if isinstance(value, float) else value for name, value in values.items()
    }
    return written | dict(effect.reported)


def _name_as_labels(form: forms.BaseForm) -> None:
    """Labels with a capital, as every form has them; symbols such as t stay."""
    for field in form.fields.values():
        label = str(field.label)
        field.label = label if label[1:2] in ("", " ") else capfirst(label)


class SynthesisField(forms.ModelChoiceField):
    """A source by its short name and its key."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.short} ({obj.key})"


class ImportForm(forms.Form):
    """A table from a file or pasted, with what holds for all of its rows. Once valid, `table` is what stands in it.

    A browser does not send a file again with the next button: what was read of it comes along as `kept`.
    """

    synthesis = Study._meta.get_field("synthesis").formfield(form_class=SynthesisField)
    measure = forms.ChoiceField(
        label=gettext_lazy("measure"),
        choices=Measure.choices,
        help_text=gettext_lazy("Of rows that do not say it themselves in a column “measure”."),
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        help_text=gettext_lazy(
            "Columns with commas, semicolons or tabs; numbers with a comma or a point. At most 2 MB."
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("or paste the table"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false"}),
    )
    corrections = forms.BooleanField(
        label=gettext_lazy("enter rows that are there with other values as corrections"),
        required=False,
        help_text=gettext_lazy("Without this they are refused, and the report shows both values."),
    )
    kept = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table: Table | None = None
        _name_as_labels(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if self.errors:
            return cleaned
        if not file and not text.strip():
            text = cleaned.get("kept") or ""
        if bool(file) == bool(text.strip()):
            raise ValidationError(_("Choose a file or paste a table: one of the two."), code="one")
        try:
            self.table = read(file.read(MOST_BYTES + 1) if file else text)
        except Unreadable as error:
            raise ValidationError(str(error), code="unreadable") from error
        return cleaned


class SelectionForm(forms.ModelForm):
    """How a figure is computed from its rows; the rows are chosen on a page of their own."""

    moderators = LinesField(
        label=gettext_lazy("characteristics to compare"),
        help_text=gettext_lazy("One a line, as they are called in the rows, for example “feedback”."),
    )

    class Meta:
        model = Selection
        fields = (
            "context_key", "label", "synthesis", "measure", "model", "test", "method", "rho", "months", "moderators",
            "caveats", "order",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_as_labels(self)
        if "order" in self.fields:
            self.fields["order"].required = False
            if self.instance._state.adding:
                self.initial["order"] = None

    def has_changed(self) -> bool:
        """A new one counts also when all of it is as usual: Django would leave it out."""
        return bool(self.instance._state.adding or super().has_changed())
