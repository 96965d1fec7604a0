"""The admin of this app, one module per concept; Django finds it through these imports."""

from . import pages, people, sources, summaries, taxonomy, themes

__all__ = ["pages", "people", "sources", "summaries", "taxonomy", "themes"]
