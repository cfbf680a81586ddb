"""What a terminal must know before it can work, with a network or without."""

import base64
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from marketplace.api import answers, schemas
from marketplace.api.auth import TerminalToken, caller_of
from marketplace.api.describe import IDEMPOTENT, problems
from marketplace.api.problems import Problem
from providers.models import Premises, Service
from providers.services.queries import on_sale
from vouchers.codes.operations import public_keys
from vouchers.offline import caps
from vouchers.terminals.models import TerminalKey
from vouchers.terminals.operations import register_key

router = Router(tags=["terminals"])

DAYS_AHEAD = 3  # as long as a terminal may be without a network


@router.get(
    "terminals/me",
    auth=TerminalToken(),
    response={200: schemas.TerminalOut, **problems(401, 403, 429, 500, 503)},
    operation_id="about_terminal",
    summary="What this terminal sells, and how far it may go without a network",
)
def about_terminal(request: HttpRequest) -> HttpResponse:
    """Ask at the start and from time to time, and keep the answer for the hours without a network. Prices are those
    of today and the next three days."""
    caller = caller_of(request)
    if not caller.is_terminal:
        raise Problem("forbidden")
    today = timezone.localdate()
    own = TerminalKey.objects.filter(terminal=caller.id).first()
    sold = on_sale(premises=caller.premises, since=today, until=today + timedelta(days=DAYS_AHEAD))
    return answers.reply(
        {
            "terminal": {"name": caller.name},
            "premises": {
                "code": caller.premises,
                "name": Premises.objects.get(code=caller.premises).name,
            },
            "services": [_service(service) for service in sold],
            "caps": {
                "terminal": _cap(caps.TERMINAL_SERVINGS, caps.TERMINAL),
                "elder": _cap(caps.ELDER_SERVINGS, caps.ELDER),
                "paper": _cap(caps.ELDER_SERVINGS_BY_PAPER, caps.ELDER_BY_PAPER),
                "hours": int(caps.PERIOD / timedelta(hours=1)),
            },
            "keys": {str(key_id): base64.b64encode(key).decode() for key_id, key in public_keys().items()},
            "signs_as": own.fingerprint if own else None,
        }
    )


@router.post(
    "terminals/me/key",
    auth=TerminalToken(),
    response={
        201: schemas.TerminalKeyOut,
        200: schemas.TerminalKeyOut,
        **problems(400, 401, 403, 409, 413, 422, 429, 500, 503),
    },
    openapi_extra={"responses": IDEMPOTENT},
    operation_id="register_key",
    summary="Register the key by which this terminal signs",
)
def register_terminal_key(request: HttpRequest, body: schemas.TerminalKeyIn) -> HttpResponse:
    """Once, after enrolment; the same key again is answered again, another one refused (`key_kept`). From then on each
    serving of an offline batch is signed."""
    caller = caller_of(request)
    if not caller.is_terminal:
        raise Problem("forbidden")
    key, repeated = register_key(
        caller=caller, algorithm=body.algorithm, public=body.public, proof=body.proof, at=timezone.now()
    )
    return answers.replayed({"signs_as": key.fingerprint}, repeated=repeated)


def _cap(count: int, yuan: Decimal) -> dict[str, Any]:
    return {"count": count, "yuan": str(yuan)}


def _service(service: Service) -> dict[str, Any]:
    return {
        "code": service.code,
        "name": service.name,
        "category": service.category,
        "unit": service.unit,
        "daily_limit": service.daily_limit,
        "prices": [
            {
                "valid_from": price.valid_from.isoformat(),
                "valid_until": price.valid_until.isoformat() if price.valid_until else None,
                "min_age": price.min_age,
                "max_age": price.max_age,
                "list": str(price.list_price),
                "government": str(price.government),
                "concession": str(price.concession),
                "charity": str(price.charity),
                "elder": str(price.list_price - price.government - price.concession - price.charity),
            }
            for price in service.prices.all()
        ],
    }
