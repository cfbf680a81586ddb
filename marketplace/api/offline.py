"""What was served without a network, in batches."""

from typing import Any

import pydantic
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from ninja import Router

from marketplace.api import answers, limits, schemas
from marketplace.api.auth import TerminalToken, caller_of, slow_down
from marketplace.api.describe import body_of, problems
from marketplace.api.handlers import as_problem, field_errors
from marketplace.api.problems import CODES, Problem, body, language_of
from marketplace.api.redemptions import asked_of
from vouchers.codes.refusals import CannotIdentify
from vouchers.offline.models import Serving
from vouchers.offline.operations import Taken, take
from vouchers.redemption.refusals import CannotRedeem, UnderWay
from vouchers.terminals.queries import Caller
from vouchers.terminals.serving import NotYours
from vouchers.terminals.signing import Signature

router = Router(tags=["offline"])


@router.post(
    "offline-batches",
    auth=TerminalToken(),
    response={200: schemas.OfflineBatchOut, **problems(400, 401, 413, 429, 500, 503)},
    openapi_extra={"requestBody": body_of("OfflineBatchIn")},
    operation_id="send_offline_batch",
    summary="Redemptions made without a network",
)
def send_offline_batch(request: HttpRequest, batch: schemas.LooseBatchIn) -> HttpResponse:
    """Each serving is answered separately, in order: 201 or 200 with its receipt; 202 where it was kept and not
    paid (others had spent the value, a cap was passed): then the bureau decides; else a problem, with nothing
    kept. Whatever has 201, 200 or 202 need not be sent again; sending it again answers the same."""
    caller = caller_of(request)
    limit = limits.TERMINALS if caller.is_terminal else limits.PARTNERS
    slow_down(limit.wait(caller.scope, cost=len(batch.redemptions) - 1))
    with translation.override(language_of(request)):
        return answers.reply({"results": [one(caller, item) for item in batch.redemptions]})


def one(caller: Caller, item: Any) -> dict[str, Any]:
    """What became of one of a batch, whatever becomes of the others."""
    key = item.get("key") if isinstance(item, dict) else None
    told: dict[str, Any] = {"key": key if isinstance(key, str) and key.isprintable() else None}
    try:
        read = schemas.OfflineIn.model_validate(item)
        taken = take(
            caller=caller,
            key=read.key,
            asked=asked_of(read),
            promised=read.promised,
            signature=signature_of(read),
            at=timezone.now(),
        )
    except pydantic.ValidationError as wrong:
        problem = Problem("invalid", more={"errors": field_errors(wrong.errors(include_url=False))})
    except (NotYours, CannotRedeem, CannotIdentify, UnderWay) as refusal:
        problem = as_problem(refusal)
    else:
        return told | outcome(taken)
    return told | {"status": problem.status, "problem": body(problem)}


def signature_of(read: schemas.OfflineIn) -> Signature | None:
    told = read.signature
    return Signature(told.number, told.previous, told.value) if told else None


def outcome(taken: Taken) -> dict[str, Any]:
    receipt = answers.receipt(taken.receipt) if taken.receipt else None
    if taken.case is not None:
        return {"status": 202, "case": case_of(taken.case, receipt)}
    return {"status": 200 if taken.repeated else 201, "body": receipt}


def case_of(serving: Serving, receipt: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "case": serving.number,
        "code": serving.code,
        "detail": str(CODES[serving.code].sentence),
        "unpaid": str(serving.unpaid),
        "receipt": receipt,
    }
