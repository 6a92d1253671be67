"""Settings, all of them from the environment, with defaults that are safe or refuse to start."""

import hashlib
import ipaddress
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from konsilium.adapters import signatures
from konsilium.adapters.reach import BadNetworks, Network, read_networks
from konsilium.adapters.sip.choosing import BadMedia, Echo, read_echo, read_place
from konsilium.adapters.sip.ports import Place
from konsilium.adapters.storage.address import BadAddress, read_address
from konsilium.adapters.turn import BadTurn, Turn, read_turn
from konsilium.adapters.video.choosing import BadChoice, Choice, read_choice
from konsilium.workflow.retention import BadTerms, Term, read_terms

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent.parent
SOCKET_PATH_LIMIT = 90
SHORTEST_KEY = 32


class BadSetting(Exception):
    """A setting that can't be used; its text says what to do."""


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")


def _number(name: str, default: int, what: str, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()) or int(text) not in range(1, most + 1):
        raise BadSetting(f"{name} must be a {what} from 1 to {most}, not {text!r}.")
    return int(text)


def _networks(name: str) -> list[str]:
    texts = [text.strip() for text in os.environ.get(name, "").split(",") if text.strip()]
    try:
        return [str(ipaddress.ip_network(text)) for text in texts]
    except ValueError as error:
        raise BadSetting(
            f"{name} must be addresses or networks like 10.0.0.0/8, separated by commas."
        ) from error


def _data_folder() -> Path:
    folder = Path(os.environ.get("KONSILIUM_DATA") or CHECKOUT / "data").resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            f"The data folder {folder} can't be made ({error.strerror}). Set KONSILIUM_DATA to a folder "
            "that you may write to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadSetting(
            f"The data folder {folder} can't be written to. Give it to this user, or set KONSILIUM_DATA."
        )
    return folder


def _secret_key(folder: Path) -> str:
    given = os.environ.get("KONSILIUM_SECRET_KEY")
    if given:
        return given
    path = folder / "secret-key"
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        key = path.read_text().strip()
    except OSError as error:
        raise BadSetting(
            f"The key in {path} can't be read ({error.strerror}). Give it to this user."
        ) from error
    if len(key) < SHORTEST_KEY:
        raise BadSetting(
            f"The key in {path} is too short. Remove the file: a new key signs everybody out once."
        )
    return key


