"""A corpus for benchmarks: thousands of practices that look like ours in size and spread, and say nothing true.

They come to publication along the legal edges, a batch at a time, with every guard of the database in place.
"""

import random
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery

from knowledgebase import rendering, search
from knowledgebase.editorial.versions import HASH_VERSION, canonical, hash_of
from knowledgebase.models import (
    Commission,
    Concept,
    ConceptLink,
    Decision,
    Item,
    ItemLink,
    Membership,
    RenderedText,
    ReviewRound,
    Scheme,
    Source,
    SourceLink,
    User,
    Version,
    VersionContributor,
)
from leerpunt import reference_data
from practices import facets
from practices.models import EvidenceRating, ExternalVerdict, PracticeVersion

FIXTURES = settings.BASE_DIR / "fixtures"
ACCOUNT = "corpus"
BATCH = 1_000  # practices written at once
POOL = 24  # different texts for each field
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)

DEEDS = (
    "Samen lezen", "Hardop denken", "Kort overhoren", "Gericht oefenen", "Voorbeelden uitwerken", "Vragen stellen",
    "Elkaar uitleg geven", "Woorden aanleren", "Doelen bespreken", "Werk verbeteren", "In kleine groep werken",
    "Stap voor stap uitleggen", "Voorkennis ophalen", "Een schema tekenen", "Gespreid herhalen", "Thuis oefenen",
)  # fmt: skip
TOPICS = (
    "breuken", "begrijpend lezen", "technisch lezen", "schrijven", "kaartlezen", "woordenschat", "hoofdrekenen",
    "meetkunde", "luisteren", "Frans", "geschiedenis", "wetenschappen", "muziek", "spreken", "planning", "spelling",
)  # fmt: skip
MOMENTS = (
    "bij het begin van de les", "in kleine stappen", "met een maatje", "na de les", "in het derde leerjaar",
    "voor wie extra tijd nodig heeft", "met een wisbordje", "een kwartier per dag", "in de eerste graad", "op maandag",
)  # fmt: skip
OPENINGS = (
    "Je begint met een korte vraag", "De leerlingen werken eerst alleen", "Je toont een uitgewerkt voorbeeld",
    "Een leerling legt de stap uit aan een ander", "Je kijkt rond en noteert wat nog moeilijk gaat",
    "De groep vergelijkt twee oplossingen", "Je herhaalt wat vorige week aan bod kwam",
)  # fmt: skip
ENDINGS = (
    "en je wacht met het antwoord tot iedereen iets schreef.", "zodat je ziet wie de volgende stap aankan.",
    "en daarna bespreken jullie het effect op het werk.", "tot de leerlingen het zonder hulp kunnen.",
    "en je zegt er meteen bij wat beter kan.", "met materiaal dat al in de klas ligt.",
)  # fmt: skip
# How many concepts of each vocabulary a practice has, at least and at most.
CONTEXTS = {
    Scheme.LEVEL: (1, 3),
    Scheme.SUBJECT: (0, 2),
    Scheme.PUPIL_GROUP: (0, 2),
    Scheme.AUDIENCE: (1, 3),
    Scheme.THEME: (1, 2),
    Scheme.OUTCOME: (1, 2),
}


class Command(BaseCommand):
    help = "Fill an empty database with practices for benchmarks; the same seed gives the same practices."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practices", type=int, required=True)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        if Item.objects.exists():
            raise CommandError("This database holds texts. A corpus goes into an empty database, never beside them.")
        with transaction.atomic():
            if not Concept.objects.exists():
                reference_data.load_folder(FIXTURES)
            Corpus(options["seed"]).write(options["practices"])
            facets.rebuild()
        if not connection.in_atomic_block:  # on PostgreSQL these figures outlive a transaction that is rolled back
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        self.stdout.write(f"{options['practices']} practices.")


def account(username: str) -> User:
    """An account that nobody can use."""
    return User.objects.get_or_create(username=username, defaults={"is_active": False})[0]


