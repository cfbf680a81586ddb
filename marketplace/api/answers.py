"""What the domain answered, as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from vouchers.elders import masking
from vouchers.redemption.judge import Split
from vouchers.redemption.operations import Quoted, Redeemed

JSON = "application/json"


def reply(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(
        json.dumps(content, ensure_ascii=False), status=status, content_type=JSON, headers=headers
    )
    return response


def replayed(content: Any, *, repeated: bool) -> HttpResponse:
    """201 the first time, afterwards 200 with the header that says so."""
    if repeated:
        return reply(content, headers={"Idempotent-Replay": "true"})
    return reply(content, status=201)


def price(split: Split) -> dict[str, str]:
    return {
        "list": str(split.list_price),
        "government": str(split.government),
        "concession": str(split.concession),
        "charity": str(split.charity),
        "vouchers": str(split.vouchers),
        "self_pay": str(split.self_pay),
    }


def spent(voucher_id: int, programme: str, amount: Any, remaining: Any) -> dict[str, str]:
    return {
        "serial": f"{programme}-{voucher_id:09d}",
        "amount": str(amount),
        "remaining": str(remaining),
    }


def receipt(redeemed: Redeemed) -> dict[str, Any]:
    return {
        "number": redeemed.number,
        "elder": masking.name(redeemed.name),
        "price": price(redeemed.split),
        "vouchers": [spent(*one) for one in redeemed.spent],
    }


def quote(quoted: Quoted) -> dict[str, Any]:
    return {
        "elder": masking.name(quoted.name),
        "price": price(quoted.judged.split),
        "vouchers": [
            spent(line.voucher_id, line.programme, line.amount, quoted.remaining[line.voucher_id])
            for line in quoted.judged.lines
        ],
    }
