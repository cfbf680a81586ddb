"""The first page of the office: today's servings, and where the running month of each lease goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import first_open_day
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope, sheets
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.provider.papers import warnings
from providers.leases import schedule
from providers.models import Lease, Operator
from vouchers.models import Redemption, Statement
from vouchers.settlement.outlook import Forecast, expected, forecast
from vouchers.settlement.queries import history, lease_facts, sums
from vouchers.settlement.reckon import NOTHING, Figures


@dataclass(frozen=True)
class Running:
    """One lease in its running month."""

    lease: Lease
    figures: Figures
    forecast: Forecast
    terms: schedule.TermsRow


FIGURES = (
    "charge",
    "carry_in",
    "earned",
    "late",
    "reversed",
    "credit",
    "available",
    "cap",
    "applied",
    "carry_out",
)
COLUMNS = (
    Field(gettext_lazy("Lease"), width=10),
    Field(gettext_lazy("Premises"), width=24),
    *(Field(sheets.HEADINGS[name], As.AMOUNT, width=14) for name in FIGURES),
    Field(gettext_lazy("Room under the cap"), As.AMOUNT, width=16),
    Field(gettext_lazy("Still expected this month"), As.AMOUNT, width=16),
    Field(gettext_lazy("Offset then"), As.AMOUNT, width=14),
    Field(gettext_lazy("Carried on then"), As.AMOUNT, width=14),
)


@roles(Role.OPERATOR_MANAGER)
@require_safe
def today(request: HttpRequest) -> HttpResponseBase:
    """This page will show what was served today and what each lease's month has earned, can earn, will say."""
    operator: Operator = request.user.operator  # type: ignore[union-attr, assignment]
    now = timezone.localdate()
    leases = scope.leases(request.user)
    month = now.replace(day=1)
    months = running(leases, now)
    name = f"{operator.code}-{month:%Y-%m}-so-far"
    if (file := export(request, Sheet(name, name, COLUMNS, _lines(months)))) is not None:
        return file
    served = _served(leases, now)
    return render(
        request,
        "office/today.html",
        {
            "operator": operator,
            "today": now,
            "month": month,
            "running": months,
            "served": served,
            "yesterday": _served(leases, now - timedelta(days=1)),
            "waiting": list(
                scope.statements(request.user)
                .filter(state=Statement.State.DRAFT)
                .select_related("lease__premises")
                .order_by("month", "lease__code")
            ),
            "warnings": warnings(operator, leases, now),
            "trail": [(_("Office"), None)],
        },
    )


def _lines(rows: list[Running]) -> Iterator[list[Any]]:
    for row in rows:
        ahead = row.forecast
        yield [
            row.lease.code,
            row.lease.premises.name,
            *(getattr(row.figures, name) for name in FIGURES),
            ahead.room,
            ahead.more,
            ahead.applied,
            ahead.carry_out,
        ]


def running(leases: QuerySet[Lease], now: date) -> list[Running]:
    """Each lease that is in force this month, as its statement would stand. Five queries, however many."""
    month = now.replace(day=1)
    facts = [lease for lease in lease_facts(leases) if lease.in_force_in(month)]
    ids = [lease.id for lease in facts]
    known = leases.select_related("premises").in_bulk(ids)
    found, past = sums(month, of=ids), history(month, of=ids)
    first_open = first_open_day() or month
    rows = []
    for lease in facts:
        figures = expected(
            lease=lease,
            month=month,
            first_open=first_open,
            sums=found.get(lease.id, NOTHING),
            history=past.get(lease.id, []),
        )
        ahead = forecast(lease=lease, month=month, figures=figures, today=now)
        terms = schedule.terms_on(lease.terms, schedule.last_day(month))
        rows.append(Running(known[lease.id], figures, ahead, terms))
    return rows


def _served(leases: QuerySet[Lease], day: date) -> dict[str, Any]:
    """Servings of one day at the operator's premises, reversed ones left out. Yuan."""
    of_day = Redemption.objects.filter(lease__in=leases, service_on=day)
    found = of_day.aggregate(
        servings=Count("id", filter=Q(reversed_on=None)),
        reversed=Count("id", filter=Q(reversed_on__isnull=False)),
        **{name: Sum(name, filter=Q(reversed_on=None)) for name in ("vouchers", "self_pay", "government")},
    )
    return {name: value if value is not None else ZERO for name, value in found.items()}
