"""Adding sources by their DOI or from RIS and BibTeX: a form, a preview of every record, and a report of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase import records, registries
from knowledgebase.citations import Reference
from knowledgebase.editorial.admin import actor
from knowledgebase.editorial.bibliography import Catalogue, add, may_add
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.models import Source, normalise_doi

from .source_fields import AuthorsField

if TYPE_CHECKING:
    from .sources import SourceAdmin

TEMPLATE = "admin/knowledgebase/source/records.html"
PREFIX = "bron"
MAX_BYTES = 2 * records.MAX_CHARACTERS
DOI, FILE = "doi", "file"
KEY_FORM = gettext_lazy("Write small letters, digits and hyphens only, as in wisniewski-2020.")


class AskForm(forms.Form):
    """Where the records come from: a DOI, or a file or text of RIS or BibTeX."""

    doi = forms.CharField(
        label="DOI",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("For example 10.1007/s10648-018-9445-7, or the address with doi.org in it."),
    )
    file = forms.FileField(
        label=gettext_lazy("RIS or BibTeX file"), required=False, help_text=gettext_lazy("At most 50 records.")
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste RIS or BibTeX"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "vLargeTextField", "spellcheck": "false"}),
    )

    file_text = ""

    def clean_doi(self) -> str:
        text = self.cleaned_data["doi"]
        return normalise_doi(text) if text else ""

    def clean_file(self) -> str:
        """The text of the file; where the encoding is not UTF it is that of older programs."""
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > MAX_BYTES:
            message = _("This file is larger than %(limit)s kB. Add the records in smaller parts.")
            raise ValidationError(message % {"limit": MAX_BYTES // 1000}, code="size")
        content = file.read()
        for encoding in ("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
            try:
                self.file_text = str(content.decode(encoding))
                return self.file_text
            except UnicodeDecodeError:
                continue
        raise ValidationError(_("This file is no text. Save the records as RIS or BibTeX."), code="binary")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = [name for name in ("doi", "file", "text") if (cleaned.get(name) or "").strip()]
        if self.errors:
            return cleaned
        if len(given) != 1:
            message = _("Give one of the three: a DOI, a file, or a text.")
            raise ValidationError(message, code="one")
        [name] = given
        try:
            self.origin = DOI if name == "doi" else FILE
            if name == "doi" and Source.objects.filter(doi=cleaned["doi"]).exists():
                self.records = [
                    records.Record(cleaned["doi"], Reference(key="", kind="", title="", doi=cleaned["doi"]))
                ]
            elif name == "doi":
                self.records = [records.of_csl(cleaned["doi"], registries.record_of(cleaned["doi"]))]
            else:
                self.records = records.read(cleaned[name])
        except (records.NoRecords, registries.NoRecord) as error:
            self.add_error(name, ValidationError(str(error), code="record"))
        return cleaned

    def keep_file(self) -> None:
        """A browser does not give a file twice: its text goes on in the field below it."""
        if self.file_text:
            self.data = {**self.data.dict(), "text": self.file_text} if isinstance(self.data, QueryDict) else self.data


class RecordForm(forms.ModelForm):
    """One record, to look over and to mend before it is added."""

    field_order = ("take",)
    take = forms.BooleanField(label=gettext_lazy("Add this source"), required=False)
    authors = AuthorsField()
    url = forms.URLField(label=capfirst(gettext_lazy("address")), required=False, max_length=400, assume_scheme="https")

    class Meta:
        model = Source
        fields = (
            "key", "kind", "title", "authors", "year", "container", "volume", "issue", "pages", "doi", "url",
            "language", "retraction", "grade",
        )  # fmt: skip
        widgets = {"title": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})}
        error_messages = {"key": {"invalid": KEY_FORM}}

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if not re.fullmatch(r"[a-z0-9-]+", key):
            raise ValidationError(KEY_FORM, code="key")
        return key

    @property
    def is_taken(self) -> bool:
        return bool(self["take"].data)


@dataclass(frozen=True)
class Told:
    """A line of the report on a record."""

    place: str
    words: str
    source: Source | None = None
    why: str = ""


RecordFormSet = forms.formset_factory(
    RecordForm, extra=0, max_num=records.MAX_RECORDS, absolute_max=records.MAX_RECORDS, validate_max=True
)


def add_records(admin: "SourceAdmin", request: HttpRequest) -> HttpResponse:
    """The form; posted, the preview of what it holds; that posted, the report and what was refused."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if not may_add(actor(request)):
        raise PermissionDenied(_("Only editors add sources. Ask an editor to do it."))
    if request.method != "POST":
        return _page(admin, request, form=AskForm())
    if f"{PREFIX}-TOTAL_FORMS" in request.POST:
        return _save(admin, request)
    form = AskForm(request.POST, request.FILES)
    if not form.is_valid():
        form.keep_file()
        return _page(admin, request, form=form)
    formset, report = _preview(form.records, form.origin)
    return _page(admin, request, form=AskForm(), formset=formset, report=report, origin=form.origin)


