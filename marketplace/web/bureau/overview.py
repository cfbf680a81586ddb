"""The month at a glance: the bureau's whole city, or a street officer's own street."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import last_locked_month
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.nightly.queries import unproved
from marketplace.overview.models import Snapshot
from marketplace.overview.queries import Places
from marketplace.web import scope, sheets
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.bureau import blockers
from marketplace.web.bureau.receipts import age_names
from marketplace.web.bureau.totals import Totals
from marketplace.web.exports import Sheet, export
from providers.leases.arrears import arrears
from providers.leases.received import received_since
from vouchers.models import Statement
from vouchers.review.backlog import waiting_redemptions

MONTHS = 12
PROGRAMMES = 12  # shown; the sum is of all
OBJECTIONS = 8  # statements objected to that are named; the month's list has them all
COUNTED = ("issued", "redeemed", "expired", "voided", "left", "soon")
FIGURES = ("charge", "cap", "credit", "applied", "cash_due")


@roles(*BUREAU, Role.STREET_OFFICER)
@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """This page will show where the open month stands, the months beside each other, arrears and vouchers."""
    months, later = _months(request.user)
    everything = scope.sees_whole_city(request.user)
    counted = Snapshot.objects.first()
    snapshot = counted if everything and plays(request.user, BUREAU) else None
    programmes = _programmes(snapshot)
    reach = Places(counted).under(request.user.division) if counted and not snapshot else None  # type: ignore[union-attr]
    of_vouchers = request.GET.get("table") == "vouchers"
    sheet = _of_vouchers(programmes, reach) if of_vouchers else _sheet(months, later)
    if (file := export(request, sheet)) is not None:
        return file
    seen = scope.statements(request.user)
    month = months[-1]["month"] if months else None
    totals = Totals.asked(seen.filter(month=month)) if month else Totals()
    locked = last_locked_month()
    done = bool(month and locked and month <= locked)
    objected = list(_objected(request.user))
    waiting = sum(one.month == month for one in objected)
    blocking = (
        blockers.blockers(month, totals, request.user, objected=waiting, locked=locked)
        if month and not done
        else []
    )
    owed = arrears(
        timezone.localdate(),
        of=None if everything else scope.leases(request.user).values_list("code", flat=True),
    )
    ages = [(name, sum((one.ages[n] for one in owed), ZERO)) for n, name in enumerate(age_names())]
    return render(
        request,
        "bureau/overview.html",
        {
            "month": month,
            "locked": done,
            "totals": totals,
            "states": [
                (state, label, totals.states.get(state, 0)) for state, label in Statement.State.choices
            ],
            "blockers": blocking,
            "held": blockers.held(totals),
            "objections": objected[:OBJECTIONS],
            "months": months,
            "later": later,
            "ages": ages,
            "oldest": max(amount for _name, amount in ages),
            "owed": sum((one.total for one in owed), ZERO),
            "owing": len(owed),
            "reviews": waiting_redemptions(scope.review_cases(request.user)).count(),
            "bureau": plays(request.user, BUREAU),
            "division": request.user.division,  # type: ignore[union-attr]
            "snapshot": snapshot,
            "counted": counted,
            "reach": reach,
            "programmes": programmes[:PROGRAMMES],
            "all_programmes": _summed(programmes),
            "chart": _chart(months),
            "unproved": unproved(timezone.now()) if plays(request.user, BUREAU) else [],
            "trail": [(_("Overview"), None)],
        },
    )


def _objected(user: Any) -> QuerySet[Statement]:
    """The statements with an objection that waits for an answer, the oldest first."""
    waits = Q(objections__answer="")
    return (
        scope.statements(user)
        .filter(waits)
        .annotate(waiting=Count("objections", filter=waits), since=Min("objections__at", filter=waits))
        .select_related("lease__premises")
        .order_by("since", "pk")
    )


def _months(user: Any) -> tuple[list[dict[str, Any]], list[tuple[date, Decimal]]]:
    """The last twelve months with statements, oldest first: their sums, and the cash that came in each.

    The second value is the cash of the months since, of which nothing is drawn up yet.
    """
    found = list(
        scope.statements(user)
        .order_by()
        .values("month")
        .annotate(**{name: Sum(name) for name in FIGURES})
        .order_by("-month")[:MONTHS]
    )[::-1]
    if not found:
        return [], []
    leases = None if scope.sees_whole_city(user) else scope.leases(user)
    came = received_since(found[0]["month"], leases=leases)
    later = sorted((month, sum_) for month, sum_ in came.items() if month > found[-1]["month"])
    return [{**row, "received": came.get(row["month"], ZERO)} for row in found], later


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


def _of_vouchers(programmes: list[dict[str, Any]], reach: dict[str, Any] | None) -> Sheet:
    """Programme by programme as counted; a street's own people in one row."""
    headings = {
        "issued": _("Issued"),
        "redeemed": _("Redeemed"),
        "expired": _("Expired"),
        "voided": _("Voided"),
        "left": _("Left"),
        "soon": _("of it within 30 days"),
    }
    first: list[Field] = []
    rows: list[list[Any]]
    if reach is None:
        first = [Field(_("Programme"), width=12), Field(_("Name"), width=28)]
        rows = [[row["code"], row["name"], *(row[name] for name in headings)] for row in programmes]
    else:
        headings = {name: label for name, label in headings.items() if name in reach}
        rows = [[reach[name] for name in headings]]
    return Sheet(
        name="vouchers",
        title="vouchers",
        fields=(*first, *(Field(label, As.AMOUNT, width=16) for label in headings.values())),
        rows=rows,
    )


def _sheet(months: list[dict[str, Any]], later: list[tuple[date, Decimal]]) -> Sheet:
    return Sheet(
        name="overview",
        title="overview",
        fields=(
            Field(_("Month"), width=10),
            *(Field(sheets.HEADINGS[name], As.AMOUNT, width=14) for name in FIGURES),
            Field(_("Cash received"), As.AMOUNT, width=14),
        ),
        rows=[
            *([f"{row['month']:%Y-%m}", *(row[name] for name in FIGURES), row["received"]] for row in months),
            *([f"{month:%Y-%m}", *(None for _name in FIGURES), received] for month, received in later),
        ],
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
