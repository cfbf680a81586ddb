"""Setting when premises are open and how offers are ordered; booking and freeing places.

Note [Places last]: an order locks journal and elder before it takes places, and takes these in the order of
slots (by id). Whoever frees places does it after the elder's lock too, so nobody waits in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Q

from ledger.audit.operations import record
from ledger.journal.queries import SHANGHAI, day_of
from providers.ordering.models import Booking, Closure, OpeningHours, OrderTerms, Sitting, Slot
from providers.ordering.queries import is_closed_on, sittings_of
from providers.ordering.refusals import CannotBook
from providers.ordering.times import check_in_time, instant
from providers.ordering.weeks import replace_week, told, withdraw
from providers.premises.models import Premises
from providers.services.models import Offer


class Hours(NamedTuple):
    """`weekday` 0 is Monday."""

    weekday: int
    opens_at: time
    closes_at: time


class Places(NamedTuple):
    """One sitting (or delivery window) of a weekday."""

    weekday: int
    starts_at: time
    ends_at: time
    capacity: int


@transaction.atomic
def set_opening_hours(
    *, premises: Premises, hours: Iterable[Hours], from_on: date | None = None, by: Any, at: datetime
) -> None:
    """This function will replace the weekly opening hours of premises, from a day on (weeks.py).

    The same again changes nothing. What was ordered stays ordered.
    """
    Premises.objects.select_for_update(no_key=True).get(pk=premises.pk)
    rows = OpeningHours.objects.filter(premises=premises)
    week = replace_week(rows, Hours, hours, from_on=from_on, today=day_of(at), premises=premises)
    if week is not None:
        record(by=by, at=at, action="set_opening_hours", subject=premises.code, detail=_detail(week, from_on))


@transaction.atomic
def withdraw_opening_hours(*, premises: Premises, by: Any, at: datetime) -> bool:
    """This function will take back a change of opening hours that was to come."""
    Premises.objects.select_for_update(no_key=True).get(pk=premises.pk)
    done = withdraw(OpeningHours.objects.filter(premises=premises), day_of(at))
    if done:
        record(by=by, at=at, action="withdraw_opening_hours", subject=premises.code)
    return done


def _detail(week: list[Any], from_on: date | None) -> dict[str, Any]:
    return {"week": told(week)} | ({"from": from_on.isoformat()} if from_on else {})


@transaction.atomic
def close_for(
    *, premises: Premises, starts_on: date, ends_on: date, reason: str, by: Any, at: datetime
) -> Closure:
    """This function will close premises on these days, both included. Places booked then stay booked."""
    closure, made = Closure.objects.get_or_create(
        premises=premises, starts_on=starts_on, ends_on=ends_on, defaults={"reason": reason}
    )
    if made:
        record(
            by=by,
            at=at,
            action="close_for",
            subject=premises.code,
            detail={"days": [starts_on.isoformat(), ends_on.isoformat()], "reason": reason},
        )
    return closure


@transaction.atomic
def reopen(*, closure: Closure, by: Any, at: datetime) -> bool:
    """This function will open premises again on what is left of these days, today included. Twice is once."""
    today = day_of(at)
    rows = Closure.objects.filter(pk=closure.pk, ends_on__gte=today)
    gone, _ = rows.filter(starts_on__gte=today).delete()
    done = bool(gone or rows.update(ends_on=today - timedelta(days=1)))
    if done:
        record(
            by=by, at=at, action="reopen", subject=closure.premises.code, detail={"from": today.isoformat()}
        )
    return done


@transaction.atomic
def set_order_terms(
    *,
    offer: Offer,
    where: str,
    manner: str,
    order_until_minutes: int,
    cancel_until_minutes: int,
    days_ahead: int,
    minutes: int | None = None,
    needs: str = "",
    by: Any,
    at: datetime,
) -> OrderTerms:
    """This function will say how an offer is ordered. The same again changes nothing."""
    values = {
        "where": where,
        "manner": manner,
        "order_until_minutes": order_until_minutes,
        "cancel_until_minutes": cancel_until_minutes,
        "days_ahead": days_ahead,
        "minutes": minutes,
        "needs": needs,
    }
    Offer.objects.select_for_update(no_key=True).get(pk=offer.pk)
    terms = OrderTerms.objects.filter(offer=offer).first()
    if terms and all(getattr(terms, name) == value for name, value in values.items()):
        return terms
    terms, _ = OrderTerms.objects.update_or_create(offer=offer, defaults=values)
    record(by=by, at=at, action="set_order_terms", subject=_name(offer), detail=values)
    return terms


@transaction.atomic
def set_sittings(
    *, offer: Offer, sittings: Iterable[Places], from_on: date | None = None, by: Any, at: datetime
) -> None:
    """This function will replace the weekly sittings of an offer, from a day on (weeks.py).

    The same again changes nothing. Slots of coming days keep the places already booked: their capacity follows,
    but never below these.
    """
    Offer.objects.select_for_update(no_key=True).get(pk=offer.pk)
    rows = Sitting.objects.filter(offer=offer)
    week = replace_week(rows, Places, sittings, from_on=from_on, today=day_of(at), offer=offer)
    if week is None:
        return
    _follow(offer, at)
    record(by=by, at=at, action="set_sittings", subject=_name(offer), detail=_detail(week, from_on))


@transaction.atomic
def withdraw_sittings(*, offer: Offer, by: Any, at: datetime) -> bool:
    """This function will take back a change of sittings that was to come."""
    Offer.objects.select_for_update(no_key=True).get(pk=offer.pk)
    done = withdraw(Sitting.objects.filter(offer=offer), day_of(at))
    if done:
        _follow(offer, at)
        record(by=by, at=at, action="withdraw_sittings", subject=_name(offer))
    return done


def _follow(offer: Offer, at: datetime) -> None:
    """Slots to come get the capacity of the sitting that holds on their day."""
    sittings = list(Sitting.objects.filter(offer=offer))
    for slot in Slot.objects.select_for_update().filter(offer=offer, starts_at__gt=at).order_by("id"):
        local = slot.starts_at.astimezone(SHANGHAI)
        held = (one.capacity for one in sittings if one.is_on(local.date()) and one.starts_at == local.time())
        slot.capacity = max(slot.taken, next(held, 0))
        slot.save(update_fields=["capacity"])


class Wanted(NamedTuple):
    """`quantity` places of an offer's sitting that begins at `starts_at`, for the order that made `key`."""

    key: str
    offer: Offer
    starts_at: datetime
    quantity: int


