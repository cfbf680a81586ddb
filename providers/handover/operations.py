"""Rent that was taken goes to whom it belongs, kept apart by owner (rules.md section 8).

Public revenue goes to the treasury under its number (缴款书), others' rent to the owner. A sum is drawn up by a
clerk, approved by another person, and paid in by an outgoing bank line (vouchers/payments).
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.models import Handover, HandoverLine, Lease, Owner, Premises

State = Handover.State

# Letters and digits that are not mistaken for one another when they are read out or typed.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10

SENTENCES = {
    "wrong_role": _("A clerk of the bureau draws up what is handed over, an approver approves it."),
    "nothing": _("No rent of this owner waits to be handed over up to this day."),
    "draft_waits": _("A sum of this owner waits for approval already. It comes first."),
    "same_person": _("Who drew it up does not approve it."),
    "no_treasury_no": _("Public revenue needs the treasury's number (缴款书号)."),
    "part_paid": _("A part of this is paid already. Release the bank line that paid it first."),
    "moved_on": _("This has gone on meanwhile. Reload the page to see where it stands."),
    "changed": _("What this owner's leases have paid has changed since this was drawn up. Drop it and draw up anew."),
    "too_early": _("This day has not ended yet. Choose one before today."),
}  # fmt: skip


class CannotHandOver(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rent of one owner that waits to be handed over: yuan by lease code, less than zero where more was handed
    over than stands now."""

    name: str
    kind: str
    lines: dict[str, Decimal]

    @property
    def amount(self) -> Decimal:
        return sum(self.lines.values(), ZERO)


# What leases paid up to a day, less refunds paid back up to it, less what is handed over already or about to be.
WAITING = """
    SELECT p.owner, p.owner_kind, l.code, sum(side.amount)
    FROM (
        SELECT r.lease_id, b.amount, b.booked_at FROM providers_receipt r
            JOIN ledger_bankline b ON b.id = r.bank_line_id WHERE r.state = 'matched' AND b.direction = 'in'
        UNION ALL SELECT part.lease_id, part.amount, b.booked_at FROM providers_receiptpart part
            JOIN providers_receipt r ON r.id = part.receipt_id JOIN ledger_bankline b ON b.id = r.bank_line_id
        UNION ALL SELECT f.lease_id, -paid.amount, b.booked_at FROM providers_refundpayment paid
            JOIN providers_refund f ON f.id = paid.refund_id
            JOIN providers_receipt r ON r.id = paid.receipt_id JOIN ledger_bankline b ON b.id = r.bank_line_id
        UNION ALL SELECT line.lease_id, -line.amount, NULL FROM providers_handoverline line
            JOIN providers_handover h ON h.id = line.handover_id WHERE h.state <> 'dropped'
    ) AS side
        JOIN providers_lease l ON l.id = side.lease_id JOIN providers_premises p ON p.id = l.premises_id
    WHERE side.booked_at IS NULL OR (side.booked_at AT TIME ZONE 'Asia/Shanghai')::date <= %s
    GROUP BY 1, 2, 3 HAVING sum(side.amount) <> 0 ORDER BY 1, 2, 3
"""


def waiting(until: date) -> list[Waiting]:
    """What waits to be handed over of what came in up to a day, by owner. One query."""
    found: dict[tuple[str, str], Waiting] = {}
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [until])
        for owner, kind, lease, amount in cursor.fetchall():
            found.setdefault((owner, kind), Waiting(owner, kind, {})).lines[lease] = amount
    return list(found.values())


def owner_of(name: str, kind: str) -> Owner:
    """The owner of this name under its code; a new one gets the next."""
    found = Owner.objects.filter(name=name, kind=kind).first()
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE providers_owner IN SHARE ROW EXCLUSIVE MODE")
        found, _made = Owner.objects.get_or_create(
            name=name, kind=kind, defaults={"code": f"OW{Owner.objects.count() + 1:04d}"}
        )
    return found


