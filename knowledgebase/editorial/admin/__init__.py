"""Bases for the admin of any versioned text.

items.py    the list of the texts of one kind, and the page of one text with its versions
versions.py the form of one version, and the moves that change its state
children.py the rows that belong to a version
filters.py  what the lists filter by
"""

from .children import ChildInline, ConceptLinkInline, FrozenWithVersion, ItemLinkInline, SourceLinkInline
from .filters import ConceptFilter, DemoFilter, LevelFilter, StateFilter, ThemeFilter
from .items import ItemReferenceAdmin, TextAdmin, newest
from .versions import VersionAdmin

__all__ = [
    "ChildInline",
    "ConceptFilter",
    "ConceptLinkInline",
    "DemoFilter",
    "FrozenWithVersion",
    "ItemLinkInline",
    "ItemReferenceAdmin",
    "LevelFilter",
    "SourceLinkInline",
    "StateFilter",
    "TextAdmin",
    "ThemeFilter",
    "VersionAdmin",
    "newest",
]