class Corpus:
    """Practices in batches, drawn with one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
        self.author = account(ACCOUNT)
        self.chairs = [self.chair(commission) for commission in Commission.objects.all()]
        self.sources = list(Source.objects.order_by("key"))
        self.concepts: dict[str, list[Concept]] = {scheme: [] for scheme in CONTEXTS}
        for concept in Concept.objects.in_scheme(*CONTEXTS).order_by("scheme", "slug"):
            self.concepts[concept.scheme].append(concept)
        fields = PracticeVersion.markdown_fields
        self.texts = {field: [self.text(field) for _number in range(POOL)] for field in fields}
        self.html = {field: [rendering.render(text) for text in texts] for field, texts in self.texts.items()}

    def chair(self, commission: Commission) -> Membership:
        """Who decides for a commission: the chair there is, else an account that nobody can use."""
        chairs = Membership.objects.filter(commission=commission, role=Membership.Role.CHAIR, valid_to=None)
        return chairs.first() or Membership.objects.create(
            commission=commission, user=account(f"{ACCOUNT}-{commission.code}"), role=Membership.Role.CHAIR
        )

    def text(self, field: str) -> str:
        """Forty to seventy words of a field."""
        mark = "- " if field in {"in_short", "active_ingredients"} else "1. " if field == "steps" else ""
        lines = [
            f"{mark}{self.chance.choice(OPENINGS)} {self.chance.choice(ENDINGS)}"
            for _number in range(self.chance.randint(3, 5))
        ]
        return ("\n" if mark else " ").join(lines)

    def write(self, number: int) -> None:
        for start in range(0, number, BATCH):
            self.batch(range(start, min(start + BATCH, number)))

    def batch(self, numbers: Sequence[int]) -> None:
        items = Item.objects.bulk_create(
            Item(kind=Item.Kind.PRACTICE, slug=f"corpus-{number}", key=f"corpus-{number}") for number in numbers
        )
        versions = Version.objects.bulk_create(self.version(item) for item in items)
        moments = {version.pk: self.moment() for version in versions}
        pks = list(moments)
        VersionContributor.objects.bulk_create(VersionContributor(version_id=pk, user=self.author) for pk in pks)
        chosen = {pk: {field: self.chance.randrange(POOL) for field in self.texts} for pk in pks}
        self.insert_practices(chosen)
        RenderedText.objects.bulk_create(
            RenderedText(version_id=pk, renderer=rendering.RENDERER, field=field, html=self.html[field][place])
            for pk, places in chosen.items()
            for field, place in places.items()
        )
        ConceptLink.objects.bulk_create(link for pk in pks for link in self.concept_links(pk))
        SourceLink.objects.bulk_create(
            SourceLink(version_id=pk, source=source, order=order, uid=self.uid())
            for pk in pks
            for order, source in enumerate(self.chance.sample(self.sources, self.chance.randint(2, 6)))
        )
        ItemLink.objects.bulk_create(
            ItemLink(version_id=version.pk, item=other, order=order, uid=self.uid())
            for version in versions
            for order, other in enumerate(self.chance.sample(items, min(3, len(items))))
            if other.pk != version.item_id
        )
        EvidenceRating.objects.bulk_create(rating for pk in pks for rating in self.ratings(pk))
        ExternalVerdict.objects.bulk_create(self.verdict(pk) for pk in pks if self.chance.random() < 0.5)
        self.publish(moments)
        search.index_kind(Item.Kind.PRACTICE, [item.pk for item in items])

    def publish(self, moments: dict[int, datetime]) -> None:
        """Take drafts through a round in which both commissions approve, and make them public, each at its moment."""
        children = ("concept_links__concept", "source_links__source", "item_links__item", "ratings__source", "verdicts")
        drafts = PracticeVersion.objects.filter(pk__in=moments).select_related("item").prefetch_related(*children)
        ReviewRound.objects.bulk_create(
            ReviewRound(
                version_id=draft.pk, number=1, content=(content := canonical(draft)), content_hash=hash_of(content),
                opened_at=moments[draft.pk], opened_by=self.author, due_on=moments[draft.pk].date(),
            )
            for draft in drafts
        )  # fmt: skip
        rounds, versions = ReviewRound.objects.filter(version__in=moments), Version.objects.filter(pk__in=moments)
        own = ReviewRound.objects.filter(version=OuterRef("pk"))
        opened, hashed = Subquery(own.values("opened_at")), Subquery(own.values("content_hash"))
        versions.update(
            state=Version.State.IN_REVIEW, round_no=1, content_hash=hashed, hash_version=HASH_VERSION,
            submitted_at=opened, submitted_by=self.author,
        )  # fmt: skip
        Decision.objects.bulk_create(
            Decision(
                round_id=pk, commission_id=chair.commission_id, membership=chair, decided_by_id=chair.user_id,
                outcome=Decision.Outcome.APPROVE, content_hash=content_hash, decided_at=opened_at, quorum_needed=2,
                quorum_reached=2, rationale="Gemaakt om de snelheid te meten: niemand heeft dit beoordeeld.",
            )
            for pk, content_hash, opened_at in rounds.values_list("pk", "content_hash", "opened_at")
            for chair in self.chairs
        )  # fmt: skip
        rounds.update(closed_at=F("opened_at"), outcome=ReviewRound.Outcome.APPROVED)
        versions.update(state=Version.State.APPROVED)
        versions.update(state=Version.State.PUBLISHED, published_at=opened, published_by=self.author)

    def version(self, item: Item) -> Version:
        title = " ".join(self.chance.choice(words) for words in (DEEDS, ("bij", "rond", "voor"), TOPICS, MOMENTS))
        return Version(
            item=item, number=1, created_by=self.author, title=title, checked_on=NEWEST.date(),
            lead=f"{self.chance.choice(OPENINGS)} {self.chance.choice(ENDINGS)}",
        )  # fmt: skip

    def moment(self) -> datetime:
        return NEWEST - timedelta(minutes=self.chance.randrange(500_000))

    def insert_practices(self, chosen: dict[int, dict[str, int]]) -> None:
        """The rows of PracticeVersion below their Version: Django has no bulk_create for a table that extends another."""
        columns = [str(field.column) for field in PracticeVersion._meta.local_concrete_fields]
        names = ", ".join(connection.ops.quote_name(column) for column in columns)
        table, marks = connection.ops.quote_name(PracticeVersion._meta.db_table), ", ".join(["%s"] * len(columns))
        rows = [
            [pk if column not in places else self.texts[column][places[column]] for column in columns]
            for pk, places in chosen.items()
        ]
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608  # names of our own

    def concept_links(self, version: int) -> Iterator[ConceptLink]:
        order = 0
        for scheme, (least, most) in CONTEXTS.items():
            offered = self.concepts[scheme]
            for concept in self.chance.sample(offered, min(len(offered), self.chance.randint(least, most))):
                yield ConceptLink(version_id=version, concept=concept, order=order, uid=self.uid())
                order += 1

    def ratings(self, version: int) -> Iterator[EvidenceRating]:
        yield self.rating(version, "overall")
        for order, level in enumerate(self.chance.sample(self.concepts[Scheme.LEVEL], self.chance.randrange(3)), 1):
            yield self.rating(version, f"{Scheme.LEVEL}:{level.slug}", order, level)

    def rating(self, version: int, key: str, order: int = 0, concept: Concept | None = None) -> EvidenceRating:
        rating = EvidenceRating(
            version_id=version, context_key=key, concept=concept, order=order, uid=self.uid(),
            strength=self.sometimes(0, 5), cost=self.sometimes(1, 5), note="Alle leeftijden samen.",
            strength_reason="We telden de studies niet.", cost_reason="We vonden geen prijs.",
        )  # fmt: skip
        if self.chance.random() < 0.3:
            rating.basis, rating.unknown_reason = EvidenceRating.Basis.UNKNOWN, "Er is nog geen betrouwbaar cijfer."
            return rating
        effect = Decimal(self.chance.randint(-15, 90)) / 100
        rating.basis, rating.metric = EvidenceRating.Basis.SYNTHESIS, EvidenceRating.Metric.D
        rating.source, rating.effect, rating.studies = self.chance.choice(self.sources), effect, self.sometimes(3, 300)
        if self.chance.random() < 0.5:
            width = Decimal(self.chance.randint(3, 25)) / 100
            rating.ci_low, rating.ci_high = effect - width, effect + width
        return rating

    def verdict(self, version: int) -> ExternalVerdict:
        return ExternalVerdict(
            version_id=version, issuer=ExternalVerdict.EEF, context_key="overall", uid=self.uid(),
            months=self.sometimes(-2, 8), strength=self.sometimes(0, 5), cost=self.sometimes(1, 5), edition="2021",
            url="https://educationendowmentfoundation.org.uk/", seen_on=date(2026, 1, 1),
            confidence=ExternalVerdict.Confidence.SINGLE,
        )  # fmt: skip

    def sometimes(self, low: int, high: int) -> int | None:
        return self.chance.randint(low, high) if self.chance.random() < 0.6 else None

    def uid(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)
