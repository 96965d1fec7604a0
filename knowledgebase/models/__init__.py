"""Every model of this app: import them from here."""

from .audit import AuditActor, AuditEvent
from .commissions import Commission, Criterion, Membership
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
    VersionContributor,
)
from .links import ConceptLink, ItemLink, SourceLink
from .outbox import OutboxMessage
from .pages import Page, PageVersion
from .people import User
from .previews import PreviewToken
from .readability import ReadabilityNorm
from .rendered import RenderedText
from .results import ComputedResult
from .reviews import Comment, CriterionAnswer, Decision, Recusal, Review, ReviewRound
from .search import (
    SearchEntry,
    SearchFacet,
    SearchIndex,
    SearchMiss,
    SearchPosting,
    SearchTerm,
    SearchText,
    SearchTitleWord,
    SearchWord,
)
from .site import SiteState
from .sources import DOIField, LinkCheck, Source, normalise_doi
from .studies import LARGEST, EffectSize, Measure, SelectedEffect, Selection, Study
from .summaries import Summary, SummaryVersion
from .taxonomy import Concept, ConceptLabel, Scheme
from .themes import Theme, ThemeVersion

__all__ = [
    "EDITABLE",
    "LARGEST",
    "OPEN",
    "PUBLIC_ONCE",
    "ROOT_PAGES",
    "AuditActor",
    "AuditEvent",
    "Comment",
    "Commission",
    "ComputedResult",
    "Concept",
    "ConceptLabel",
    "ConceptLink",
    "Criterion",
    "CriterionAnswer",
    "DOIField",
    "Decision",
    "EffectSize",
    "Item",
    "ItemLink",
    "ItemQuerySet",
    "KindManager",
    "LinkCheck",
    "Measure",
    "Membership",
    "OutboxMessage",
    "Page",
    "PageVersion",
    "PreviewToken",
    "ReadabilityNorm",
    "Recusal",
    "RenderedText",
    "Review",
    "ReviewRound",
    "Scheme",
    "SearchEntry",
    "SearchFacet",
    "SearchIndex",
    "SearchMiss",
    "SearchPosting",
    "SearchTerm",
    "SearchText",
    "SearchTitleWord",
    "SearchWord",
    "SelectedEffect",
    "Selection",
    "SiteState",
    "SlugRedirect",
    "Source",
    "SourceLink",
    "Study",
    "Summary",
    "SummaryVersion",
    "Theme",
    "ThemeVersion",
    "User",
    "Version",
    "VersionChild",
    "VersionContributor",
    "normalise_doi",
]
