"""Placing, changing, cancelling and closing orders (rules.md section 5).

Note [One order, one transaction]: journal, elder, vouchers, then Oscar's order, then places and caregivers
(providers/ordering/operations.py, Note [Places last]). Whatever refuses, nothing is left behind.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db import OperationalError, transaction
from oscar.apps.shipping.methods import NoShippingRequired
from oscar.core.loading import get_class
from oscar.core.prices import Price
from psycopg.errors import DeadlockDetected

from ledger.audit.operations import name_of, record
from ledger.journal.operations import hold_journal_open
from ledger.money import ZERO
from marketplace.families.operations import Acting, acted, count_order
from marketplace.fulfilment.models import CareOrder, WorkOrder
from marketplace.fulfilment.refusals import CAUSES, CannotOrder
from marketplace.messages.operations import tell
from marketplace.offerings.baskets import address_of, ready
from marketplace.offerings.models import ElderBasket
from providers.caregivers.operations import book_appointment, free_appointments
from providers.models import OrderTerms
from providers.ordering.operations import Wanted, book_places, free_places
from vouchers.delegates import operations as delegates
from vouchers.elders import sealing
from vouchers.elders.models import Elder
from vouchers.models import Delegation, Hold
from vouchers.redemption.operations import RedemptionOrder, place
from vouchers.wallets.operations import release

OrderCreator = get_class("order.utils", "OrderCreator")

UNDO = timedelta(minutes=10)
"""Whatever was ordered may be cancelled so long after, whatever the service's own cut-off."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Placer:
    """Who places: an acting person, or a nightly task for a standing order (then with its delegation, if any)."""

    by: Any
    channel: str
    acting: Acting | None = None
    delegation: Delegation | None = None

    @classmethod
    def of(cls, acting: Acting) -> "Placer":
        return cls(by=acting.user, channel=acting.channel, acting=acting, delegation=acting.delegation)


def place_order(*, care: ElderBasket, placer: Placer, at: datetime, number: Any = None) -> CareOrder:
    """This function will order everything in an elder's basket, or nothing.

    1. Lock the elder; answer a key that was placed before with its order.
    2. Set aside vouchers for each line on its day of service, and count a delegate's cap.
    3. Write Oscar's order, and a work order for each line.
    4. Take the places, last.
    5. Owe the elder a message.

    Sent twice, also at once, it is one order. Raises CannotOrder; nothing is written.
    """
    return _again_after_deadlock(lambda: _place(care=care, placer=placer, at=at, number=number))


def _again_after_deadlock(work: Callable[[], Answer]) -> Answer:
    """Two orders that want the same things in another order may meet: the database ends one, which begins anew."""
    for _ in range(3):
        try:
            return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return work()


@transaction.atomic
def _place(*, care: ElderBasket, placer: Placer, at: datetime, number: Any) -> CareOrder:
    key = str(care.key)
    hold_journal_open()
    elder = Elder.objects.select_for_update(no_key=True).get(pk=care.elder_id)
    before = CareOrder.objects.filter(key=key).first()
    if before is not None:
        return before
    lines = ready(care)
    if not lines:
        raise CannotOrder("empty")
    holds = [_set_aside(care, line, several=len(lines) > 1, placer=placer, at=at) for line in lines]
    amount = held(holds)
    _count(placer, key=f"order:{key}", amount=amount, at=at)
    order = _written(care, placer=placer, number=number, at=at)
    placed = CareOrder.objects.create(
        order=order,
        key=key,
        elder=elder,
        delegation=placer.delegation,
        placed_by=name_of(placer.by),
        channel=placer.channel,
        placed_at=at,
    )
    booked = _book(care, lines, placer=placer, at=at)
    written = list(order.lines.order_by("id"))
    for line, order_line, hold in zip(care.basket.all_lines(), written, holds, strict=True):
        _work(care, placed, line, order_line, hold, booked[line.pk])
    record(
        by=placer.by,
        at=at,
        action="place_order",
        subject=f"order:{order.number}",
        detail={"elder": elder.code, "held": str(amount), "lines": len(lines)},
        channel=placer.channel,
    )
    care.basket.submit()  # whatever is wanted next goes into a basket of its own
    _tell_taken(elder, lines, holds, at)
    if placer.acting is not None:
        what = "、".join(line.wish.offer.service.name for line in lines)
        acted(
            acting=placer.acting,
            action="order_for",
            what=what,
            at=at,
            once=f"order:{key}",
            subject=elder.code,
        )
    return placed


def held(holds: Iterable[Hold]) -> Decimal:
    """Yuan that these holds set aside."""
    return sum((line.amount for hold in holds for line in hold.lines.all()), ZERO)


def _set_aside(care: ElderBasket, line: Any, *, several: bool, placer: Placer, at: datetime) -> Hold:
    wish = line.wish
    what = wish.offer.service.name if several else ""
    terms = getattr(wish.offer, "order_terms", None)
    if terms is not None and terms.where == OrderTerms.Where.HOME and wish.address_sealed is None:
        raise CannotOrder("no_address", what=what)
    order = RedemptionOrder(
        key=f"order:{care.key}:{line.pk}",
        happened_at=wish.starts_at,
        premises=wish.offer.premises.code,
        service=wish.offer.service.code,
        elder=care.elder.code,
        quantity=line.quantity,
        channel="hotline" if placer.channel == "hotline" else "",
    )
    try:
        return place(order=order, by=placer.by, at=at)
    except CAUSES as cause:
        raise CannotOrder(cause.code, cause=cause, what=what) from cause


