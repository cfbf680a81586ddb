"""Middleware: one line of log for each page that was asked for. Terminals' calls stand in the audit instead.

The line names the route, `redemptions/<str:number>/`, and never what stood in it or in the query; the account by its
number; whence it came, as the law wants it kept.
"""

from collections.abc import Callable
from time import monotonic

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from marketplace.web.access import PROBES
from marketplace.web.questions import address_of

log = structlog.stdlib.get_logger("requests")


class RequestLog:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = monotonic()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "-"
        if route not in PROBES:
            user = getattr(
                request, "_cached_user", None
            )  # whoever the page asked for; nobody is looked up for this
            log.info(
                "request",
                method=request.method,
                route=route,
                status=response.status_code,
                by=user.pk if user is not None else None,
                client=address_of(request),
                ms=round((monotonic() - began) * 1000),
            )
        return response
