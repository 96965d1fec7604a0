from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from knowledgebase import rendering
from knowledgebase.editorial import guards, norms
from knowledgebase.recount import words as recount_words
from knowledgebase.search import analysis, thesaurus, typos, wordforms
from tests.mail import Inbox
from tests.mail import mail_server as running_mail_server

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
settings.WHITENOISE_AUTOREFRESH = True  # otherwise every client of every test reads the whole static folder


# A busy machine is no fault of the code.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _forget_lexicon() -> Iterator[None]:
    """Much is kept per content version (glossary, thesaurus, names …), and every test begins with the same number."""
    kept = (
        rendering._lexicon, norms._public, recount_words.names_of, wordforms._word_forms, thesaurus._thesaurus, typos.vocabulary,
    )  # fmt: skip
    for cache in kept:
        cache.cache_clear()
    yield
    for cache in kept:
        cache.cache_clear()
    analysis.use(wordforms.WordForms())


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """Tests with real transactions end in a flush, which deletes what the guards keep."""
    teardown = TransactionTestCase._fixture_teardown

    def flush(self: TransactionTestCase) -> None:
        with guards.door("flush after a test"):
            teardown(self)

    TransactionTestCase._fixture_teardown = flush
    yield
    TransactionTestCase._fixture_teardown = teardown


@pytest.fixture
def inbox(settings) -> Iterator[Inbox]:
    """A real mail server that keeps what Django sends."""
    with running_mail_server(settings) as kept:
        yield kept
