"""Which bank lines paid a month's rent: money pays the oldest month first (rules.md section 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from ledger.models import BankLine
from ledger.money import ZERO
from providers.leases.models import Lease, Receipt, ReceiptPart, Refund, RentCharge


@dataclass(frozen=True, slots=True)
class Paid:
    """`amount` yuan of this line went to the month that was asked about."""

    line: BankLine
    amount: Decimal


def shares(
    *, before: Decimal, due: Decimal, came: Sequence[Decimal], given_back: Decimal = ZERO
) -> list[Decimal]:
    """What each of the sums that came in, in their order, pays of a due that stands behind `before`. Pure.

    What was given back is taken from the last ones: an overpayment is no month's.
    """
    found, reached = [], ZERO
    kept = sum(came, ZERO) - given_back
    for amount in came:
        upto = min(reached + amount, kept)
        found.append(max(min(upto, before + due) - max(reached, before), ZERO))
        reached += amount
    return found


def paid_by(*, lease: Lease, month: date) -> list[Paid]:
    """The lines that paid what a posted statement left in cash, each with its share. Five queries."""
    dues = dict(RentCharge.objects.filter(lease=lease, month__lte=month).values_list("month", "cash_due"))
    due = dues.pop(month, ZERO)
    if not due:
        return []
    came, given_back = _came(lease)
    paid = shares(
        before=sum(dues.values(), ZERO),
        due=due,
        came=[amount for _line, amount in came],
        given_back=given_back,
    )
    return [Paid(line, amount) for (line, _amount), amount in zip(came, paid, strict=True) if amount]


def months_paid(*, line: BankLine, lease: Lease) -> list[tuple[date, Decimal]]:
    """The other way round: the months of a lease that this line paid, oldest first, each with its share.

    What is missing to the line's amount paid no month yet: it waits for the next that is posted, or was given back.
    Five queries.
    """
    came, given_back = _came(lease)
    amounts = [amount for _line, amount in came]
    own = [place for place, (one, _amount) in enumerate(came) if one.pk == line.pk]
    found, before = [], ZERO
    dues = RentCharge.objects.filter(lease=lease).order_by("month").values_list("month", "cash_due")
    for month, due in dues if own else ():
        paid = shares(before=before, due=due, came=amounts, given_back=given_back)
        if share := sum((paid[place] for place in own), ZERO):
            found.append((month, share))
        before += due
    return found


def _came(lease: Lease) -> tuple[list[tuple[BankLine, Decimal]], Decimal]:
    """What came in for a lease, line by line in the order of the bank, and how much of all was given back."""
    whole = Receipt.objects.filter(lease=lease, state=Receipt.State.MATCHED, bank_line__direction="in")
    came = [(one.bank_line, one.bank_line.amount) for one in whole.select_related("bank_line__entry")]
    parts = ReceiptPart.objects.filter(lease=lease).select_related("receipt__bank_line__entry")
    came += [(one.receipt.bank_line, one.amount) for one in parts]
    came.sort(key=lambda one: (one[0].booked_at, one[0].pk))
    refunds = Refund.objects.filter(lease=lease, state__in=Refund.PENDING)
    return came, refunds.aggregate(sum=Sum("amount"))["sum"] or ZERO
