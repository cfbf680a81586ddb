"""Cash that bank lines brought for leases: whole lines that are matched, and the parts of those that are split."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth

from ledger.journal.queries import SHANGHAI, midnight, next_month
from ledger.money import ZERO
from providers.leases.models import Lease, Receipt, ReceiptPart

BOOKED = {"whole": "bank_line__booked_at", "part": "receipt__bank_line__booked_at"}
AMOUNT = {"whole": "bank_line__amount", "part": "amount"}


def received_of(month: date, *, leases: QuerySet[Lease] | None = None) -> dict[int, Decimal]:
    """What came for each lease (its id) in a month, in yuan, whether it has a statement or not. Two queries.

    `leases`: these alone; None, all.
    """
    came: dict[int, Decimal] = {}
    for side, rows in _sides(month, leases):
        of_month = rows.filter(**{f"{BOOKED[side]}__lt": midnight(next_month(month))})
        for lease, amount in of_month.order_by().values_list("lease").annotate(sum=Sum(AMOUNT[side])):
            came[lease] = came.get(lease, ZERO) + amount
    return came


def received_since(first: date, *, leases: QuerySet[Lease] | None = None) -> dict[date, Decimal]:
    """What came in each month from `first` on, in yuan. Two queries; `leases` as above."""
    came: dict[date, Decimal] = {}
    for side, rows in _sides(first, leases):
        by_month = rows.order_by().annotate(of=TruncMonth(BOOKED[side], tzinfo=SHANGHAI)).values_list("of")
        for moment, amount in by_month.annotate(sum=Sum(AMOUNT[side])):
            came[moment.date()] = came.get(moment.date(), ZERO) + amount
    return came


def _sides(first: date, leases: QuerySet[Lease] | None) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Matched lines and parts of split ones, booked in the month `first` or later."""
    whole = Receipt.objects.filter(state=Receipt.State.MATCHED, bank_line__direction="in")
    sides: tuple[tuple[str, QuerySet[Any]], ...] = (("whole", whole), ("part", ReceiptPart.objects.all()))
    for side, rows in sides:
        found = rows.filter(**{f"{BOOKED[side]}__gte": midnight(first)})
        yield side, found if leases is None else found.filter(lease__in=leases.values("pk"))
