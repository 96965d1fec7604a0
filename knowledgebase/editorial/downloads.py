"""The files with which readers compute a result of a published text themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from knowledgebase import downloads, results
from knowledgebase.downloads import FILES, Recomputed
from knowledgebase.evidence.records import Switches
from knowledgebase.models import Selection, Version
from knowledgebase.recount import BELOW, SELECTION, selections_of

from .public import VersionView, site_state


class Download(VersionView):
    """One file about a selection of a text that is or was public, with what the address switches."""

    def get(self, request: HttpRequest, slug: str, number: Any = None, **kwargs: Any) -> HttpResponse:
        self.name: str = kwargs["name"]
        self.below = BELOW + self.name
        return super().get(request, slug, None if number is None else int(number))

    def show(self, version: Version, archive: dict[str, Any] | None = None) -> HttpResponse:
        return self.file(version, self.name)

    def file(self, version: Version, name: str) -> HttpResponse:
        """A file of a version, also of one that is not public, for who may see it."""
        request = self.request
        content_key = site_state(request).content_key
        selections = {selection.context_key: selection for selection in selections_of(version, content_key)}
        if not selections:
            raise Http404(_("This text does not rest on study rows, so there is nothing to recompute."))
        first = next(iter(selections.values()))
        selection = selections.get(request.GET.get(SELECTION, ""), first)
        switches = Switches.read(request.GET)
        result = results.result_for(selection, switches)
        query = _query(selection, switches, is_first=selection is first)
        found = Recomputed(version, selection, switches, result, self.rated(selection), query)
        media_type, content = FILES[name]
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Language": "nl",
            "X-Robots-Tag": "noindex",
            "Link": f'<{downloads.LICENCE["path"]}>; rel="license", <{found.url}>; rel="describedby"',
            "Access-Control-Allow-Origin": "*",
        }
        return HttpResponse(content(found), content_type=media_type, headers=headers)

    def rated(self, selection: Selection) -> Mapping[str, Any]:
        """What a kind of text adds to the result."""
        return {}


def offered(address: str, selection: Selection, switches: Switches, *, is_first: bool) -> list[tuple[str, str, str]]:
    """Label, address and a word on each file below the address of a page with sums."""
    about = {
        "rijen.csv": (_("Rows (CSV)"), _("every effect that counts or is left out")),
        "datapackage.json": (_("Description of the rows"), _("what each column means, licence and source")),
        "resultaat.json": (_("Result (JSON)"), _("all digits, with the versions of method and rules")),
        "reken-na.py": (_("Script in Python"), _("computes the same digits from the rows")),
        "reken-na.R": (_("Script in R"), _("the same with metafor and clubSandwich")),
    }
    query = _query(selection, switches, is_first=is_first)
    return [(label, f"{address}{name}{query and '?'}{query}", words) for name, (label, words) in about.items()]


def _query(selection: Selection, switches: Switches, *, is_first: bool) -> str:
    return urlencode(({} if is_first else {SELECTION: selection.context_key}) | switches.chosen)


PATTERN = "|".join(name.replace(".", r"\.") for name in FILES)  # for urls
