"""What the registries of DOIs know of a publication, asked through doi.org.

One request names the form that is wanted (CSL-JSON) and doi.org sends it on to the registry that keeps the DOI:
https://www.crossref.org/documentation/retrieve-metadata/content-negotiation/, https://citation.doi.org/docs.html.
"""

import json
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _

from knowledgebase import web

CSL = "application/vnd.citationstyles.csl+json"
# Where a registry answers. Elsewhere is the page of a publisher: a registry without data, not a place to ask.
HOSTS = frozenset({
    "doi.org", "dx.doi.org", "www.doi.org", "api.crossref.org", "data.crossref.org", "api.datacite.org",
    "data.datacite.org", "data.crosscite.org", "data.medra.org", "www.medra.org", "dx.medra.org", "jlc.jst.go.jp",
})  # fmt: skip
STEPS = 5


class NoRecord(Exception):
    """No record of a DOI was had; the message says why and what to do."""


def record_of(doi: str) -> dict[str, Any]:
    """The CSL-JSON record of a normalised DOI. Raises NoRecord."""
    url = f"https://doi.org/{quote(doi, safe='/:;()._-')}"
    for _step in range(STEPS):
        try:
            answer = web.ask(url, accept=CSL)
        except web.NoAnswer as error:
            raise NoRecord(
                _("The registry of DOIs cannot be reached now. Paste the publication as RIS or BibTeX below.")
            ) from error
        if not (following := answer.next_of(url)):
            return _read(answer, doi)
        if urlsplit(following).hostname not in HOSTS or urlsplit(following).scheme not in ("https", "http"):
            break
        url = following
    raise NoRecord(_no_data(doi))


def _no_data(doi: str) -> str:
    message = _("The registry of %(doi)s gives no data on it. Paste the publication as RIS or BibTeX below.")
    return message % {"doi": doi}


def _read(answer: web.Answer, doi: str) -> dict[str, Any]:
    if answer.status in (404, 410):
        raise NoRecord(_("No registry knows the DOI %(doi)s. Check it for a typing error.") % {"doi": doi})
    if answer.status == 429 or answer.status >= 500:
        message = _(
            "The registry of DOIs has a problem now. Try again later, or paste the publication as RIS or BibTeX."
        )
        raise NoRecord(message)
    if answer.status != 200:
        raise NoRecord(_no_data(doi))
    try:
        record = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise NoRecord(_no_data(doi)) from error
    if not isinstance(record, dict):
        raise NoRecord(_no_data(doi))
    return record
