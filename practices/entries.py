"""What the search finds of practices: their texts, and the strength of their evidence."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from knowledgebase.models import Item
from knowledgebase.search import entries

from .facets import figures_of
from .models import PracticeVersion

PRACTICE = "praktijk"  # in addresses: soort=praktijk


def connect() -> None:
    """Make practices findable (called when the app is ready)."""
    entries.register(
        entries.Kind(
            Item.Kind.PRACTICE,
            PRACTICE,
            _("Practice"),
            _("Practices"),
            lambda ids: entries.of_versions(Item.Kind.PRACTICE, ids, strengths=strengths),
            lambda: entries.published(Item.Kind.PRACTICE),
        )
    )


def strengths(versions: Sequence[PracticeVersion]) -> dict[int, int | None]:
    """The strength of evidence that each version shows."""
    return {pk: figures.strength.value for pk, figures in figures_of(version.pk for version in versions).items()}
