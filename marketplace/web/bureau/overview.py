"""The month at a glance: the bureau's whole city, or a street officer's own street."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import SHANGHAI, last_locked_month
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.overview.models import Snapshot
from marketplace.overview.queries import Places
from marketplace.web import scope, sheets
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.bureau.receipts import age_names
from marketplace.web.bureau.totals import Totals
from marketplace.web.bureau.views import blockers
from marketplace.web.exports import Sheet, export
from providers.leases.arrears import arrears
from providers.models import Receipt, ReceiptPart
from vouchers.models import Statement

MONTHS = 12
PROGRAMMES = 12  # shown; the sum is of all
COUNTED = ("issued", "redeemed", "expired", "voided", "left", "soon")
FIGURES = ("charge", "cap", "credit", "applied", "cash_due")


@roles(*BUREAU, Role.STREET_OFFICER)
@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """This page will show where the open month stands, the months beside each other, arrears and vouchers."""
    months = _months(request.user)
    if (file := export(request, _sheet(months))) is not None:
        return file
    seen = scope.statements(request.user)
    month = months[-1]["month"] if months else None
    totals = Totals.asked(seen.filter(month=month)) if month else Totals()
    locked = last_locked_month()
    everything = scope.sees_whole_city(request.user)
    owed = arrears(
        timezone.localdate(),
        of=None if everything else scope.leases(request.user).values_list("code", flat=True),
    )
    whole = everything and plays(request.user, BUREAU)
    counted = Snapshot.objects.first()
    snapshot = counted if whole else None
    programmes = _programmes(snapshot)
    ages = [(name, sum((one.ages[n] for one in owed), ZERO)) for n, name in enumerate(age_names())]
    return render(
        request,
        "bureau/overview.html",
        {
            "month": month,
            "locked": bool(month and locked and month <= locked),
            "totals": totals,
            "states": [
                (state, label, totals.states.get(state, 0)) for state, label in Statement.State.choices
            ],
            "blockers": blockers(month, totals) if month and not (locked and month <= locked) else [],
            "months": months,
            "ages": ages,
            "oldest": max(amount for _name, amount in ages),
            "owed": sum((one.total for one in owed), ZERO),
            "owing": len(owed),
            "reviews": scope.review_cases(request.user).filter(decision="", holds=True).count(),
            "bureau": plays(request.user, BUREAU),
            "division": request.user.division,  # type: ignore[union-attr]
            "snapshot": snapshot,
            "counted": counted,
            "reach": Places(counted).under(request.user.division) if counted and not whole else None,  # type: ignore[union-attr]
            "programmes": programmes[:PROGRAMMES],
            "all_programmes": _summed(programmes),
            "chart": _chart(months),
            "trail": [(_("Overview"), None)],
        },
    )


def _months(user: Any) -> list[dict[str, Any]]:
    """The last twelve months with statements, oldest first: their sums, and the cash that came in each."""
    found = list(
        scope.statements(user)
        .order_by()
        .values("month")
        .annotate(**{name: Sum(name) for name in FIGURES})
        .order_by("-month")[:MONTHS]
    )[::-1]
    if not found:
        return []
    came: dict[date, Decimal] = {}
    first = found[0]["month"]
    whole = Receipt.objects.filter(state=Receipt.State.MATCHED, bank_line__direction="in")
    parts = ReceiptPart.objects.all()
    if not scope.sees_whole_city(user):
        leases = scope.leases(user).values("pk")
        whole, parts = whole.filter(lease__in=leases), parts.filter(lease__in=leases)
    for rows, booked, amount in (
        (whole, "bank_line__booked_at", "bank_line__amount"),
        (parts, "receipt__bank_line__booked_at", "amount"),
    ):
        by_month = (
            rows.filter(**{f"{booked}__gte": f"{first}T00:00:00+08:00"})
            .order_by()
            .annotate(of=TruncMonth(booked, tzinfo=SHANGHAI))
            .values_list("of")
            .annotate(sum=Sum(amount))
        )
        for moment, total in by_month:
            came[moment.date()] = came.get(moment.date(), ZERO) + total
    return [{**row, "received": came.get(row["month"], ZERO)} for row in found]


def _programmes(snapshot: Snapshot | None) -> list[dict[str, Any]]:
    """The counted rows with amounts as amounts, those of which most runs out soon first."""
    if snapshot is None:
        return []
    rows = [{**row, **{name: Decimal(row[name]) for name in COUNTED}} for row in snapshot.programmes]
    return sorted(rows, key=lambda row: (-row["soon"], -row["left"], row["code"]))


def _summed(programmes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "n": len(programmes),
        **{name: sum((row[name] for row in programmes), ZERO) for name in COUNTED},
    }


def _sheet(months: list[dict[str, Any]]) -> Sheet:
    return Sheet(
        name="overview",
        title="overview",
        fields=(
            Field(_("Month"), width=10),
            *(Field(sheets.HEADINGS[name], As.AMOUNT, width=14) for name in FIGURES),
            Field(_("Cash received"), As.AMOUNT, width=14),
        ),
        rows=([f"{row['month']:%Y-%m}", *(row[name] for name in FIGURES), row["received"]] for row in months),
    )


def _chart(months: list[dict[str, Any]]) -> dict[str, Any]:
    """What the drawing needs; the table below it shows the same."""
    return {
        "words": {
            "applied": _("offset"),
            "cash": _("cash due"),
            "received": _("cash received"),
            "cap": _("cap"),
            "credit": _("earned"),
            "yuan": pgettext("axis", "yuan"),
        },
        "rows": [
            {
                "month": f"{row['month']:%Y-%m}",
                **{name: str(row[name]) for name in (*FIGURES, "received")},
            }
            for row in months
        ],
    }
