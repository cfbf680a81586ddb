"""Errors as RFC 9457 problems: a closed list of codes, each with its status and a sentence in zh-Hans and en."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import parse_accept_lang_header

from vouchers.codes.refusals import SENTENCES as IDENTIFYING
from vouchers.offline.operations import SENTENCES as OFFLINE
from vouchers.redemption.refusals import SENTENCES as REDEEMING
from vouchers.terminals.operations import SENTENCES as ENROLLING
from vouchers.terminals.serving import NotYours, TooLate

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"

TITLES = {
    202: _("Kept, not paid"),
    400: _("The request cannot be read"),
    401: _("No valid token"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Not that way"),
    409: _("In conflict with what was sent before"),
    413: _("Too long"),
    422: _("Refused"),
    429: _("Too often"),
    500: _("Our mistake"),
    503: _("Not available at the moment"),
}


class Sort(NamedTuple):
    """One code of the list: the status that goes with it and what it says to a person."""

    status: int
    sentence: Any


_OWN = {
    "malformed": Sort(400, _("This is not JSON as we read it. Nothing was done.")),
    "invalid": Sort(400, _("Some fields are missing, unknown or wrong; they are listed. Nothing was done.")),
    "key_missing": Sort(
        400,
        _("Send an Idempotency-Key of your own with each redemption, and the same one when you try again."),
    ),
    "key_invalid": Sort(400, _("An Idempotency-Key is 1 to 80 letters, digits or signs of ASCII.")),
    "not_signed_in": Sort(401, _("Send a valid token as “Authorization: Bearer …”.")),
    "forbidden": Sort(403, _("This token or account may not do that.")),
    "not_found": Sort(404, NotYours()),
    "method_not_allowed": Sort(405, _("This address does not take that method.")),
    "key_reused": Sort(409, REDEEMING["key_reused"]),
    "in_progress": Sort(409, _("The same key is being dealt with right now. Ask again in a moment.")),
    "too_large": Sort(413, _("A request may be 256 KB long. Send a batch in parts.")),
    "too_late": Sort(422, TooLate()),
    "pin_locked": Sort(429, IDENTIFYING["pin_locked"]),
    "too_many_requests": Sort(429, _("Too many requests in a short time. Wait as long as Retry-After says.")),
    "server_error": Sort(
        500, _("Something is wrong with us. Try again with the same key, then call the hotline.")
    ),
    "unavailable": Sort(503, _("The service cannot answer at the moment. Try again with the same key.")),
}

CASES = ("over_cap", "paid_short", "signature_wrong", "signature_missing")
CODES: dict[str, Sort] = {
    **{code: Sort(422, sentence) for code, sentence in IDENTIFYING.items()},
    **{code: Sort(422, sentence) for code, sentence in REDEEMING.items() if code != "not_held"},
    **{code: Sort(202, OFFLINE[code]) for code in CASES},
    "code_wrong": Sort(422, ENROLLING["code_wrong"]),
    "key_wrong": Sort(422, ENROLLING["key_wrong"]),
    "key_kept": Sort(409, ENROLLING["key_kept"]),
    **_OWN,
}

# Statuses that Django or the server give by themselves, and the code that says the same.
BY_STATUS = {
    400: "malformed",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_many_requests",
    503: "unavailable",
}


class Problem(Exception):
    """Answers with a problem. `status` only where it is not the code's own; `more` are further members."""

    def __init__(
        self,
        code: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or CODES[code].status
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def language_of(request: HttpRequest) -> str:
    """zh-hans, or en for whoever asks for it first."""
    header = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
    if header:
        for language, _weight in parse_accept_lang_header(header.lower()[:200]):
            if language == "*" or language.startswith("zh"):
                break
            if language.startswith("en"):
                return "en"
    return "zh-hans"


def body(problem: Problem) -> dict[str, Any]:
    """The members of a problem, in the language that is active."""
    return {
        "type": f"{DOCS}#{problem.code}",
        "title": str(TITLES[problem.status]),
        "status": problem.status,
        "detail": str(CODES[problem.code].sentence),
        "code": problem.code,
        **problem.more,
    }


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    language = language_of(request)
    with translation.override(language):
        content = json.dumps(body(problem), ensure_ascii=False)
    response = HttpResponse(content, status=problem.status, content_type=MEDIA_TYPE)
    response.headers["Content-Language"] = "en" if language == "en" else "zh-Hans"
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response
