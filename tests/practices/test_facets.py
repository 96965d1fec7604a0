import random
from array import array
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial import guards
from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import Concept, ConceptLink, Item, Scheme, SiteState
from knowledgebase.search import fold
from knowledgebase.search.bitmaps import bits_of
from practices import facets
from practices.facets import EVERYTHING, ORDERS, Bitmaps, drop, put, rebuild
from practices.models import EvidenceRating, ExternalVerdict, FacetIndex, PracticeVersion
from practices.ratings import key_figures
from tests.factories import (
    anybody,
    make_concept,
    make_practice,
    make_source,
    make_version,
    publish_all,
    rating,
    verdict,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["Aap", "aap", "Éen", "een", "Zee", "feedback", "Feedback", "10 minuten", "‘Stil’ lezen", "IJs", "Ötzi", "øre"]


def vocabulary():
    """Levels three deep, and two of every other vocabulary; themes one beyond the hundredth place."""
    basis = make_concept("niveau", "basis", order=10)
    lager = make_concept("niveau", "lager", order=20, broader=basis)
    concepts = [basis, lager, make_concept("niveau", "graad", order=30, broader=lager), make_concept("niveau", "s")]
    for scheme in (Scheme.SUBJECT, Scheme.PUPIL_GROUP, Scheme.AUDIENCE, Scheme.OUTCOME):
        concepts += [make_concept(scheme, f"{scheme}-1"), make_concept(scheme, f"{scheme}-2")]
    themes = [make_concept("thema", slug, order=order) for slug, order in (("a", 10), ("b", 100), ("c", 250))]
    return concepts, themes


def random_practices(number, seed):
    """Published practices with any figures and contexts, written without the index noticing."""
    chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
    concepts, themes = vocabulary()
    made, moments = [], []
    for count in range(number):
        item = Item.objects.create(kind="practice", slug=f"p-{seed}-{count}")
        if chance.random() < 0.3:
            Item.objects.create(kind="summary", slug=f"s-{seed}-{count}")  # so that ids have holes
        version = PracticeVersion.objects.create(item=item, number=1, created_by=anybody(), title=chance.choice(NAMES))
        moments.append(START + timedelta(microseconds=chance.randrange(5)))
        links = [*chance.sample(concepts, chance.randrange(6)), *chance.sample(themes, chance.randrange(3))]
        for order, concept in enumerate(links):
            ConceptLink.objects.create(version=version, concept=concept, order=order)
        if chance.random() < 0.8:
            effect = chance.choice([None, "-0.30", "0.00", "0.055", "0.48", "0.48", "1.00", "1.30", "-1.30"])
            figures = {"strength": chance.choice([None, 0, 3, 5]), "cost": chance.choice([None, 1, 3, 5])}
            fields = rating(effect and Decimal(effect), **figures)
            EvidenceRating.objects.create(
                version=version, source=None if effect is None else make_source("jansen-2020"), **fields
            )
        if chance.random() < 0.5:
            ExternalVerdict.objects.create(version=version, **verdict(
                chance.choice([None, -2, 0, 6]), strength=chance.choice([None, 0, 5]), cost=chance.choice([None, 2])))  # fmt: skip
        made.append(version)
    return publish_all(made, moments=moments)


def stored():
    return {row.name: bytes(row.data) for row in FacetIndex.objects.all()}


def items(term):
    bits = Bitmaps("naam")[term]
    return [pk for pk in range(bits.bit_length()) if bits >> pk & 1]


def figures(version):
    return key_figures(
        version.ratings.filter(context_key="overall").first(),
        version.verdicts.filter(context_key="overall", issuer="EEF").first(),
    )


# -- the index says what the tables say -------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bitmaps_are_what_plain_sql_counts(seed):
    random_practices(40, seed)
    rebuild()
    published = PracticeVersion.objects.published()
    assert items(EVERYTHING) == sorted(published.values_list("item", flat=True))
    for concept in Concept.objects.in_scheme(*facets.FACET_SCHEMES):
        narrower, level = {concept.pk}, {concept.pk}
        while level := set(Concept.objects.filter(broader__in=level).values_list("pk", flat=True)):
            narrower |= level
        expected = published.filter(concept_links__concept__in=narrower).values_list("item", flat=True)
        assert items(f"{concept.scheme}:{concept.slug}") == sorted(set(expected)), concept.slug


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bitmaps_of_figures_are_what_the_figures_say(seed):
    random_practices(40, seed)
    rebuild()
    shown = {version.item_id: figures(version) for version in PracticeVersion.objects.published()}

    def having(test):
        return sorted(pk for pk, figure in shown.items() if test(figure))

    for level in range(1, 6):
        assert items(f"kost:{level}") == having(lambda f, most=level: f.cost.known and f.cost.value <= most)
    for level in range(6):
        assert items(f"sterkte:{level}") == having(
            lambda f, least=level: f.strength.known and f.strength.value >= least
        )
    for months in facets.MONTHS:
        assert items(f"winst:{months}") == having(
            lambda f, least=months: f.gain.rank is not None and f.gain.rank >= least
        )


def test_outcomes_and_resources_are_not_counted():
    random_practices(10, 1)
    rebuild()
    assert {name.partition(":")[0] for name in stored()} <= {
        "niveau", "vak", "doelgroep", "publiek", "thema", "kost", "sterkte", "winst", "alles", "order",
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_are_what_python_sorts(seed):
    versions = random_practices(40, seed)
    rebuild()

    def last(value):
        return (value is None, value if value is not None else 0)

    def theme(version):
        links = [link for link in version.concept_links.all() if link.concept.scheme == Scheme.THEME]
        return last(min(links, key=lambda link: link.order).concept.order if links else None)

    def negative(value):
        return last(None if value is None else -value)

    keys = {
        "thema": theme,
        "naam": lambda version: 0,
        "winst": lambda version: negative(figures(version).gain.rank),
        "sterkte": lambda version: negative(figures(version).strength.value),
        "kost": lambda version: last(figures(version).cost.value),
        "gewijzigd": lambda version: -version.published_at.timestamp(),
    }
    assert set(keys) == set(ORDERS)
    for order, key in keys.items():
        expected = sorted(versions, key=lambda v, key=key: (key(v), fold(v.title), v.item_id))
        assert list(Bitmaps(order).order) == [version.item_id for version in expected], order


def test_order_of_names_is_the_same_on_every_database():
    for name in NAMES:
        make_practice(title=name)
    titles = dict(PracticeVersion.objects.values_list("item", "title"))
    assert [titles[pk] for pk in Bitmaps("naam").order] == [
        "10 minuten", "Aap", "aap", "Éen", "een", "feedback", "Feedback", "IJs", "Ötzi", "Zee", "øre", "‘Stil’ lezen",
    ]  # fmt: skip


def test_theme_beyond_the_hundredth_place_still_comes_before_no_theme():
    level, readers = make_concept("niveau", "lager"), make_concept("publiek", "leerkracht")
    late = make_concept("thema", "laat", order=2_000)
    without = make_practice(title="A", concepts=[level, readers])
    last = make_practice(title="Z", concepts=[level, readers, late])
    assert list(Bitmaps("thema").order) == [last.item_id, without.item_id]


def test_first_theme_is_the_main_theme():
    level, readers = make_concept("niveau", "lager"), make_concept("publiek", "leerkracht")
    early, late = make_concept("thema", "vroeg", order=1), make_concept("thema", "laat", order=9)
    one = make_practice(title="A", concepts=[level, readers, late, early])
    two = make_practice(title="B", concepts=[level, readers, early])
    assert list(Bitmaps("thema").order) == [two.item_id, one.item_id]


def test_unknown_comes_last_and_beyond_the_table_first():
    unknown = make_practice(title="A")
    worse = make_practice(title="B", ratings=[rating("-1.30")])
    beyond = make_practice(title="C", ratings=[rating("1.30")])
    some = make_practice(title="D", ratings=[rating("0.10")])
    assert list(Bitmaps("winst").order) == [pk.item_id for pk in (beyond, some, worse, unknown)]
    assert items("winst:12") == [beyond.item_id]
    assert items("winst:-12") == sorted([beyond.item_id, some.item_id])


# -- kept by every publication -----------------------------------------------------------------------


def assert_same_as_rebuilt():
    kept = {name: data for name, data in stored().items() if data}
    rebuild()
    assert kept == {name: data for name, data in stored().items() if data}


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_putting_and_dropping_one_by_one_equals_rebuilding(seed):
    versions = random_practices(25, seed)
    chance = random.Random(seed)  # noqa: S311
    with guards.door("in and out of publication in any order, for the sake of the index"):
        put_and_drop(versions, chance)


def put_and_drop(versions, chance):
    PracticeVersion.objects.update(state="draft", published_at=None)
    rebuild()
    assert items(EVERYTHING) == []
    chance.shuffle(versions)
    for count, version in enumerate(versions):
        PracticeVersion.objects.filter(pk=version.pk).update(state="published", published_at=version.published_at)
        put(version)
        if count % 3 == 2:
            gone = chance.choice(versions[: count + 1])
            PracticeVersion.objects.filter(pk=gone.pk).update(state="draft", published_at=None)
            drop(gone.item_id)
        if count % 8 == 7:
            assert_same_as_rebuilt()
    assert_same_as_rebuilt()


def test_new_version_with_other_figures_takes_the_place_of_the_old():
    other = make_practice(title="M", ratings=[rating("0.30", cost=3)])
    first = make_practice(title="A", ratings=[rating("0.10", cost=1)])
    draft = make_version(first.item, title="Z")
    draft.ratings.update(effect="0.60", cost=5)
    make_version(first.item, state="published")
    assert list(Bitmaps("naam").order) == [other.item_id, first.item_id]
    assert list(Bitmaps("winst").order) == [first.item_id, other.item_id]
    assert items("kost:3") == [other.item_id]
    assert_same_as_rebuilt()


def test_withdrawing_leaves_the_others_in_place():
    one, two, three = (make_practice(title=title) for title in "ABC")
    withdraw(two, by=anybody(), reason="Fout.")
    assert items(EVERYTHING) == sorted([one.item_id, three.item_id])
    assert all(two.item_id not in Bitmaps(order).order for order in ORDERS)
    assert_same_as_rebuilt()


def test_putting_one_asks_hardly_more_among_many():
    version = make_practice(title="M")
    for number in range(6):
        make_practice(title=f"P{number}")
    put(version)
    with CaptureQueriesContext(connection) as few:
        put(version)
    for number in range(24):
        make_practice(title=f"Q{number}")
    with CaptureQueriesContext(connection) as many:
        put(version)
    assert len(many) <= len(few) + 2 * 7  # two steps more of the search


def test_changed_vocabulary_is_counted_anew():
    graad = make_concept("niveau", "graad")
    version = make_practice(concepts=[graad, make_concept("publiek", "leerkracht")])
    assert items("niveau:basis") == []
    graad.broader = make_concept("niveau", "basis")
    graad.save()
    assert items("niveau:basis") == [version.item_id]
    graad.slug = "eerste-graad"
    graad.save()
    assert (items("niveau:graad"), items("niveau:eerste-graad")) == ([], [version.item_id])


def test_new_concept_or_one_that_is_not_counted_costs_nothing(monkeypatch):
    monkeypatch.setattr(facets, "rebuild", None)
    make_concept("niveau", "nieuw")
    make_concept("uitkomst", "motivatie").save()


def test_rebuilding_makes_the_overview_new_for_readers():
    before = SiteState.current().content_version
    rebuild()
    assert SiteState.current().content_version > before
    assert [bytes(row.data) for row in FacetIndex.objects.filter(name__startswith="order:")] == [b""] * len(ORDERS)


# -- what a reader's request asks --------------------------------------------------------------------


def test_bitmaps_come_in_one_query_and_know_no_term_as_empty(django_assert_num_queries):
    first = make_practice(concepts=[make_concept("niveau", "lager"), make_concept("publiek", "leerkracht")])
    with django_assert_num_queries(1):
        index = Bitmaps("naam")
        assert index["niveau:lager"] == 1 << first.item_id
        assert index["niveau:bestaat-niet"] == 0
        assert index.union([]) == 0
        assert index.union(["niveau:lager", "publiek:leerkracht"]) == 1 << first.item_id
    assert str(FacetIndex.objects.get(name=EVERYTHING)) == EVERYTHING
    assert list(Bitmaps("bestaat-niet").order) == []


def test_ordered_gives_any_stretch_of_a_set():
    index = Bitmaps("naam")
    index.order = array("I", [9, 2, 700, 5, 1, 40])
    chosen = bits_of([9, 700, 1, 2, 33])
    assert chosen.bit_count() == 5
    for start in range(7):
        for stop in range(start, 8):
            assert index.ordered(chosen, start, stop) == [9, 2, 700, 1][start:stop]
    assert index.ordered(0, 0, 10) == []
    assert bits_of([]) == 0
