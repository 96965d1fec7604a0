"""Effect sizes and meta-analysis: numbers in, numbers out, no Django. The entry point is `analyse`."""

import os
from typing import Any

# The matrices here are small: more threads only get in each other's way (and in that of the other workers).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def analyse(*args: Any, **options: Any) -> dict[str, Any]:
    """knowledgebase.evidence.analysis.analyse; numpy and scipy are imported at the first call, not when the site starts."""
    from .analysis import analyse as work  # numpy takes a fifth of a second

    return work(*args, **options)
