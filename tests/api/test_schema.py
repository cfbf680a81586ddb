"""Every operation attacked from its own description (strength.md 12): no 5xx, and what is answered is as described."""

import json
import os
from collections import Counter as Tally
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from marketplace.api import limits
from tests.api import ground

LONG = bool(os.environ.get("LONG"))
CASES = 10_000 if LONG else 500
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


class Attack:
    """Cases for all operations, by callers of every kind; what is well-formed names real things half of the time."""

    def __init__(self) -> None:
        ground.town(vouchers=1, face=100_000)
        self.callers = {
            "terminal": ground.terminal(),
            "partner": ground.partner("OP01", may_tell_past=True),
            "elder": ground.code_of("LI"),
            "stranger": "yt_" + "A" * 43,
            "nobody": "",
        }
        self.schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        self.operations = [found.ok() for found in self.schema.get_all_operations()]
        self.seen: Tally[int] = Tally()

    def run(self, cases: int) -> None:
        each = cases // (2 * len(self.operations)) + 1
        for operation in self.operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                try:
                    strategy = operation.as_strategy(generation_mode=mode)
                    self.attack(strategy, each)
                except Exception as nothing:
                    # An operation without a parameter or body has nothing that could be wrong.
                    if (
                        "negative" not in str(nothing).lower()
                        and "Unsatisfiable" not in type(nothing).__name__
                    ):
                        raise

    def attack(self, strategy: Any, many: int) -> None:
        @settings(
            max_examples=many,
            deadline=None,
            database=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, caller=st.sampled_from(sorted(self.callers)), real=st.booleans())
        def one(case: Any, caller: str, real: bool) -> None:
            headers = {"Authorization": f"Bearer {self.callers[caller]}"} if self.callers[caller] else {}
            positive = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
            if real and positive and isinstance(case.body, dict):
                self.make_real(case)
            for limit in (limits.TERMINALS, limits.PARTNERS, limits.ELDERS, limits.ENROLMENTS):
                limit.forget()
            response = case.call(headers=headers)
            self.seen[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        one()

    def make_real(self, case: Any) -> None:
        for body in [case.body, *case.body.get("redemptions", [])]:
            if isinstance(body, dict) and "premises" in body:
                body |= {"premises": "PM01", "service": "LUNCH", "elder": {"token": self.callers["elder"]}}
                body["quantity"] = min(body["quantity"], 3)


def test_no_operation_breaks_and_all_answer_as_described(fresh_db):
    attack = Attack()
    attack.run(CASES)
    assert sum(attack.seen.values()) >= CASES * 0.8, attack.seen
    # Control: the attack came through to the rules, and past them.
    assert {200, 201, 400, 401, 404, 422} <= set(attack.seen), attack.seen


@pytest.mark.error_logs("marketplace.api", "django.request")
@pytest.mark.parametrize("fault", ["number for amount", "server error"])
def test_control_each_fault_is_found(fresh_db, monkeypatch, fault):
    from marketplace.api import answers

    price = answers.price

    def wrong(split: Any) -> dict[str, Any]:
        if fault == "server error":
            raise ZeroDivisionError
        return price(split) | {"vouchers": 8.0}

    monkeypatch.setattr(answers, "price", wrong)
    attack = Attack()
    attack.callers = {name: attack.callers[name] for name in ("terminal", "elder")}
    attack.operations = [one for one in attack.operations if one.path.endswith("/quotes")]
    with pytest.raises(FailureGroup) as found:
        attack.run(200)
    title = {"number for amount": "Response violates schema", "server error": "Server error"}[fault]
    assert [one.title for one in found.value.exceptions] == [title]


def test_the_description_is_openapi_3_1_and_complete(db):
    described = json.loads(Client().get("/api/v1/openapi.json").content)
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        f"/api/v1/{path}"
        for path in (
            "redemptions", "quotes", "redemptions/{number}/reversal", "offline-batches", "elders/me/vouchers",
            "statements", "enrolments", "terminals/me", "terminals/me/key",
        )
    }  # fmt: skip
    for operations in described["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                wanted = "application/json" if int(status) < 300 else "application/problem+json"
                assert list(response["content"]) == [wanted], (operation["operationId"], status)


def test_the_page_about_it_stands_by_itself(db):
    page = Client().get("/api/v1/docs", headers={"accept-language": "en"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "key_reused" in text and "/api/v1/offline-batches" in text
    assert "http://" not in text.replace("http://localhost", "") and "https://" not in text
    assert "script" not in page.headers["Content-Security-Policy"]
