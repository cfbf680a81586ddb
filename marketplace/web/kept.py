"""Pages that are kept on a device and open without a network: their service worker and its version.

One script serves them all (static/js/counter/worker.js); the server puts before it what is kept.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.templatetags.static import static
from django.utils import translation

WORKER = "js/counter/worker.js"
# The reader of QR codes for cameras whose browser has none (js/counter/camera.js).
DECODER, WASM = READER = ("vendor/barcode-detector.js", "vendor/zxing_reader.wasm")
View = TypeVar("View", bound=Callable[..., HttpResponse])
COLOUR = "#083F33"


@dataclass(frozen=True, slots=True)
class Kept:
    """`named` are static files that the page names by {% static %}, `plain` modules that others import by their
    plain names, `later` what is fetched when the page already works. `shell` is one page that is kept with them;
    or `pages` is an address under which every page is kept as it was last seen. `made_of`: what else decides the
    version."""

    name: str
    named: Sequence[str]
    plain: Sequence[str]
    later: Sequence[str] = ()
    shell: str = ""
    pages: str = ""
    made_of: bytes = b""

    def version(self) -> str:
        """Changes with every byte that the app is made of, and with nothing else."""
        digest = hashlib.sha256()
        for name in (*self.named, *self.plain, WORKER, *self.later):
            path = finders.find(name)
            digest.update(f"{name}\0".encode() + (Path(path).read_bytes() if path else b"") + b"\0")
        digest.update(self.made_of)
        return digest.hexdigest()[:16]


def worker(app: Kept, version: str) -> HttpResponse:
    """The service worker of this app, one version at a time."""
    head = {
        "NAME": app.name,
        "VERSION": version,
        "SHELL": app.shell,
        "PAGES": app.pages,
        "FILES": [
            *([app.shell] if app.shell else []),
            *(static(name) for name in app.named),
            *(plain(name) for name in app.plain),
        ],
        "LATER": [static(name) for name in app.later if finders.find(name)],
    }
    lines = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in head.items())
    response = HttpResponse(lines + found(WORKER).read_text(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


def manifest(*, start: str, name: str, short_name: str) -> HttpResponse:
    """What the device needs to put the app on its home screen."""
    content = {
        "id": start,
        "name": name,
        "short_name": short_name,
        "lang": "en" if translation.get_language() == "en" else "zh-Hans",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": COLOUR,
        "theme_color": COLOUR,
        "icons": [{"src": static("img/mark.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"}],
    }
    response = HttpResponse(
        json.dumps(content, ensure_ascii=False), content_type="application/manifest+json; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


def plain(name: str) -> str:
    """Without the digest in its name: what an import in a module leads to."""
    return f"{'' if settings.STATIC_URL.startswith('/') else '/'}{settings.STATIC_URL}{name}"


def reads_codes(view: View) -> View:
    """This decorator will let a page with a camera compile WebAssembly, which no other page may."""
    allowed: Any = csp_update({"script-src": ["'self'", "'wasm-unsafe-eval'"]})
    return allowed(view)


def reader() -> dict[str, str]:
    """The addresses of the reader, as camera.js asks for them."""
    return {"decoder": static(DECODER), "wasm": static(WASM)}


def found(name: str) -> Path:
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(name)
    return Path(path)
