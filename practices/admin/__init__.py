"""The admin of practices and of the rules for their ratings; Django finds it through this import."""

from . import practices, rules

__all__ = ["practices", "rules"]
