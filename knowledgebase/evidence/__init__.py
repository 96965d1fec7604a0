"""Effect sizes and meta-analysis: numbers in, numbers out, no Django. The entry point is `analyse`."""

from typing import Any


def analyse(*args: Any, **options: Any) -> dict[str, Any]:
    """knowledgebase.evidence.analysis.analyse; numpy and scipy are imported at the first call, not when the site starts."""
    from .analysis import analyse as work  # numpy takes a fifth of a second

    return work(*args, **options)
