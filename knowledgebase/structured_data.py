"""What a page is about in the words of schema.org, for programs: functions from texts to plain dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from knowledgebase.models import Concept, Source, SummaryVersion, Version

CONTEXT = "https://schema.org"
LANGUAGE = "nl-BE"
LICENCES = {"CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/"}
ARTICLES = {"meta_analysis", "systematic_review", "review", "study"}
_TYPES = {"report": "Report", "website": "WebPage", "article": "Article"}

Data = dict[str, Any]


def graph(*nodes: Data) -> Data:
    """Everything that one page says, in one block."""
    return {"@context": CONTEXT, "@graph": list(nodes)}


def learning_resource(
    version: Version,
    *,
    url: str,
    site_url: str,
    concepts: Iterable[Concept],
    sources: Iterable[Source],
    image: str = "",
) -> Data:
    """A practice; `url` is its full address."""
    return _filled(
        {"@type": "LearningResource", "name": version.title, "description": version.lead, "image": image}
        | _text(version, url, site_url, list(concepts), sources)
    )


def article(
    version: SummaryVersion, *, url: str, site_url: str, concepts: Iterable[Concept], sources: Iterable[Source]
) -> Data:
    """A research summary: the question is what it is called, the answer what it says."""
    return _filled(
        {
            "@type": "Article",
            "headline": version.title,
            "name": version.title,
            "description": version.lead or version.answer,
            "author": _organisation(site_url),
        }
        | _text(version, url, site_url, list(concepts), sources)
    )


def publication(source: Source, *, url: str) -> Data:
    """A source; `url` is the full address of our page about it."""
    doi = f"https://doi.org/{source.doi}" if source.doi else ""
    return _filled({
        "@type": "ScholarlyArticle" if source.kind in ARTICLES else _TYPES.get(source.kind, "CreativeWork"),
        "@id": doi or source.url,
        "name": source.title,
        "author": [_author(person) for person in source.authors],
        "datePublished": str(source.year or ""),
        "inLanguage": source.language,
        "isPartOf": _filled({"@type": "Periodical", "name": source.container}) if source.container else None,
        "volumeNumber": source.volume,
        "issueNumber": source.issue,
        "pagination": source.pages,
        "identifier": {"@type": "PropertyValue", "propertyID": "DOI", "value": source.doi} if source.doi else None,
        "sameAs": doi,
        "url": doi or source.url,
        "isAccessibleForFree": {"yes": True, "no": False}.get(source.open_access),
        "mainEntityOfPage": url,
    })  # fmt: skip


def reviewed_page(*, url: str, site_url: str, reviewers: Iterable[str], reviewed_on: date | None) -> Data:
    """The page of a text: which bodies approved it, and the day on which they last did."""
    organisation = _organisation(site_url)
    return _filled({
        "@type": "WebPage",
        "@id": f"{url}#pagina",
        "url": url,
        "mainEntity": {"@id": url},
        "reviewedBy": [{"@type": "Organization", "name": name, "parentOrganization": organisation} for name in reviewers],
        "lastReviewed": reviewed_on.isoformat() if reviewed_on else "",
    })  # fmt: skip


def breadcrumbs(*steps: tuple[str, str]) -> Data:
    """The way to a page: (name, full address) from the home page on."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": url}
            for position, (name, url) in enumerate(steps, start=1)
        ],
    }


def _text(version: Version, url: str, site_url: str, concepts: list[Concept], sources: Iterable[Source]) -> Data:
    """What all texts of ours have in common."""

    def names(*schemes: str) -> list[str]:
        return [str(concept) for concept in concepts if concept.scheme in schemes]

    return {
        "@id": url,
        "url": url,
        "inLanguage": LANGUAGE,
        "license": LICENCES.get(version.licence, version.licence),
        "dateModified": version.published_at.isoformat() if version.published_at else "",
        "version": str(version.number),
        "educationalLevel": names("niveau"),
        "audience": [{"@type": "EducationalAudience", "educationalRole": name} for name in names("publiek")],
        "about": names("thema", "vak", "doelgroep"),
        "citation": [f"https://doi.org/{source.doi}" for source in sources if source.doi],
        "isAccessibleForFree": True,
        "publisher": _organisation(site_url),
        "creativeWorkStatus": "Demonstration" if version.is_demo else "",
    }


def _organisation(site_url: str) -> Data:
    return {"@type": "Organization", "name": "Leerpunt", "url": f"{site_url}/"}


def _author(person: dict[str, str]) -> Data:
    given = person.get("given", "")
    if not given:
        return {"@type": "Organization", "name": person["family"]}
    return {
        "@type": "Person",
        "familyName": person["family"],
        "givenName": given,
        "name": f"{given} {person['family']}",
    }


def _filled(data: Data) -> Data:
    """Without what is unknown; False is known."""
    return {name: value for name, value in data.items() if value not in (None, "", [])}