def _socket_folder(data: Path) -> Path:
    """Return a folder for the embedded database's socket: inside the data folder, if that path is short enough."""
    given = os.environ.get("KONSILIUM_SOCKET")
    if given:
        return Path(given).resolve()
    inside = data / "socket"
    if len(str(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    mark = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return (
        Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"konsilium-{os.getuid()}-{mark}"
    )


def _database(url: str) -> dict[str, Any]:
    """Read postgresql://user:password@host:port/name?sslmode=…; a host that begins with %2F is a socket's folder."""
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise BadSetting("A database's address looks like postgresql://user:password@host:5432/konsilium.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "konsilium", **dict(parse_qsl(parts.query))},
        "TEST": {"MIGRATE": False},
    }


def _store_url() -> str:
    url = os.environ.get("KONSILIUM_STORE_URL", "")
    try:
        if url:
            read_address(url)
    except BadAddress as trouble:
        raise BadSetting(f"KONSILIUM_STORE_URL can't be used. {trouble}") from trouble
    return url


def _retention() -> dict[str, Term]:
    try:
        return read_terms(os.environ.get("KONSILIUM_RETENTION", ""))
    except BadTerms as trouble:
        raise BadSetting(f"KONSILIUM_RETENTION can't be used. {trouble}") from trouble


def _video() -> Choice:
    try:
        return read_choice(os.environ)
    except BadChoice as trouble:
        raise BadSetting(str(trouble)) from trouble


def _turn() -> Turn:
    try:
        return read_turn(os.environ)
    except BadTurn as trouble:
        raise BadSetting(str(trouble)) from trouble


def _media() -> tuple[Place, Echo | None]:
    try:
        return read_place(os.environ), read_echo(os.environ)
    except BadMedia as trouble:
        raise BadSetting(str(trouble)) from trouble


def _signatures() -> signatures.Choice:
    try:
        return signatures.read_choice(os.environ, DATA)
    except signatures.BadChoice as trouble:
        raise BadSetting(str(trouble)) from trouble


def _private_networks() -> dict[str, tuple[Network, ...]]:
    try:
        return read_networks(os.environ.get("KONSILIUM_PRIVATE_NETWORKS", ""))
    except BadNetworks as trouble:
        raise BadSetting(str(trouble)) from trouble


def _night() -> list[int]:
    """Return the hours of the night, of 24 in UTC: "20-2" is 20, 21, 22, 23, 0 and 1."""
    text = os.environ.get("KONSILIUM_NIGHT") or "20-2"
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    if match is None or max(int(match[1]), int(match[2])) > 24 or match[1] == match[2]:  # noqa: PLR2004
        raise BadSetting(f"KONSILIUM_NIGHT must be two hours in UTC like 20-2, not {text!r}.")
    first, end = int(match[1]), int(match[2])
    return [hour % 24 for hour in range(first, end if end > first else end + 24)]


HOST = os.environ.get("KONSILIUM_HOST", "127.0.0.1")
PORT = _number("KONSILIUM_PORT", 8000, "port", 65535)
WORKERS = _number("KONSILIUM_WORKERS", min(os.cpu_count() or 1, 8), "number of processes", 64)
THREADS = _number("KONSILIUM_THREADS", 3, "number of threads", 64)
DATA = _data_folder()
DEMO = _flag("KONSILIUM_DEMO")
KONSILIUM_DESIGN = DEMO or _flag("KONSILIUM_DESIGN")
# Files stand in this folder, or with a STORE_URL in a bucket, and here only while they pass through.
FILES = DATA / "files"
STORE_URL = _store_url()
# When all files are read again, in hours of UTC; and how long documents are kept, else for ever.
NIGHT = _night()
RETENTION = _retention()
SMTP_URL = os.environ.get("KONSILIUM_SMTP_URL", "")
MAIL_FROM = os.environ.get("KONSILIUM_MAIL_FROM", "konsilium@localhost")
# What checks electronic signatures, and what it trusts; without it the pages say that nothing is checked.
SIGNATURES = _signatures()
SCANNER = os.environ.get("KONSILIUM_CLAMD", "")
# The DICOMweb of a PACS, for `konsilium pacs`; without one nothing leaves and nothing comes.
PACS_URL = os.environ.get("KONSILIUM_PACS_URL", "")
# Which engine new rooms get, and where it is.
VIDEO = _video()
# Sessions may be recorded, with everybody's consent, only where the operator says so; for how long is kept what was.
RECORDING = _flag("KONSILIUM_RECORDING")
RECORDING_DAYS = _number("KONSILIUM_RECORDING_DAYS", 30, "number of days", 3650)
# What relays media between sites that don't reach each other.
TURN = _turn()
# Hospitals' private networks that the prober may connect to, by their organisation's OID.
PRIVATE_NETWORKS = _private_networks()
# Where the test calls' media live, and the line that equipment behind a firewall dials.
MEDIA, ECHO = _media()
# "sandbox" looks at every file whole before anybody sees it; "null", for tests alone, looks at none.
INSPECTOR = "sandbox"
# Proxies whose X-Forwarded-For is believed: the throttle of sign-in counts by network.
TRUSTED_PROXIES = _networks("KONSILIUM_TRUSTED_PROXIES")
PUBLIC_URL = os.environ.get("KONSILIUM_PUBLIC_URL", f"http://{HOST}:{PORT}").rstrip("/")

# Without an outside database the embedded one is used, through a socket that only this user can open.
DATABASE_URL = os.environ.get("KONSILIUM_DATABASE_URL", "")
EMBEDDED = not DATABASE_URL
SOCKET_FOLDER = _socket_folder(DATA)
_embedded = f"@{str(SOCKET_FOLDER).replace('%', '%25').replace('/', '%2F')}/konsilium"
DATABASES = {"default": _database(DATABASE_URL or f"postgresql://konsilium_app{_embedded}")}
# Migrations alone use the owner; pages and worker neither use nor, beside an outside database, know it.
OWNER_DATABASE_URL = os.environ.get("KONSILIUM_OWNER_DATABASE_URL", "")
if OWNER_DATABASE_URL or EMBEDDED:
    DATABASES["owner"] = _database(OWNER_DATABASE_URL or f"postgresql://konsilium_owner{_embedded}")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = _secret_key(DATA)
DEBUG = False
ALLOWED_HOSTS = [name for name in os.environ.get("KONSILIUM_ALLOWED_HOSTS", "").split(",") if name] or [
    HOST,
    "localhost",
    "127.0.0.1",
    "[::1]",
    urlsplit(PUBLIC_URL).hostname or HOST,
]
HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []

INSTALLED_APPS = [
    "konsilium.apps.KonsiliumConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "konsilium.web.compressing.QuickGZipMiddleware",
    "konsilium.web.access.EntryMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "konsilium.web.urls"
WSGI_APPLICATION = "konsilium.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                *(["konsilium.web.context.layout"] if (PACKAGE / "web" / "context.py").exists() else []),
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
            "loaders": [("konsilium.web.templates.Loader", ["konsilium.web.templates.Files"])],
        },
    }
]

AUTH_USER_MODEL = "konsilium.Person"
AUTHENTICATION_BACKENDS: list[str] = []
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login", "family", "given", "email")},
    },
]
SESSION_ENGINE = "konsilium.models.sessions"
SESSION_COOKIE_NAME = "__Host-konsilium" if HTTPS else "konsilium"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "konsilium.web.compressing.GzippedFiles"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# A form is small; files have their own cap in the handler that receives them.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 50
FILE_UPLOAD_HANDLERS = ["konsilium.web.documents.uploads.CappedUploadHandler"]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF, *VIDEO.origins()],
        "media-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Route names and statuses only: an address or a body may hold what nobody but its readers should see.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"plain": {"()": "konsilium.logs.WithoutContent"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["plain"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"konsilium": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
