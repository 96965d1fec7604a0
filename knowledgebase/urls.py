from django.urls import path, re_path

from knowledgebase.editorial.downloads import PATTERN, Download
from knowledgebase.editorial.history import VersionHistory
from knowledgebase.editorial.public import cite, cite_sources
from knowledgebase.editorial.recount import Recount
from knowledgebase.editorial.views.shared_preview import shared_preview
from knowledgebase.models import ROOT_PAGES, PageVersion, SummaryVersion, ThemeVersion

from .views import glossary, pages, search, sources, summaries, themes

SUMMARY = {"kind": SummaryVersion.kind}

urlpatterns = [
    # research summaries
    path("samenvattingen/", summaries.summary_list, name="summaries"),
    path("samenvattingen/<slug:slug>/", summaries.SummaryDetail.as_view(), name="summary"),
    path("samenvattingen/<slug:slug>/versies/", VersionHistory.as_view(model=SummaryVersion)),
    path("samenvattingen/<slug:slug>/versies/<int:number>/", summaries.SummaryDetail.as_view()),
    path("samenvattingen/<slug:slug>/cijfers/", Recount.as_view(model=SummaryVersion), name="summary-recount"),
    path("samenvattingen/<slug:slug>/versies/<int:number>/cijfers/", Recount.as_view(model=SummaryVersion)),
    re_path(rf"^samenvattingen/(?P<slug>[-\w]+)/cijfers/(?P<name>{PATTERN})$", Download.as_view(model=SummaryVersion)),
    re_path(
        rf"^samenvattingen/(?P<slug>[-\w]+)/versies/(?P<number>[0-9]{{1,9}})/cijfers/(?P<name>{PATTERN})$",
        Download.as_view(model=SummaryVersion),
    ),
    re_path(r"^samenvattingen/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", cite, SUMMARY, name="summary-citation"),
    re_path(
        r"^samenvattingen/(?P<slug>[-\w]+)/bronnen\.(?P<form>ris|bib)$",
        cite_sources,
        SUMMARY,
        name="summary-source-list",
    ),
    # themes
    path("themas/", themes.theme_list, name="themes"),
    path("themas/<slug:slug>/", themes.ThemeDetail.as_view(), name="theme"),
    path("themas/<slug:slug>/versies/", VersionHistory.as_view(model=ThemeVersion)),
    path("themas/<slug:slug>/versies/<int:number>/", themes.ThemeDetail.as_view()),
    # sources and terms
    path("bronnen/", sources.source_list, name="sources"),
    path("bronnen/<slug:slug>/", sources.source_detail, name="source"),
    re_path(r"^bronnen/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", sources.cite, name="source-citation"),
    path("begrippen/", glossary.glossary, name="glossary"),
    # search
    path("zoeken/", search.search_page, name="search"),
    path("zoeken/suggesties/", search.suggestions, name="suggestions"),
    # about the portal
    *(
        path(f"{slug}/{rest}", view, {"slug": slug}, name=name)
        for slug in ROOT_PAGES
        for rest, view, name in (
            ("", pages.PageDetail.as_view(), f"page-{slug}"),
            ("versies/", VersionHistory.as_view(model=PageVersion), None),
            ("versies/<int:number>/", pages.PageDetail.as_view(), None),
        )
    ),
    path("over/<slug:slug>/", pages.PageDetail.as_view(), name="page"),
    path("over/<slug:slug>/versies/", VersionHistory.as_view(model=PageVersion)),
    path("over/<slug:slug>/versies/<int:number>/", pages.PageDetail.as_view()),
    # for whoever has a link
    path("voorbeeld/<str:secret>/", shared_preview, name="shared-preview"),
]
