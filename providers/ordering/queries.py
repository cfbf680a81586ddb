"""Questions about opening hours and free places. `at` is an instant; days are Shanghai's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from ledger.journal.queries import SHANGHAI, day_of
from providers.ordering.models import Closure, OpeningHours, OrderTerms, Sitting, Slot
from providers.ordering.times import days_between, instant
from providers.ordering.weeks import in_force
from providers.premises.models import Premises
from providers.services.models import Offer


def open_at(premises: QuerySet[Premises], at: datetime) -> QuerySet[Premises]:
    """Those of the premises that are open at this instant."""
    local = at.astimezone(SHANGHAI)
    return open_then(premises, day=local.date(), weekday=local.weekday(), clock=local.time())


def open_then(premises: QuerySet[Premises], *, day: Any, weekday: Any, clock: Any) -> QuerySet[Premises]:
    """Those open on this day, which is this weekday, at this time of day; values, or expressions for them."""
    hours = OpeningHours.objects.filter(
        premises=OuterRef("pk"), weekday=weekday, opens_at__lte=clock, closes_at__gt=clock
    ).filter(in_force(day))
    closed = Closure.objects.filter(premises=OuterRef("pk"), starts_on__lte=day, ends_on__gte=day)
    return premises.filter(Exists(hours), ~Exists(closed))


@dataclass(frozen=True, slots=True)
class Day:
    """One day of premises: when it is open, or closed with a reason."""

    on: date
    hours: tuple[tuple[time, time], ...]
    reason: str = ""


def week_of(premises: Premises, first: date) -> list[Day]:
    """Seven days from `first`. Two queries."""
    rows = list(OpeningHours.objects.filter(premises=premises).order_by("opens_at"))
    closures = list(
        Closure.objects.filter(premises=premises, ends_on__gte=first, starts_on__lt=first + timedelta(days=7))
    )
    days = []
    for ahead in range(7):
        on = first + timedelta(days=ahead)
        closure = next((one for one in closures if one.starts_on <= on <= one.ends_on), None)
        if closure:
            days.append(Day(on, (), closure.reason))
        else:
            days.append(Day(on, tuple((row.opens_at, row.closes_at) for row in rows if row.is_on(on))))
    return days


def is_closed_on(premises_id: int, on: date) -> bool:
    return bool(closed_days(premises_id, on, on))


def closed_days(premises_id: int, first: date, last: date) -> set[date]:
    """On which of these days it is closed, whatever the week says. One query."""
    closures = Closure.objects.filter(premises=premises_id, starts_on__lte=last, ends_on__gte=first)
    return {
        day
        for starts_on, ends_on in closures.order_by().values_list("starts_on", "ends_on")
        for day in days_between(max(starts_on, first), min(ends_on, last))
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """One time that could be chosen. `left`: how many places, or caregivers, are free."""

    starts_at: datetime
    ends_at: datetime
    left: int
    too_late: bool = False

    @property
    def can_be_chosen(self) -> bool:
        return self.left > 0 and not self.too_late


def sittings_of(offer: Offer, day: date) -> QuerySet[Sitting]:
    """The sittings that this day has, closed or not."""
    return Sitting.objects.filter(in_force(day), offer=offer, weekday=day.weekday())


def sittings_ahead(
    *, offer: Offer, terms: OrderTerms, days: Iterable[date], at: datetime
) -> dict[date, list[Choice]]:
    """The sittings of each of these days with the places left; days too far ahead have none. Three queries, however
    many days."""
    found: dict[date, list[Choice]] = {day: [] for day in days}
    asked = [day for day in within_reach(found, terms, at) if not offer.has_ended(day)]
    if not asked:
        return found
    first, last = asked[0], asked[-1]
    closed = closed_days(offer.premises_id, first, last)
    slots = {
        slot.starts_at: slot
        for slot in Slot.objects.filter(
            offer=offer,
            starts_at__gte=instant(first, time()),
            starts_at__lt=instant(last, time()) + timedelta(1),
        )
    }
    sittings = list(Sitting.objects.filter(in_force(first, last), offer=offer).order_by("starts_at"))
    latest = at + timedelta(minutes=terms.order_until_minutes)
    for day in asked:
        for sitting in sittings:
            if day in closed or not sitting.is_on(day):
                continue
            begins = instant(day, sitting.starts_at)
            slot = slots.get(begins)
            left = slot.capacity - slot.taken if slot else sitting.capacity
            found[day].append(Choice(begins, instant(day, sitting.ends_at), left, too_late=begins < latest))
    return found


def sittings_on(*, offer: Offer, terms: OrderTerms, day: date, at: datetime) -> list[Choice]:
    """The same of one day."""
    return sittings_ahead(offer=offer, terms=terms, days=[day], at=at)[day]


def within_reach(days: Iterable[date], terms: OrderTerms, at: datetime) -> list[date]:
    """Those of the days for which it can be ordered at all, the first first."""
    return sorted(day for day in days if 0 <= (day - day_of(at)).days <= terms.days_ahead)


def orderable(offers: Iterable[Offer]) -> dict[int, OrderTerms]:
    """The terms of those offers that can be ordered, by offer id. One query."""
    return {terms.offer_id: terms for terms in OrderTerms.objects.filter(offer__in=list(offers))}