def _count(placer: Placer, *, key: str, amount: Decimal, at: datetime) -> None:
    """Against the cap of whoever acts; a standing order counts for the one who asked for it."""
    try:
        if placer.acting is not None:
            count_order(acting=placer.acting, key=key, amount=amount, at=at)
        elif placer.delegation is not None:
            delegates.count_against_cap(delegation=placer.delegation, key=key, amount=amount, at=at)
    except CAUSES as cause:
        raise CannotOrder(cause.code, cause=cause) from cause


def _written(care: ElderBasket, *, placer: Placer, number: Any, at: datetime) -> Any:
    """Oscar's order. Its total is what the elder pays, before vouchers; these are in the holds."""
    basket = care.basket
    total = Price(currency="CNY", excl_tax=basket.total_excl_tax, tax=Decimal("0.00"))
    nothing = Price(currency="CNY", excl_tax=Decimal("0.00"), tax=Decimal("0.00"))
    return OrderCreator().place_order(
        basket=basket,
        total=total,
        shipping_method=NoShippingRequired(),
        shipping_charge=nothing,
        user=care.user,
        order_number=number,
        date_placed=at,
    )


def _book(care: ElderBasket, lines: list[Any], *, placer: Placer, at: datetime) -> dict[int, Any]:
    """A booking or an appointment for each line, by the line's id."""
    booked: dict[int, Any] = {}
    sittings = []
    for line in lines:
        terms = getattr(line.wish.offer, "order_terms", None)
        try:
            if terms is not None and terms.manner == OrderTerms.Manner.APPOINTMENT:
                booked[line.pk] = book_appointment(
                    offer=line.wish.offer,
                    starts_at=line.wish.starts_at,
                    key=f"order:{care.key}:{line.pk}",
                    by=placer.by,
                    at=at,
                )
                continue
        except CAUSES as cause:
            raise _named(cause, line, lines) from cause
        sittings.append(line)
    wanted = {
        line.pk: Wanted(f"order:{care.key}:{line.pk}", line.wish.offer, line.wish.starts_at, line.quantity)
        for line in sittings
    }
    try:
        bookings = book_places(wanted=list(wanted.values()), by=placer.by, at=at)
    except CAUSES as cause:
        raise _named(cause, _refused(cause, sittings), lines) from cause
    by_key = {booking.key: booking for booking in bookings}
    return booked | {pk: by_key[one.key] for pk, one in wanted.items()}


def _refused(cause: Any, lines: list[Any]) -> Any:
    key = getattr(cause, "key", "")
    return next((line for line in lines if key.endswith(f":{line.pk}")), lines[0])


def _named(cause: Any, line: Any, lines: list[Any]) -> CannotOrder:
    what = line.wish.offer.service.name if len(lines) > 1 else ""
    return CannotOrder(cause.code, cause=cause, what=what)


def _work(
    care: ElderBasket, order: CareOrder, line: Any, order_line: Any, hold: Hold, booked: Any
) -> WorkOrder:
    key = f"{order.key}:{line.pk}"
    address = address_of(care, line.wish)
    terms = line.wish.offer.order_terms
    sitting = terms.manner == OrderTerms.Manner.SITTING
    return WorkOrder.objects.create(
        key=key,
        order=order,
        line=order_line,
        offer=line.wish.offer,
        quantity=line.quantity,
        starts_at=line.wish.starts_at,
        ends_at=booked.slot.ends_at if sitting else booked.ends_at,
        where=terms.where,
        address_sealed=sealing.seal(address, field="address", row=key) if address else None,
        hold=hold,
        booking=booked if sitting else None,
        appointment=None if sitting else booked,
    )


def _tell_taken(elder: Elder, lines: list[Any], holds: list[Hold], at: datetime) -> None:
    for line, hold in zip(lines, holds, strict=True):
        tell(
            kind="order_taken",
            elder=elder,
            at=at,
            once=f"taken:{hold.key}",
            what=line.wish.offer.service.name,
            when=line.wish.starts_at,
            where=line.wish.offer.premises.name,
            amount=held([hold]),
        )


# Cancelling and changing


def cancel_until(work: WorkOrder) -> datetime:
    """Until when this may be cancelled or changed: the service's own cut-off, and never sooner than ten minutes
    after it was ordered (while it has not begun)."""
    terms = getattr(work.offer, "order_terms", None)
    cut_off = work.starts_at - timedelta(minutes=terms.cancel_until_minutes if terms else 0)
    return max(cut_off, min(work.order.placed_at + UNDO, work.starts_at))


def may_cancel(work: WorkOrder, at: datetime) -> bool:
    return is_held(work) and work.state != WorkOrder.State.UNDERWAY and at <= cancel_until(work)


