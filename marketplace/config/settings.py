"""Django settings. What differs between installations comes from the environment (environment.py)."""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import oscar
from django.utils.translation import gettext_lazy as _
from oscar.defaults import *  # noqa: F403 - each of Oscar's apps wants its own

from marketplace.config import embedded, environment, logs

BASE_DIR = environment.PROJECT
DATA_DIR = environment.data_dir()
EMBEDDED = environment.uses_embedded_database()  # sample city, demo sign-ins and rehearsals: here only

# Keys

_keys = environment.keys()
SECRET_KEY = _keys.secret_key
FIELD_KEYS = _keys.field_keys
LOOKUP_KEY = _keys.lookup_key
TOKEN_KEYS = _keys.token_keys

# Where and for whom it runs. HTTPS_HOSTS names the addresses of an installation behind TLS.

DEBUG = environment.flag("DEBUG")
HTTPS_HOSTS = [host.strip() for host in os.environ.get("HTTPS_HOSTS", "").split(",") if host.strip()]
ALLOWED_HOSTS = HTTPS_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS_HOSTS:
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in HTTPS_HOSTS]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by the machine itself, without TLS
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# Applications

INSTALLED_APPS = [
    "marketplace.web.admin_site.LookingAdminConfig",  # django.contrib.admin, for looking only
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "marketplace.config.static.OwnStaticFilesConfig",  # django.contrib.staticfiles
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "crispy_forms",
    "crispy_bootstrap5",
    "axes",
    "csp",
    "django_celery_beat",
    "ledger",
    "providers",
    "vouchers",
    "marketplace.accounts",
    "marketplace",
]

# The shop: Oscar's models, basket and orders. Its checkout is forked, none of its pages is mounted; what is
# not used stays installed, because dropping one of its apps breaks start-up.

FORKED = {
    "oscar.apps.checkout.apps.CheckoutConfig": "marketplace.shop.checkout.apps.CheckoutConfig",
    "django.contrib.admin": "marketplace.web.admin_site.LookingAdminConfig",
    "django.contrib.staticfiles": "marketplace.config.static.OwnStaticFilesConfig",
}
INSTALLED_APPS += [
    app for app in (FORKED.get(app, app) for app in oscar.INSTALLED_APPS) if app not in INSTALLED_APPS
]
# Oscar's tables are made from migrations of our own, as they are in the version that is pinned: its history of
# 130 steps takes a minute and does its data's steps on the wrong connection (docs/decisions/0012-oscar.md).
MIGRATION_MODULES = {
    label: f"marketplace.shop.migrations.{label}"
    for label in (
        "address",
        "analytics",
        "basket",
        "catalogue",
        "communication",
        "customer",
        "offer",
        "order",
        "partner",
        "payment",
        "reviews",
        "shipping",
        "voucher",
        "wishlists",
    )
}
SITE_ID = 1
OSCAR_SHOP_NAME = "颐券"
OSCAR_DEFAULT_CURRENCY = "CNY"
OSCAR_EAGER_ALERTS = False
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "marketplace.api.door.ApiDoor",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.web.request_log.RequestLog",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "marketplace.web.access.DenyUndeclared",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "marketplace.config.urls"
WSGI_APPLICATION = "marketplace.config.wsgi.application"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "marketplace" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "marketplace.web.family.acting.context",
            ],
        },
    },
]

# Database: the application's login owns nothing; migrations run as the owner (alias "owner").


def _database(url: str) -> dict:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # Statements are prepared on the server from their second use on: nearly twice the redemptions.
            "server_side_binding": True,
            "prepare_threshold": 1,
            "application_name": os.environ.get("YIQUAN_PROCESS", "yiquan"),
            "connect_timeout": 5,
            **query,
        },
    }


if EMBEDDED:
    DATABASES = {
        "default": _database(embedded.database_url(DATA_DIR, user=embedded.APP)),
        "owner": _database(embedded.database_url(DATA_DIR, user=embedded.OWNER)),
    }
