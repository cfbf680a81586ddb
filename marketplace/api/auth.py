"""Who asks: a terminal or partner by its token, an elder by the code on the telephone, staff by their sign-in."""

import math
import re
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.apikey import APIKeyCookie
from ninja.security.http import HttpBearer
from ninja.utils import check_csrf

from marketplace.accounts.models import User
from marketplace.api import limits
from marketplace.api.problems import Problem
from vouchers.codes.operations import whose
from vouchers.codes.refusals import CannotIdentify
from vouchers.terminals.queries import Caller, Known, find_caller

KEY = re.compile(r"[\x21-\x7e]{1,80}")
TOKEN_LONGEST = 200


def bearer(request: HttpRequest) -> str:
    """The token of the Authorization header, or nothing."""
    scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and len(token) <= TOKEN_LONGEST else ""


def key_of(request: HttpRequest) -> str:
    """The Idempotency-Key, or nothing where there is none that could have been used."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    return key if KEY.fullmatch(key) else ""


def required_key(request: HttpRequest) -> str:
    """Raises Problem: key_missing, key_invalid."""
    if not (key := key_of(request)):
        raise Problem("key_invalid" if request.META.get("HTTP_IDEMPOTENCY_KEY") else "key_missing")
    return key


def slow_down(seconds: float) -> None:
    """Raises Problem: too_many_requests, where there is something to wait for."""
    if seconds:
        raise Problem("too_many_requests", headers={"Retry-After": str(math.ceil(seconds))})


class TerminalToken(HttpBearer):
    """The token of a terminal or partner, with what its key did before: one statement."""

    openapi_description = "The token of a terminal (`manage.py add_terminal`) or partner."

    def __call__(self, request: HttpRequest) -> Known | None:
        known = find_caller(token=bearer(request), key=key_of(request))
        if known is not None:
            limit = limits.TERMINALS if known.caller.is_terminal else limits.PARTNERS
            slow_down(limit.wait(known.caller.scope))
        return known

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        raise NotImplementedError


class ElderToken(HttpBearer):
    """The code that an elder's telephone shows, of this moment. Reading does not use it up."""

    openapi_description = "An elder's changing code, as it stands in the QR code."

    def __call__(self, request: HttpRequest) -> str | None:
        token = bearer(request)
        if not token:
            return None
        try:
            elder = whose(credential={"token": token}, at=timezone.now())
        except CannotIdentify as refusal:
            code = "token_expired" if refusal.code == "token_expired" else "token_invalid"
            raise Problem(code, status=401, headers={"WWW-Authenticate": "Bearer"}) from None
        slow_down(limits.ELDERS.wait(elder))
        return elder

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        raise NotImplementedError


class StaffSession(APIKeyCookie):
    """Somebody who has signed in on the pages. What changes something needs the CSRF token too."""

    param_name = "sessionid"
    openapi_description = (
        "The session of somebody who has signed in; with X-CSRFToken where something changes."
    )

    def __call__(self, request: HttpRequest) -> User | None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        if request.method not in ("GET", "HEAD") and check_csrf(request):
            raise Problem("forbidden")
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        raise NotImplementedError


def caller_of(request: HttpRequest) -> Caller:
    return request.auth.caller  # type: ignore[attr-defined]
