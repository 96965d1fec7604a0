"""What a reader gets of a versioned text: the published version, the new address of an old one, or a tombstone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.generic.base import ContextMixin, View

from knowledgebase import rendering
from knowledgebase.citations import Reference, as_file
from knowledgebase.models import Item, SlugRedirect, Source, Version
from knowledgebase.search import fold


class PublishedTextView(ContextMixin, View):
    """One published text by its slug. Subclasses name the model of the version and a template."""

    model: type[Version]
    template_name: str

    def get(self, request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponse:
        self.request = request
        version = self.get_queryset().filter(item__kind=self.model.kind, item__slug=slug).first()
        if version is not None:
            return render(request, self.template_name, self.get_context_data(version=version, **kwargs))
        return self.not_published(request, slug)

    def get_queryset(self) -> QuerySet[Any]:
        return self.model.objects.published().select_related("item")

    def not_published(self, request: HttpRequest, slug: str) -> HttpResponse:
        kind = self.model.kind
        moved = SlugRedirect.objects.filter(kind=kind, slug=slug).select_related("item").first()
        if moved is not None:
            return HttpResponsePermanentRedirect(moved.item.get_absolute_url())
        gone = (
            Version.objects.filter(state=Version.State.WITHDRAWN, item__kind=kind, item__slug=slug)
            .select_related("item")
            .order_by("-number")
            .first()
        )
        if gone is not None:
            return render(request, "410.html", {"version": gone}, status=410)
        raise Http404(_("There is no text at this address."))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version: Version = kwargs["version"]
        html = rendering.html_of(version)
        marks = rendering.GlossaryMarks(rendering.lexicon())
        # In reading order, so that a term is explained where a reader meets it first.
        texts = {name: mark_safe(marks.mark(html[name])) for name in version.markdown_fields if name in html}  # noqa: S308  # cleaned by nh3
        return super().get_context_data(**kwargs) | {
            "item": version.item,
            "texts": texts,
            "terms": list(marks.used.values()),
            "sources": list(Source.objects.filter(links__version=version.pk).order_by("links__order", "links__id")),
            "canonical": version.item.get_absolute_url(),
            "full_url": settings.SITE_URL + version.item.get_absolute_url(),
            "retracted": Source.objects.filter(
                links__version=version.pk, retraction=Source.Retraction.RETRACTED
            ).exists(),
        }


def citation_file(reference: Reference, name: str, form: str) -> HttpResponse:
    """A citation to download: `name`.ris or `name`.bib."""
    text, media_type = as_file(reference, form)
    disposition = f'attachment; filename="{name}.{form}"'
    return HttpResponse(text, content_type=media_type, headers={"Content-Disposition": disposition})


def by_title(version: Version) -> tuple[str, int]:
    """The key that sorts texts from A to Z, without regard to capitals and accents, alike on every database."""
    return fold(version.title), version.pk


def linked_items(version: Version, kind: str) -> list[Version]:
    """The published versions of the texts of a kind that belong with this one, in either direction."""
    forward = Item.objects.filter(linked_from__version=version.pk).order_by().values("pk")
    backward = Version.objects.published().filter(item_links__item=version.item_id).order_by().values("item")
    linked = Version.objects.published().filter(item__kind=kind, item__in=forward.union(backward))  # OR reads all
    return sorted(linked.exclude(item=version.item_id).select_related("item"), key=by_title)
