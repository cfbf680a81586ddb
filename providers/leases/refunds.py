"""Cash paid too much for a lease that has ended goes back (rules.md sections 7 and 8).

Offset credit is never refunded: after the end there is no rent to offset, and it lapses in time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.queries import day_of, month_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.leases.receipts import Dues
from providers.models import Lease, Receipt, Refund, RentCharge

State = Refund.State

SENTENCES = {
    "wrong_role": _("A clerk of the bureau draws up refunds, an approver approves them."),
    "still_running": _("This lease has not ended: what was paid too much counts towards its next dues."),
    "not_settled": _("The last month of this lease is not posted yet: what it still owes is not known."),
    "not_overpaid": _("This lease has paid no more than it owed."),
    "too_much": _("This is more than the lease has paid too much."),
    "same_person": _("Who drew it up does not approve it."),
    "part_paid": _("A part of this is paid already. Release the bank line that paid it first."),
    "moved_on": _("This has gone on meanwhile. Reload the page to see where it stands."),
}


class CannotRefund(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


@dataclass(frozen=True, slots=True)
class Overpaid:
    """What a lease has paid too much, yuan; `refusal` says why it cannot be refunded now, if so."""

    lease: Lease
    amount: Decimal
    refusal: CannotRefund | None


def overpaid(today: date) -> Iterator[Overpaid]:
    """The leases that have paid more than they owed, in code order. A fixed number of queries."""
    dues = Dues()
    last = RentCharge.objects.filter(lease=OuterRef("pk"), month=OuterRef("last_month"))
    leases = Lease.objects.annotate(last_month=TruncMonth("ends_on")).annotate(settled=Exists(last))
    for lease in leases.select_related("operator", "premises").order_by("code"):
        if (amount := dues.overpaid(lease.code)) > ZERO:
            try:
                _check(lease, today, settled=lease.settled)
                yield Overpaid(lease, amount, None)
            except CannotRefund as refusal:
                yield Overpaid(lease, amount, refusal)


def _check(lease: Lease, today: date, *, settled: bool) -> None:
    """`settled`: the month in which the lease ended is posted."""
    if lease.ends_on >= today:
        raise CannotRefund("still_running")
    if not settled:
        raise CannotRefund("not_settled")


def draw_up_refund(*, lease: Lease, amount: Decimal, reason: str, by: Any, at: datetime) -> Refund:
    """This function will propose to give back cash of an ended lease.

    Raises CannotRefund: wrong_role, still_running, not_settled, not_overpaid, too_much.
    """
    with transaction.atomic():
        _person(by, "bureau_clerk")
        lease = Lease.objects.select_for_update().get(pk=lease.pk)
        settled = RentCharge.objects.filter(lease=lease, month=month_of(lease.ends_on)).exists()
        _check(lease, day_of(at), settled=settled)
        left = Dues().overpaid(lease.code)
        if left <= 0:
            raise CannotRefund("not_overpaid")
        if not 0 < amount <= left:
            raise CannotRefund("too_much")
        count = lease.refunds.count() + 1
        refund = Refund.objects.create(
            number=f"TK-{lease.code}-{count:03d}",
            lease=lease,
            amount=amount,
            reason=reason.strip()[:200],
            drawn_by=name_of(by),
            drawn_at=at,
        )
        record(
            by=by,
            at=at,
            action="draw_up_refund",
            subject=refund.number,
            detail={"amount": str(refund.amount)},
        )
    return refund


def decide_refund(*, refund: Refund, approve: bool, by: Any, at: datetime) -> Refund:
    """This function will approve a refund, or drop it. Raises CannotRefund: wrong_role, same_person, moved_on,
    part_paid, too_much (a receipt was released, or more is owed meanwhile)."""
    with transaction.atomic():
        lease = Lease.objects.select_for_update().get(pk=refund.lease_id)
        refund = Refund.objects.select_for_update().get(pk=refund.pk)
        _person(by, "bureau_approver" if approve else "bureau_clerk", "bureau_approver")
        if refund.state not in ((State.DRAFT,) if approve else (State.DRAFT, State.APPROVED)):
            raise CannotRefund("moved_on")
        if refund.paid:
            raise CannotRefund("part_paid")
        if approve:
            if refund.drawn_by == name_of(by):
                raise CannotRefund("same_person")
            check_still_owed(refund)
            refund.state, refund.approved_by, refund.approved_at = State.APPROVED, name_of(by), at
        else:
            refund.state = State.DROPPED
        refund.save(update_fields=["state", "approved_by", "approved_at"])
        record(
            by=by,
            at=at,
            action="approve_refund" if approve else "drop_refund",
            subject=refund.number,
            detail={"lease": lease.code, "amount": str(refund.amount)},
        )
    return refund


def check_still_owed(refund: Refund) -> None:
    """This function will refuse a refund of money that the lease has not paid too much any more: too_much."""
    paid, due = (
        received(refund.lease),
        sum(refund.lease.rent_charges.values_list("cash_due", flat=True), ZERO),
    )
    pending = refund.lease.refunds.filter(state__in=Refund.PENDING).values_list("amount", flat=True)
    if paid - due < sum(pending, ZERO):
        raise CannotRefund("too_much")


def received(lease: Lease, *, until: date | None = None) -> Decimal:
    """What bank lines have paid for a lease (`until`: booked on or before that day), yuan."""
    whole = lease.receipts.filter(state=Receipt.State.MATCHED).values_list(
        "bank_line__booked_at", "bank_line__amount"
    )
    parts = lease.receipt_parts.values_list("receipt__bank_line__booked_at", "amount")
    return sum(
        (amount for booked_at, amount in [*whole, *parts] if until is None or day_of(booked_at) <= until),
        ZERO,
    )


def _person(by: Any, *roles: str) -> None:
    person = as_now(by)
    if not any(person.holds(role) for role in roles):
        raise CannotRefund("wrong_role")
