"""Pages that arrive late and in pieces, as over a bad network: what a test reads too soon fails each time, not now and
then. `make test-long` serves every page so."""

import os
import re
import time
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

HERE = f"{__name__}.InPieces"
PAUSE = 0.15  # seconds before a page and after each piece of it
CUTS = re.compile(rb"(?=<body|<main|</main)")


def middleware(usual: list[str]) -> list[str]:
    """The middleware of a server of these tests."""
    return [HERE, *usual] if os.environ.get("LONG") else usual


class InPieces:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        time.sleep(PAUSE)
        whole = self.get_response(request)
        if whole.streaming or not whole.get("Content-Type", "").startswith("text/html"):
            return whole
        del whole["Content-Length"]
        answer = StreamingHttpResponse(
            _slowly(whole.content), status=whole.status_code, headers=whole.headers
        )
        answer.cookies = whole.cookies
        return answer


def _slowly(page: bytes) -> Iterator[bytes]:
    for piece in CUTS.split(page):
        yield piece
        time.sleep(PAUSE)
