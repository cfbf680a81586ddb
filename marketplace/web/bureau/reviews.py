"""Redemptions held back for review: the backlog, how old it is, and the decision on each."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, role_of, roles
from marketplace.web.bureau.forms import ReasonForm
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from vouchers.models import Claim, ReviewCase
from vouchers.settlement.operations import CannotSettle, decide_review

SORTS = {
    "opened": ("opened_at", "id"),
    "served": ("redemption__service_on", "id"),
    "number": ("redemption_id", "id"),
    "reason": ("reason", "id"),
}
SHOWN = {"open": gettext_lazy("waiting"), "decided": gettext_lazy("decided"), "all": gettext_lazy("all")}
AGES = (7, 30)  # days


@roles(*BUREAU)
@require_safe
def reviews(request: HttpRequest) -> HttpResponseBase:
    """This page will list what is held back, the oldest first, and what was decided by whom."""
    seen = scope.review_cases(request.user)
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("reason", "q")}
    rows = seen.select_related("redemption__service", "redemption__elder", "redemption__lease__premises")
    if shown != "all":
        rows = rows.filter(decision="") if shown == "open" else rows.exclude(decision="")
    if wanted["reason"] in ReviewCase.Reason.values:
        rows = rows.filter(reason=wanted["reason"])
    for word in wanted["q"].split():
        numbered = scope.redemptions(request.user).by_number(word.upper()).values("pk")
        rows = rows.filter(
            Q(redemption__in=numbered)
            | Q(redemption__lease__premises__name__icontains=word)
            | Q(redemption__lease__code=word.upper())
            | Q(decided_by__iexact=word)
        )
    listing = Listing(request, rows, sorts=SORTS, default="opened" if shown == "open" else "-opened")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "bureau/reviews.html",
        {
            "listing": listing,
            "shown": shown,
            "choices": SHOWN.items(),
            "wanted": wanted,
            "reasons": ReviewCase.Reason.choices,
            "backlog": _backlog(seen),
            "trail": [(_("Held for review"), None)],
        },
    )


def _backlog(seen: Any) -> dict[str, Any]:
    """How many wait, since when, and for which reasons. Two queries."""
    now = timezone.now()
    waiting = seen.filter(decision="")
    sums = waiting.aggregate(
        n=Count("id"),
        oldest=Min("opened_at"),
        **{f"over_{days}": Count("id", filter=Q(opened_at__lt=now - timedelta(days=days))) for days in AGES},
    )
    labels = dict(ReviewCase.Reason.choices)
    by_reason = waiting.order_by().values_list("reason").annotate(n=Count("id")).order_by("-n", "reason")
    return {
        **sums,
        "ages": [(days, sums[f"over_{days}"]) for days in AGES],
        "reasons": [(reason, labels.get(reason, reason), n) for reason, n in by_reason],
    }


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="reviews",
        title="reviews",
        fields=(
            Field(_("Redemption"), width=16),
            Field(_("Service date"), As.DATE, width=12),
            Field(_("Elder"), width=10),
            Field(_("Premises"), width=24),
            Field(_("Service"), width=20),
            Field(_("Reason"), width=28),
            Field(_("Held since"), As.TIME, width=20),
            Field(_("Decision"), width=14),
            Field(_("Decided"), As.TIME, width=20),
            Field(_("Decided by"), width=16),
        ),
        rows=(
            [
                case.redemption.number,
                case.redemption.service_on,
                case.redemption.elder.masked_name,
                case.redemption.lease.premises.name,
                case.redemption.service.name,
                case.get_reason_display(),
                case.opened_at,
                case.get_decision_display() if case.decision else "",
                case.decided_at,
                case.decided_by,
            ]
            for case in listing.rows
        ),
    )


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, number: str) -> HttpResponse:
    """This page will show why one redemption is held back, and take the decision with its reason."""
    redemption = get_object_or_404(
        scope.redemptions(request.user)
        .by_number(number)
        .select_related("elder", "service", "lease__premises", "lease__operator")
    )
    deciding = role_of(request.user) in (Role.BUREAU_CLERK, Role.BUREAU_APPROVER)
    form, refusal = ReasonForm(), None
    if request.method == "POST":
        if not deciding:
            raise PermissionDenied
        form = ReasonForm(request.POST)
        release = request.POST.get("do") == "release"
        if form.is_valid():
            try:
                decide_review(
                    redemption=redemption,
                    release=release,
                    by=request.user,
                    at=timezone.now(),
                    reason=form.cleaned_data["reason"],
                )
                messages.success(
                    request,
                    _("Released: it counts on the next statement.")
                    if release
                    else _("Rejected: it is reversed, and the value went back to the voucher."),
                )
                return redirect("bureau:reviews")
            except CannotSettle as refused:
                refusal = refused
    cases = list(redemption.review_cases.order_by("id"))
    return render(
        request,
        "bureau/review.html",
        {
            "redemption": redemption,
            "cases": cases,
            "claims": list(Claim.objects.filter(redemption=redemption).select_related("lease", "statement")),
            "deciding": deciding and any(not case.decision for case in cases),
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "trail": [(_("Held for review"), reverse("bureau:reviews")), (redemption.number, None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )
