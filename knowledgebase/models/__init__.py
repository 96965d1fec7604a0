"""Every model of this app: import them from here."""

from .editorial import (
    EDITABLE,
    OPEN,
    PUBLIC_ONCE,
    ROOT_PAGES,
    Item,
    ItemQuerySet,
    KindManager,
    SlugRedirect,
    Version,
    VersionChild,
)
from .links import ConceptLink, ItemLink, SourceLink
from .pages import Page, PageVersion
from .people import User
from .rendered import RenderedText
from .search import SearchEntry
from .site import SiteState
from .sources import DOIField, Source, normalise_doi
from .summaries import Summary, SummaryVersion
from .taxonomy import Concept, ConceptLabel, Scheme
from .themes import Theme, ThemeVersion

__all__ = [
    "EDITABLE",
    "OPEN",
    "PUBLIC_ONCE",
    "ROOT_PAGES",
    "Concept",
    "ConceptLabel",
    "ConceptLink",
    "DOIField",
    "Item",
    "ItemLink",
    "ItemQuerySet",
    "KindManager",
    "Page",
    "PageVersion",
    "RenderedText",
    "Scheme",
    "SearchEntry",
    "SiteState",
    "SlugRedirect",
    "Source",
    "SourceLink",
    "Summary",
    "SummaryVersion",
    "Theme",
    "ThemeVersion",
    "User",
    "Version",
    "VersionChild",
    "normalise_doi",
]
