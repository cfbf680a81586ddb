"""Every way in which an operation can end without an answer of its own, as a problem."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from marketplace.api.problems import BY_STATUS, CODES, Problem, answer
from vouchers.codes.refusals import CannotIdentify
from vouchers.redemption.refusals import CannotRedeem, UnderWay
from vouchers.terminals.operations import CannotEnrol
from vouchers.terminals.serving import NotYours, TooLate

log = logging.getLogger(__name__)

PIN_LOCKED_SECONDS = 15 * 60
AGAIN = {"Retry-After": "1"}


def as_problem(refusal: Exception) -> Problem:
    """The problem that a refusal of the domain is; whatever else is our own mistake."""
    if isinstance(refusal, Problem):
        return refusal
    if isinstance(refusal, CannotRedeem | CannotIdentify | CannotEnrol):
        headers = {"Retry-After": str(PIN_LOCKED_SECONDS)} if refusal.code == "pin_locked" else None
        return Problem(refusal.code, headers=headers)
    if isinstance(refusal, NotYours):
        return Problem("not_found")
    if isinstance(refusal, TooLate):
        return Problem("too_late")
    if isinstance(refusal, UnderWay):
        return Problem("in_progress", headers=AGAIN)
    return Problem("server_error")


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where and what, without what was sent: it may be a PIN."""
    return [
        {"field": ".".join(str(part) for part in error["loc"]), "detail": str(error["msg"])}
        for error in list(errors)[:20]
    ]


def install(api: NinjaAPI) -> None:
    def refused(request: HttpRequest, refusal: Any) -> HttpResponse:
        return answer(request, as_problem(refusal))

    def nobody(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(request, Problem("not_signed_in", headers={"WWW-Authenticate": "Bearer"}))

    def wrong_fields(request: HttpRequest, error: Any) -> HttpResponse:
        for one in error.errors:  # the place in the body, not that it is the body
            one["loc"] = [part for part in one["loc"] if part not in ("body", "batch", "query")]
        return answer(request, Problem("invalid", more={"errors": field_errors(error.errors)}))

    def by_status(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(request, Problem(BY_STATUS.get(error.status_code, "malformed")))

    def missing(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(request, Problem("not_found"))

    def unreadable(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(request, Problem("malformed"))

    def database(request: HttpRequest, error: Any) -> HttpResponse:
        log.error("the database does not answer: %s", type(error).__name__)
        return answer(request, Problem("unavailable", headers={"Retry-After": "2"}))

    def mistake(request: HttpRequest, error: Any) -> HttpResponse:
        log.error("%s %s", request.method, request.path, exc_info=error)
        return answer(request, Problem("server_error"))

    for kind in (Problem, CannotRedeem, CannotIdentify, CannotEnrol, NotYours, TooLate, UnderWay):
        api.add_exception_handler(kind, refused)
    api.add_exception_handler(AuthenticationError, nobody)
    api.add_exception_handler(ValidationError, wrong_fields)
    api.add_exception_handler(HttpError, by_status)
    api.add_exception_handler(Http404, missing)
    for unread in (UnreadablePostError, RawPostDataException):
        api.add_exception_handler(unread, unreadable)
    for lost in (OperationalError, InterfaceError):
        api.add_exception_handler(lost, database)
    api.add_exception_handler(Exception, mistake)


assert set(BY_STATUS.values()) <= set(CODES)
