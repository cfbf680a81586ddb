"""The running month of each lease as its statement would stand now, where it goes, and the lines of its figures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import first_open_day, previous_month
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope, sheets
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from marketplace.web.trace.figures import FIGURES as ABOUT
from marketplace.web.trace.statements import charge_of, terms_of
from providers.leases import schedule
from providers.models import Lease
from vouchers.models import Claim, Statement
from vouchers.settlement.outlook import Forecast, expected, first_to_approve, forecast
from vouchers.settlement.queries import held_back, history, lease_facts, pending, sums, to_take_back
from vouchers.settlement.reckon import NOTHING, Figures, LeaseFacts


@dataclass(frozen=True)
class Running:
    """One lease in its running month. `before`: the month whose statement says what is carried in, if it has one."""

    lease: Lease
    figures: Figures
    forecast: Forecast
    terms: schedule.TermsRow
    before: date | None


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


def sheet(rows: Iterable[Running], name: str) -> Sheet:
    return Sheet(
        name,
        name,
        COLUMNS,
        (
            [
                row.lease.code,
                row.lease.premises.name,
                *(getattr(row.figures, figure) for figure in FIGURES),
                row.forecast.room,
                row.forecast.more,
                row.forecast.applied,
                row.forecast.carry_out,
            ]
            for row in rows
        ),
    )


def running(leases: QuerySet[Lease], now: date) -> list[Running]:
    """Each lease that is in force this month, as its statement would stand. Six queries, however many."""
    month = now.replace(day=1)
    facts = [lease for lease in lease_facts(leases) if lease.in_force_in(month)]
    ids = [lease.id for lease in facts]
    known = leases.select_related("premises").in_bulk(ids)
    found, past = sums(month, of=ids), history(month, of=ids)
    first_open = first_open_day() or month
    last = previous_month(month)
    drawn_up = set(Statement.objects.filter(lease__in=ids, month=last).values_list("lease_id", flat=True))
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
        terms = terms_of(lease, month)
        before = last if lease.id in drawn_up else None
        rows.append(Running(known[lease.id], figures, ahead, terms, before))
    return rows


SORTS = {
    "day": ("service_on", "redemption_id"),
    "number": ("redemption_id",),
    "value": ("amount", "redemption_id"),
}

OF_CLAIMS = (
    Field(gettext_lazy("Redemption"), width=16),
    Field(gettext_lazy("Service date"), As.DATE, width=12),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Elder"), width=10),
    Field(gettext_lazy("Service"), width=20),
    Field(gettext_lazy("Voucher value"), As.AMOUNT, width=14),
)


def claims(lease: LeaseFacts, month: date, figure: str) -> QuerySet[Claim]:
    """The claims that make a figure of the running month; late and reversed stand in the first month that is open."""
    past = history(month, of=[lease.id]).get(lease.id, [])
    is_first = first_to_approve(past, first_open_day() or month) >= month
    of_lease = Claim.objects.filter(lease=lease.id)
    if figure == "earned":
        return of_lease.filter(pending(month), ~held_back(), service_on__gte=month)
    if figure == "under_review":
        return of_lease.filter(pending(month), held_back())
    if not is_first:
        return of_lease.none()
    if figure == "late":
        return of_lease.filter(pending(month), ~held_back(), service_on__lt=month)
    return of_lease.filter(to_take_back())


@roles(Role.OPERATOR_MANAGER)
@require_safe
def lines(request: HttpRequest, lease: str, figure: str) -> HttpResponseBase:
    """This page will open one figure of a lease's running month: its claims on no statement yet, or its days of rent."""
    if figure not in ("earned", "late", "reversed", "under_review", "charge"):
        raise Http404("no such figure")
    found = get_object_or_404(scope.leases(request.user).select_related("premises"), code=lease)
    (facts,) = lease_facts(Lease.objects.filter(pk=found.pk))
    month = timezone.localdate().replace(day=1)
    about = {
        "lease": found,
        "month": month,
        "figure": ABOUT[figure],
        "trail": [
            (_("Office"), reverse("office:today")),
            (f"{found.code} · {month_name(month)}", None),
        ],
    }
    if figure == "charge":
        return _charge(request, facts, about)
    rows = claims(facts, month, figure)
    total = rows.aggregate(value=Sum("amount"))["value"] or ZERO
    rows = rows.select_related("redemption__elder", "redemption__service", "redemption__lease__premises")
    listing = Listing(request, rows, sorts=SORTS, default="-day")
    name = f"{found.code}-{month:%Y-%m}-{figure}-so-far"
    if (file := export(request, Sheet(name, name, OF_CLAIMS, _lines(listing.rows)))) is not None:
        return file
    return render(request, "office/running.html", {**about, "listing": listing, "total": total})


def _lines(rows: Iterable[Claim]) -> Iterator[list[Any]]:
    for claim in rows:
        served = claim.redemption
        yield [
            served.number,
            claim.service_on,
            served.lease.premises.name,
            served.elder.masked_name,
            served.service.name,
            claim.amount,
        ]


def _charge(request: HttpRequest, lease: LeaseFacts, about: dict[str, Any]) -> HttpResponse:
    if not lease.in_force_in(about["month"]):
        raise Http404("no rent this month")
    charge = charge_of(lease, about["month"])
    about |= {"terms": terms_of(lease, about["month"]), "charge": charge, "amount": charge.amount}
    return render(request, "trace/lines_charge.html", about)
