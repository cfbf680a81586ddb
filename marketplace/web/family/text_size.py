"""How large text is on the pages of elders and families; remembered by the browser for a year."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from marketplace.web.access import anyone

COOKIE = "text_size"
YEAR = 365 * 24 * 60 * 60


@anyone
@require_POST
def text_size(request: HttpRequest) -> HttpResponse:
    following = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        following, {request.get_host()}, require_https=request.is_secure()
    ):
        following = "/"
    response = redirect(following)
    if request.POST.get("size") == "large":
        response.set_cookie(
            COOKIE, "large", max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    else:
        response.delete_cookie(COOKIE)
    return response
