"""The choices of a filter as a page shows them, each with how much it would leave."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from knowledgebase.models import Concept


@dataclass(frozen=True)
class Option:
    """One choice in a filter, with how many results it would leave."""

    value: str
    label: str
    count: int
    chosen: bool
    depth: int = 0

    @property
    def disabled(self) -> bool:
        return self.count == 0 and not self.chosen


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    options: Sequence[Option]
    single: bool = False

    @property
    def active(self) -> bool:
        return any(option.chosen and option.value for option in self.options)

    @property
    def branches(self) -> list[tuple[Option, list[Option]]]:
        """Every option of the top with all that is narrower; below an option that leaves nothing only what is chosen."""
        branches: list[tuple[Option, list[Option]]] = []
        empty: int | None = None  # how deep the option stands below which nothing is left
        for option in self.options:
            if option.depth == 0:
                branches.append((option, []))
            elif empty is None or option.depth <= empty or option.chosen:
                branches[-1][1].append(option)
            if empty is None or option.depth <= empty:
                empty = option.depth if option.count == 0 else None
        return branches

    @property
    def open_branches(self) -> set[str]:
        """The tops under which something can be chosen."""
        return {top.value for top, narrower in self.branches if any(not option.disabled for option in narrower)}


def tree(concepts: Sequence[Concept]) -> list[tuple[Concept, int]]:
    """Concepts with how deep each stands, narrower ones after their broader one."""
    narrower: dict[int | None, list[Concept]] = defaultdict(list)
    for concept in concepts:
        narrower[concept.broader_id].append(concept)
    listed: list[tuple[Concept, int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for concept in narrower[parent]:
            listed.append((concept, depth))
            walk(concept.pk, depth + 1)

    walk(None, 0)
    return listed
