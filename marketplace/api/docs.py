"""The page that explains the API, made from its own description: no scripts, nothing from elsewhere."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.api.api import api
from marketplace.api.problems import CODES
from marketplace.web.access import anyone
from vouchers.offline import caps
from vouchers.offline.operations import worst_loss

EXAMPLES = {
    "redeem": {"premises": "PM01", "service": "SV01", "quantity": 1, "elder": {"token": "YQ:…"}},
    "quote": {
        "premises": "PM01",
        "service": "SV01",
        "quantity": 1,
        "elder": {"code": "EL000001", "pin": "······"},
    },
    "reverse": {"reason": "…"},
    "send_offline_batch": {
        "redemptions": [
            {
                "key": "k-1",
                "happened_at": "2026-07-01T11:30:00+08:00",
                "premises": "PM01",
                "service": "SV01",
                "quantity": 1,
                "elder": {"token": "YQ:…"},
                "promised": "8.00",
            }
        ]
    },
    "enrol": {"code": "23456-789AB"},
    "register_key": {"algorithm": "Ed25519", "public": "…", "proof": "…"},
}


# What each operation is for, by its name in the description.
ABOUT = {
    "redeem": (
        _("Redeem vouchers for one service delivered"),
        _(
            "Spends the elder's vouchers by the rules, in one transaction with its key. The key is answered before the "
            "elder's code is looked at, so a late retry gets its receipt too."
        ),
    ),
    "quote": (
        _("What a redemption would answer now"),
        _(
            "The same split, spending nothing. The elder's code serves this terminal for five minutes afterwards."
        ),
    ),
    "reverse": (
        _("Take a whole redemption back, once"),
        _(
            "Within ten minutes by the terminal that made it, later by the bureau alone. The value goes back to the same "
            "vouchers."
        ),
    ),
    "send_offline_batch": (
        _("Redemptions made without a network"),
        _(
            "At most 100 at a time; each is answered by itself, in order: 201 or 200 with its receipt; 202 where it was "
            "kept and not paid, which the bureau decides; else a problem, with nothing kept. What has 201, 200 or 202 "
            "may leave the queue."
        ),
    ),
    "my_vouchers": (
        _("An elder's own vouchers: what is left, until when"),
        _("By the code that the elder's telephone shows at this moment. Reading does not use it up."),
    ),
    "statements": (
        _("The statements of a month"),
        _("Of the leases of the partner's operators, or of those that somebody signed in may see."),
    ),
    "about_terminal": (
        _("What this terminal sells, and how far it may go without a network"),
        _(
            "Ask at the start and from time to time, and keep the answer for the hours without a network. Prices are "
            "those of today and the next three days."
        ),
    ),
    "register_key": (
        _("Register the key by which this terminal signs"),
        _(
            "Once, after enrolment. From then on each serving that it took without a network bears its signature; what is "
            "unsigned, or signed wrongly, is kept and not paid, and the bureau decides."
        ),
    ),
    "enrol": (
        _("Enrol a terminal by a code from the office"),
        _("The code is good once, for a quarter of an hour. The token is shown this once."),
    ),
}
SIGN_IN = {
    "TerminalToken": _("the token of a terminal or partner"),
    "ElderToken": _("the elder's changing code"),
    "StaffSession": _("having signed in on the pages"),
}


@anyone
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """This page will list every operation and every code of the API."""
    described = api.get_openapi_schema()
    return render(
        request,
        "api/docs.html",
        {
            "operations": [
                _operation(path, method.upper(), operation)
                for path, operations in described["paths"].items()
                for method, operation in operations.items()
            ],
            "codes": sorted(CODES.items(), key=lambda item: (item[1].status, item[0])),
            "caps": caps,
            "worst_loss": worst_loss(),
        },
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    name = operation["operationId"]
    example = EXAMPLES.get(name)
    return {
        "name": name,
        "path": path,
        "method": method,
        "summary": ABOUT[name][0],
        "text": ABOUT[name][1],
        "parameters": operation.get("parameters", []),
        "statuses": sorted(int(status) for status in operation["responses"]),
        "tokens": [SIGN_IN[way] for entry in operation["security"] for way in entry],
        "example": json.dumps(example, ensure_ascii=False, indent=2) if example else "",
    }
