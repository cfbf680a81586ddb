"""What people decide about bank lines: confirm, decline, match, split, book, pair, release (rules.md section 8).

Donations (vouchers/funds) and payments (vouchers/payments) decide by `locked` and `noted` here too. Money leaves
Liabilities:Suspense:Receipts for the rent of a lease, or comes back to it. What is nobody's rent, gift or payment is
the bank's own fee or interest, or one of two lines that undo each other. Every decision is one row with its entry,
dated the bank's day; nothing is changed that was posted.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import as_now, name_of, record
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.models import Lease, Receipt, ReceiptDecision, ReceiptPart, Returned

Action, State = ReceiptDecision.Action, Receipt.State

SENTENCES = {
    "wrong_role": _("Only a clerk of the bureau decides about bank lines."),
    "moved_on": _("Somebody has decided about this line meanwhile. Reload the page to see how it stands."),
    "outgoing": _("This money went out: it pays no rent."),
    "incoming": _("This money came in: it pays nobody."),
    "nothing_chosen": _("Choose what this money paid."),
    "not_payable": _("One of these is paid already, or not approved. Reload the page to see how it stands."),
    "too_much": _("One part is more than waits to be paid of it. Correct the amounts."),
    "no_pair": _("These two are no pair: one came and one went, of the same amount."),
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


# What the bank takes or gives by itself: which way, under which state, from and to which account.
OWN: dict[str, tuple[str, Move]] = {
    State.FEE: ("out", Move(chart.BANK_FEES, chart.SUSPENSE_PAYMENTS, ZERO)),
    State.INTEREST: ("in", Move(chart.SUSPENSE_RECEIPTS, chart.BANK_INTEREST, ZERO)),
}


def book(*, receipt: Receipt, own: str, by: Any, at: datetime) -> Receipt:
    """This function will book a line as the bank's own doing: `own` is "fee" (it went out) or "interest" (it came).

    Raises CannotMatch: wrong_role, incoming, outgoing, moved_on.
    """
    direction, _move = OWN[own]
    with transaction.atomic():
        receipt, by = locked(receipt, by, direction=direction)
        if receipt.state != State.SUSPENSE:
            raise CannotMatch("moved_on")
        receipt.state = own
        receipt.save(update_fields=["state"])
        moves = _own(receipt, own, 1)
        return noted(receipt, Action(own), moves, told=[["", str(moves[0].amount)]], by=by, at=at, reason="")


def _own(receipt: Receipt, own: str, sign: int) -> list[Move]:
    return [OWN[own][1]._replace(amount=sign * receipt.bank_line.amount)]


def pair(came: Receipt, went: Receipt, *, reason: str, by: Any, at: datetime) -> None:
    """Two lines, locked and both in suspense, undo each other; see vouchers/payments: pair_returned."""
    Returned.objects.create(came=came, went=went)
    _pair_stands(came, went, State.RETURNED, 1, Action.RETURN, reason=reason, by=by, at=at)


def part(*, receipt: Receipt, by: Any, at: datetime, reason: str) -> Receipt:
    """This function will undo a pair: both lines wait in suspense again. Raises CannotMatch: wrong_role, moved_on."""
    with transaction.atomic():
        found = Returned.objects.filter(Q(came=receipt) | Q(went=receipt)).first()
        if found is None:
            raise CannotMatch("moved_on")
        both = {"in": found.came, "out": found.went}
        for direction, one in sorted(both.items(), key=lambda way: way[1].pk):
            both[direction], by = locked(one, by, direction=direction)
        came, went = both["in"], both["out"]
        if not Returned.objects.filter(pk=found.pk).delete()[0]:
            raise CannotMatch("moved_on")  # somebody else was first
        _pair_stands(came, went, State.SUSPENSE, -1, Action.RELEASE, reason=reason, by=by, at=at)
        return came if came.pk == receipt.pk else went


def _pair_stands(
    came: Receipt, went: Receipt, state: str, sign: int, action: str, *, reason: str, by: Any, at: datetime
) -> None:
    """The entry is the incoming line's, dated the later bank day; the decision stands with both, each naming the
    other."""
    later = max(came.bank_line.booked_at, went.bank_line.booked_at)
    amount = came.bank_line.amount
    moves = [Move(chart.SUSPENSE_RECEIPTS, chart.SUSPENSE_PAYMENTS, sign * amount)]
    for one, other, moved in ((came, went, moves), (went, came, [])):
        one.state, one.lease, one.month = state, None, None
        one.save(update_fields=["state", "lease", "month"])
        told = [[f"#{other.bank_line_id}", str(amount)]]
        noted(one, action, moved, told=told, by=by, at=at, reason=reason, dated_on=day_of(later))


def release(*, receipt: Receipt, by: Any, at: datetime, reason: str) -> Receipt:
    """This function will take a line back from the lease or leases that it paid, or from the fees or the interest
    as which it was booked; its money waits again. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = locked(receipt, by, direction=None)
        if receipt.state in OWN:
            moves = _own(receipt, receipt.state, -1)
            receipt.state = State.SUSPENSE
            receipt.save(update_fields=["state"])
            told = [["", str(-moves[0].amount)]]
            return noted(receipt, Action.RELEASE, moves, told=told, by=by, at=at, reason=reason)
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


def locked(receipt: Receipt, by: Any, *, direction: str | None = "in") -> tuple[Receipt, Any]:
    """The receipt as it stands now, its row locked, and the person as the register has them now.

    `direction`: which way its money must have gone; None either. Raises CannotMatch: wrong_role, outgoing, incoming.
    """
    hold_journal_open()
    found = (
        Receipt.objects.select_for_update(of=["self"]).select_related("bank_line", "lease").get(pk=receipt.pk)
    )
    by = as_now(by)
    if not by.holds("bureau_clerk"):
        raise CannotMatch("wrong_role")
    if direction and found.bank_line.direction != direction:
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
    dated_on: date | None = None,
) -> Receipt:
    """Post what the decision moves, and keep who decided. `told`: for whom or what, each with its yuan; `dated_on`:
    where the entry is not of the line's own bank day."""
    entry = None
    if moves:
        entry = post(
            key=f"receipt:{receipt.pk}:{receipt.decisions.count() + 1}",
            kind="receipt",
            dated_on=dated_on or day_of(receipt.bank_line.booked_at),
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