def book_places(*, wanted: Sequence[Wanted], by: Any, at: datetime) -> list[Booking]:
    """This function will book places, all of them or none.

    1. Answer keys that were booked before with their bookings; refuse one used for something else.
    2. Check each against terms, sittings, closures and cut-off, then make the slots that are new.
    3. Take the places in the order of slots: where one has too few left, refuse.

    Raises CannotBook; nothing is written.
    """
    with transaction.atomic():
        before = {
            booking.key: booking
            for booking in Booking.objects.select_related("slot").filter(key__in=[one.key for one in wanted])
        }
        found: dict[str, Booking] = {}
        fresh: list[tuple[Slot, Wanted]] = []
        for one in sorted(
            wanted, key=lambda one: (one.offer.pk, one.starts_at)
        ):  # new slots in one order too
            booking = before.get(one.key)
            if booking is None:
                fresh.append((_slot(one, at), one))
                continue
            same = (booking.slot.offer_id, booking.slot.starts_at, booking.quantity)
            if booking.freed_at or same != (one.offer.pk, one.starts_at, one.quantity):
                raise CannotBook("key_reused")
            found[one.key] = booking
        for slot, one in sorted(fresh, key=lambda pair: pair[0].pk):
            room = Slot.objects.filter(pk=slot.pk, taken__lte=F("capacity") - one.quantity)
            if not room.update(taken=F("taken") + one.quantity):
                raise CannotBook("full", key=one.key)
            found[one.key] = Booking.objects.create(
                key=one.key, slot=slot, quantity=one.quantity, booked_at=at
            )
            record(by=by, at=at, action="book_place", subject=one.key, detail={"slot": str(slot)})
        return [found[one.key] for one in wanted]


def _slot(wanted: Wanted, at: datetime) -> Slot:
    """The slot of this sitting, made where it is new. Raises CannotBook."""
    offer, starts_at = wanted.offer, wanted.starts_at
    terms = OrderTerms.objects.filter(offer=offer, manner=OrderTerms.Manner.SITTING).first()
    if terms is None:
        raise CannotBook("not_ordered", key=wanted.key)
    local = starts_at.astimezone(SHANGHAI)
    sitting = sittings_of(offer, local.date()).filter(starts_at=local.time()).first()
    if sitting is None or is_closed_on(offer.premises_id, local.date()):
        raise CannotBook("closed_then", key=wanted.key)
    try:
        check_in_time(
            starts_at=starts_at, at=at, until_minutes=terms.order_until_minutes, days_ahead=terms.days_ahead
        )
    except CannotBook as refusal:
        raise CannotBook(refusal.code, key=wanted.key) from None
    known = Slot.objects.filter(offer=offer, starts_at=starts_at)
    slot = known.first()
    if slot is None:
        Slot.objects.bulk_create(
            [
                Slot(
                    offer=offer,
                    starts_at=starts_at,
                    ends_at=instant(day_of(starts_at), sitting.ends_at),
                    capacity=sitting.capacity,
                )
            ],
            ignore_conflicts=True,
        )
        slot = known.get()
    elif slot.taken + wanted.quantity > slot.capacity:  # plainly full: no need to wait for a lock
        raise CannotBook("full", key=wanted.key)
    return slot


@transaction.atomic
def free_places(*, keys: Iterable[str], by: Any, at: datetime) -> int:
    """This function will free the places booked under these keys, each once; how many bookings that were."""
    freed = 0
    bookings = Booking.objects.filter(Q(key__in=list(keys)), freed_at=None).order_by("slot_id", "id")
    for booking in bookings:
        if not Booking.objects.filter(pk=booking.pk, freed_at=None).update(freed_at=at):
            continue
        Slot.objects.filter(pk=booking.slot_id).update(taken=F("taken") - booking.quantity)
        record(by=by, at=at, action="free_place", subject=booking.key)
        freed += 1
    return freed


def _name(offer: Offer) -> str:
    return f"{offer.premises.code} {offer.service.code}"
