"""Middleware: whoever sends a token to the API goes straight to it, past sessions, cookies and pages.

What else happens under /api/ goes the usual way. Whatever comes back, an error is a problem.
"""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from marketplace.api.problems import BY_STATUS, DOCS, MEDIA_TYPE, Problem, answer

PREFIX = "/api/"
LONGEST_BODY = 256 * 1024


class ApiDoor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX) or request.path_info == DOCS:
            return self.get_response(request)
        if _too_long(request):
            response = answer(request, Problem("too_large"))
        elif "HTTP_AUTHORIZATION" in request.META:
            response = self._straight(request)
        else:
            response = self.get_response(request)
        if response.status_code >= 400 and response.headers.get("Content-Type") != MEDIA_TYPE:
            response = _restated(request, response)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Vary", "Accept-Language, Authorization, Cookie")
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _straight(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
            match = _matched(request.path_info)
        except Resolver404:
            return answer(request, Problem("not_found"))
        except DisallowedHost:
            return answer(request, Problem("malformed"))
        request.resolver_match = match
        return match.func(request, *match.args, **match.kwargs)


# Addresses without a part that varies, once they were found: there are as many as the API has.
_fixed: dict[str, ResolverMatch] = {}


def _matched(path: str) -> ResolverMatch:
    """Raises Resolver404."""
    found = _fixed.get(path)
    if found is None:
        found = resolve(path)
        if not found.kwargs:
            _fixed[path] = found
    return found


def _too_long(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdecimal() and int(length) > LONGEST_BODY


def _restated(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    code = BY_STATUS.get(response.status_code, "server_error" if response.status_code >= 500 else "malformed")
    headers = {"Allow": response.headers["Allow"]} if "Allow" in response.headers else None
    return answer(request, Problem(code, headers=headers))
