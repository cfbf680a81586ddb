"""For whom: the one question that comes first for somebody who acts for several elders."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from marketplace.web.access import FAMILY, roles
from marketplace.web.family.acting import choices, choose, current, person


@roles(*FAMILY)
@require_http_methods(["GET", "HEAD", "POST"])
def whom(request: HttpRequest) -> HttpResponse:
    """This page will ask for whom one acts from now on, and lead back to where one was going."""
    if request.method == "POST":
        choose(request, request.POST.get("elder", ""))
        return redirect(_onwards(request, request.POST.get("next", "")))
    found = choices(request)
    context = {
        "choices": found,
        "chosen": current(request),
        "next": request.GET.get("next", ""),
        "leaving": [acting for acting in found if acting.delegation is not None],
        "may_add": person(request).role == "",
    }
    return render(request, "family/whom.html", context)


def _onwards(request: HttpRequest, wanted: str) -> str:
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else "home"
