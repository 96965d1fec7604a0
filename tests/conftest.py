from collections.abc import Iterator

import pytest
from django.conf import settings

from knowledgebase import rendering

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose


@pytest.fixture(autouse=True)
def _forget_lexicon() -> Iterator[None]:
    """The glossary is kept per content version, and every test begins with the same number."""
    rendering._lexicon.cache_clear()
    yield
    rendering._lexicon.cache_clear()
