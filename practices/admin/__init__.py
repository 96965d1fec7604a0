"""The admin of practices; Django finds it through this import."""

from . import practices

__all__ = ["practices"]
