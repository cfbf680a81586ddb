"""The bureau's months. No figure is reckoned here: all come from the statements as drawn up."""

from datetime import date
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from ledger.journal.queries import last_locked_month, previous_month
from ledger.models import Period
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope, sheets
from marketplace.web.access import BUREAU, plays, role_of, roles
from marketplace.web.bureau import blockers
from marketplace.web.bureau.forms import MonthFilter
from marketplace.web.bureau.totals import COMPARED, Change, Totals
from marketplace.web.exports import export
from marketplace.web.listed import listed
from marketplace.web.lists import Listing
from marketplace.web.trace.acts import STEP_OF
from providers.divisions.queries import streets_and_districts
from vouchers.approvals.operations import STEPS
from vouchers.models import Claim, Statement
from vouchers.settlement.objections import term_ends_on

SORTS: dict[str, Any] = {
    "lease": lambda row: row.code,
    "operator": lambda row: (row.operator_code, row.code),
    "state": lambda row: (list(Statement.State).index(Statement.State(row.state)), row.code),
    "under_review": lambda row: row.under_review,
    **{name: (lambda row, name=name: getattr(row, name)) for name in Statement.FIGURES},
}


@roles(*BUREAU)
@require_safe
def months(request: HttpRequest) -> HttpResponse:
    """This page will list the months, newest first, each with its sums and what it waits for."""
    locked = {period.month: period for period in Period.objects.order_by("-month")}
    drawn: list[dict[str, Any]] = [
        {**row, "locked": locked.get(row["month"]), "waiting": row["leases"] - row["posted"]}
        for row in scope.statements(request.user)
        .values("month")
        .annotate(
            leases=Count("id"),
            posted=Count("id", filter=Q(state=Statement.State.APPROVED)),
            reviews=Sum("under_review"),
            **{f"sum_{name}": Sum(name) for name in ("charge", "applied", "cash_due", "carry_out", "cap")},
        )
        .order_by("-month")
    ]
    this_month = timezone.localdate().replace(day=1)
    so_far = Claim.objects.filter(
        lease__in=scope.leases(request.user), service_on__gte=this_month, statement=None, reversed_on=None
    ).aggregate(n=Count("redemption_id", distinct=True), value=Sum("amount"))
    listing = Listing(
        request, drawn, sorts={"month": lambda row: row["month"]}, default="-month", per_page=24
    )
    return render(
        request,
        "bureau/months.html",
        {
            "listing": listing,
            "this_month": this_month,
            "so_far": so_far,
            "drawing": plays(request.user, frozenset({Role.BUREAU_CLERK}), city=True),
            "running": all(row["month"] != this_month for row in drawn) and this_month not in locked,
            "trail": [(_("Offset months"), None)],
        },
    )


@roles(*BUREAU)
@require_safe
def month(request: HttpRequest, month: date) -> HttpResponseBase:
    """This page will show every lease of a month, adding up row by row, and what blocks its closing."""
    seen = scope.statements(request.user).filter(month=month)
    rows = list(listed(seen, objections=True).order_by("lease__code"))
    if not rows:
        raise Http404("no statements in this month")
    wanted = MonthFilter.of(request.GET)
    divisions = streets_and_districts()
    kept = [row for row in rows if wanted.keeps(row, divisions)] if wanted else rows
    listing = Listing(request, kept, sorts=SORTS)
    if (file := export(request, sheets.statements(listing.rows, f"statements-{month:%Y-%m}"))) is not None:
        return file
    everything = Totals.of(rows)
    shown = Totals.of(kept) if wanted else everything
    before, after = _neighbours(month)
    period = Period.objects.filter(month=month).first()
    blocking = [] if period else blockers.blockers(
        month, everything, request.user,
        objected=sum(row.objected for row in rows), locked=last_locked_month(),
    )  # fmt: skip
    return render(
        request,
        "bureau/month.html",
        {
            "month": month,
            "before": before,
            "after": after,
            "period": period,
            "blockers": blocking,
            "held": blockers.held(everything),
            "all": everything,
            "shown": shown,
            "wanted": wanted,
            "listing": listing,
            "rows": [(row, _term(row)) for row in listing.page],
            "states": Statement.State.choices,
            "operators": sorted({(row.operator_code, row.operator) for row in rows}),
            "divisions": sorted({one for row in rows for one in divisions[row.division]}),
            "chart": _chart(listing.rows),
            "mine": _mine(request, rows),
            "drawing": plays(request.user, frozenset({Role.BUREAU_CLERK}), city=True),
            "trail": [(_("Offset months"), reverse("bureau:months")), (month_name(month), None)],
        },
    )


@roles(*BUREAU)
@require_safe
def compare(request: HttpRequest, month: date) -> HttpResponseBase:
    """This page will set each lease's month beside the month before, the greatest change first."""
    seen = listed(scope.statements(request.user)).order_by()
    now = {row.code: row for row in seen.filter(month=month)}
    before = {row.code: row for row in seen.filter(month=previous_month(month))}
    if not now:
        raise Http404("no statements in this month")
    rows = [Change(now.get(lease), before.get(lease)) for lease in now.keys() | before.keys()]
    listing = Listing(
        request,
        rows,
        sorts={
            "lease": lambda row: row.either.code,
            **{name: (lambda row, name=name: (abs(row.of(name)), row.either.code)) for name in COMPARED},
        },
        default="-credit",
        per_page=100,
    )
    if (
        file := export(request, sheets.changes(listing.rows, COMPARED, f"compare-{month:%Y-%m}"))
    ) is not None:
        return file
    return render(
        request,
        "bureau/compare.html",
        {
            "month": month,
            "before": previous_month(month),
            "listing": listing,
            "rows": [
                (row, [(n, sheets.HEADINGS[n], row.now_of(n), row.of(n)) for n in COMPARED])
                for row in listing.page
            ],
            "names": [(name, sheets.HEADINGS[name]) for name in COMPARED],
            "trail": [
                (_("Offset months"), reverse("bureau:months")),
                (month_name(month), reverse("bureau:month", args=[month])),
                (_("Beside the month before"), None),
            ],
        },
    )


def _neighbours(month: date) -> tuple[date | None, date | None]:
    """The months with statements before and after this one."""
    near = Statement.objects.values_list("month", flat=True)
    before = near.filter(month__lt=month).order_by("-month").first()
    after = near.filter(month__gt=month).order_by("month").first()
    return before, after


def _term(row: Any) -> date | None:
    """Until when the operator may object, while the statement waits for its word."""
    if row.state != Statement.State.DRAFT:
        return None
    return term_ends_on(row, answered_at=row.answered_at)


def _mine(request: HttpRequest, rows: list[Any]) -> int:
    """How many statements of these wait for this person's own step."""
    step = STEP_OF.get(role_of(request.user))
    return sum(row.state == STEPS[step][0] for row in rows) if step else 0


def _chart(rows: Any) -> dict[str, Any]:
    """What the drawing needs: words and, as text, figures. The table below it shows the same."""
    return {
        "words": {
            "applied": _("offset"),
            "cash": _("paid in cash"),
            "carry": _("carried on"),
            "cap": _("cap"),
            "yuan": pgettext("axis", "yuan"),
        },
        "rows": [
            {
                "lease": row.code,
                "name": row.premises,
                "applied": str(row.applied),
                "cash": str(row.cash_due),
                "carry": str(row.carry_out),
                "cap": str(row.cap),
            }
            for row in rows
        ],
    }
