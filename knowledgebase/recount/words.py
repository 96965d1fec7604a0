"""What rows say, in the words that readers know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from knowledgebase.models import Concept, Scheme
from knowledgebase.search import fold

CODE = 2  # letters of ISO 3166


def _said_once(words_of: Callable[[str], str]) -> Callable[[str], str]:
    """The same words for every row, looked up once in a language: a page has thousands of them."""

    @lru_cache(maxsize=500)
    def known(value: str, _language: str | None) -> str:
        return words_of(value)

    @wraps(words_of)
    def said(value: str) -> str:
        return known(value, get_language())

    return said


@_said_once
def design_words(design: str) -> str:
    words = {
        "randomised": _("groups by lot"),
        "quasi": _("groups compared, not by lot"),
        "observational": _("observed only"),
    }
    return words.get(design, _("unknown"))


@_said_once
def risk_words(risk: str) -> str:
    words = {"low": _("low"), "some": _("some"), "high": _("high")}
    return words.get(risk, _("unknown"))


def _countries() -> dict[str, str]:
    return {
        "benelux": _("the Benelux"),
        "europa": _("Europe"),
        "noord-amerika": _("North America"),
        "buiten-europa": _("outside Europe"),
        "AU": _("Australia"), "BE": _("Belgium"), "BR": _("Brazil"), "CA": _("Canada"), "CH": _("Switzerland"),
        "CN": _("China"), "DE": _("Germany"), "DK": _("Denmark"), "ES": _("Spain"), "FI": _("Finland"),
        "FR": _("France"), "GB": _("United Kingdom"), "GR": _("Greece"), "HK": _("Hong Kong"), "IE": _("Ireland"),
        "IL": _("Israel"), "IN": _("India"), "IT": _("Italy"), "JP": _("Japan"), "KR": _("South Korea"),
        "LU": _("Luxembourg"), "NL": _("the Netherlands"), "NO": _("Norway"), "NZ": _("New Zealand"),
        "PL": _("Poland"), "PT": _("Portugal"), "SE": _("Sweden"), "SG": _("Singapore"), "TR": _("Turkey"),
        "TW": _("Taiwan"), "US": _("United States"), "ZA": _("South Africa"),
    }  # fmt: skip


@_said_once
def country_words(country: str) -> str:
    """A country or a group of countries; a country that we have no name for by its code."""
    return _countries().get(country, country) or _("unknown")


@_said_once
def country_code(words: str) -> str:
    """The code of a country that we have a name for; other words in capitals, as a code is written."""
    named = {fold(name): code for code, name in _countries().items() if len(code) == CODE}
    return named.get(fold(words)) or words.upper()


def model_words(model: str) -> str:
    words = {
        "independent": _("one effect a study"),
        "per-study": _("the effects of a study taken together first"),
        "che": _("correlated effects within studies (CHE)"),
        "three-level": _("three levels: pupils, effects, studies"),
    }
    return words.get(model, model)


def reason_words(reason: str) -> str:
    """Why a row is left out: an editor's words, or ours for what the computation refuses."""
    words = {
        "outlier": _("an outlier, left out because you asked"),
        "effect-missing": _("the source gives no effect"),
        "variance-missing": _("the source gives no variance"),
        "variance-not-positive": _("the variance is not above zero"),
        "": _("no reason given"),
    }
    return words.get(reason, reason)


def conversion_words(conversion: str) -> str:
    """From what an effect was computed; editors read the whole of it (editorial/reported.py)."""
    words = {
        "means": _("from means"),
        "d": _("from Cohen's d"),
        "t": _("from t"),
        "F": _("from F"),
        "p": _("from p"),
        "glass": _("from means, by the spread of the control group"),
        "r": _("from a correlation"),
        "z": _("from a correlation"),
        "2x2": _("from numbers of successes"),
        "odds": _("from numbers of successes"),
        "pre-post": _("from before and after"),
        "ppc2": _("from before and after in two groups"),
        "becker": _("from before and after in two groups"),
        "adjusted": _("from adjusted means"),
        "clusters": _("from whole classes or schools"),
        "interval": _("from the interval"),
    }
    return words.get(conversion, conversion)


@dataclass(frozen=True)
class Names:
    """Names of levels and subjects by their slug, in the order of the vocabulary."""

    levels: Mapping[str, str]
    subjects: Mapping[str, str]


@lru_cache(maxsize=1)
def names_of(content_key: str) -> Names:
    """The names as the editors have them now (`SiteState.content_key`)."""
    found: dict[str, dict[str, str]] = {Scheme.LEVEL: {}, Scheme.SUBJECT: {}}
    for concept in Concept.objects.in_scheme(Scheme.LEVEL, Scheme.SUBJECT):
        found[concept.scheme][concept.slug] = str(concept)
    return Names(found[Scheme.LEVEL], found[Scheme.SUBJECT])


def moderator_name(moderator: str) -> str:
    """A characteristic as readers know it; editors name their own."""
    own = {
        "level": _("Level"), "subject": _("Subject"), "design": _("Design"), "country": _("Country"),
        "risk": _("Risk of bias"), "outcome": _("Outcome"), "year": _("Year"),
    }  # fmt: skip
    return own.get(moderator) or moderator[:1].upper() + moderator[1:].replace("_", " ")


def group_name(moderator: str, group: str, names: Names) -> str:
    """One group of a characteristic as readers know it."""
    words: dict[str, Callable[[str], str]] = {
        "level": lambda slug: names.levels.get(slug, slug),
        "subject": lambda slug: names.subjects.get(slug, slug),
        "design": design_words,
        "risk": risk_words,
        "country": country_words,
    }
    if moderator in words:
        return words[moderator](group)
    return {"0": _("no"), "1": _("yes"), "True": _("yes"), "False": _("no")}.get(group, group)


def test_words(test: str) -> str:
    words = {
        "adhoc": _("Hartung-Knapp, never narrower than z"),
        "knha": _("Hartung-Knapp"),
        "z": "z",
        "CR2": _("CR2 with Satterthwaite degrees of freedom"),
    }
    return words.get(test, test)
