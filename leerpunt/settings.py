"""One file; what differs per installation comes from environment variables (deploy/README.md lists them).

`LEERPUNT_MODE` is development (the default of manage.py), demo (`make demo`) or production (the default of wsgi.py).
"""

import os
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"
MODE = os.environ.get("LEERPUNT_MODE", "development")
if MODE not in {"development", "demo", "production"}:
    raise ImproperlyConfigured(f"LEERPUNT_MODE is {MODE!r}: set it to development, demo or production.")
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"


def required(name: str, example: str) -> str:
    """The value of an environment variable that a production server cannot do without."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment, for example {name}={example}.")
    return value


def listed(name: str) -> list[str]:
    """A comma-separated environment variable as a list."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def kept_secret() -> str:
    """A random key for the demonstration, made once and kept in var/ (never in the repository)."""
    path = VAR / "secret-key"
    if not path.exists():
        VAR.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(token_urlsafe(50))
    return path.read_text().strip()


DEBUG = MODE == "development" and os.environ.get("DEBUG", "1") == "1"
if PRODUCTION:
    SECRET_KEY = required("SECRET_KEY", "a-long-random-text")
    AUDIT_KEY = required("AUDIT_KEY", "another-long-random-text, which never changes")
    ALLOWED_HOSTS = listed("ALLOWED_HOSTS") or [required("ALLOWED_HOSTS", "www.example.org")]
    SITE_URL = required("SITE_URL", "https://www.example.org").rstrip("/")
else:
    SECRET_KEY = AUDIT_KEY = kept_secret() if DEMO else "only-for-development-and-tests"
    ALLOWED_HOSTS = listed("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
    SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
SECURITY_CONTACT = os.environ.get("SECURITY_CONTACT", "")  # a mail or web address, printed in security.txt

REVIEW_AFTER_MONTHS = 24  # after an approval, the commissions look at a text again
DIGEST_HOUR = 7  # of the clock in Brussels: mails that can wait go out together, once a day

INSTALLED_APPS = [
    "leerpunt",
    "practices",
    "knowledgebase",
    "leerpunt.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django_filters",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "leerpunt.middleware.PublicPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "leerpunt.urls"
WSGI_APPLICATION = "leerpunt.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "leerpunt.context_processors.site",
            ],
            "builtins": ["knowledgebase.templatetags.components"],
        },
    },
]

SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        " PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000"
    ),
}
DATABASE_URL = os.environ.get("DATABASE_URL", "")
if not DATABASE_URL:
    VAR.mkdir(exist_ok=True)
    DATABASE_URL = f"sqlite:///{quote(str(VAR / ('demo.sqlite3' if DEMO else 'leerpunt.sqlite3')))}"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_health_checks=True)}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] |= SQLITE
elif PRODUCTION:
    DATABASES["default"]["OPTIONS"] |= {"pool": True, "options": "-c statement_timeout=15000"}
# What finds texts: the database itself, or an OpenSearch cluster at OPENSEARCH_URL (docs/search.md).
SEARCH_ENGINES = {
    "database": "knowledgebase.search.database.DatabaseEngine",
    "opensearch": "knowledgebase.search.opensearch.OpenSearchEngine",
}
SEARCH_ENGINE = SEARCH_ENGINES.get(os.environ.get("SEARCH_ENGINE", "database"), "")
OPENSEARCH_URL = os.environ.get("OPENSEARCH_URL", "")
if not SEARCH_ENGINE:
    raise ImproperlyConfigured(f"SEARCH_ENGINE: write one of {', '.join(SEARCH_ENGINES)}.")
if SEARCH_ENGINES["opensearch"] == SEARCH_ENGINE and not OPENSEARCH_URL:
    raise ImproperlyConfigured("OPENSEARCH_URL: write, for example, OPENSEARCH_URL=https://search.example.org:9200.")
OPENSEARCH_INDEX = os.environ.get("OPENSEARCH_INDEX", "leerpunt")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "knowledgebase.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "leerpunt.accounts.NoDemoPassword",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["leerpunt.formats"]
TIME_ZONE = "Europe/Brussels"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "development"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = VAR / "media"
MEDIA_URL = "media/"
LEXICON_DIR = VAR / "lexicon"  # the Dutch words of search, made again when the file is missing

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if PRODUCTION:
    SECURE_SSL_REDIRECT = os.environ.get("SECURE_SSL_REDIRECT", "1") == "1"
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from the machine itself, without TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

EMAIL_URL = "" if DEMO else os.environ.get("EMAIL_URL", "")  # mails of the demonstration stay on this machine


def mail_settings(url: str) -> dict[str, object]:
    """Django's settings for smtp://user:password@host:587?tls=1, smtps://…:465, file:///folder or console:."""
    parts = urlsplit(url)
    backend = {"smtp": "smtp", "smtps": "smtp", "file": "filebased", "console": "console"}.get(parts.scheme, "")
    if not backend or (backend == "smtp" and not parts.hostname) or (backend == "filebased" and not parts.path):
        raise ImproperlyConfigured(
            "EMAIL_URL: write, for example, EMAIL_URL=smtp://user:password@mail.example.org:587?tls=1."
        )
    options = dict(parse_qsl(parts.query))
    encrypted = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend",
        "EMAIL_FILE_PATH": unquote(parts.path) if backend == "filebased" else None,
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if encrypted else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": encrypted,
        "EMAIL_USE_TLS": options.get("tls") == "1" and not encrypted,
    }


# Production without EMAIL_URL sends nothing: messages wait, and `manage.py run_jobs` says so.
EMAIL_IS_ON = bool(EMAIL_URL) or not PRODUCTION
globals().update(mail_settings(EMAIL_URL or f"file://{quote(str(VAR / 'mail'))}"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", f"Leerpunt <leerpunt@{urlsplit(SITE_URL).hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

# The addresses that know who is looking; all others are the same for everyone and carry no cookie.
PRIVATE_PREFIXES = (
    "/admin/",
    "/aanmelden/",
    "/afmelden/",
    "/redactie/",
    "/voorbeeld/",
    "/healthz",
    "/readyz",
    "/onderdelen/",
)


def code_version() -> tuple[str, float]:
    """A short name for the code that runs, and when it last changed: a new release makes every ETag new."""
    digest, newest = sha256(), 0.0
    for folder in ("leerpunt", "knowledgebase", "practices", "templates", "static", "locale"):
        for path in sorted((BASE_DIR / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                stat = path.stat()
                newest = max(newest, stat.st_mtime)
                digest.update(f"{path.relative_to(BASE_DIR)}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:12], newest


CODE_VERSION, CODE_CHANGED = code_version()