def is_held(work: WorkOrder) -> bool:
    """Whether it is still to be delivered: the hold is the truth, the work order follows it (tidy)."""
    return work.is_open and work.hold.state == Hold.State.OPEN


def check_cancel(work: WorkOrder, at: datetime) -> None:
    """Raises CannotOrder with the reason why this cannot be cancelled at `at`."""
    if not is_held(work):
        raise CannotOrder("closed")
    if not may_cancel(work, at):
        raise CannotOrder("too_late_to_cancel")


def cancel(*, work: WorkOrder, placer: Placer, at: datetime) -> WorkOrder:
    """This function will cancel one service that was ordered: its hold is released, its place is free again.

    Raises CannotOrder closed, too_late_to_cancel.
    """
    with transaction.atomic():
        work = locked(work)
        check_cancel(work, at)
        amount = held([work.hold])
        close(work, state=WorkOrder.State.CANCELLED, reason="cancelled", by=placer.by, at=at)
        if amount and work.order.delegation is not None:
            delegates.count_against_cap(
                delegation=work.order.delegation, key=f"cancel:{work.key}", amount=-amount, at=at
            )
        tell(
            kind="order_cancelled",
            elder=work.order.elder,
            at=at,
            once=f"cancelled:{work.key}",
            what=work.offer.service.name,
            when=work.starts_at,
        )
        if placer.acting is not None:
            acted(
                acting=placer.acting,
                action="cancel_for",
                what=work.offer.service.name,
                at=at,
                once=f"cancelled for:{work.key}",
            )
    return work


def locked(work: WorkOrder) -> WorkOrder:
    """The work order anew, under the elder's lock (journal, elder, then the rest: see statements.py)."""
    hold_journal_open()
    Elder.objects.select_for_update(no_key=True).get(pk=work.order.elder_id)
    return (
        WorkOrder.objects.select_for_update(of=["self"])
        .select_related(
            "order__elder",
            "order__delegation",
            "hold",
            "booking",
            "appointment",
            "offer__service",
            "offer__premises",
            "offer__order_terms",
        )
        .get(pk=work.pk)
    )


def close(work: WorkOrder, *, state: str, reason: str, by: Any, at: datetime) -> None:
    """Close the work order; the elder is locked. Whatever it held and booked is free again."""
    if state != WorkOrder.State.DONE:
        release(hold=work.hold, by=by, at=at, reason=reason)
        _free(work, by=by, at=at)
    work.state, work.closed_at, work.closed_for = state, at, reason
    work.save(update_fields=["state", "closed_at", "closed_for"])
    record(by=by, at=at, action=f"order_{state}", subject=work.key[:80], detail={"reason": reason})


def _free(work: WorkOrder, *, by: Any, at: datetime) -> None:
    if work.booking is not None:
        free_places(keys=[work.booking.key], by=by, at=at)
    if work.appointment is not None:
        free_appointments(keys=[work.appointment.key], by=by, at=at)


def change_time(*, work: WorkOrder, starts_at: datetime, placer: Placer, at: datetime) -> WorkOrder:
    """This function will move one service to another time of the same offer.

    1. Release its hold and place; set aside vouchers anew for the new day.
    2. Take the new place. Refused, everything stays as it was.

    The same time again changes nothing. Raises CannotOrder.
    """
    with transaction.atomic():
        work = locked(work)
        check_cancel(work, at)
        if work.starts_at == starts_at:
            return work
        before = held([work.hold])
        release(hold=work.hold, by=placer.by, at=at, reason="changed")
        key = f"order:{work.key}:{work.changes + 1}"
        try:
            hold = place(
                order=RedemptionOrder(
                    key=key,
                    happened_at=starts_at,
                    premises=work.offer.premises.code,
                    service=work.offer.service.code,
                    elder=work.order.elder.code,
                    quantity=work.quantity,
                ),
                by=placer.by,
                at=at,
            )
            if work.order.delegation is not None and (more := held([hold]) - before):
                delegates.count_against_cap(
                    delegation=work.order.delegation, key=f"change:{key}", amount=more, at=at
                )
            _free(work, by=placer.by, at=at)
            if work.booking is not None:
                wanted = Wanted(key, work.offer, starts_at, work.quantity)
                [work.booking] = book_places(wanted=[wanted], by=placer.by, at=at)
                work.ends_at = work.booking.slot.ends_at
            else:
                work.appointment = book_appointment(
                    offer=work.offer, starts_at=starts_at, key=key, by=placer.by, at=at
                )
                work.ends_at = work.appointment.ends_at
        except CAUSES as cause:
            raise CannotOrder(cause.code, cause=cause) from cause
        work.hold, work.starts_at, work.state = hold, starts_at, WorkOrder.State.PLACED
        work.caregiver = None
        work.changes += 1
        work.save()
        record(by=placer.by, at=at, action="change_order", subject=work.key[:80], channel=placer.channel)
        what, where = work.offer.service.name, work.offer.premises.name
        tell(kind="order_changed", elder=work.order.elder, at=at, what=what, when=starts_at, where=where)
        if placer.acting is not None:
            acted(acting=placer.acting, action="change_for", what=what, at=at)
    return work
