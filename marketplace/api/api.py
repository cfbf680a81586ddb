"""The API of contracts.md as one object: its operations, its errors, its description.

Nothing is open by default: an operation that does not name its own way of signing in takes a terminal's token.
"""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from marketplace.api import counter, enrolments, handlers, offline, readings, redemptions, schemas
from marketplace.api.auth import TerminalToken
from marketplace.api.problems import MEDIA_TYPE

DESCRIPTION = (
    "Redeem care vouchers at a counter. Terminals and partners send `Authorization: Bearer <token>`. Amounts are "
    "strings of yuan (`8.00`). Errors are problem+json (RFC 9457) with a `code` of a closed list and a sentence in "
    "the language of Accept-Language (zh-Hans, en)."
)


WAITING = {409, 429, 503}  # answers that may say when to come again


class Api(NinjaAPI):
    _described: OpenAPISchema | None = None

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """OpenAPI 3.1, made once."""
        if self._described is None:
            self._described = self._describe(**options)
        return self._described

    def _describe(self, **options: Any) -> OpenAPISchema:
        described = super().get_openapi_schema(**options)
        for operations in described["paths"].values():
            for operation in operations.values():
                operation.setdefault("security", [])
                for status, response in operation["responses"].items():
                    self._as_problem(int(status), response)
        described["components"]["schemas"].pop("LooseBatchIn")
        model = schemas.OfflineBatchIn.model_json_schema(ref_template="#/components/schemas/{model}")
        described["components"]["schemas"].update(model.pop("$defs"))
        described["components"]["schemas"]["OfflineBatchIn"] = model
        return described

    def _as_problem(self, status: int, response: dict[str, Any]) -> None:
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Problem"):
            content[MEDIA_TYPE] = content.pop("application/json")
            if status not in WAITING:
                return
            response["headers"] = {
                "Retry-After": {
                    "description": "seconds to wait, where waiting helps",
                    "schema": {"type": "string"},
                }
            }


api = Api(
    title="Yiquan",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    openapi_url="/openapi.json",
    docs_url=None,
    auth=TerminalToken(),
)
handlers.install(api)
for part in (redemptions, offline, readings, enrolments, counter):
    api.add_router("", part.router)
