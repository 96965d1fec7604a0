import re
from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from knowledgebase.models import ConceptLink, Item, Scheme, Version

LONGEST = 50
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _change(version: Version) -> str:
    """What changed, for who knew the old text; nothing in a first version."""
    if not version.change_note:
        return ""
    return gettext("Changed (%(kind)s): %(note)s Conclusion changed: %(conclusion)s.") % {
        "kind": version.get_change_type_display(),
        "note": version.change_note,
        "conclusion": version.get_conclusion_changed_display(),
    }


class NewTexts(Feed):
    """New and changed practices and research summaries, the newest version of each, in Atom."""

    feed_type = Atom1Feed
    title = "Leerpunt"
    subtitle = _("New and changed practices and research summaries")
    author_name = "Leerpunt"
    language = "nl-BE"
    feed_copyright = "CC BY 4.0"
    address = "feed"

    def link(self) -> str:
        return f"{settings.SITE_URL}{reverse('home')}"

    def feed_url(self) -> str:
        return f"{settings.SITE_URL}{reverse(self.address)}"

    def items(self) -> QuerySet[Version]:
        return self.newest(Version.objects.published())

    def newest(self, versions: QuerySet[Version]) -> QuerySet[Version]:
        themes = ConceptLink.objects.filter(concept__scheme=Scheme.THEME).prefetch_related("concept")
        return (
            versions.filter(item__kind__in=(Item.Kind.PRACTICE, Item.Kind.SUMMARY))
            .select_related("item", "summaryversion")
            .prefetch_related(Prefetch("concept_links", themes))
            .order_by("-published_at", "-pk")[:LONGEST]
        )

    def item_title(self, item: Version) -> str:
        return _NOT_IN_XML.sub("", item.title)

    def item_description(self, item: Version) -> str:
        """Atom summaries are HTML; the answer of a research summary is its lead. A later version says what changed."""
        lead = item.lead
        if not lead and item.item.kind == Item.Kind.SUMMARY:
            lead = item.summaryversion.answer
        return escape(_NOT_IN_XML.sub("", " ".join(filter(None, [lead, _change(item)]))))

    def item_link(self, item: Version) -> str:
        return f"{settings.SITE_URL}{item.get_absolute_url()}"

    def item_updateddate(self, item: Version) -> datetime:
        return item.changed_at

    def item_categories(self, item: Version) -> list[str]:
        return [_NOT_IN_XML.sub("", str(link.concept)) for link in item.concept_links.all()]


class ChangedConclusions(NewTexts):
    """Only the versions with which a conclusion changed, also when a newer version has replaced them since.

    An entry has the version's own address, which leads to the page for as long as the version is the current one.
    """

    title = _("Leerpunt: changed conclusions")  # type: ignore[assignment]  # a lazy text is a text here
    subtitle = _("Practices and research summaries whose conclusion changed")
    address = "feed-conclusions"

    def items(self) -> QuerySet[Version]:
        public = Version.objects.published().values("item")
        changed = Version.objects.filter(
            state__in=(Version.State.PUBLISHED, Version.State.SUPERSEDED),
            conclusion_changed__in=(Version.ConclusionChanged.YES, Version.ConclusionChanged.PARTLY),
            item__in=public,
        )
        return self.newest(changed)

    def item_link(self, item: Version) -> str:
        return f"{settings.SITE_URL}{item.get_archive_url()}"
