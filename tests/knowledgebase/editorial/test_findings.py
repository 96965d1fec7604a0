import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.editorial.findings import Rule, blocking, findings
from knowledgebase.models import SlugRedirect, Source
from tests.factories import (
    make_concept,
    make_effect,
    make_page,
    make_practice,
    make_source,
    make_study,
    make_summary,
    make_term,
    make_version,
)

pytestmark = pytest.mark.django_db


def draft(**fields):
    """A draft about which there is nothing to find."""
    concepts = [
        make_concept("niveau", "lager"),
        make_concept("publiek", "leerkracht"),
        make_concept("thema", "toetsen"),
    ]
    cited = "".join(f" [@{source.key}]" for source in fields.get("sources", [make_source("jansen-2020")]))
    return make_practice(state="draft", **{"concepts": concepts, "in_short": f"- Kort{cited}."} | fields)


def found_in(text: str, **fields) -> list[tuple[str, bool]]:
    """What is found in a field that holds this text: sentences, and whether they block."""
    version = draft(what_it_is=text, **fields)
    return [(f.message, f.blocking) for f in findings(version) if f.field == "what_it_is"]


def test_a_complete_draft_has_nothing_to_find():
    assert findings(draft()) == []


@pytest.mark.parametrize("make", [make_practice, make_summary, make_page])
def test_the_least_that_is_needed_is_not_blocked(make):
    assert blocking(findings(make(state="draft"))) == []


def test_what_is_missing_names_its_field_and_comes_first():
    version = draft(when_not="", lead="", sources=[], ratings=[], concepts=[])

    found = [(f.field, f.blocking) for f in findings(version)]

    assert found == [
        ("ratings", True), ("when_not", True), ("concept_links", True), ("concept_links", True), ("source_links", True),
        ("lead", False), ("concept_links", False),
    ]  # fmt: skip


def test_every_version_after_the_first_says_what_changed():
    published = make_practice()
    version = make_version(published.item, change_note=" ")

    found = [f for f in findings(version) if f.field == "change_note"]

    message = _("Say what kind of change this is, whether the conclusion changed, and what changed.")
    assert [(f.message, f.blocking) for f in found] == [(message, True)]
    assert blocking(findings(version)) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Zie {{ onbekend }}.", _("The token %(token)s has no value here.") % {"token": "{{ onbekend }}"}),
        (
            "Zie [@niemand-2020].",
            _("[@%(key)s] is cited but is no source of this version: add it to the sources.") % {"key": "niemand-2020"},
        ),
        (
            '![](/static/img/favicon.svg "Leerpunt")',
            _("Describe the image %(image)s in words (alt text).") % {"image": "/static/img/favicon.svg"},
        ),
        (
            '![Iets](/static/img/niets.png "Wij")',
            _("There is no image %(image)s.") % {"image": "/static/img/niets.png"},
        ),
        ("[Hier](/praktijken/niets/)", _("The link to %(address)s leads nowhere.") % {"address": "/praktijken/niets/"}),
        ("[Hier](/bestaat/niet)", _("The link to %(address)s leads nowhere.") % {"address": "/bestaat/niet"}),
        ("[Hier](/bronnen/niets/)", _("The link to %(address)s leads nowhere.") % {"address": "/bronnen/niets/"}),
        ("[Hier](/begrippen/#niets)", _("The link to %(address)s leads nowhere.") % {"address": "/begrippen/#niets"}),
        (
            f"[Hier]({settings.SITE_URL}/themas/niets/)",
            _("The link to %(address)s leads nowhere.") % {"address": f"{settings.SITE_URL}/themas/niets/"},
        ),
        (
            "[Hier](www.example.org)",
            _("The link to “%(address)s” does not work: begin with https:// or with /.")
            % {"address": "www.example.org"},
        ),
    ],
)
def test_what_readers_would_find_broken_blocks(text, message):
    assert found_in(text) == [(message, True)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ winst }}",
        "[@jansen-2020]",
        '![Een boek](/static/img/favicon.svg "Leerpunt")',
        "[Praktijken](/praktijken/) en [de praktijk](/praktijken/feedback) en [de bron](/bronnen/jansen-2020/)",
        "[Vroeger](/praktijken/terugkoppeling/)",
        "[Over](/over/) en [werkwijze](/over/werkwijze/)",
        "[Een begrip](/begrippen/#effectgrootte)",
        "[Elders](https://example.org/praktijken/niets/) en [mail](mailto:iemand@example.org) en [hier](#kop)",
        "### Een kop\n\n#### Daaronder\n\n### Weer een kop",
    ],
)
def test_what_leads_somewhere_is_fine(text):
    feedback = make_practice("feedback")
    SlugRedirect.objects.create(item=feedback.item, kind="practice", slug="terugkoppeling")
    make_term("effectgrootte")
    make_page("over")
    make_page("werkwijze")

    assert found_in(text) == []


