import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "LEERPUNT_MODE": "production",
    "SECRET_KEY": "x" * 60,
    "ALLOWED_HOSTS": "www.example.org, example.org",
    "SITE_URL": "https://www.example.org/",
    "DATABASE_URL": "postgres://leerpunt@localhost/leerpunt",
}


def started(code, **environment):
    """The answer of a fresh Python that loads the settings: (exit code, last line)."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(  # our own program
        [sys.executable, "-c", f"from django.conf import settings\n{code}"],
        env=kept | {"DJANGO_SETTINGS_MODULE": "leerpunt.settings"} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("SECRET_KEY", "Set SECRET_KEY in the environment, for example SECRET_KEY=a-long-random-text."),
        ("ALLOWED_HOSTS", "Set ALLOWED_HOSTS in the environment, for example ALLOWED_HOSTS=www.example.org."),
        ("SITE_URL", "Set SITE_URL in the environment, for example SITE_URL=https://www.example.org."),
    ],
)
def test_production_says_what_to_set(missing, sentence):
    without = {name: value for name, value in PRODUCTION.items() if name != missing}
    for environment in (without, without | {missing: ""}):
        code, line = started("settings.DEBUG", **environment)
        assert code == 1
        assert line == f"django.core.exceptions.ImproperlyConfigured: {sentence}"


def test_an_unknown_mode_is_refused():
    code, line = started("settings.DEBUG", LEERPUNT_MODE="productie")
    assert code == 1
    assert line == (
        "django.core.exceptions.ImproperlyConfigured:"
        " LEERPUNT_MODE is 'productie': set it to development, demo or production."
    )


def test_production_is_closed():
    names = (
        "DEBUG", "ALLOWED_HOSTS", "SITE_URL", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
    )  # fmt: skip
    code, line = started(f"print([getattr(settings, name) for name in {names!r}])", **PRODUCTION, DEBUG="1")
    assert (code, line) == (
        0, "[False, ['www.example.org', 'example.org'], 'https://www.example.org', True, True, True, 31536000]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "url", "option"),
    [
        ("production", "postgres://leerpunt@localhost/leerpunt", "pool"),
        ("production", "sqlite:///x.sqlite3", "transaction_mode"),
        ("development", "sqlite:///x.sqlite3", "transaction_mode"),
    ],
)
def test_database_options_fit_the_database(mode, url, option):
    code, line = started(
        f"print({option!r} in settings.DATABASES['default']['OPTIONS'], 'pool' in settings.DATABASES['default']['OPTIONS'])",
        **PRODUCTION | {"LEERPUNT_MODE": mode, "DATABASE_URL": url},
    )
    assert (code, line) == (0, f"True {option == 'pool'}")


@pytest.mark.parametrize(("debug", "shown"), [("1", "True"), ("0", "False"), ("", "False"), ("yes", "False")])
def test_development_can_hide_its_errors(debug, shown):
    assert started("print(settings.DEBUG)", DEBUG=debug) == (0, shown)


def test_development_needs_nothing():
    assert started("print(settings.DEBUG, settings.SITE_URL)") == (0, "True http://127.0.0.1:8000")
