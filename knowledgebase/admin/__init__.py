"""The admin of this app, one module per concept; Django finds it through these imports."""

from . import commissions, misses, pages, people, sources, studies, summaries, taxonomy, themes, trail

__all__ = ["commissions", "misses", "pages", "people", "sources", "studies", "summaries", "taxonomy", "themes", "trail"]
