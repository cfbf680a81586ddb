"""What a caregiver's phone keeps, so that visits can be told of where there is no network."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.web import kept
from marketplace.web.access import anyone

APP = "js/visits/app.js"
# What base.html and the pages name; the modules import one another by their plain names.
NAMED = (
    "vendor/bootstrap.min.css",
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "css/desk.css",
    "css/print.css",
    "css/care.css",
    "js/app.js",
    "vendor/icons.svg",
    "img/mark.svg",
    APP,
)
FROM_COUNTER = ("queue.js", "store.js", "link.js", "camera.js", "dom.js")


def modules() -> list[str]:
    own = sorted(path.name for path in kept.found(APP).parent.glob("*.js"))
    return [
        *(f"js/counter/{name}" for name in FROM_COUNTER),
        "js/codes.js",
        *(f"js/visits/{name}" for name in own if f"js/visits/{name}" != APP),
    ]


def files() -> dict[str, str]:
    """What the page tells its script."""
    return {
        "worker": reverse("visits:worker"),
        "scope": reverse("visits:today"),
        **kept.reader(),
        "pages": "yiquan-visits.pages",
    }


@anyone
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """This script will keep the pages on the phone as they were last seen; nobody's page is in it."""
    return kept.worker(_app(), version())


@lru_cache(maxsize=1)
def version() -> str:
    return _app().version()


def _app() -> kept.Kept:
    return kept.Kept(
        name="yiquan-visits",
        named=NAMED,
        plain=modules(),
        later=kept.READER,
        pages=reverse("visits:today"),
    )


@anyone
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    return kept.manifest(start=reverse("visits:today"), name=_("Yiquan visits"), short_name=_("Visits"))
