import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "LEERPUNT_MODE": "production",
    "SECRET_KEY": "x" * 60,
    "AUDIT_KEY": "y" * 60,
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
        (
            "AUDIT_KEY",
            "Set AUDIT_KEY in the environment, for example AUDIT_KEY=another-long-random-text, which never changes.",
        ),
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


MAIL = "print(settings.EMAIL_BACKEND.split('.')[-2], settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD, settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS)"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://an:p%40ss@mail.example.org:587?tls=1", "smtp mail.example.org 587 an p@ss False True"),
        ("smtps://an:pass@mail.example.org", "smtp mail.example.org 465 an pass True False"),
        ("smtp://localhost", "smtp localhost 25   False False"),
        ("file:///tmp/mail", "filebased localhost 25   False False"),
    ],
)
def test_mail_goes_where_the_address_says(url, expected):
    assert started(MAIL, **PRODUCTION, EMAIL_URL=url) == (0, expected)


@pytest.mark.parametrize("url", ["mail.example.org", "smtp://", "file://", "imap://mail.example.org"])
def test_an_address_that_is_none_for_mail_is_refused(url):
    code, line = started("settings.DEBUG", EMAIL_URL=url)
    assert code == 1
    assert line == (
        "django.core.exceptions.ImproperlyConfigured: EMAIL_URL: write, for example,"
        " EMAIL_URL=smtp://user:password@mail.example.org:587?tls=1."
    )


@pytest.mark.parametrize(
    ("mode", "url", "on", "backend"),
    [
        ("production", "", False, "filebased"),
        ("production", "smtp://localhost", True, "smtp"),
        ("development", "", True, "filebased"),
        ("demo", "smtp://mail.example.org", True, "filebased"),  # nothing leaves the machine
    ],
)
def test_where_mail_is_on(mode, url, on, backend):
    environment = PRODUCTION | {"LEERPUNT_MODE": mode, "EMAIL_URL": url}
    code, line = started("print(settings.EMAIL_IS_ON, settings.EMAIL_BACKEND.split('.')[-2])", **environment)
    assert (code, line) == (0, f"{on} {backend}")


def test_mail_comes_from_the_site():
    code, line = started("print(settings.DEFAULT_FROM_EMAIL)", **PRODUCTION)
    assert (code, line) == (0, "Leerpunt <leerpunt@www.example.org>")
