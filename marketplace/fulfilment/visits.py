"""Telling of a visit, and what follows for its order: under way, delivered, nobody there (docs/decisions/0013-visits.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.operations import close, locked
from marketplace.messages.operations import tell
from providers.models import Caregiver
from vouchers.models import Hold, Redemption, Visit, VisitReport
from vouchers.redemption.operations import Redeemed, RedemptionOrder, deliver
from vouchers.redemption.refusals import CannotRedeem
from vouchers.visits import operations as visits
from vouchers.visits.operations import Told
from vouchers.visits.refusals import CannotReport

KEYS = "visits"
"""The scope of the keys under which visits redeem: the key is the hold's, so a visit is paid once."""
Kind = VisitReport.Kind
CHANNELS = {
    VisitReport.How.CODE: Redemption.Channel.QR,
    VisitReport.How.CARD: Redemption.Channel.PAPER,
    VisitReport.How.PIN: Redemption.Channel.PIN,
    VisitReport.How.HOTLINE: Redemption.Channel.HOTLINE,
}


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a report. `receipt` where it led to a redemption in this very call."""

    report: VisitReport
    receipt: Redeemed | None = None
    repeated: bool = False


def report(*, work: WorkOrder, caregiver: Caregiver, told: Told, by: Any, at: datetime) -> Noted:
    """This function will take in one thing that a caregiver tells of a visit, once for its key.

    1. Answer a key that was used before as it was answered then.
    2. Find out whom the elder's code shows; that is noted, whatever comes of it.
    3. Under the elder's lock: write the report and let the order follow, up to its redemption.
    4. Refused, keep what was told with its refusal.

    Call it outside any transaction. Raises CannotReport.
    """
    known = visits.told_before(told=told, hold=work.hold)
    if known is not None:
        return Noted(known, repeated=True)
    try:
        visits.check_time(told=told, hold=work.hold, at=at)
        elder, how = visits.shown(told=told, at=at)
        with transaction.atomic():
            fresh = locked(work)
            known = visits.told_before(told=told, hold=fresh.hold)
            if known is not None:
                return Noted(known, repeated=True)
            if fresh.caregiver_id != caregiver.pk:
                raise CannotReport("not_yours")
            if not fresh.is_open or fresh.hold.state != Hold.State.OPEN or fresh.hold_id != work.hold_id:
                raise CannotReport("closed")
            return _taken(fresh, caregiver, told, elder=elder, how=how, by=by, at=at)
    except CannotReport as refusal:
        visits.note_refused(told=told, hold=work.hold, caregiver=caregiver, code=refusal.code, by=by, at=at)
        raise


def call_back(*, work: WorkOrder, told: Told, by: Any, at: datetime) -> Noted:
    """This function will note what an elder told the hotline of a visit: it took place, it did not, or nobody
    answered the telephone.

    Only a hotline agent may, and never the account that made the visit. Raises CannotReport.
    """
    known = visits.told_before(told=told, hold=work.hold)
    if known is not None:
        return Noted(known, repeated=True)
    with transaction.atomic():
        fresh = locked(work)
        known = visits.told_before(told=told, hold=fresh.hold)
        if known is not None:
            return Noted(known, repeated=True)
        visit = Visit.objects.filter(hold=fresh.hold).select_related("caregiver").first()
        if visit is None or not fresh.is_open:
            raise CannotReport("not_waiting")
        if not by.holds("hotline_agent") or visit.caregiver.user_id == by.pk:
            raise CannotReport("by_caregiver")
        how = VisitReport.How.HOTLINE if told.kind == Kind.CONFIRMED else ""
        return _taken(fresh, visit.caregiver, told, how=how, by=by, at=at)


def _taken(
    work: WorkOrder,
    caregiver: Caregiver,
    told: Told,
    *,
    elder: str = "",
    how: str = "",
    by: Any,
    at: datetime,
) -> Noted:
    visit, written = visits.take(
        told=told, hold=work.hold, caregiver=caregiver, elder=elder, how=how, by=by, at=at
    )
    receipt = None
    if told.kind == Kind.ARRIVED:
        work.state = WorkOrder.State.UNDERWAY
        work.save(update_fields=["state"])
    elif told.kind in (Kind.ABSENT, Kind.DENIED):
        did_not_take_place(work=work, reason=str(told.kind), by=by, at=at)
    elif visit is not None and _may_be_paid(told, work, visit):
        receipt = pay(work=work, visit=visit, by=by, at=at)
    return Noted(written, receipt)


def _may_be_paid(told: Told, work: WorkOrder, visit: Visit) -> bool:
    """Whether this report ends a visit of which nothing more is to be heard."""
    if told.kind not in (Kind.LEFT, Kind.CONFIRMED) or visit.left_at is None:
        return False
    return visits.is_at_door(work.hold) or not visits.waits_for_word(visit)


def pay(*, work: WorkOrder, visit: Visit, by: Any, at: datetime) -> Redeemed | None:
    """This function will turn the hold of a visit that is over into a redemption; the elder is locked.

    Where a rule refuses that, the visit keeps the code and the order stays open for somebody to look at: None.
    """
    how = (
        VisitReport.objects.filter(hold=work.hold_id, kind=Kind.CONFIRMED, refusal="")
        .values_list("how", flat=True)
        .first()
    )
    order = RedemptionOrder(
        key=work.hold.key,
        happened_at=visit.arrived_at,
        premises=work.offer.premises.code,
        service=work.offer.service.code,
        elder=work.order.elder.code,
        quantity=visit.quantity or 0,
        channel=CHANNELS[VisitReport.How(how)] if how else "",
    )
    try:
        with transaction.atomic():
            receipt = deliver(
                hold=work.hold,
                order=order,
                by=visits.scope_of(visit.caregiver),
                at=at,
                key_scope=KEYS,
            )
    except CannotRedeem as refusal:
        visit.undelivered = refusal.code
        visit.save(update_fields=["undelivered"])
        return None
    if visit.undelivered:
        visit.undelivered = ""
        visit.save(update_fields=["undelivered"])
    close(work, state=WorkOrder.State.DONE, reason="", by=by, at=at)
    return receipt


def did_not_take_place(*, work: WorkOrder, reason: str, by: Any, at: datetime) -> None:
    """Close the order as missed: what it held and booked is free again, and the elder hears of it. Locked."""
    close(work, state=WorkOrder.State.MISSED, reason=reason, by=by, at=at)
    tell(
        kind="visit_missed",
        elder=work.order.elder,
        at=at,
        once=f"missed:{work.key}",
        what=work.offer.service.name,
        when=work.starts_at,
    )
