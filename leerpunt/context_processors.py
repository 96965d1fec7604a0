from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from knowledgebase.models import Version


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; nothing about the reader. The question after demonstration content is lazy."""
    return {
        "site_url": settings.SITE_URL,
        "has_demo_content": cache(lambda: Version.objects.published().filter(is_demo=True).exists()),
        "page_url": settings.SITE_URL + request.path,
        "is_filtered": bool(request.META.get("QUERY_STRING")),  # unread: also the page about a bad one has a frame
    }
