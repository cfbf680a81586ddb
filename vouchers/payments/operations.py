"""Outgoing bank lines pay payout lists, refunds and what is handed over (rules.md section 8).

A line's money waits in Assets:Suspense:Payments until it is matched. What it pays adds up to the line, to the fen;
what is due may be paid by several lines, each a part of it, and is paid when they are the whole of it.
A line that bears the numbers of what it pays, and the very sum of what is left of them, is matched by itself; the
rest a clerk decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from ledger import chart
from ledger.journal.operations import Move, hold_journal_open
from ledger.models import BankLine
from ledger.money import ZERO
from providers.leases import suspense
from providers.leases.suspense import CannotMatch
from providers.models import Handover, HandoverPayment, Receipt, ReceiptDecision, Refund, RefundPayment
from vouchers.models import Payout, PayoutPayment

Payable = Payout | Refund | Handover
PAYMENTS: dict[type[Payable], Any] = {
    Payout: PayoutPayment,
    Refund: RefundPayment,
    Handover: HandoverPayment,
}
NUMBER = re.compile(r"(?:BF|TK|JK)-[A-Z0-9]+(?:-[0-9]+)+")


@dataclass(frozen=True, slots=True)
class Due:
    """Something approved that waits to be paid, or what one line paid of it: its number, to whom, how much (yuan)
    of the `whole`."""

    document: Payable
    number: str
    payee: str
    amount: Decimal
    whole: Decimal

    @property
    def in_part(self) -> bool:
        return self.amount < self.whole


def _rows(kind: type[Payable]) -> Any:
    """What of this kind waits to be paid, or to be paid the rest of."""
    if kind is Payout:
        rows = Payout.objects.filter(state=Payout.State.APPROVED, paid__lt=F("to_pay"))
        return rows.select_related("operator")
    if kind is Refund:
        return Refund.objects.filter(state=Refund.State.APPROVED).select_related("lease__operator")
    return Handover.objects.filter(state=Handover.State.APPROVED).select_related("owner")


def due_of(document: Payable, amount: Decimal | None = None) -> Due:
    """What is left to pay of a document, or `amount` yuan of it."""
    if amount is None:
        amount = document.left
    if isinstance(document, Payout):
        return Due(document, document.number, document.operator.name, amount, document.to_pay)
    if isinstance(document, Refund):
        return Due(document, document.number, document.lease.operator.name, amount, document.amount)
    return Due(document, document.number, document.owner.name, amount, document.amount)


def dues() -> list[Due]:
    """Everything that waits to be paid, by number."""
    return sorted((due_of(one) for kind in PAYMENTS for one in _rows(kind)), key=lambda due: due.number)


def borne_by(line: BankLine) -> set[str]:
    """The numbers that a line's own words bear, whatever they are of."""
    return set(NUMBER.findall(f"{line.summary} {line.purpose}"))


def paid_by(receipt: Receipt) -> list[Due]:
    """What an outgoing line paid."""
    found = [
        *receipt.payoutpayments.select_related("payout__operator"),
        *receipt.refundpayments.select_related("refund__lease__operator"),
        *receipt.handoverpayments.select_related("handover__owner"),
    ]
    return [due_of(_paid(one), one.amount) for one in found]


# From a line to what it paid, for lists of lines.
TO_PAID = ("payoutpayments__payout", "refundpayments__refund", "handoverpayments__handover")


def numbers_paid(receipt: Receipt) -> list[str]:
    """The numbers of what an outgoing line paid; asks nothing where TO_PAID was read ahead."""
    found = [*receipt.payoutpayments.all(), *receipt.refundpayments.all(), *receipt.handoverpayments.all()]
    return [_paid(one).number for one in found]


def _paid(payment: Any) -> Payable:
    return getattr(payment, _name(type(payment)))  # type: ignore[no-any-return]


def _name(model: Any) -> str:
    """The field by which a payment names what it paid."""
    return str(model._meta.model_name).removesuffix("payment")


def _debit(document: Payable) -> str:
    """The account that paying this clears."""
    if isinstance(document, Payout):
        return chart.payable(document.operator.code)
    if isinstance(document, Refund):
        return chart.receivable_rent(document.lease.code)
    return chart.handed_over(document.owner.code)


def pay(
    *,
    receipt: Receipt,
    numbers: Sequence[str],
    amounts: Mapping[str, Decimal] | None = None,
    by: Any,
    at: datetime,
) -> Receipt:
    """This function will match an outgoing line to what it paid, by numbers: what is left of each, or the part of
    it that `amounts` tells (yuan).

    Raises CannotMatch: wrong_role, incoming, moved_on, nothing_chosen, not_payable, too_much, does_not_add_up.
    """
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by, direction="out")
        return _pay(receipt, numbers, amounts or {}, by=by, at=at)


