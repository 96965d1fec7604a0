from django.urls import path, re_path

from .views import glossary, pages, sources, summaries, themes

urlpatterns = [
    # research summaries
    path("samenvattingen/", summaries.summary_list, name="summaries"),
    path("samenvattingen/<slug:slug>/", summaries.SummaryDetail.as_view(), name="summary"),
    # themes
    path("themas/", themes.theme_list, name="themes"),
    path("themas/<slug:slug>/", themes.ThemeDetail.as_view(), name="theme"),
    # sources and terms
    path("bronnen/", sources.source_list, name="sources"),
    path("bronnen/<slug:slug>/", sources.source_detail, name="source"),
    re_path(r"^bronnen/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", sources.cite, name="source-citation"),
    path("begrippen/", glossary.glossary, name="glossary"),
    # about the portal
    path("over/", pages.PageDetail.as_view(), {"slug": "over"}, name="page-over"),
    path("over/<slug:slug>/", pages.PageDetail.as_view(), name="page"),
    path("toegankelijkheid/", pages.PageDetail.as_view(), {"slug": "toegankelijkheid"}, name="page-toegankelijkheid"),
    path("privacy/", pages.PageDetail.as_view(), {"slug": "privacy"}, name="page-privacy"),
]