else:
    DATABASES = {"default": _database(os.environ["DATABASE_URL"])}
    if os.environ.get("OWNER_DATABASE_URL"):
        DATABASES["owner"] = _database(os.environ["OWNER_DATABASE_URL"])
if environment.flag("YIQUAN_POOL"):  # under the web server only: commands hold one plain connection
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 2,
        "max_size": int(os.environ.get("YIQUAN_POOL_SIZE", "16")),
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Jobs

CELERY_BROKER_URL = os.environ.get("BROKER_URL") or embedded.broker_url(DATA_DIR)
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_ENABLE_UTC = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * 60 * 60,  # longer than any task; a task given out twice does nothing twice
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    # Who sends while the broker is down is told at once: what is owed stands in the outbox, beat comes for it.
    "max_retries": 1,
    "interval_start": 0.1,
}

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# A name and an address together: by address alone one canteen would lock itself out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "errors/locked.html"
AXES_CLIENT_IP_CALLABLE = "marketplace.web.questions.address_of"  # behind TLS not the proxy's
AXES_USERNAME_CALLABLE = "marketplace.accounts.sign_in.counted_name"

# How often one caller may ask, in each process of the web server (marketplace/api/limits.py). What is taken from a
# full bucket at once is many queues' worth; what flows in is more than a counter can serve.

API_TERMINAL_EACH_SECOND, API_TERMINAL_AT_ONCE = 50.0, 10_000.0
API_PARTNER_EACH_SECOND, API_PARTNER_AT_ONCE = 500.0, 100_000.0
API_ELDER_EACH_SECOND, API_ELDER_AT_ONCE = 1.0, 60.0
API_ENROLMENT_EACH_SECOND, API_ENROLMENT_AT_ONCE = 0.1, 20.0

# Bureau and administrators sign in with a second factor; the sample city's demo sign-ins need none.
SECOND_FACTOR_REQUIRED = not EMBEDDED
# A passkey belongs to one host name and is made and used at its address alone: behind TLS at the very address, on
# one's own machine at any port. Addresses that are numbers have none (WebAuthn).
PASSKEY_HOSTS = HTTPS_HOSTS or ["localhost"]

HOTLINE = "12349"  # who helps, on every page

# Short messages: console, file, aliyun or off. The console shows codes, so it is for the embedded database.

SMS_CHANNEL = os.environ.get("SMS_CHANNEL") or ("console" if EMBEDDED else "off")
SMS_ALIYUN: dict[str, Any] = {
    "key_id": os.environ.get("SMS_ALIYUN_KEY_ID", ""),
    "key_secret": os.environ.get("SMS_ALIYUN_KEY_SECRET", ""),
    "sign_name": os.environ.get("SMS_ALIYUN_SIGN_NAME", ""),
    "endpoint": os.environ.get("SMS_ALIYUN_ENDPOINT", "https://dysmsapi.aliyuncs.com/"),
    "templates": dict(
        pair.split("=", 1) for pair in os.environ.get("SMS_ALIYUN_TEMPLATES", "").split(",") if "=" in pair
    ),
}

# Language and time

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "marketplace" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

# Static files, content security

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [path for path in (BASE_DIR / "marketplace" / "static",) if path.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

LOG_DIR = DATA_DIR / "logs"
LOGGING = logs.configure(json=environment.flag("LOG_JSON"), directory=LOG_DIR)

# How long each kind of data is kept, in days (marketplace/privacy/retention.py says why). RETENTION_DAYS of the
# environment changes some: "messages=180,addresses=90".

RETENTION_DAYS = {
    "sessions": 1,
    "numbers": 30,
    "baskets": 90,
    "messages": 365,
    "addresses": 365,
    "places": 730,
    "visit_photos": 1096,
    "home_photos": 1826,
    "names": 1096,
    "sign_ins": 184,
    "process_logs": 184,
    "nightly_runs": 400,
    **environment.days("RETENTION_DAYS"),
}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
