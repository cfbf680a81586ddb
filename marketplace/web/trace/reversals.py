"""One redemption taken back from its own page, once what follows from it was looked at."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ledger.journal.queries import day_of
from marketplace.web import scope
from marketplace.web.access import REVERSERS, roles
from marketplace.web.trace.forms import ReversalForm
from vouchers.models import Claim, Movement, PayoutLine, Redemption
from vouchers.redemption.corrections import CannotReverse, reverse_at_desk
from vouchers.wallets.operations import closes_as


@roles(*REVERSERS)
@require_http_methods(["GET", "HEAD", "POST"])
def reversal(request: HttpRequest, number: str) -> HttpResponse:
    """This page will say what a reversal does to vouchers, statements and payouts, and do it for a reason."""
    found = get_object_or_404(
        scope.redemptions(request.user)
        .by_number(number)
        .select_related("elder", "service", "lease__premises", "lease__operator")
    )
    form = ReversalForm(request.POST or None)
    refusal: CannotReverse | None = None
    if request.method == "POST" and form.is_valid():
        try:
            reverse_at_desk(
                redemption=found, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
            )
        except CannotReverse as refused:
            refusal = refused
        else:
            messages.success(request, _("Reversed. The value is back with the vouchers it came from."))
            return redirect("redemption", number)
    refused_now = refusal is not None
    if found.reversed_on is not None:
        refusal = CannotReverse("reversed_before")
    return render(
        request,
        "trace/reversal.html",
        {
            "redemption": found,
            "refusal": refusal,
            "form": form,
            **_follows(found),
            "trail": [(number, reverse("redemption", args=[number])), (_("Reverse"), None)],
        },
        status=422 if form.errors else 409 if refused_now else 200,
    )


def _follows(found: Redemption) -> dict[str, Any]:
    """What a reversal of today would bring back, and from where it is taken."""
    today = day_of(timezone.now())
    paid = Movement.objects.filter(redemption=found, kind__in=Movement.SPENDING).select_related(
        "voucher__programme", "voucher__elder"
    )
    return {
        "returns": [(one, closes_as(one.voucher, today)) for one in paid.order_by("id")],
        "stands": [
            claim.statement
            for claim in Claim.objects.filter(redemption=found, statement__isnull=False)
            .select_related("statement__lease")
            .order_by("lease__code")
        ],
        "listed": PayoutLine.objects.filter(redemption=found, taken_back=False).select_related("payout"),
        "cases": found.review_cases.filter(decision="").count(),
        "parts": found.government + found.charity,
    }
