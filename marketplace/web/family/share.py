"""幸福码: the elder shows a code, family opens the year's list with it. The elder's press of the button is the
agreement, so nobody else can press it; it ends with another press, or after a day."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.web import qr
from marketplace.web.access import anyone
from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.family.record import facts
from vouchers.codes.shares import (
    CannotOpenRecord,
    current_share,
    end_share,
    find_share,
    open_record,
    share_record,
)
from vouchers.redemption.queries import years_of


@for_elder(own=True)
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, year: int) -> HttpResponse:
    """This page will ask whether family may look, and then show the code they open it with."""
    elder = elder_of(request)
    now = timezone.now()
    if year not in {timezone.localdate(now).year, *years_of(elder)}:
        raise Http404("nothing was received in that year")
    if request.method == "POST":
        share_record(elder=elder, year=year, by=request.user, at=now)
        return redirect("family:share", year)
    current = current_share(elder=elder, at=now)
    address = current and request.build_absolute_uri(reverse("happy", args=[current.code]))
    return render(
        request,
        "family/share.html",
        {
            "year": year,
            "share": current if current and current.year == year else None,
            "address": address,
            "drawing": address and qr.on_screen(address),
        },
    )


@for_elder(own=True)
@require_POST
def end(request: HttpRequest, year: int) -> HttpResponse:
    if end_share(elder=elder_of(request), by=request.user, at=timezone.now()):
        messages.success(request, _("Closed. Nobody can open your list any more."))
    return redirect("family:share", year)


@anyone
@require_http_methods(["GET", "HEAD", "POST"])
def happy(request: HttpRequest, code: str) -> HttpResponse:
    """This page will open an elder's list for family who has the code; each opening is told to the elder."""
    now = timezone.now()
    try:
        if request.method != "POST":
            found = find_share(code=code, at=now)
            return _private(render(request, "family/happy.html", {"share": found}))
        by = request.user if request.user.is_authenticated else "family"
        found = open_record(code=code, by=by, at=now)
    except CannotOpenRecord as closed:
        return _private(render(request, "family/happy.html", {"closed": str(closed)}, status=404))
    return _private(
        render(
            request, "family/happy.html", {"share": found, "opened": True, **facts(found.elder, found.year)}
        )
    )


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
