"""The page of a text where readers do the sums: its study rows, and what comes out of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from knowledgebase import recount, rendering, results, wording
from knowledgebase.models import PUBLIC_ONCE, Selection, Version
from knowledgebase.recount import BELOW
from knowledgebase.wording import Scale

from .downloads import offered
from .public import VersionView, site_state


def recount_url(version: Version) -> str:
    """Where readers do the sums of a version; of one that is not public, where who works on it does."""
    if version.is_published:
        return version.get_absolute_url() + BELOW
    if version.state in PUBLIC_ONCE:
        return version.get_archive_url() + BELOW
    return reverse("desk-recount", args=[version.pk])


def plain_scale(selection: Selection) -> Scale:
    """An effect as it is computed, without months."""
    return Scale(selection.measure)


def in_text(version: Version, scale_of: Callable[[Selection], Scale] = plain_scale) -> dict[str, Any] | None:
    """What the text itself says of its study rows, and where to do the sums; None without study rows."""
    selections = recount.selections_of(version)
    if not selections:
        return None
    scale = scale_of(selections[0])
    return {
        "headline": wording.headline(results.result_for(selections[0]), scale),
        "note": scale.note,
        "url": recount_url(version),
    }


class Recount(VersionView):
    """The figures of a text that rests on study rows; another text has no such page."""

    template_name = "knowledgebase/recount.html"
    body_template = "knowledgebase/_recount_body.html"
    below = BELOW

    def scale_of(self, selection: Selection) -> Scale:
        """In which words readers get the figures of a selection."""
        return plain_scale(selection)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        version: Version = kwargs["version"]
        content_key = site_state(self.request).content_key
        selections = recount.selections_of(version, content_key)
        if not selections:
            raise Http404(_("This text does not rest on study rows, so there is nothing to recompute."))
        page = recount.page(selections, self.request.GET, self.scale_of, content_key)
        return (
            context
            | page
            | {
                "item": version.item,
                "canonical": version.item.get_absolute_url() + BELOW,
                "full_url": kwargs.get("full_url") or settings.SITE_URL + version.item.get_absolute_url() + BELOW,
                "text_url": version.get_absolute_url() if version.is_published else version.get_archive_url(),
                "caveats": _html(page["selection"].caveats),
                "content_hash": version.content_hash,
                "downloads": offered(
                    recount_url(version),
                    page["selection"],
                    page["recount"].switches,
                    is_first=page["selection"] is selections[0],
                ),
            }
        )


@lru_cache(maxsize=64)
def _html(markdown: str) -> SafeString:
    """What the data cannot say; its citations stand with the text itself."""
    try:
        return mark_safe(rendering.render(rendering.uncited(markdown)))  # noqa: S308  # cleaned by nh3
    except rendering.TextTooComplex:
        return mark_safe(linebreaks(markdown, autoescape=True))  # noqa: S308  # escaped
