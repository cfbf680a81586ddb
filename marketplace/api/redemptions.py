"""Redeem, ask for a price, take back."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from marketplace.accounts.models import User
from marketplace.api import answers, schemas
from marketplace.api.auth import StaffSession, TerminalToken, caller_of, required_key
from marketplace.api.describe import IDEMPOTENT, KEY_HEADER, problems
from marketplace.api.problems import Problem
from marketplace.web import scope
from vouchers.redemption.corrections import may_reverse
from vouchers.terminals.asking import Asked
from vouchers.terminals.serving import ask_price, reverse_once, serve, take_back

router = Router(tags=["redemptions"])


@router.post(
    "redemptions",
    auth=TerminalToken(),
    response={
        201: schemas.Receipt,
        200: schemas.Receipt,
        **problems(400, 401, 404, 409, 413, 422, 429, 500, 503),
    },
    openapi_extra={"parameters": [KEY_HEADER], "responses": IDEMPOTENT},
    operation_id="redeem",
    summary="Redeem vouchers for one service delivered",
)
def redeem(request: HttpRequest, body: schemas.RedemptionIn) -> HttpResponse:
    """Spends the elder's vouchers by the rules, in one transaction with its key. The same key and body again get
    the first receipt; the key is answered before the elder's code is looked at, so a late retry gets it too.
    Amounts are yuan."""
    redeemed = serve(
        caller=caller_of(request),
        key=required_key(request),
        asked=asked_of(body),
        first=request.auth.first,  # type: ignore[attr-defined]
        at=timezone.now(),
    )
    return answers.replayed(answers.receipt(redeemed), repeated=redeemed.repeated)


@router.post(
    "quotes",
    auth=TerminalToken(),
    response={200: schemas.Quote, **problems(400, 401, 404, 413, 422, 429, 500, 503)},
    operation_id="quote",
    summary="What a redemption would answer now",
)
def quote(request: HttpRequest, body: schemas.QuoteIn) -> HttpResponse:
    """The same split, spending nothing. The elder's code serves this terminal for five minutes afterwards."""
    quoted = ask_price(caller=caller_of(request), asked=asked_of(body), at=timezone.now())
    return answers.reply(answers.quote(quoted))


@router.post(
    "redemptions/{number}/reversal",
    auth=[TerminalToken(), StaffSession()],
    response={
        201: schemas.ReversalOut,
        200: schemas.ReversalOut,
        **problems(400, 401, 403, 404, 413, 422, 429, 500, 503),
    },
    openapi_extra={"responses": IDEMPOTENT},
    operation_id="reverse",
    summary="Take a whole redemption back, once",
)
def reverse(request: HttpRequest, number: str, body: schemas.ReversalIn) -> HttpResponse:
    """Within ten minutes by the terminal that made it; later by the bureau alone (`too_late`). The value goes back
    to the same vouchers. Asked for again, it answers what was done the first time."""
    at = timezone.now()
    who: Any = request.auth  # type: ignore[attr-defined]
    if isinstance(who, User):
        if not may_reverse(who):
            raise Problem("forbidden")
        redemption = scope.redemptions(who).by_number(number).first()
        if redemption is None:
            raise Problem("not_found")
        reversal, repeated = reverse_once(redemption=redemption, reason=body.reason, by=who, at=at)
    else:
        reversal, repeated = take_back(caller=who.caller, number=number, reason=body.reason, at=at)
    content = {
        "number": number,
        "reversed_at": timezone.localtime(reversal.reversed_at).isoformat(),
        "value": str(reversal.redemption.vouchers),
    }
    return answers.replayed(content, repeated=repeated)


def asked_of(body: schemas.QuoteIn) -> Asked:
    return Asked(
        premises=body.premises,
        service=body.service,
        quantity=body.quantity,
        credential=body.elder.model_dump(),
        happened_at=body.happened_at,
        channel=body.channel,
    )
