from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from knowledgebase import results
from knowledgebase.editorial.findings import findings
from knowledgebase.editorial.transitions import saved
from practices.models import EvidenceRating, ExternalVerdict
from practices.models.ratings import kept
from tests.factories import (
    anybody,
    bring_to,
    make_concept,
    make_effect,
    make_practice,
    make_source,
    make_study,
    rating,
    select,
    verdict,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_practice(state="draft", ratings=[rating("0.480", ci_low="0.350", ci_high="0.610", studies=12)],
                         verdicts=[verdict(6, strength=4, cost=1)])  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"context_key": ""}, "rating_has_a_context"),
        ({"effect": None, "ci_low": None, "ci_high": None}, "rating_has_a_basis_or_says_why_not"),
        ({"source": None}, "rating_has_a_basis_or_says_why_not"),
        ({"metric": ""}, "rating_has_a_basis_or_says_why_not"),
        ({"basis": "elders"}, "rating_has_a_basis_or_says_why_not"),
        ({"basis": "studies", "metric": ""}, "rating_has_a_basis_or_says_why_not"),
        ({"basis": "unknown"}, "rating_has_a_basis_or_says_why_not"),
        ({"basis": "unknown", "effect": None, "ci_low": None, "ci_high": None, "unknown_reason": ""},
         "rating_has_a_basis_or_says_why_not"),
        ({"ci_low": None}, "interval_holds_the_effect"),
        ({"ci_high": None}, "interval_holds_the_effect"),
        ({"ci_low": Decimal("0.481")}, "interval_holds_the_effect"),
        ({"ci_high": Decimal("0.479")}, "interval_holds_the_effect"),
        ({"basis": "unknown", "effect": None}, "interval_holds_the_effect"),
        ({"strength": 6}, "strength_is_0_to_5"),
        ({"cost": 0}, "cost_is_1_to_5"),
        ({"cost": 6}, "cost_is_1_to_5"),
    ],
)  # fmt: skip
def test_the_database_and_the_form_refuse_the_same(version, fields, constraint):
    row = version.ratings.get()
    for name, value in fields.items():
        setattr(row, name, value)
    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(IntegrityError, match=constraint):
        EvidenceRating.objects.filter(pk=row.pk).update(**fields)


@pytest.mark.parametrize("fields", [{"strength": 0}, {"strength": 5}, {"cost": 1}, {"cost": 5},
                                    {"ci_low": Decimal("0.480"), "ci_high": Decimal("0.480")},
                                    {"ci_low": None, "ci_high": None}])  # fmt: skip
def test_the_ends_of_the_scales_are_on_them(version, fields):
    row = version.ratings.get()
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()


@pytest.mark.parametrize("fields", [{"strength": 6}, {"cost": 0}, {"cost": 6}], ids=str)
def test_a_verdict_stays_on_its_scale(version, fields):
    with pytest.raises(IntegrityError, match="verdict_is_on_its_scale"):
        ExternalVerdict.objects.filter(version=version).update(**fields)


def test_a_verdict_needs_a_context(version):
    with pytest.raises(IntegrityError, match="verdict_has_a_context"):
        ExternalVerdict.objects.filter(version=version).update(context_key="")


def test_a_context_is_rated_once(version):
    with pytest.raises(IntegrityError):
        EvidenceRating.objects.bulk_create([EvidenceRating(version=version, **rating())])


def test_an_issuer_judges_a_context_once_but_others_may_too(version):
    ExternalVerdict.objects.create(version=version, **verdict(None, issuer="Campbell", statement="Klein effect."))
    with pytest.raises(IntegrityError):
        ExternalVerdict.objects.create(version=version, **verdict(5))


@pytest.mark.parametrize(
    ("key", "label", "concept"),
    [
        ("overall", "", None),
        ("niveau:lager", "", "lager"),
        ("vak:lezen", "", "lezen"),
        ("doelgroep:kansarmoede", "", "kansarmoede"),
        ("dosis:drie-keer-per-week", "Drie keer per week", None),
        ("vorm:mondeling", "Mondeling", None),
    ],
)
def test_contexts_that_are_good(key, label, concept):
    make_concept("niveau", "lager")
    make_concept("vak", "lezen")
    make_concept("doelgroep", "kansarmoede")
    row = EvidenceRating(context_key=key, label=label, concept=make_concept("niveau", "kleuter"))
    row.clean()
    assert (row.concept.slug if row.concept else None) == concept
    assert row.is_overall == (key == "overall")


@pytest.mark.parametrize(
    ("key", "label", "field"),
    [
        ("overal", "", "context_key"),
        ("overall:lager", "", "context_key"),
        ("niveau", "", "context_key"),
        ("niveau:", "", "context_key"),
        ("niveau:hoger", "", "context_key"),
        ("Niveau:lager", "", "context_key"),
        ("thema:lager", "", "context_key"),
        (":lager", "", "context_key"),
        ("vorm:", "Mondeling", "context_key"),
        ("vorm:Heel mondeling", "Mondeling", "context_key"),
        ("vorm:mondeling", "", "label"),
        ("dosis:veel", " ", "label"),
    ],
)
@pytest.mark.parametrize("model", [EvidenceRating, ExternalVerdict])
def test_contexts_that_are_not(model, key, label, field):
    make_concept("niveau", "lager")
    make_concept("thema", "lager")
    with pytest.raises(ValidationError) as error:
        model(context_key=key, label=label).clean()
    assert set(error.value.message_dict) == {field}


