from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from practices.models import EvidenceRating, ExternalVerdict
from tests.factories import make_concept, make_practice, make_source, rating, verdict

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
