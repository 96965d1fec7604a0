"""Every model of this app: import them from here."""

from .facets import FacetIndex
from .practices import Practice, PracticeVersion
from .ratings import EvidenceRating, ExternalVerdict
from .rules import RatingRule

__all__ = ["EvidenceRating", "ExternalVerdict", "FacetIndex", "Practice", "PracticeVersion", "RatingRule"]
