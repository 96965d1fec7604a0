from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from knowledgebase.editorial.admin import TextAdmin, VersionAdmin
from knowledgebase.models import Summary, SummaryVersion


@admin.register(Summary)
class SummaryAdmin(TextAdmin):
    version_model = SummaryVersion


@admin.register(SummaryVersion)
class SummaryVersionAdmin(VersionAdmin):
    opening_fields = ("title", "question", "answer", "lead")
    markdown_sections = ((_("What research says"), ("key_findings", "unknown")), (_("Method"), ("method",)))
