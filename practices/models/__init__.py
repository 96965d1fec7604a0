"""Every model of this app: import them from here."""

from .facets import FacetIndex
from .practices import Practice, PracticeVersion
from .ratings import EvidenceRating, ExternalVerdict

__all__ = ["EvidenceRating", "ExternalVerdict", "FacetIndex", "Practice", "PracticeVersion"]
