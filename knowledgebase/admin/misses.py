from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from knowledgebase.models import SearchMiss

from .trail import ReadOnlyAdmin


@admin.register(SearchMiss)
class SearchMissAdmin(ReadOnlyAdmin):
    """What readers looked for and did not find, newest first: a reason for a text, or for a word in the thesaurus."""

    change_list_template = "admin/knowledgebase/searchmiss/change_list.html"
    list_display = ("query", "day", "times", "on_days", "in_all", "trial")
    list_display_links = None
    list_per_page = 100
    date_hierarchy = "day"
    search_fields = ("query",)
    ordering = ("-day", "-times", "query")
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        same = SearchMiss.objects.filter(query=OuterRef("query")).order_by().values("query")
        misses: QuerySet = (
            super()
            .get_queryset(request)
            .annotate(
                days=Subquery(same.annotate(days=Count("pk")).values("days")),
                total=Subquery(same.annotate(total=Sum("times")).values("total")),
            )
        )
        return misses

    @admin.display(description=_("on how many days"), ordering="days")
    def on_days(self, miss: Any) -> int:
        return int(miss.days)

    @admin.display(description=_("in all"), ordering="total")
    def in_all(self, miss: Any) -> int:
        return int(miss.total)

    @admin.display(description=_("what becomes of it"))
    def trial(self, miss: Any) -> str:
        address = reverse("admin:knowledgebase_concept_search_trial")
        return format_html('<a href="{}?{}">{}</a>', address, urlencode({"q": miss.query}), _("try"))
