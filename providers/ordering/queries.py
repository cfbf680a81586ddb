"""Questions about opening hours and free places. `at` is an instant; days are Shanghai's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from ledger.journal.queries import SHANGHAI, day_of
from providers.ordering.models import Closure, OpeningHours, OrderTerms, Sitting, Slot
from providers.ordering.times import instant
from providers.ordering.weeks import in_force
from providers.premises.models import Premises
from providers.services.models import Offer


def open_at(premises: QuerySet[Premises], at: datetime) -> QuerySet[Premises]:
    """Those of the premises that are open at this instant."""
    local = at.astimezone(SHANGHAI)
    hours = OpeningHours.objects.filter(
        premises=OuterRef("pk"),
        weekday=local.weekday(),
        opens_at__lte=local.time(),
        closes_at__gt=local.time(),
    ).filter(in_force(local.date()))
    closed = Closure.objects.filter(
        premises=OuterRef("pk"), starts_on__lte=local.date(), ends_on__gte=local.date()
    )
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
    return Closure.objects.filter(premises=premises_id, starts_on__lte=on, ends_on__gte=on).exists()


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


def sittings_on(*, offer: Offer, terms: OrderTerms, day: date, at: datetime) -> list[Choice]:
    """The sittings of one day with the places left. Three queries; none on days too far ahead."""
    if not 0 <= (day - day_of(at)).days <= terms.days_ahead or offer.has_ended(day):
        return []
    if is_closed_on(offer.premises_id, day):
        return []
    slots = {
        slot.starts_at: slot
        for slot in Slot.objects.filter(
            offer=offer,
            starts_at__gte=instant(day, time()),
            starts_at__lt=instant(day, time()) + timedelta(1),
        )
    }
    last = at + timedelta(minutes=terms.order_until_minutes)
    found = []
    for sitting in sittings_of(offer, day).order_by("starts_at"):
        begins = instant(day, sitting.starts_at)
        slot = slots.get(begins)
        left = slot.capacity - slot.taken if slot else sitting.capacity
        found.append(Choice(begins, instant(day, sitting.ends_at), left, too_late=begins < last))
    return found


def orderable(offers: Iterable[Offer]) -> dict[int, OrderTerms]:
    """The terms of those offers that can be ordered, by offer id. One query."""
    return {terms.offer_id: terms for terms in OrderTerms.objects.filter(offer__in=list(offers))}