def _preview(found: Iterable[records.Record], origin: str) -> tuple[Any, list[Told]]:
    """A form for each record that is new, and what is to be said of the others."""
    catalogue, taken = Catalogue.of_all(), set[str]()
    new: list[tuple[records.Record, dict[str, Any]]] = []
    report = []
    for record in found:
        reference = record.reference
        if reference is None:
            report.append(Told(record.place, _("Refused"), why=record.refused))
        elif (existing := catalogue.find(reference)) is not None:
            twin = existing.pk is None
            why = _("It stands in this file twice.") if twin else ""
            report.append(Told(record.place, _("Already there"), None if twin else existing, why))
        else:
            key = catalogue.propose_key(reference, taken=taken)
            taken.add(key)
            values = _values(record, reference, key, origin)
            facts: dict[str, Any] = {"title": reference.title, "authors": [*reference.authors], "year": reference.year}
            catalogue.hold(Source(key=key, doi=reference.doi, **facts))
            new.append((record, values))
    if not new:
        return None, report
    formset = RecordFormSet(prefix=PREFIX, initial=[values for _record, values in new])
    forms: list[Any] = formset.forms
    for form, (record, _values_given) in zip(forms, new, strict=True):
        form.shown = record.reference
    return formset, report


def _values(record: records.Record, reference: Reference, key: str, origin: str) -> dict[str, Any]:
    """What the form of a record begins with."""
    names = ("kind", "title", "authors", "year", "container", "volume", "issue", "pages", "doi", "url", "language")
    # Seen at a registry; a file may be made by anybody.
    grade = Source.Grade.A if origin == DOI else Source.Grade.B
    retraction = Source.Retraction.RETRACTED if record.is_retracted else Source.Retraction.NONE
    given = {name: getattr(reference, name) for name in names}
    return given | {"take": True, "key": key, "authors": [*reference.authors], "grade": grade, "retraction": retraction}


def _save(admin: "SourceAdmin", request: HttpRequest) -> HttpResponse:
    origin = DOI if request.POST.get("origin") == DOI else FILE
    formset = RecordFormSet(request.POST, prefix=PREFIX)
    management = formset.management_form
    count = int(management.cleaned_data["TOTAL_FORMS"] or 0) if management.is_valid() else 0
    if not 0 < count <= records.MAX_RECORDS:
        messages.error(request, _("The form came in broken, so nothing was added. Begin again."))
        return _page(admin, request, form=AskForm())
    catalogue = Catalogue.of_all()
    report, refused = [], []
    for number, form in enumerate(formset.forms):
        place = str(form["title"].data or "")[:80]
        if not form.is_taken:
            report.append(Told(place, _("Not chosen")))
            continue
        told = _add(form, catalogue, place, origin, request)
        if told is None:
            refused.append(number)
        else:
            report.append(told)
    if not any(form.is_taken for form in formset.forms):
        messages.error(request, _("You chose no record, so nothing was added."))
        refused, report = list(range(count)), []
    again = RecordFormSet(_kept(request.POST, refused), prefix=PREFIX) if refused else None
    return _page(admin, request, form=AskForm(), formset=again, report=report, origin=origin)


def _add(form: Any, catalogue: Catalogue, place: str, origin: str, request: HttpRequest) -> Told | None:
    """Add what one form holds; None when it has to be mended, with the errors in the form."""
    is_valid = form.is_valid()
    # Looked up in any case: when somebody added it meanwhile, its key and DOI are taken and nothing needs mending.
    if (existing := catalogue.find(Reference.of_source(form.instance))) is not None:
        return Told(place, _("Already there"), existing)
    if not is_valid:
        return None
    try:
        source = add(form.instance, by=actor(request), origin=origin)
    except MoveRefused as refusal:
        return Told(place, _("Refused"), why=" ".join(refusal.reasons))
    catalogue.hold(source)
    return Told(place, _("Added"), source)


def _kept(posted: QueryDict, numbers: list[int]) -> QueryDict:
    """What was posted for some of the forms, renumbered."""
    data = QueryDict(mutable=True)
    data[f"{PREFIX}-TOTAL_FORMS"], data[f"{PREFIX}-INITIAL_FORMS"] = str(len(numbers)), "0"
    for place, number in enumerate(numbers):
        start = f"{PREFIX}-{number}-"
        for name in posted:
            if name.startswith(start):
                data.setlist(f"{PREFIX}-{place}-{name.removeprefix(start)}", posted.getlist(name))
    return data


def _page(admin: "SourceAdmin", request: HttpRequest, **context: Any) -> HttpResponse:
    whole = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Add sources"),
        "formset": None,
        "report": [],
        "origin": "",
        **context,
    }
    return TemplateResponse(request, TEMPLATE, whole)
