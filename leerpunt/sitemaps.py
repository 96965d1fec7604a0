from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Max, Q
from django.urls import reverse

from knowledgebase.models import Item, Source, Version


class _Here(Sitemap):
    """Addresses at SITE_URL, whatever host a request came in by."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class Overviews(_Here):
    def items(self) -> Sequence[str]:
        return ("home", "practices", "summaries", "themes", "sources", "glossary")

    def location(self, item: str) -> str:
        return reverse(item)


class Texts(_Here):
    """The published texts of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def items(self) -> Any:
        return Version.objects.published().filter(item__kind=self.kind).select_related("item").order_by("item__slug")

    def lastmod(self, version: Version) -> datetime:
        return version.changed_at


class Sources(_Here):
    """What published texts rely on; its page changes with them."""

    def items(self) -> Any:
        published = Q(links__version__state=Version.State.PUBLISHED)
        return (
            Source.objects.annotate(seen_at=Max("links__version__published_at", filter=published))
            .filter(seen_at__isnull=False)
            .order_by("key")
        )

    def lastmod(self, source: Any) -> datetime:
        seen_at: datetime = source.seen_at
        return seen_at


SITEMAPS = {
    "overviews": Overviews(),
    "practices": Texts(Item.Kind.PRACTICE),
    "summaries": Texts(Item.Kind.SUMMARY),
    "themes": Texts(Item.Kind.THEME),
    "pages": Texts(Item.Kind.PAGE),
    "sources": Sources(),
}
