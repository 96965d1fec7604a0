from collections.abc import Iterator

import pytest

from knowledgebase import rendering


@pytest.fixture(autouse=True)
def _forget_lexicon() -> Iterator[None]:
    """The glossary is kept per content version, and every test begins with the same number."""
    rendering._lexicon.cache_clear()
    yield
    rendering._lexicon.cache_clear()