@pytest.mark.parametrize(
    ("state", "blocks"),
    [("draft", False), ("in_review", False), ("approved", False), ("withdrawn", True), ("discarded", True)],
)
def test_a_link_to_a_text_that_is_not_public_blocks_unless_it_is_on_its_way(state, blocks):
    make_practice("quiz", state=state)

    assert [blocked for _message, blocked in found_in("[Quiz](/praktijken/quiz/)")] == [blocks]


def test_a_skipped_level_of_headings_is_advice():
    message = _("A heading of level %(level)s follows one of level %(before)s: do not skip a level.")

    assert found_in("### Een\n\n##### Twee") == [(message % {"level": 5, "before": 3}, False)]


def test_a_text_that_is_too_complex_blocks():
    assert [blocks for _message, blocks in found_in("[" * 200)] == [True]


def test_a_term_without_explanation_blocks():
    make_term("effectgrootte", definition="")

    found = found_in("De effectgrootte is klein.")

    assert found == [
        (_("The term “%(term)s” has no explanation yet. Ask the editor in chief to write one.") % {"term": "effectgrootte"}, True)
    ]  # fmt: skip


def test_a_retracted_source_and_a_related_text_that_is_not_public_are_advice():
    other = make_practice("quiz", state="draft")
    source = make_source("smit-2010", retraction=Source.Retraction.RETRACTED)

    found = findings(draft(sources=[source], related=[other.item]))

    assert [(f.field, f.blocking) for f in found] == [("source_links", False), ("item_links", False)]
    assert blocking(found) == []


def test_many_links_cost_no_more_queries_than_one(django_assert_num_queries):
    for slug in ("een", "twee", "drie"):
        make_practice(slug)
    one, three = draft(what_it_is="[1](/praktijken/een/)"), draft(what_it_is="[1](/praktijken/een/)")
    three.steps = "[2](/praktijken/twee/) [3](/praktijken/drie/)"
    three.save()
    findings(one)
    with CaptureQueriesContext(connection) as captured:
        findings(one)
    with django_assert_num_queries(len(captured)):
        findings(three)


# -- figures that we compute ourselves


def test_figures_are_compared_with_what_the_study_rows_of_a_text_say():
    synthesis = make_source("bos-2010")
    effects = [make_effect(0.3, 0.04, study=make_study(synthesis=synthesis)) for _number in range(4)]
    findings_of = "- Over 4 studies is het effect 0,30 [@bos-2010].\n- Over 9 studies is het effect 0,50 [@bos-2010]."
    version = make_summary(
        state="draft", sources=[synthesis], effects=effects, selection={"synthesis": synthesis, "label": "Lezen"},
        key_findings=findings_of,
    )  # fmt: skip
    found = [finding for finding in findings(version) if finding.rule == Rule.FIGURE_DIFFERS]
    assert [(finding.line, finding.value) for finding in found] == [(2, "9 studies"), (2, "0,50")]
    assert "bos-2010: 4 (Lezen)" in found[0].says


def test_of_many_figures_only_the_nearest_are_held_against_a_typed_one():
    synthesis = make_source("bos-2010")
    effects = [
        make_effect(0.1 * number, 0.04, study=make_study(synthesis=synthesis), moderators={"duur": number})
        for number in range(12)
    ]
    version = make_summary(
        state="draft", sources=[synthesis], effects=effects,
        selection={"synthesis": synthesis, "label": "Lezen", "moderators": ["duur"]},
        key_findings="- Het effect is 0,51 [@bos-2010].",
    )  # fmt: skip
    [found] = [finding for finding in findings(version) if finding.rule == Rule.FIGURE_DIFFERS]
    assert found.says.startswith("bos-2010: 0,55 (Lezen); ")
    assert found.says.count("bos-2010") == 3
    assert re.search(r"; en nog \d andere cijfers$", found.says)


def test_a_correlation_may_be_cited_as_r_or_as_z():
    synthesis = make_source("bos-2010")
    effects = [make_effect(0.5, 0.01, study=make_study(synthesis=synthesis), measure="z") for _number in range(4)]
    version = make_summary(
        state="draft", sources=[synthesis], effects=effects, selection={"synthesis": synthesis, "measure": "z"},
        key_findings="- De correlatie is 0,46 en z is 0,50 [@bos-2010].",
    )  # fmt: skip
    assert [finding for finding in findings(version) if finding.rule == Rule.FIGURE_DIFFERS] == []
