"""What OpenAPI says beyond the operations themselves."""

from typing import Any

from marketplace.api import schemas

KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,80}$"},
    "description": "The terminal's own key of this redemption, the same with each retry.",
}
IDEMPOTENT = {
    200: {
        "headers": {
            "Idempotent-Replay": {
                "description": "true: this was done before, and is answered again",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    }
}


def problems(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys(statuses, schemas.Problem)


def body_of(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
