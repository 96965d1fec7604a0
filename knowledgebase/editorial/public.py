"""What a reader gets of a versioned text: the published version, the new address of an old one, or a tombstone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.generic.base import ContextMixin, View

from knowledgebase import rendering
from knowledgebase.citations import Reference, as_file
from knowledgebase.models import PUBLIC_ONCE, Item, SiteState, SlugRedirect, Source, Version
from knowledgebase.search import fold
from knowledgebase.structured_data import reviewed_page

from .approvals import Approvals, approvals_of, newer_evidence

State = Version.State
CHANGE_SHOWN_DAYS = 365
CITED_AS_FILE = frozenset({Item.Kind.PRACTICE, Item.Kind.SUMMARY})


def site_state(request: HttpRequest) -> SiteState:
    """The site as it was when a request first asked; read once."""
    if not hasattr(request, "_site_state"):
        request._site_state = SiteState.current()  # type: ignore[attr-defined]  # a request carries what was read for it
    return request._site_state  # type: ignore[attr-defined,no-any-return]


class VersionView(ContextMixin, View):
    """A page of one published text by its slug, or with a number of an old version of it."""

    model: type[Version] = Version
    template_name: str
    below = ""  # what the address of this page adds to that of the text

    def get(self, request: HttpRequest, slug: str, number: int | None = None, **kwargs: Any) -> HttpResponse:
        self.request = request
        if number is not None:
            return self.archived(request, slug, number)
        version = self.get_queryset().filter(item__slug=slug, state=State.PUBLISHED).first()
        if version is not None:
            return self.show(version)
        if (moved := moved_item(self.model.kind, slug)) is not None:
            return HttpResponsePermanentRedirect(moved.get_absolute_url() + self.below)
        if (gone := withdrawn(self.model.kind, slug)) is not None:
            return tombstone(request, gone)
        raise Http404(_("There is no text at this address."))

    def archived(self, request: HttpRequest, slug: str, number: int) -> HttpResponse:
        """A version that was public, at its own address; the text of a withdrawn one stays unread."""
        public = public_versions(self.model.kind, slug)
        numbers = {version.number: version for version in public}
        asked = numbers.get(number)
        if asked is None:
            if (moved := moved_item(self.model.kind, slug)) is not None:
                return HttpResponsePermanentRedirect(f"{moved.get_versions_url()}{number}/{self.below}")
            raise Http404(_("There is no version with this number."))
        version = self.get_queryset().get(pk=asked.pk)
        if request.path != version.get_archive_url() + self.below:
            raise Http404  # a version has one address
        if version.is_published:
            return HttpResponseRedirect(version.get_absolute_url() + self.below)
        current = next((other for other in public if other.is_published), None)
        if version.state == State.WITHDRAWN or current is None:
            return tombstone(request, version if version.state == State.WITHDRAWN else _last_withdrawn(public), current)
        later = [other for other in public if other.number > number]
        archive = {
            "archived": True,
            "noindex": True,
            "current": current,
            "replaced_at": min(other.changed_at for other in later),
            "withdrawn_later": [other for other in later if other.state == State.WITHDRAWN],
            "structured": None,
        }
        return self.show(version, archive)

    def show(self, version: Version, archive: dict[str, Any] | None = None) -> HttpResponse:
        """The page of a version; of an old one with what readers must know of that."""
        full_url = {"full_url": settings.SITE_URL + version.get_archive_url() + self.below} if archive else {}
        context = self.get_context_data(version=version, **full_url)
        return render(self.request, self.template_name, context | (archive or {}))

    def get_queryset(self) -> QuerySet[Any]:
        return self.model.objects.filter(item__kind=self.model.kind).select_related("item")


class PublishedTextView(VersionView):
    """The text itself. Subclasses name a model and a template."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version: Version = kwargs["version"]
        html = rendering.html_of(version)
        marks = rendering.GlossaryMarks(rendering.lexicon())
        # In reading order, so that a term is explained where a reader meets it first.
        texts = {name: mark_safe(marks.mark(html[name])) for name in version.markdown_fields if name in html}  # noqa: S308  # cleaned by nh3
        approvals = approvals_of([version])[version.pk]
        return {
            "item": version.item,
            "texts": texts,
            "terms": list(marks.used.values()),
            "sources": list(Source.objects.filter(links__version=version.pk).order_by("links__order", "links__id")),
            "source_files": _source_files(version),
            "canonical": version.item.get_absolute_url(),
            "full_url": settings.SITE_URL + version.item.get_absolute_url(),
            "retracted": Source.objects.filter(
                links__version=version.pk, retraction=Source.Retraction.RETRACTED
            ).exists(),
            "approvals": approvals,
            "newer_evidence": newer_evidence(approvals) if version.is_published else [],
            "reviewed": _reviewed(version, approvals),
            "is_changed_lately": _is_changed_lately(version),
            **_overdue(version),
        } | super().get_context_data(**kwargs)