def draw_up_handover(*, name: str, kind: str, until: date, by: Any, at: datetime) -> Handover:
    """This function will draw up what one owner is handed of the rent that came in up to a day.

    Raises CannotHandOver: wrong_role, too_early, draft_waits, nothing.
    """
    with transaction.atomic():
        _person(by, "bureau_clerk")
        if until >= day_of(at):
            raise CannotHandOver("too_early")
        if not Premises.objects.filter(owner=name, owner_kind=kind).exists():
            raise CannotHandOver("nothing")
        owner = Owner.objects.select_for_update().get(pk=owner_of(name, kind).pk)
        if owner.handovers.filter(state=State.DRAFT).exists():
            raise CannotHandOver("draft_waits")
        one = _waiting_of(owner, until)
        if one is None or one.amount <= 0:
            raise CannotHandOver("nothing")
        count = owner.handovers.filter(until_on__year=until.year, until_on__month=until.month).count() + 1
        handover = Handover.objects.create(
            number=f"JK-{owner.code}-{until:%Y%m}{'' if count == 1 else f'-{count}'}",
            code="".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH)),
            owner=owner,
            until_on=until,
            amount=one.amount,
            drawn_by=name_of(by),
            drawn_at=at,
        )
        leases = dict(Lease.objects.filter(code__in=one.lines).values_list("code", "id"))
        HandoverLine.objects.bulk_create(
            HandoverLine(handover=handover, lease_id=leases[code], amount=amount)
            for code, amount in one.lines.items()
        )
        record(
            by=by,
            at=at,
            action="draw_up_handover",
            subject=handover.number,
            detail={"amount": str(handover.amount), "until": until.isoformat()},
        )
    return handover


def _waiting_of(owner: Owner, until: date) -> Waiting | None:
    return next((one for one in waiting(until) if (one.name, one.kind) == (owner.name, owner.kind)), None)


def decide_handover(
    *, handover: Handover, approve: bool, by: Any, at: datetime, treasury_no: str = ""
) -> Handover:
    """This function will approve a sum (with the treasury's number where it is public revenue), or drop it.

    Raises CannotHandOver: wrong_role, same_person, moved_on, part_paid, no_treasury_no,
    changed.
    """
    with transaction.atomic():
        owner = Owner.objects.select_for_update().get(pk=handover.owner_id)
        handover = Handover.objects.select_for_update().get(pk=handover.pk)
        _person(by, *(["bureau_approver"] if approve else ["bureau_clerk", "bureau_approver"]))
        if handover.state not in ((State.DRAFT,) if approve else (State.DRAFT, State.APPROVED)):
            raise CannotHandOver("moved_on")
        if handover.paid:
            raise CannotHandOver("part_paid")
        if approve:
            if handover.drawn_by == name_of(by):
                raise CannotHandOver("same_person")
            treasury_no = treasury_no.strip()[:40]
            if owner.to_treasury and not treasury_no:
                raise CannotHandOver("no_treasury_no")
            late = _waiting_of(owner, handover.until_on)
            if late is not None and any(amount < 0 for amount in late.lines.values()):
                raise CannotHandOver("changed")  # a receipt was released meanwhile
            handover.state, handover.treasury_no = State.APPROVED, treasury_no
            handover.approved_by, handover.approved_at = name_of(by), at
        else:
            handover.state = State.DROPPED
        handover.save(update_fields=["state", "treasury_no", "approved_by", "approved_at"])
        record(
            by=by,
            at=at,
            action="approve_handover" if approve else "drop_handover",
            subject=handover.number,
            detail={"amount": str(handover.amount), "treasury_no": handover.treasury_no},
        )
    return handover


def digest_of(handover: Handover) -> str:
    """SHA-256 over what stands on the paper: owner, day, amount, treasury's number, the leases with their yuan."""
    content = [
        handover.number,
        handover.owner.code,
        handover.until_on.isoformat(),
        str(handover.amount),
        handover.treasury_no,
        *[[line.lease.code, str(line.amount)] for line in handover.lines.select_related("lease")],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _person(by: Any, *roles: str) -> None:
    person = as_now(by)
    if not any(person.holds(role, city=True) for role in roles):
        raise CannotHandOver("wrong_role")
