"""Outgoing bank lines pay payout lists, refunds and what is handed over (rules.md section 8).

A line's money waits in Assets:Suspense:Payments until it is matched. What it pays adds up to the line, to the fen.
One that bears the numbers of what it pays, and their very sum, is matched by itself; the rest a clerk decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from ledger import chart
from ledger.journal.operations import Move, hold_journal_open
from ledger.money import ZERO
from providers.leases import suspense
from providers.leases.suspense import CannotMatch
from providers.models import Handover, Receipt, ReceiptDecision, Refund
from vouchers.models import Payout

Payable = Payout | Refund | Handover
KINDS: tuple[type[Payable], ...] = (Payout, Refund, Handover)
NUMBER = re.compile(r"(?:BF|TK|JK)-[A-Z0-9]+(?:-[0-9]+)+")


@dataclass(frozen=True, slots=True)
class Due:
    """Something approved that waits to be paid: its number, to whom, how much (yuan)."""

    document: Payable
    number: str
    payee: str
    amount: Decimal


def _rows(kind: type[Payable]) -> Any:
    """What of this kind waits to be paid."""
    if kind is Payout:
        rows = Payout.objects.filter(state=Payout.State.APPROVED, receipt=None, to_pay__gt=0)
        return rows.select_related("operator")
    if kind is Refund:
        return Refund.objects.filter(state=Refund.State.APPROVED).select_related("lease__operator")
    return Handover.objects.filter(state=Handover.State.APPROVED).select_related("owner")


def due_of(document: Payable) -> Due:
    if isinstance(document, Payout):
        return Due(document, document.number, document.operator.name, document.to_pay)
    if isinstance(document, Refund):
        return Due(document, document.number, document.lease.operator.name, document.amount)
    return Due(document, document.number, document.owner.name, document.amount)


def dues() -> list[Due]:
    """Everything that waits to be paid, by number."""
    return sorted((due_of(one) for kind in KINDS for one in _rows(kind)), key=lambda due: due.number)


def paid_by(receipt: Receipt) -> list[Due]:
    """What an outgoing line paid."""
    return [
        due_of(one) for rows in (receipt.payouts, receipt.refunds, receipt.handovers) for one in rows.all()
    ]


def _debit(document: Payable) -> str:
    """The account that paying this clears."""
    if isinstance(document, Payout):
        return chart.payable(document.operator.code)
    if isinstance(document, Refund):
        return chart.receivable_rent(document.lease.code)
    return chart.handed_over(document.owner.code)


def pay(*, receipt: Receipt, numbers: Sequence[str], by: Any, at: datetime) -> Receipt:
    """This function will match an outgoing line to what it paid, by numbers.

    Raises CannotMatch: wrong_role, incoming, moved_on, nothing_chosen, not_payable, does_not_add_up.
    """
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by, direction="out")
        return _pay(receipt, numbers, by=by, at=at)


def _pay(receipt: Receipt, numbers: Sequence[str], *, by: Any, at: datetime) -> Receipt:
    if receipt.state != Receipt.State.SUSPENSE:
        raise CannotMatch("moved_on")
    wanted = sorted(set(numbers))
    if not wanted:
        raise CannotMatch("nothing_chosen")
    found = [
        due_of(one)
        for kind in KINDS
        for one in _rows(kind).select_for_update(of=["self"]).filter(number__in=wanted).order_by("number")
    ]
    if len(found) < len(wanted):
        raise CannotMatch("not_payable")
    if sum((due.amount for due in found), ZERO) != receipt.bank_line.amount:
        raise CannotMatch("does_not_add_up")
    for due in found:
        _stands(due.document, receipt)
    receipt.state = Receipt.State.PAID
    receipt.save(update_fields=["state"])
    return suspense.noted(
        receipt,
        ReceiptDecision.Action.PAY,
        [Move(_debit(due.document), chart.SUSPENSE_PAYMENTS, due.amount) for due in found],
        told=[[due.number, str(due.amount)] for due in found],
        by=by,
        at=at,
        reason="",
    )


def _stands(document: Payable, receipt: Receipt | None) -> None:
    """Paid by this line; by none: approved again."""
    document.receipt = receipt
    if isinstance(document, Payout):
        document.save(update_fields=["receipt"])
    else:
        document.state = type(document).State.PAID if receipt else type(document).State.APPROVED
        document.save(update_fields=["receipt", "state"])


def take_back(*, receipt: Receipt, reason: str, by: Any, at: datetime) -> Receipt:
    """This function will take a line back from what it paid: that waits to be paid again. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by, direction="out")
        if receipt.state != Receipt.State.PAID:
            raise CannotMatch("moved_on")
        found = paid_by(receipt)
        receipt.state = Receipt.State.SUSPENSE
        for due in found:
            _stands(due.document, None)
        receipt.save(update_fields=["state"])
        return suspense.noted(
            receipt,
            ReceiptDecision.Action.RELEASE,
            [Move(_debit(due.document), chart.SUSPENSE_PAYMENTS, -due.amount) for due in found],
            told=[[due.number, str(due.amount)] for due in found],
            by=by,
            at=at,
            reason=reason,
        )


def pay_what_bears_numbers(*, by: Any, at: datetime) -> int:
    """This function will match every outgoing line that bears the numbers of what it paid and their very sum;
    how many it matched. What does not fit stays where it is, for a clerk. `by`: who imported the lines."""
    known = {due.number for due in dues()}
    if not known:
        return 0
    matched = 0
    waiting = Receipt.objects.filter(state=Receipt.State.SUSPENSE, bank_line__direction="out")
    for receipt in waiting.select_related("bank_line").order_by("id"):
        line = receipt.bank_line
        numbers = known.intersection(NUMBER.findall(f"{line.summary} {line.purpose}"))
        if not numbers:
            continue
        with transaction.atomic():
            hold_journal_open()
            locked = Receipt.objects.select_for_update(of=["self"]).select_related("bank_line")
            try:
                with transaction.atomic():
                    _pay(locked.get(pk=receipt.pk), sorted(numbers), by=by, at=at)
            except CannotMatch:
                continue  # the sum is another: a clerk looks at it
        matched += 1
        known -= numbers
    return matched
