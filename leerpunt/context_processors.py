from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from knowledgebase.editorial.public import site_state
from knowledgebase.models import Version


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; nothing about the reader. The question after demonstration content is lazy."""
    return {
        "site_url": settings.SITE_URL,
        "has_demo_content": lambda: _has_demo_content(site_state(request).content_key),
        "page_url": settings.SITE_URL + request.path,
        "is_filtered": bool(request.META.get("QUERY_STRING")),  # unread: also the page about a bad one has a frame
    }


@lru_cache(maxsize=1)
def _has_demo_content(_content_key: str) -> bool:
    return Version.objects.published().filter(is_demo=True).exists()
