"""The counter's page, its service worker and its manifest: the same for everybody, nothing in them is secret."""

import json
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.web import kept
from marketplace.web.access import anyone
from marketplace.web.counter import words

APP = "js/counter/app.js"
# Addressed by {% static %}; the app's other modules are imported by their plain names.
NAMED = ("css/tokens.css", "css/counter.css", "img/mark.svg", "img/counter.svg", APP)


def modules() -> list[str]:
    """The modules that app.js imports, by their names among the static files."""
    folder = kept.found(APP).parent
    inside = [f"js/counter/{path.name}" for path in sorted(folder.glob("*.js"))]
    return [name for name in (*inside, "js/codes.js") if name not in (APP, kept.WORKER)]


def files() -> dict[str, str]:
    """What the page must know before any of its modules runs."""
    return {
        "worker": reverse("counter_worker"),
        "scope": reverse("counter"),
        "sprite": static("img/counter.svg"),
        **kept.reader(),
        "hotline": settings.HOTLINE,
    }


@anyone
@require_safe
@kept.reads_codes
def counter(request: HttpRequest) -> HttpResponse:
    """This page will take vouchers at a counter, with or without a network."""
    return render(request, "counter/counter.html", {"files": files(), "words": words.both()})


@anyone
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """This script will keep the app on the device, one version at a time."""
    return kept.worker(_app(), version())


@anyone
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    return kept.manifest(start=reverse("counter"), name=_("Yiquan counter"), short_name=_("Counter"))


@lru_cache(maxsize=1)
def version() -> str:
    return _app().version()


def _app() -> kept.Kept:
    template = settings.BASE_DIR / "marketplace" / "templates" / "counter" / "counter.html"
    return kept.Kept(
        name="yiquan-counter",
        named=NAMED,
        plain=modules(),
        later=kept.READER,
        shell=reverse("counter"),
        made_of=template.read_bytes() + json.dumps([words.both(), files()]).encode(),
    )
