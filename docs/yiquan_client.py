"""A small client of Yiquan's HTTP interface, of the standard library alone. Copy it, or read how it is done.

    counter = Yiquan("https://yiquan.example", token="yt_...")
    receipt = counter.redeem(premises="PM01", service="SV01", quantity=1, elder={"token": scanned})
    print(receipt["price"]["vouchers"], receipt["price"]["self_pay"])

What matters in it: each redemption gets a key of its own, once; whenever it is not known whether a request
arrived (no answer, half an answer, 409 in_progress, 429, 5xx), the same request is sent again under the same key.
So nothing is spent twice and no receipt is lost. docs/api.md says the rest.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

PATIENCE_SECONDS = (0.2, 0.5, 1, 2, 4)  # between tries
AGAIN = {409, 429, 500, 502, 503, 504}


class Refused(Exception):
    """The answer is no. `code` is one of the documented list, the text a sentence for the person at the counter."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail", ""))
        self.status, self.code = problem.get("status", 0), problem.get("code", "")
        self.problem = problem


class NoAnswer(Exception):
    """Nobody answered, however often asked: keep the request, key and all, and send it again later."""


class Yiquan:
    """One terminal (or partner, or with an elder's code that elder)."""

    def __init__(
        self, address: str, *, token: str = "", language: str = "zh-Hans", seconds: float = 10
    ) -> None:
        self.address, self.token, self.language, self.seconds = address.rstrip("/"), token, language, seconds

    def redeem(self, *, key: str | None = None, **serving: Any) -> dict[str, Any]:
        """Redeem one serving: premises, service, quantity, elder; happened_at and channel if wanted."""
        return self.call("POST", "redemptions", serving, key=key or str(uuid.uuid4()))

    def quote(self, **serving: Any) -> dict[str, Any]:
        """What `redeem` would answer, without a number; nothing is spent."""
        return self.call("POST", "quotes", serving)

    def take_back(self, number: str, *, reason: str) -> dict[str, Any]:
        return self.call("POST", f"redemptions/{number}/reversal", {"reason": reason})

    def send_offline(self, servings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send what was served without a network; each with the key that it got then, and `happened_at`.

        Answers one result for each, in order. What has status 201, 200 or 202 is done; the rest is to be kept.
        """
        results: list[dict[str, Any]] = []
        for start in range(0, len(servings), 100):
            part = {"redemptions": servings[start : start + 100]}
            results += self.call("POST", "offline-batches", part)["results"]
        return results

    def my_vouchers(self) -> dict[str, Any]:
        return self.call("GET", "elders/me/vouchers")

    def statements(self, month: str, lease: str = "") -> list[dict[str, Any]]:
        return self.call("GET", f"statements?month={month}" + (f"&lease={lease}" if lease else ""))[
            "statements"
        ]

    def enrol(self, code: str) -> dict[str, Any]:
        """Turn the office's code into this terminal's token, which it uses from now on."""
        enrolled = self.call("POST", "enrolments", {"code": code})
        self.token = enrolled["token"]
        return enrolled

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """Send a request until it has an answer. Raises Refused, NoAnswer."""
        for patience in (*PATIENCE_SECONDS, None):
            try:
                return self._once(method, path, body, key)
            except Refused as refused:
                if refused.status not in AGAIN or refused.code == "key_reused" or patience is None:
                    raise
                patience = float(refused.problem.get("retry_after") or patience)
                if patience > self.seconds:
                    raise
            except (OSError, http.client.HTTPException, ValueError) as lost:
                if patience is None:
                    raise NoAnswer(str(lost)) from lost
            time.sleep(patience)
        raise NoAnswer

    def _once(self, method: str, path: str, body: Any, key: str | None) -> dict[str, Any]:
        headers = {"Accept-Language": self.language, "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if error.headers.get_content_type() != "application/problem+json":
                    raise Refused({"status": error.code, "detail": f"HTTP {error.code}"}) from None
                problem = json.loads(error.read())
            raise Refused(problem | {"retry_after": error.headers.get("Retry-After")}) from None