@pytest.mark.parametrize(
    ("fields", "gaps"),
    [
        (rating(), 0),
        (rating("0.30", strength=2, cost=1, strength_reason="", cost_reason=""), 0),
        (rating(unknown_reason=" "), 1),
        (rating(strength_reason=""), 1),
        (rating(strength_reason="", strength=0), 0),
        (rating(cost_reason="\n"), 1),
        (rating("0.30", strength_reason="", cost_reason=""), 2),
        (rating(unknown_reason="", strength_reason="", cost_reason=""), 3),
    ],
)
def test_gaps_of_a_rating(fields, gaps):
    if "effect" in fields:
        fields = fields | {"effect": Decimal(fields["effect"])}
    assert len(EvidenceRating(**fields).gaps()) == gaps


def test_content_names_the_source_by_its_key(version):
    assert version.ratings.get().content()["source"] == "jansen-2020"
    assert EvidenceRating(**rating()).content()["source"] == ""
    assert version.verdicts.get().content()["months"] == 6


def test_words(version):
    assert str(version.ratings.get()) == "overall"
    assert str(version.verdicts.get()) == "EEF overall"
    assert make_source("jansen-2020").ratings.get() == version.ratings.get()


# -- ratings that rest on study rows


def computed(**fields):
    return rating(basis="studies", unknown_reason="", strength_reason="") | fields


def make_computed(count=4, *, pupils=None, selection=None, state="draft", **study):
    effects = [
        make_effect(g, v, study=make_study(pupils=pupils, **study), n=None)
        for g, v in ((0.5, 0.04), (0.1, 0.02), (0.3, 0.05), (0.2, 0.03), (0.4, 0.04))[:count]
    ]
    return make_practice("schrijven", state=state, effects=effects, selection=selection, ratings=[computed()])


def figures(version):
    row = version.ratings.get()
    return {
        name: getattr(row, name) for name in ("metric", "effect", "ci_low", "ci_high", "studies", "pupils", "strength")
    }


def test_saving_a_draft_fills_what_its_study_rows_say():
    synthesis = make_source("bangert-2004")
    version = make_computed(pupils=60, selection={"synthesis": synthesis})
    saved(version, by=anybody())
    row = version.ratings.get()
    result = results.result_for(version.selections.get())
    assert figures(version) == {
        "metric": "g",
        "effect": kept(result.estimate),
        "ci_low": kept(result.ci.low),
        "ci_high": kept(result.ci.high),
        "studies": 4,
        "pupils": 240,
        "strength": 0,
    }
    assert (row.source, row.pupils_at_least, row.strength_scale) == (synthesis, False, "sterkte-2026")
    assert row.waterfall().strength == 0
    assert not row.derive()


@pytest.mark.parametrize(
    ("count", "selection", "expected"),
    [(4, {"months": False}, 4), (4, {"measure": "z"}, 4), (2, {}, 2)],
)  # fmt: skip
def test_without_months_or_a_headline_there_is_no_effect(count, selection, expected):
    version = make_computed(count, selection=selection)
    version.derive()
    assert figures(version) == {
        "metric": "", "effect": None, "ci_low": None, "ci_high": None, "studies": expected, "pupils": None, "strength": 0,
    }  # fmt: skip
    assert version.ratings.get().gaps() == []


def test_what_is_typed_over_a_computed_figure_keeps_a_text_from_being_submitted():
    version = make_computed()
    version.derive()
    assert [finding for finding in findings(version) if finding.field == "ratings"] == []
    version.ratings.update(effect="0.9", ci_high="0.95")
    (finding,) = [finding for finding in findings(version) if finding.field == "ratings"]
    assert finding.blocking
    assert "overall" in finding.message
    version.derive()
    assert [finding for finding in findings(version) if finding.field == "ratings"] == []


def test_a_context_without_a_selection_is_a_gap():
    version = make_practice("schrijven", state="draft", ratings=[computed()])
    version.derive()
    assert len(version.ratings.get().differences()) == 1
    assert figures(version)["studies"] is None
    select(version, *[make_effect() for _ in range(3)])
    version.derive()
    assert version.ratings.get().differences() == []


def test_other_bases_are_left_alone(version):
    before = EvidenceRating.objects.values().get()
    version.derive()
    row = version.ratings.get()
    assert (EvidenceRating.objects.values().get(), row.derive(), row.differences(), row.waterfall()) == (
        before,
        False,
        [],
        None,
    )


def test_a_published_rating_is_recomputed_by_the_rule_it_is_pinned_to():
    version = make_computed(state="draft")
    version.derive()
    version = bring_to(version, "published")
    row = version.ratings.get()
    assert row.differences() == []
    assert (row.computed()["strength_scale"], row.computed()["effect"]) == ("sterkte-2026", row.effect)


def test_some_pupils_known_is_at_least():
    version = make_computed()
    study = version.selected_effects.first().effect.study
    type(study).objects.filter(pk=study.pk).update(pupils=30)
    version.derive()
    row = version.ratings.get()
    assert (row.pupils, row.pupils_at_least) == (30, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.2219, "0.222"), (0.2446, "0.244"), (0.245, "0.245"), (-0.2446, "-0.244"), (-0.2451, "-0.245"), (0.0, "0.000")],
)
def test_what_is_kept_rounds_to_the_same_month(value, expected):
    assert kept(value) == Decimal(expected)
