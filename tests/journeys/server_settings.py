"""The project's settings for a server of the tests: its own database and keys, static files as they stand."""

from marketplace.config.settings import *  # noqa: F403
from marketplace.config.settings import MIDDLEWARE as USUAL
from tests.journeys import pieces

MIDDLEWARE = pieces.middleware(USUAL)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
