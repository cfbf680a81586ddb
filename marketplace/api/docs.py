"""The page that explains the API, made from its own description: no scripts, nothing from elsewhere."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
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
        "summary": operation["summary"],
        "text": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "statuses": sorted(int(status) for status in operation["responses"]),
        "tokens": [name for entry in operation["security"] for name in entry],
        "example": json.dumps(example, ensure_ascii=False, indent=2) if example else "",
    }