def public_versions(kind: str, slug: str) -> list[Version]:
    """Every version of a text that was public, oldest first."""
    versions = Version.objects.filter(item__kind=kind, item__slug=slug, state__in=PUBLIC_ONCE)
    return list(versions.select_related("item").order_by("number"))


def moved_item(kind: str, slug: str) -> Item | None:
    """The text that used to have this address."""
    moved = SlugRedirect.objects.filter(kind=kind, slug=slug).select_related("item").first()
    return moved.item if moved else None


def withdrawn(kind: str, slug: str) -> Version | None:
    """The version whose withdrawal took this text offline."""
    gone = Version.objects.filter(state=State.WITHDRAWN, item__kind=kind, item__slug=slug).select_related("item")
    return gone.order_by("-number").first()


def tombstone(request: HttpRequest, version: Version, current: Version | None = None) -> HttpResponse:
    """What is left of a withdrawn version: who approved it, when and why it went; `current` is what to read now."""
    approvals = approvals_of([version])[version.pk]
    context = {"version": version, "current": current, "approvals": approvals, "noindex": True}
    return render(request, "410.html", context, status=410)


def _last_withdrawn(public: list[Version]) -> Version:
    gone = [version for version in public if version.state == State.WITHDRAWN]
    return max(gone, key=lambda version: version.number)


def _reviewed(version: Version, approvals: Approvals) -> dict[str, Any]:
    """The approvals for programs; those of a demonstration nobody really gave."""
    real = approvals if approvals and not version.is_demo else None
    return reviewed_page(
        url=settings.SITE_URL + version.get_absolute_url(),
        site_url=settings.SITE_URL,
        reviewers=[approval.commission for approval in real.decisions] if real else [],
        reviewed_on=timezone.localdate(real.last_approved_at) if real else None,
    )


def _is_changed_lately(version: Version) -> bool:
    """For a year, a reader who knew the old text is told what changed."""
    since = timezone.now() - timedelta(days=CHANGE_SHOWN_DAYS)
    return version.number > 1 and version.is_published and version.changed_at > since


def _overdue(version: Version) -> dict[str, Any]:
    """Whether the day has passed on which the commissions were to look at a text again, and whether they are at it."""
    due = version.item.review_due_on
    if not version.is_published or due is None or due >= timezone.localdate():
        return {}
    return {"review_overdue": due, "is_looked_at_again": version.rounds.open().exists()}


def citation_file(references: Sequence[Reference], name: str, form: str) -> HttpResponse:
    """Citations to download: `name`.ris or `name`.bib."""
    text, media_type = as_file(references, form)
    disposition = f'attachment; filename="{name}.{form}"'
    return HttpResponse(text, content_type=media_type, headers={"Content-Disposition": disposition})


@require_safe
def cite(request: HttpRequest, kind: str, slug: str, form: str) -> HttpResponse:
    """The citation of a published text as a file for reference software."""
    version = _published(kind, slug)
    reference = Reference.of_version(version, settings.SITE_URL + version.get_absolute_url())
    return citation_file([reference], slug, form)


@require_safe
def cite_sources(request: HttpRequest, kind: str, slug: str, form: str) -> HttpResponse:
    """The reference list of a published text as a file for reference software."""
    version = _published(kind, slug)
    sources = Source.objects.filter(links__version=version.pk).order_by("links__order", "links__id")
    if not sources:
        raise Http404(_("This text has no sources of its own."))
    return citation_file([Reference.of_source(source) for source in sources], f"{slug}-bronnen", form)


def _published(kind: str, slug: str) -> Version:
    version = Version.objects.published().filter(item__kind=kind, item__slug=slug).select_related("item").first()
    if version is None:
        raise Http404(_("There is no text at this address."))
    return version


def _source_files(version: Version) -> list[tuple[str, str]]:
    """Where the reference list of a public text is had for reference software."""
    if not version.is_published or version.kind not in CITED_AS_FILE:
        return []
    forms = ((_("All sources as RIS"), "ris"), (_("All sources as BibTeX"), "bib"))
    return [(label, reverse(f"{version.kind}-source-list", args=[version.item.slug, form])) for label, form in forms]


def by_title(version: Version) -> tuple[str, int]:
    """The key that sorts texts from A to Z, without regard to capitals and accents, alike on every database."""
    return fold(version.title), version.pk


def linked_items(version: Version, kind: str) -> list[Version]:
    """The published versions of the texts of a kind that belong with this one, in either direction."""
    forward = Item.objects.filter(linked_from__version=version.pk).order_by().values("pk")
    backward = Version.objects.published().filter(item_links__item=version.item_id).order_by().values("item")
    linked = Version.objects.published().filter(item__kind=kind, item__in=forward.union(backward))  # OR reads all
    return sorted(linked.exclude(item=version.item_id).select_related("item"), key=by_title)
