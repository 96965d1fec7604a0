"""Bases for the admin of any versioned text.

items.py    the list of the texts of one kind, and the page of one text with its versions
turns.py    whose turn it is, as columns of that list
versions.py the form of one version
moves.py    the buttons that change its state, each for one verb
reports.py  what the commissions said of it
children.py the rows that belong to a version
selections.py which study rows it rests on
filters.py  what the lists filter by
guarded.py  bases for whatever the guards of the database watch, and for reference data
"""

from .children import ChildInline, ConceptLinkInline, FrozenWithVersion, ItemLinkInline, SourceLinkInline
from .filters import ConceptFilter, DemoFilter, LevelFilter, StateFilter, ThemeFilter, TurnFilter
from .guarded import GuardedAdmin, ReferenceAdmin, actor, tell
from .items import ItemReferenceAdmin, TextAdmin, newest
from .versions import VersionAdmin

__all__ = [
    "ChildInline",
    "ConceptFilter",
    "ConceptLinkInline",
    "DemoFilter",
    "FrozenWithVersion",
    "GuardedAdmin",
    "ItemLinkInline",
    "ItemReferenceAdmin",
    "LevelFilter",
    "ReferenceAdmin",
    "SourceLinkInline",
    "StateFilter",
    "TextAdmin",
    "ThemeFilter",
    "TurnFilter",
    "VersionAdmin",
    "actor",
    "newest",
    "tell",
]