def _pay(
    receipt: Receipt, numbers: Sequence[str], amounts: Mapping[str, Decimal], *, by: Any, at: datetime
) -> Receipt:
    if receipt.state != Receipt.State.SUSPENSE:
        raise CannotMatch("moved_on")
    wanted = sorted(set(numbers))
    if not wanted:
        raise CannotMatch("nothing_chosen")
    found = [
        due_of(one)
        for kind in PAYMENTS
        for one in _rows(kind).select_for_update(of=["self"]).filter(number__in=wanted).order_by("number")
    ]
    if len(found) < len(wanted):
        raise CannotMatch("not_payable")
    parts = [(due, amounts.get(due.number, due.amount)) for due in found]
    if any(amount > due.amount for due, amount in parts):
        raise CannotMatch("too_much")
    right = all(amount > 0 for _due, amount in parts)
    if not right or sum((amount for _due, amount in parts), ZERO) != receipt.bank_line.amount:
        raise CannotMatch("does_not_add_up")
    paid = [due_of(due.document, amount) for due, amount in parts]
    for due in paid:
        payments = PAYMENTS[type(due.document)]
        payments.objects.create(receipt=receipt, amount=due.amount, **{_name(payments): due.document})
        _stands(due.document, due.amount)
    receipt.state = Receipt.State.PAID
    receipt.save(update_fields=["state"])
    return _noted(receipt, ReceiptDecision.Action.PAY, paid, 1, by=by, at=at, reason="")


def _stands(document: Payable, amount: Decimal) -> None:
    """So much more of it is paid, or less. All of it: it is paid; else it waits, approved."""
    document.paid += amount
    if isinstance(document, Payout):
        document.save(update_fields=["paid"])
    else:
        states = type(document).State
        document.state = states.APPROVED if document.left else states.PAID
        document.save(update_fields=["paid", "state"])


def _noted(
    receipt: Receipt, action: str, paid: Sequence[Due], sign: int, *, by: Any, at: datetime, reason: str
) -> Receipt:
    return suspense.noted(
        receipt,
        action,
        [Move(_debit(due.document), chart.SUSPENSE_PAYMENTS, sign * due.amount) for due in paid],
        told=[[due.number, str(due.amount)] for due in paid],
        by=by,
        at=at,
        reason=reason,
    )


def take_back(*, receipt: Receipt, reason: str, by: Any, at: datetime) -> Receipt:
    """This function will take a line back from what it paid: that waits to be paid again. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by, direction="out")
        return _take_back(receipt, reason, by=by, at=at)


def _take_back(receipt: Receipt, reason: str, *, by: Any, at: datetime) -> Receipt:
    if receipt.state != Receipt.State.PAID:
        raise CannotMatch("moved_on")
    paid = paid_by(receipt)
    for kind, payments in PAYMENTS.items():
        numbers = [due.document.pk for due in paid if isinstance(due.document, kind)]
        locked = kind._default_manager.select_for_update(of=["self"]).in_bulk(numbers)
        for due in paid:
            if isinstance(due.document, kind):
                _stands(locked[due.document.pk], -due.amount)
        payments.objects.filter(receipt=receipt).delete()
    receipt.state = Receipt.State.SUSPENSE
    receipt.save(update_fields=["state"])
    return _noted(receipt, ReceiptDecision.Action.RELEASE, paid, -1, by=by, at=at, reason=reason)


def pay_what_bears_numbers(*, by: Any, at: datetime) -> int:
    """This function will match every outgoing line that bears the numbers of what it paid and the very sum of what
    is left of them; how many it matched. What does not fit stays where it is, for a clerk, and so does what a clerk
    took back from what it paid. `by`: who imported the lines."""
    known = {due.number for due in dues()}
    if not known:
        return 0
    matched = 0
    waiting = Receipt.objects.filter(state=Receipt.State.SUSPENSE, bank_line__direction="out")
    waiting = waiting.exclude(decisions__action=ReceiptDecision.Action.RELEASE)
    for receipt in waiting.select_related("bank_line").order_by("id"):
        numbers = known & borne_by(receipt.bank_line)
        if not numbers:
            continue
        with transaction.atomic():
            hold_journal_open()
            locked = Receipt.objects.select_for_update(of=["self"]).select_related("bank_line")
            try:
                with transaction.atomic():
                    _pay(locked.get(pk=receipt.pk), sorted(numbers), {}, by=by, at=at)
            except CannotMatch:
                continue  # the sum is another: a clerk looks at it
        matched += 1
        known -= numbers
    return matched


# A transfer that came back


def pair_returned(*, receipt: Receipt, other: Receipt, reason: str, by: Any, at: datetime) -> Receipt:
    """This function will pair two lines of one sum of which one brought back what the other took: a transfer of ours
    that the bank returned, or money of somebody who owes nothing, sent back. Either line may be `receipt`.

    1. What the outgoing line was matched to is taken back first: it waits to be paid again.
    2. The money of both leaves suspense by one entry, dated the later bank day.

    Raises CannotMatch: wrong_role, no_pair, moved_on.
    """
    with transaction.atomic():
        came, went, by = _both(receipt, other, by)
        if went.state == Receipt.State.PAID:
            went = _take_back(went, reason, by=by, at=at)
        if went.state not in Receipt.WAITS or came.state not in Receipt.WAITS:
            raise CannotMatch("moved_on")
        suspense.pair(came, went, reason=reason, by=by, at=at)
        return came if came.pk == receipt.pk else went


def _both(receipt: Receipt, other: Receipt, by: Any) -> tuple[Receipt, Receipt, Any]:
    """The line that came and the one that went, locked in the order of their ids, and the person of now."""
    directions = dict(
        Receipt.objects.filter(pk__in=[receipt.pk, other.pk]).values_list("pk", "bank_line__direction")
    )
    found = {}
    for pk, direction in sorted(directions.items()):
        found[direction], by = suspense.locked(Receipt(pk=pk), by, direction=direction)
    if len(found) < 2 or found["in"].bank_line.amount != found["out"].bank_line.amount:
        raise CannotMatch("no_pair")
    return found["in"], found["out"], by
