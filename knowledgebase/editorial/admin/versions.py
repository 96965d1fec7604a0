from collections.abc import Callable
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase import rendering
from knowledgebase.editorial import previews
from knowledgebase.editorial.findings import findings
from knowledgebase.editorial.forms import ShareForm, VersionForm, conflicts
from knowledgebase.editorial.permissions import may_write
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.editorial.transitions import saved
from knowledgebase.editorial.versions import OpenVersionNotEditable
from knowledgebase.models import OPEN, Item, PreviewToken, Version

from .children import ConceptLinkInline, ItemLinkInline, SourceLinkInline
from .guarded import GuardedAdmin, actor, tell, why
from .items import history_url, item_url, version_url
from .moves import MOVES, Move
from .reports import as_links, places, remarks_on, report_of
from .selections import SelectionInline, SelectionPages

State = Version.State
MOST_TOLD = 8  # findings after saving


class VersionAdmin(SelectionPages, GuardedAdmin):
    """The text of one version: written while it is open to editors, read-only to everybody after that.

    Versions begin at TextAdmin and change state here through the verbs of transitions.py, one button each (MOVES).
    """

    form = VersionForm
    change_form_template = "admin/editorial/version_change_form.html"
    save_as = False
    view_on_site = False
    inlines: ClassVar[Any] = (ConceptLinkInline, SourceLinkInline, ItemLinkInline)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    opening_fields: tuple[str, ...] = ("title", "lead")
    markdown_sections: tuple[tuple[Any, tuple[str, ...]], ...] = ()  # headings with Markdown fields, in reading order

    class Media:
        js = ("js/markdown-preview.js",)

    # -- who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a draft is thrown away by a move, everything else stays

    # -- reading and writing

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("item", "created_by")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The version; one that is about to be written is read under the lock of its item (item, then version)."""
        version = super().get_object(request, object_id, from_field)
        if version is None or request.method != "POST":
            return version
        return _locked(self.get_queryset(request), version)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = self.markdown_sections or ((gettext_lazy("Text"), self.model.markdown_fields),)
        fieldsets = [
            (None, {"fields": self.opening_fields}),
            *((heading, {"fields": fields, "classes": ("markdown",)}) for heading, fields in sections),
        ]
        if obj is not None and obj.number > 1:
            change = {
                "fields": ("change_type", "conclusion_changed", "change_note"),
                "description": _(
                    "Readers see this in the list of versions. It is needed before the text is submitted."
                ),
            }
            fieldsets.append((gettext_lazy("What changed"), change))
        dates = {"fields": (("checked_on", "searched_on"), ("licence", "is_demo"))}
        return [*fieldsets, (gettext_lazy("Dates and licence"), dates)]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Practices and research summaries may rest on study rows."""
        rests = self.model.kind in (Item.Kind.PRACTICE, Item.Kind.SUMMARY)
        return [*super().get_inlines(request, obj), *([SelectionInline] if rests else [])]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Who saves what others have frozen meanwhile is refused, and gets the typed text back."""
        if request.method == "POST" and object_id is not None:
            version = super().get_object(request, object_id)
            if version is not None and not version.is_editable and self.has_view_permission(request, version):
                return self._frozen(request, version)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _frozen(self, request: HttpRequest, version: Any) -> HttpResponse:
        context = self._context(request, version, _("This version can no longer be changed"))
        context["typed"] = self.typed(request)
        return TemplateResponse(request, "admin/editorial/frozen.html", context, status=403)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        saved(form.instance, by=actor(request))
        self._tell_findings(request, form.instance)

    def _tell_findings(self, request: HttpRequest, version: Any) -> None:
        """What keeps a text from being submitted, said as soon as it is saved; the text is kept as it is."""
        fresh = self.model._default_manager.select_related("item").get(pk=version.pk)
        names = {name: label for name, (label, _anchor) in places(fresh).items()}
        found = [finding for finding in findings(fresh) if finding.line is not None and finding.blocking]
        for finding in found[:MOST_TOLD]:
            messages.warning(request, f"{names[finding.field]}. {finding.message}")
        if len(found) > MOST_TOLD:
            more = _("And %(count)s more: “Check and submit” lists them all.")
            messages.warning(request, more % {"count": len(found) - MOST_TOLD})

    # -- around the form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        version, user = kwargs["obj"], actor(request)
        context |= self._context(request, version, version.title) | {
            "moves": [
                (_(move.label), reverse(self._name(move.name), args=[version.pk]))
                for move in MOVES
                if move.is_possible(version, user)
            ],
            "subtitle": None,
            "history_url": history_url(version.item, user),
            "markdown_help": _(
                "Texts are Markdown: **strong**, lists with - or 1., [words](address) for a link, [@key] for a source "
                "of this version. The preview knows the sources and figures as they were last saved."
            ),
            "tokens": sorted(version.token_values().items()),
            "citations": sorted(rendering.citations_of(version).items()),
        }
        form = context["adminform"].form
        if getattr(form, "is_stale", False):
            formsets = [inline.formset for inline in context["inline_admin_formsets"]]
            context["conflicts"] = list(conflicts(form, formsets))
        if may_write(user):
            context |= {
                "report": report_of(version, to=user),
                "remarks": remarks_on(version),
                "previews": list(version.preview_tokens.select_related("created_by")),
                "live_previews": set(version.preview_tokens.live().values_list("pk", flat=True)),
                "share_url": reverse(self._name("share"), args=[version.pk]) if version.state in OPEN else "",
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect(self._list())

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            raise Http404
        if not (url := history_url(version.item, actor(request))):
            raise PermissionDenied
        return redirect(url)

    def _context(self, request: HttpRequest, version: Any, title: str) -> dict[str, Any]:
        item = version.item
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "version": version,
            "item": item,
            "item_url": item_url(item),
            "items_url": reverse(self._list()),
            "items_name": apps.get_model(self.opts.app_label, self.model.kind)._meta.verbose_name_plural,
        }

    def _list(self) -> str:
        return f"admin:{self.opts.app_label}_{self.model.kind}_changelist"

    def _name(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"

    # -- moves

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(view), name=self._name(name).removeprefix("admin:"))

        return [
            *(page(f"<int:pk>/{move.path}/", self._view_of(move), move.name) for move in MOVES),
            page("<int:pk>/studies/<uuid:uid>/", self.selection_view, "selection"),
            page("<int:pk>/voorbeeldlink/", self.share_view, "share"),
            page("<int:pk>/voorbeeldlink/<int:token>/intrekken/", self.unshare_view, "unshare"),
            *super().get_urls(),
        ]

    def _view_of(self, move: Move) -> Callable[..., HttpResponse]:
        return lambda request, pk: self._move(request, pk, move)

    def _move(self, request: HttpRequest, pk: int, move: Move) -> HttpResponse:
        """A page that asks, and the move when it is posted: under the lock, for the version as it was shown."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        try:
            with transaction.atomic():
                return self._asked(request, pk, move)
        except IntegrityError as error:
            self.message_user(request, why(error), messages.ERROR)
            return redirect(version_url(self.model, pk))

    def _asked(self, request: HttpRequest, pk: int, move: Move) -> HttpResponse:
        user = actor(request)
        version = self.get_object(request, str(pk))
        if version is None:
            if request.method == "POST" and move.name == "discard" and may_write(user):
                tell(request, AlreadyDone(_("This draft was thrown away: nothing was changed.")))
                return redirect(self._list())
            raise Http404
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        back = redirect(version_url(self.model, pk))
        try:
            if move.may(user, version):
                move.check(version)
            else:
                raise NotAllowed(_(move.who))
            form = move.form(request.POST if request.method == "POST" else None, version=version)
            if request.method == "POST" and not form.is_valid() and move.is_done(version, form):
                raise AlreadyDone(_("This was done already: nothing was changed."))
            if request.method == "POST" and form.is_valid():
                after, done = move.deed(version, user, form)
                self.message_user(request, done, messages.SUCCESS)
                return redirect(version_url(self.model, after.pk) if after else item_url(version.item))
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except OpenVersionNotEditable:
            waiting = _("The open version is with the commissions: nobody can edit it now.")
            self.message_user(request, waiting, messages.WARNING)
            return back
        except MoveRefused as refusal:
            tell(request, refusal)
            return back
        context = self._context(request, version, version.title) | {"form": form} | move.context(version)
        if found := context.get("findings"):
            context["findings"] = as_links(version, found, version_url(self.model, pk))
            context["blocked"] = any(finding.blocking for finding in found)
        return TemplateResponse(request, move.template, context)

    # -- links for people without an account

    def share_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for how long and for whom; then shows the link, once."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        version = self._shared(request, pk)
        form = ShareForm(request.POST if request.method == "POST" else None)
        context = self._context(request, version, version.title)
        if request.method == "POST" and form.is_valid():
            days, note = form.cleaned_data["days"], form.cleaned_data["note"]
            try:
                token, secret = previews.share(version, by=actor(request), days=days, note=note)
            except MoveRefused as refusal:
                tell(request, refusal)
                return redirect(version_url(self.model, pk))
            url = request.build_absolute_uri(reverse("shared-preview", args=[secret]))
            return TemplateResponse(request, "admin/editorial/shared.html", context | {"token": token, "url": url})
        return TemplateResponse(request, "admin/editorial/share.html", context | {"form": form})

    def unshare_view(self, request: HttpRequest, pk: int, token: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        version = self._shared(request, pk)
        link = PreviewToken.objects.filter(version=version.pk, pk=token).select_related("version__item").first()
        if link is None:
            raise Http404
        try:
            previews.revoke(link, by=actor(request))
        except MoveRefused as refusal:
            tell(request, refusal)
        else:
            self.message_user(request, _("The preview link was revoked: it no longer opens."), messages.SUCCESS)
        return redirect(version_url(self.model, pk))

    def _shared(self, request: HttpRequest, pk: int) -> Any:
        version = super().get_object(request, str(pk))
        if version is None:
            raise Http404
        if not (self.has_view_permission(request, version) and may_write(actor(request))):
            raise PermissionDenied
        return version


def _locked(versions: QuerySet, version: Any) -> Any:
    Item.objects.locked().get(pk=version.item_id)
    return versions.select_for_update(of=("self", "version_ptr")).filter(pk=version.pk).first()
