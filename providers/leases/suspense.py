"""What people decide about bank lines: confirm, decline, match, split, release (rules.md section 8).

Donations (vouchers/funds) and payments (vouchers/payments) decide by `locked` and `noted` here too. Money leaves Liabilities:Suspense:Receipts for the rent of a lease, or comes back to it. Every decision is
one row with its entry, dated the bank's day; nothing is changed that was posted.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import as_now, name_of, record
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.models import Lease, Receipt, ReceiptDecision, ReceiptPart

Action, State = ReceiptDecision.Action, Receipt.State

SENTENCES = {
    "wrong_role": _("Only a clerk of the bureau decides about bank lines."),
    "moved_on": _("Somebody has decided about this line meanwhile. Reload the page to see how it stands."),
    "outgoing": _("This money went out: it pays no rent."),
    "incoming": _("This money came in: it pays nobody."),
    "nothing_chosen": _("Choose what this money paid."),
    "not_payable": _("One of these is paid already, or not approved. Reload the page to see how it stands."),
    "does_not_add_up": _("The parts do not add up to the bank line. Correct the amounts."),
    "lease_twice": _("One lease stands there twice. Give each lease one amount."),
}


class CannotMatch(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def confirm(*, receipt: Receipt, by: Any, at: datetime) -> Receipt:
    """This function will let a proposal stand: its money pays the lease. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = locked(receipt, by)
        if receipt.state != State.PROPOSED or receipt.lease is None:
            raise CannotMatch("moved_on")
        parts = [(receipt.lease, receipt.bank_line.amount)]
        return _take(receipt, Action.CONFIRM, parts, by=by, at=at, reason="")


def decline(*, receipt: Receipt, by: Any, at: datetime, reason: str = "") -> Receipt:
    """This function will put a proposal back among what nobody knows. Its money moves nowhere."""
    with transaction.atomic():
        receipt, by = locked(receipt, by)
        if receipt.state != State.PROPOSED:
            raise CannotMatch("moved_on")
        receipt.state, receipt.lease, receipt.month = State.SUSPENSE, None, None
        receipt.save(update_fields=["state", "lease", "month"])
        return noted(receipt, Action.DECLINE, [], by=by, at=at, reason=reason)


def match_by_hand(
    *, receipt: Receipt, parts: Sequence[tuple[Lease, Decimal]], by: Any, at: datetime, reason: str = ""
) -> Receipt:
    """This function will let a line pay one lease, or several: their parts (yuan) add up to the line.

    Raises CannotMatch: wrong_role, outgoing, moved_on, lease_twice, does_not_add_up.
    """
    with transaction.atomic():
        receipt, by = locked(receipt, by)
        if receipt.state not in (State.PROPOSED, State.SUSPENSE):
            raise CannotMatch("moved_on")
        if len({lease.pk for lease, _amount in parts}) < len(parts):
            raise CannotMatch("lease_twice")
        right = parts and all(amount > 0 for _lease, amount in parts)
        if not right or sum((amount for _lease, amount in parts), ZERO) != receipt.bank_line.amount:
            raise CannotMatch("does_not_add_up")
        action = Action.MATCH if len(parts) == 1 else Action.SPLIT
        return _take(receipt, action, parts, by=by, at=at, reason=reason)


def release(*, receipt: Receipt, by: Any, at: datetime, reason: str) -> Receipt:
    """This function will take a line back from the lease or leases that it paid; its money waits again."""
    with transaction.atomic():
        receipt, by = locked(receipt, by)
        if receipt.state == State.MATCHED and receipt.lease is not None:
            parts = [(receipt.lease, receipt.bank_line.amount)]
        elif receipt.state == State.SPLIT:
            parts = [(part.lease, part.amount) for part in receipt.parts.select_related("lease")]
            receipt.parts.all().delete()
        else:
            raise CannotMatch("moved_on")
        receipt.state, receipt.lease, receipt.month = State.SUSPENSE, None, None
        receipt.save(update_fields=["state", "lease", "month"])
        back = [Move(debit, credit, -amount) for debit, credit, amount in _to_leases(parts)]
        return noted(receipt, Action.RELEASE, back, told=_told(parts), by=by, at=at, reason=reason)


def locked(receipt: Receipt, by: Any, *, direction: str = "in") -> tuple[Receipt, Any]:
    """The receipt as it stands now, its row locked, and the person as the register has them now.

    Raises CannotMatch: wrong_role, outgoing, incoming.
    """
    hold_journal_open()
    found = (
        Receipt.objects.select_for_update(of=["self"]).select_related("bank_line", "lease").get(pk=receipt.pk)
    )
    by = as_now(by)
    if not by.holds("bureau_clerk"):
        raise CannotMatch("wrong_role")
    if found.bank_line.direction != direction:
        raise CannotMatch("outgoing" if direction == "in" else "incoming")
    return found, by


def _take(
    receipt: Receipt,
    action: str,
    parts: Sequence[tuple[Lease, Decimal]],
    *,
    by: Any,
    at: datetime,
    reason: str,
) -> Receipt:
    receipt.month = None
    if len(parts) == 1:
        receipt.state, receipt.lease = State.MATCHED, parts[0][0]
    else:
        receipt.state, receipt.lease = State.SPLIT, None
        ReceiptPart.objects.bulk_create(
            ReceiptPart(receipt=receipt, lease=lease, amount=amount) for lease, amount in parts
        )
    receipt.save(update_fields=["state", "lease", "month"])
    return noted(receipt, action, _to_leases(parts), told=_told(parts), by=by, at=at, reason=reason)


def _to_leases(parts: Sequence[tuple[Lease, Decimal]]) -> list[Move]:
    return [
        Move(chart.SUSPENSE_RECEIPTS, chart.receivable_rent(lease.code), amount) for lease, amount in parts
    ]


def _told(parts: Sequence[tuple[Lease, Decimal]]) -> list[list[str]]:
    return [[lease.code, str(amount)] for lease, amount in parts]


def noted(
    receipt: Receipt,
    action: str,
    moves: Sequence[Move],
    *,
    told: Sequence[Sequence[str]] = (),
    by: Any,
    at: datetime,
    reason: str,
) -> Receipt:
    """Post what the decision moves, and keep who decided. `told`: for whom or what, each with its yuan."""
    entry = None
    if moves:
        entry = post(
            key=f"receipt:{receipt.pk}:{receipt.decisions.count() + 1}",
            kind="receipt",
            dated_on=day_of(receipt.bank_line.booked_at),
            at=at,
            moves=moves,
        )
    ReceiptDecision.objects.create(
        receipt=receipt,
        action=action,
        parts=list(told),
        reason=reason[:200],
        by=name_of(by),
        at=at,
        entry=entry,
    )
    record(
        by=by,
        at=at,
        action=f"receipt_{action}",
        subject=f"bank line {receipt.bank_line_id}",
        detail={"parts": list(told), "reason": reason[:200]},
    )
    return receipt
