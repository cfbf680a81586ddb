"""Orders that stand: lunch Monday to Friday, placed nightly, with a word when one could not be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from ledger.audit.operations import record
from ledger.journal.queries import day_of
from marketplace.families.operations import Acting, acted
from marketplace.fulfilment.models import CareOrder, StandingDay, StandingOrder
from marketplace.fulfilment.operations import Placer, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.messages.operations import tell
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.models import ElderBasket
from providers.models import Offer, OrderTerms
from providers.ordering.times import instant
from vouchers.elders import sealing

AHEAD = 2
"""A standing order is placed for today and so many days ahead: time enough to hear that it could not be."""
CLOSED = "closed_then"
BY = "nightly"


@transaction.atomic
def stand(
    *,
    acting: Acting,
    offer: Offer,
    weekdays: Iterable[int],
    clock: time,
    quantity: int = 1,
    address: str = "",
    at: datetime,
) -> StandingOrder:
    """This function will note that a service is wanted again and again; the same again changes its days.

    The first day is tomorrow. Raises CannotOrder not_standing.
    """
    if not OrderTerms.objects.filter(offer=offer, manner=OrderTerms.Manner.SITTING).exists():
        raise CannotOrder("not_standing")
    elder = acting.elder
    sealed = sealing.seal(address, field="standing_address", row=elder.code) if address else None
    standing, _ = StandingOrder.objects.update_or_create(
        elder=elder,
        offer=offer,
        clock=clock,
        stopped_at=None,
        defaults={
            "weekdays": sorted(set(weekdays)),
            "quantity": quantity,
            "address_sealed": sealed,
            "user": acting.user,
            "delegation": acting.delegation,
        },
        create_defaults={
            "weekdays": sorted(set(weekdays)),
            "quantity": quantity,
            "address_sealed": sealed,
            "user": acting.user,
            "delegation": acting.delegation,
            "starts_on": day_of(at) + timedelta(days=1),
            "asked_at": at,
        },
    )
    record(
        by=acting.user,
        at=at,
        action="stand_order",
        subject=f"standing:{standing.pk}",
        detail={"elder": elder.code, "weekdays": standing.weekdays},
        channel=acting.channel,
    )
    acted(acting=acting, action="stand_for", what=offer.service.name, at=at)
    return standing


@transaction.atomic
def stop(*, standing: StandingOrder, acting: Acting, at: datetime) -> None:
    """This function will end a standing order. What it has placed already stays, and can be cancelled."""
    if StandingOrder.objects.filter(pk=standing.pk, stopped_at=None).update(stopped_at=at):
        record(
            by=acting.user,
            at=at,
            action="stop_order",
            subject=f"standing:{standing.pk}",
            channel=acting.channel,
        )
        acted(acting=acting, action="stop_for", what=standing.offer.service.name, at=at)


@dataclass(slots=True)
class Placed:
    orders: int = 0
    refused: int = 0


def place_standing(*, today: date, by: Any = BY, at: datetime) -> Placed:
    """This function will place what stands, for today and the next days, each order and day once.

    1. Skip days that were tried, that lie before its first day, and those on which the place is closed.
    2. Place each in a transaction of its own; refused, tell the elder why.

    Run again, or twice at once, it places nothing twice: the order's key is made of standing order and day.
    """
    done = Placed()
    standing = (
        StandingOrder.objects.filter(stopped_at=None, elder__died_on=None)
        .select_related("elder", "offer__service", "offer__premises", "user", "delegation")
        .order_by("id")
    )
    days = [today + timedelta(days=ahead) for ahead in range(AHEAD + 1)]
    tried = set(StandingDay.objects.filter(on__in=days).values_list("standing_id", "on"))
    for one in standing:
        for day in days:
            if day.weekday() in one.weekdays and day >= one.starts_on and (one.pk, day) not in tried:
                outcome = _place(one, day, by=by, at=at)
                done.orders += outcome is not None and outcome.order_id is not None
                done.refused += outcome is not None and outcome.order_id is None
    return done


def _place(standing: StandingOrder, day: date, *, by: Any, at: datetime) -> StandingDay | None:
    begins = instant(day, standing.clock)
    if begins <= at:
        return None
    placer = Placer(by=by, channel="standing", delegation=standing.delegation)
    try:
        with transaction.atomic():
            StandingOrder.objects.select_for_update().get(pk=standing.pk)
            if StandingDay.objects.filter(standing=standing, on=day).exists():
                return None
            order = place_order(care=_basket(standing, day, begins), placer=placer, at=at)
            return _noted(standing, day, order=order, at=at)
    except CannotOrder as refusal:
        if refusal.code == CLOSED:
            return None  # nobody expects lunch on a holiday
        with transaction.atomic():
            tell(
                kind="standing_order_failed",
                elder=standing.elder,
                at=at,
                once=f"standing:{standing.pk}:{day}",
                what=standing.offer.service.name,
                when=begins,
                why=str(refusal),
            )
            return _noted(standing, day, refusal=refusal.code, at=at)


def address_of(standing: StandingOrder) -> str:
    """Where what stands is brought; empty for what is had at the place."""
    if standing.address_sealed is None:
        return ""
    return sealing.open_sealed(standing.address_sealed, field="standing_address", row=standing.elder.code)


def _basket(standing: StandingOrder, day: date, begins: datetime) -> ElderBasket:
    """Under a key made of standing order and day: tried by two at once, it is one order."""
    key = uuid5(NAMESPACE_URL, f"yiquan:standing:{standing.pk}:{day}")
    found = ElderBasket.objects.select_related("basket", "elder", "user").filter(key=key).first()
    if found is not None:
        return found
    care = new_basket(user=standing.user, elder=standing.elder, key=key)
    want(
        care=care,
        offer=standing.offer,
        starts_at=begins,
        quantity=standing.quantity,
        address=address_of(standing),
    )
    return care


def _noted(
    standing: StandingOrder, day: date, *, order: CareOrder | None = None, refusal: str = "", at: datetime
) -> StandingDay | None:
    """None when another run has noted it first."""
    noted, made = StandingDay.objects.get_or_create(
        standing=standing, on=day, defaults={"order": order, "refusal": refusal, "tried_at": at}
    )
    return noted if made else None
