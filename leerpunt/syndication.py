import re
from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from knowledgebase.models import ConceptLink, Item, Scheme, Version

LONGEST = 50
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class NewTexts(Feed):
    """New and changed practices and research summaries, the newest version of each, in Atom."""

    feed_type = Atom1Feed
    title = "Leerpunt"
    subtitle = _("New and changed practices and research summaries")
    author_name = "Leerpunt"
    language = "nl-BE"
    feed_copyright = "CC BY 4.0"

    def link(self) -> str:
        return f"{settings.SITE_URL}{reverse('home')}"

    def feed_url(self) -> str:
        return f"{settings.SITE_URL}{reverse('feed')}"

    def items(self) -> QuerySet[Version]:
        themes = ConceptLink.objects.filter(concept__scheme=Scheme.THEME).prefetch_related("concept")
        return (
            Version.objects.published()
            .filter(item__kind__in=(Item.Kind.PRACTICE, Item.Kind.SUMMARY))
            .select_related("item", "summaryversion")
            .prefetch_related(Prefetch("concept_links", themes))
            .order_by("-published_at", "-pk")[:LONGEST]
        )

    def item_title(self, item: Version) -> str:
        return _NOT_IN_XML.sub("", item.title)

    def item_description(self, item: Version) -> str:
        """Atom summaries are HTML; the answer of a research summary is its lead."""
        lead = item.lead
        if not lead and item.item.kind == Item.Kind.SUMMARY:
            lead = item.summaryversion.answer
        return escape(_NOT_IN_XML.sub("", lead))

    def item_link(self, item: Version) -> str:
        return f"{settings.SITE_URL}{item.get_absolute_url()}"

    def item_updateddate(self, item: Version) -> datetime:
        return item.changed_at

    def item_categories(self, item: Version) -> list[str]:
        return [_NOT_IN_XML.sub("", str(link.concept)) for link in item.concept_links.all()]
