from datetime import date

import pytest

from knowledgebase.models import Concept, Scheme
from knowledgebase.structured_data import article, breadcrumbs, graph, learning_resource, publication, reviewed_page
from tests.factories import make_concept, make_practice, make_source, make_summary

SITE = "https://www.example.org"
PUBLISHER = {"@type": "Organization", "name": "Leerpunt", "url": "https://www.example.org/"}


@pytest.fixture
def concepts():
    pks = [
        make_concept(Scheme.LEVEL, "lager", "lager onderwijs").pk,
        make_concept(Scheme.AUDIENCE, "leerkracht", "leerkrachten").pk,
        make_concept(Scheme.THEME, "lezen-en-taal", "lezen en taal").pk,
        make_concept(Scheme.SUBJECT, "nederlands", "Nederlands").pk,
        make_concept(Scheme.OUTCOME, "motivatie", "motivatie").pk,
    ]
    return list(Concept.objects.filter(pk__in=pks).order_by("pk"))


@pytest.mark.django_db
def test_a_practice(time_machine, concepts):
    time_machine.move_to("2026-11-22T10:00:00+00:00", tick=False)
    version = make_practice("feedback", title="Feedback", lead="Zeg wat lukt.", is_demo=True)
    url = f"{SITE}/praktijken/feedback/"
    sources = [make_source("een", doi="10.1234/een"), make_source("twee")]
    assert learning_resource(
        version, url=url, site_url=SITE, concepts=concepts, sources=sources, image=f"{url}kaart.png"
    ) == {
        "@type": "LearningResource",
        "@id": url,
        "url": url,
        "name": "Feedback",
        "description": "Zeg wat lukt.",
        "image": f"{url}kaart.png",
        "inLanguage": "nl-BE",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "dateModified": "2026-11-22T10:00:00+00:00",
        "version": "1",
        "educationalLevel": ["lager onderwijs"],
        "audience": [{"@type": "EducationalAudience", "educationalRole": "leerkrachten"}],
        "about": ["lezen en taal", "Nederlands"],
        "citation": ["https://doi.org/10.1234/een"],
        "isAccessibleForFree": True,
        "publisher": PUBLISHER,
        "creativeWorkStatus": "Demonstration",
    }


@pytest.mark.django_db
def test_a_summary_that_is_real_says_nothing_of_a_demonstration(time_machine):
    time_machine.move_to("2026-11-22T10:00:00+00:00", tick=False)
    version = make_summary("toetsen", title="Toetsen", answer="Ja, meestal.", licence="eigen licentie")
    url = f"{SITE}/samenvattingen/toetsen/"
    assert article(version, url=url, site_url=SITE, concepts=[], sources=[]) == {
        "@type": "Article",
        "@id": url,
        "url": url,
        "headline": "Toetsen",
        "name": "Toetsen",
        "description": "Ja, meestal.",
        "author": PUBLISHER,
        "inLanguage": "nl-BE",
        "license": "eigen licentie",
        "dateModified": "2026-11-22T10:00:00+00:00",
        "version": "1",
        "isAccessibleForFree": True,
        "publisher": PUBLISHER,
    }


@pytest.mark.django_db
def test_a_source_with_everything():
    source = make_source(
        "okkinga-2018",
        title="Reading strategies",
        authors=[{"family": "Okkinga", "given": "M."}, {"family": "Raad", "given": ""}],
        year=2018,
        container="Educational Psychology Review",
        volume="30",
        issue="4",
        pages="1215-1239",
        doi="10.1007/s10648-018-9445-7",
        open_access="yes",
    )
    doi = "https://doi.org/10.1007/s10648-018-9445-7"
    assert publication(source, url=f"{SITE}/bronnen/okkinga-2018/") == {
        "@type": "ScholarlyArticle",
        "@id": doi,
        "name": "Reading strategies",
        "author": [
            {"@type": "Person", "familyName": "Okkinga", "givenName": "M.", "name": "M. Okkinga"},
            {"@type": "Organization", "name": "Raad"},
        ],
        "datePublished": "2018",
        "inLanguage": "en",
        "isPartOf": {"@type": "Periodical", "name": "Educational Psychology Review"},
        "volumeNumber": "30",
        "issueNumber": "4",
        "pagination": "1215-1239",
        "identifier": {"@type": "PropertyValue", "propertyID": "DOI", "value": "10.1007/s10648-018-9445-7"},
        "sameAs": doi,
        "url": doi,
        "isAccessibleForFree": True,
        "mainEntityOfPage": f"{SITE}/bronnen/okkinga-2018/",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "written"),
    [("website", "WebPage"), ("report", "Report"), ("article", "Article"), ("review", "ScholarlyArticle")],
)
def test_a_source_of_which_little_is_known(kind, written):
    source = make_source(kind=kind, title="T", authors=[], year=None, open_access="no", url="https://example.org/t")
    assert publication(source, url="u") == {
        "@type": written,
        "@id": "https://example.org/t",
        "name": "T",
        "inLanguage": "en",
        "url": "https://example.org/t",
        "isAccessibleForFree": False,
        "mainEntityOfPage": "u",
    }


def test_the_page_says_who_reviewed_it_and_when():
    organisation = {"@type": "Organization", "name": "Leerpunt", "url": f"{SITE}/"}
    page = {"@type": "WebPage", "@id": "u#pagina", "url": "u", "mainEntity": {"@id": "u"}}
    assert reviewed_page(url="u", site_url=SITE, reviewers=["commissie"], reviewed_on=date(2026, 11, 3)) == page | {
        "reviewedBy": [{"@type": "Organization", "name": "commissie", "parentOrganization": organisation}],
        "lastReviewed": "2026-11-03",
    }
    assert reviewed_page(url="u", site_url=SITE, reviewers=[], reviewed_on=None) == page


def test_the_way_to_a_page_and_all_in_one_block():
    way = breadcrumbs(("Start", f"{SITE}/"), ("Praktijken", f"{SITE}/praktijken/"))
    assert way == {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": "Start", "item": f"{SITE}/"},
            {"@type": "ListItem", "position": 2, "name": "Praktijken", "item": f"{SITE}/praktijken/"},
        ],
    }
    assert graph(way) == {"@context": "https://schema.org", "@graph": [way]}
