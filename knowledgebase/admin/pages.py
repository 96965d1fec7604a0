from django.contrib import admin

from knowledgebase.editorial.admin import (
    DemoFilter,
    ItemReferenceAdmin,
    StateFilter,
    TextAdmin,
    TurnFilter,
    VersionAdmin,
)
from knowledgebase.models import Item, Page, PageVersion

admin.site.register(Item, ItemReferenceAdmin)


@admin.register(Page)
class PageAdmin(TextAdmin):
    version_model = PageVersion
    list_filter = (TurnFilter, StateFilter, DemoFilter)


@admin.register(PageVersion)
class PageVersionAdmin(VersionAdmin):
    pass
