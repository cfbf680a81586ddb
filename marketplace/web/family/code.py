"""The elder's code, large, changing by itself, an hour ahead for a phone without a network."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from marketplace.web import qr
from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.family.names import called
from vouchers.codes import digits
from vouchers.codes.operations import codes_of, elder_tokens
from vouchers.codes.token import WINDOW_SECONDS

WINDOWS = 3600 // WINDOW_SECONDS + 1


@for_elder(own=True)
@require_safe
def code(request: HttpRequest) -> HttpResponse:
    """This page will show the code of this moment; a script draws the next ones from what the page carries."""
    elder = elder_of(request)
    now = timezone.now()
    ahead = list(elder_tokens(elder=elder, at=now, windows=WINDOWS))
    codes = codes_of(elder)
    return render(
        request,
        "family/code.html",
        {
            "name": called(elder),
            "drawing": qr.on_screen(ahead[0][1]),
            "typed": digits.grouped(codes.typed),
            "has_pin": codes.pin_hash is not None,
            "ahead": {
                "now": int(now.timestamp() * 1000),
                "begins": int(ahead[0][0].timestamp() * 1000),
                "lasts": WINDOW_SECONDS * 1000,
                "tokens": [text for _begins, text in ahead],
            },
        },
    )
