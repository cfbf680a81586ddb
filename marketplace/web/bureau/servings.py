"""What was served without a network and could not be paid: who bears it, and what the bureau decides."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.api.problems import CODES
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.bureau.forms import ReasonForm
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from vouchers.models import Serving, Terminal
from vouchers.offline import caps
from vouchers.offline.evidence import gaps
from vouchers.offline.operations import CannotDecide, decide_serving, worst_loss

DECIDERS = frozenset({Role.BUREAU_CLERK, Role.BUREAU_APPROVER})
SORTS = {
    "told": ("recorded_at", "id"),
    "served": ("happened_at", "id"),
    "unpaid": ("unpaid", "id"),
    "loser": ("loser__name", "id"),
}
LOOKED_BACK, MOST_GAPS = timedelta(days=30), 20
WITH = ("premises", "service", "elder", "loser", "rival__lease__premises", "rival__service", "redemption")
COLUMNS = (
    Field(gettext_lazy("Serving"), width=14),
    Field(gettext_lazy("Served"), As.TIME, width=20),
    Field(gettext_lazy("Told of"), As.TIME, width=20),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Elder"), width=10),
    Field(gettext_lazy("Service"), width=20),
    Field(gettext_lazy("Quantity"), As.NUMBER, width=10),
    Field(gettext_lazy("Unpaid"), As.AMOUNT, width=12),
    Field(gettext_lazy("Why"), width=50),
    Field(gettext_lazy("Who bears it"), width=24),
    Field(gettext_lazy("Spent before by"), width=16),
    Field(gettext_lazy("Decision"), width=20),
    Field(gettext_lazy("Decided"), As.TIME, width=20),
    Field(gettext_lazy("Decided by"), width=16),
    Field(gettext_lazy("Reason"), width=40),
)


def why(row: Serving) -> str:
    return str(CODES[row.code].sentence)


def _lines(rows: Iterable[Serving]) -> Iterable[list[Any]]:
    for row in rows:
        yield [
            row.number,
            row.happened_at,
            row.recorded_at,
            row.premises.name,
            row.elder.masked_name,
            row.service.name,
            row.quantity,
            row.unpaid,
            why(row),
            row.loser.name if row.loser else "",
            row.rival.number if row.rival else "",
            row.get_decision_display(),
            row.decided_at,
            row.decided_by,
            row.note,
        ]


def bound() -> dict[str, Any]:
    """The worst that can have been served and turn out unpaid: the terminals in use times the cap of one."""
    terminals = Terminal.objects.filter(revoked_at=None).count()
    return {"terminals": terminals, "cap": caps.TERMINAL, "worst": worst_loss()}


@roles(*BUREAU)
@require_safe
def servings(request: HttpRequest) -> HttpResponseBase:
    """This page will list the cases, the oldest first, those that wait unless asked for all."""
    now = timezone.now()
    every = request.GET.get("show") == "all"
    seen: QuerySet[Serving] = scope.servings(request.user).exclude(code="")
    waiting = seen.filter(decision="")
    listing = Listing(
        request, (seen if every else waiting).select_related(*WITH), sorts=SORTS, default="told"
    )
    if (file := export(request, Sheet("servings", "servings", COLUMNS, _lines(listing.rows)))) is not None:
        return file
    broken = gaps(scope.signed_records(request.user), since=now - LOOKED_BACK)
    sums = waiting.aggregate(n=Count("id"), unpaid=Sum("unpaid"))
    return render(
        request,
        "bureau/servings.html",
        {
            "listing": listing,
            "rows": [(row, why(row), (now - row.recorded_at).days) for row in listing.page],
            "every": every,
            "waiting": sums["n"],
            "unpaid": sums["unpaid"] or ZERO,
            "bound": bound(),
            "gaps": broken.select_related("signer__terminal__premises", "serving", "redemption")[:MOST_GAPS],
            "trail": [(_("Review"), reverse("bureau:reviews")), (_("Served without a network"), None)],
        },
    )


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def serving(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show a case, both servings side by side, and pay it or leave it with the operator."""
    found = get_object_or_404(
        scope.servings(request.user).exclude(code="").select_related("signed", *WITH), pk=number
    )
    form = ReasonForm(request.POST if request.method == "POST" else None)
    refusal: Any = ""
    if request.method == "POST":
        decision = request.POST.get("decision", "")
        if decision not in ("pay", "bear"):
            form.add_error(None, _("Choose what is to be done"))
        if form.is_valid():
            try:
                decide_serving(
                    serving=found,
                    pay=decision == "pay",
                    by=request.user,
                    at=timezone.now(),
                    reason=form.cleaned_data["reason"],
                )
            except CannotDecide as refused:
                refusal = refused
            else:
                paid, borne = _("Paid from what the vouchers hold now."), _("It stays with the operator.")
                messages.success(request, paid if decision == "pay" else borne)
                return redirect("bureau:serving", found.pk)
    return render(
        request,
        "bureau/serving.html",
        {
            "serving": found,
            "why": why(found),
            "days": ((found.decided_at or timezone.now()) - found.recorded_at).days,
            "form": form,
            "refusal": refusal,
            "deciding": not found.decision and plays(request.user, DECIDERS),
            "trail": [
                (_("Review"), reverse("bureau:reviews")),
                (_("Served without a network"), reverse("bureau:servings")),
                (found.number, None),
            ],
        },
        status=422 if request.method == "POST" else 200,
    )
