"""What one month was, place by place and in sum. Reads; changes nothing.

Rent comes from the statements, cash from the bank lines matched, voucher value from the journal: each figure is one
that stands elsewhere too, so that whoever compares finds the same to the fen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from ledger.journal.queries import last_day, next_month
from ledger.money import ZERO
from providers.leases.received import received_of
from providers.models import Finding, Inspection, Lease
from vouchers.models import Payout, Redemption, Statement

# Voucher value that moved in a month, by what became of it: what stands in the books of the month.
MOVED = """
    SELECT split_part(credit.name, ':', 4), split_part(debit.name, ':', 4), moved.amount
    FROM (SELECT t.debit_id, t.credit_id, sum(t.amount) AS amount
        FROM ledger_entry e JOIN ledger_transfer t ON t.entry_id = e.id AND t.commodity = 'VCY'
        WHERE e.dated_on BETWEEN %s AND %s GROUP BY 1, 2) AS moved
        JOIN ledger_account debit ON debit.id = moved.debit_id
        JOIN ledger_account credit ON credit.id = moved.credit_id
"""
VALUE = ("Issued", "Redeemed", "Expired", "Voided")


@dataclass(frozen=True, slots=True)
class Place:
    """One lease's month: its statement and the cash that came for it (yuan)."""

    statement: Statement
    received: Decimal

    @property
    def lease(self) -> Lease:
        return self.statement.lease


@dataclass
class Report:
    """One month. `sums` add up as `places` do, and what was received as `places` and `others` do: leases that paid
    and have no statement of the month, as after their end. `value` is voucher value by what became of it in the books.
    """

    month: date
    places: list[Place]
    others: list[tuple[Lease, Decimal]]
    sums: dict[str, Decimal]
    redemptions: int
    under_review: int
    services: list[tuple[str, str, int, Decimal]]  # code, name, quantity, voucher value
    value: dict[str, Decimal] = field(default_factory=dict)
    payouts: dict[str, Decimal] = field(default_factory=dict)
    payouts_open: int = 0
    """Lists of the month that are not approved: what `payouts` sums of them may still change."""
    inspections: int = 0
    findings: int = 0
    findings_open: int = 0

    @property
    def received_elsewhere(self) -> Decimal:
        """The part of what was received that came for leases without a statement of the month."""
        return sum((amount for _lease, amount in self.others), ZERO)

    @property
    def posted(self) -> bool:
        """Whether every statement of the month is approved: then no figure of rent changes any more."""
        return all(place.statement.state == Statement.State.APPROVED for place in self.places)


SUMMED = ("charge", "credit", "applied", "lapsed", "cash_due", "carry_out")


def report(month: date, *, leases: QuerySet[Lease], whole_city: bool) -> Report:
    """This function will gather a month (its first day) over these leases; voucher value and payouts only for
    the whole city."""
    last = last_day(month)
    received = received_of(month, leases=None if whole_city else leases)
    statements = (
        Statement.objects.filter(month=month, lease__in=leases)
        .select_related("lease__operator", "lease__premises__division")
        .order_by("lease__code")
    )
    places = [Place(one, received.pop(one.lease_id, ZERO)) for one in statements]
    late = leases.filter(pk__in=received).select_related("operator", "premises__division").order_by("code")
    others = [(lease, received[lease.pk]) for lease in late]
    sums = {name: sum((getattr(one.statement, name) for one in places), ZERO) for name in SUMMED}
    came = [one.received for one in places] + [amount for _lease, amount in others]
    sums["received"] = sum(came, ZERO)
    served = Redemption.objects.filter(
        service_on__gte=month, service_on__lt=next_month(month), reversed_on=None, lease__in=leases
    )
    seen = Inspection.objects.filter(inspected_on__gte=month, inspected_on__lte=last, lease__in=leases)
    found = Finding.objects.filter(inspection__in=seen).aggregate(
        n=Count("id"), open=Count("id", filter=Q(mended_on=None))
    )
    return Report(
        month=month,
        places=places,
        others=others,
        sums=sums,
        redemptions=sum(one.statement.redemptions for one in places),
        under_review=sum(one.statement.under_review for one in places),
        services=[
            (row["service__code"], row["service__name"], row["n"], row["value"])
            for row in served.values("service__code", "service__name")
            .annotate(n=Sum("quantity"), value=Sum("vouchers"))
            .order_by("-value", "service__name")
        ],
        value=_value(month, last) if whole_city else {},
        payouts=_payouts(month) if whole_city else {},
        payouts_open=_lists(month).exclude(state=Payout.State.APPROVED).count() if whole_city else 0,
        inspections=seen.count(),
        findings=found["n"],
        findings_open=found["open"],
    )


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall()


def _value(month: date, last: date) -> dict[str, Decimal]:
    """Voucher value issued, redeemed (less what was given back), expired and voided, as the books of the month say."""
    found = dict.fromkeys(VALUE, ZERO)
    for credit, debit, amount in _rows(MOVED, [month, last]):
        for name, sign in ((credit, 1), (debit, -1)):
            if name == "Issued":
                found[name] -= sign * amount  # issued is debited
            elif name in found:
                found[name] += sign * amount
    return found


def _lists(month: date) -> QuerySet[Payout]:
    return Payout.objects.filter(month=month)


def _payouts(month: date) -> dict[str, Decimal]:
    """What the payout lists of the month say."""
    names = ("government", "charity", "vouchers", "reversed", "to_pay")
    sums = _lists(month).aggregate(**{name: Sum(name) for name in names})
    return {name: sums[name] or ZERO for name in names}
