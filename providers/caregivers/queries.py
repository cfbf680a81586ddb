"""Who could be sent when. `at` is an instant; days are Shanghai's."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.journal.queries import day_of
from providers.caregivers.models import Appointment, Caregiver, Qualification, Shift
from providers.leases.models import Lease
from providers.ordering.models import OrderTerms
from providers.ordering.queries import Choice, is_closed_on
from providers.ordering.times import instant, is_free, starts
from providers.ordering.weeks import in_force
from providers.services.models import Offer


def fit_for(*, offer: Offer, terms: OrderTerms, day: date) -> QuerySet[Caregiver]:
    """The caregivers whom the operator of these premises may send for this offer on this day."""
    lease = Lease.objects.filter(
        premises=offer.premises_id, starts_on__lte=day, ends_on__gte=day, operator=OuterRef("operator")
    )
    certificate = Qualification.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=day),
        caregiver=OuterRef("pk"),
        kind=terms.needs or OrderTerms.Needs.HELP,  # who brings meals shows a health certificate
        valid_from__lte=day,
    )
    return Caregiver.objects.filter(
        Q(left_on=None) | Q(left_on__gt=day), Exists(lease), Exists(certificate)
    ).order_by("code")


def diary(caregivers: Iterable[Caregiver], day: date) -> dict[int, list[tuple[datetime, datetime]]]:
    """What stands in each one's diary on this day, by caregiver id. One query."""
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    begins = instant(day, time())
    taken = Appointment.objects.filter(
        caregiver__in=list(caregivers), freed_at=None, starts_at__lt=begins + timedelta(1), ends_at__gt=begins
    ).order_by("starts_at", "id")
    for caregiver_id, start, end in taken.values_list("caregiver_id", "starts_at", "ends_at"):
        found[caregiver_id].append((start, end))
    return found


def free_starts(*, offer: Offer, terms: OrderTerms, day: date) -> dict[datetime, list[int]]:
    """When an appointment could begin on this day, and who is free then: those with the emptiest diary first.

    Four queries. A start at which everybody is taken is there with nobody.
    """
    if terms.minutes is None or offer.has_ended(day) or is_closed_on(offer.premises_id, day):
        return {}
    caregivers = list(fit_for(offer=offer, terms=terms, day=day))
    taken = diary(caregivers, day)
    free: dict[datetime, list[int]] = {}
    shifts = Shift.objects.filter(in_force(day), caregiver__in=caregivers, weekday=day.weekday())
    for shift in shifts.order_by("caregiver__code", "starts_at"):
        booked = taken.get(shift.caregiver_id, [])
        for begin in starts(day=day, opens=shift.starts_at, closes=shift.ends_at, minutes=terms.minutes):
            people = free.setdefault(begin, [])
            if is_free(begin, begin + timedelta(minutes=terms.minutes), booked):
                people.append(shift.caregiver_id)
    return {
        begin: sorted(people, key=lambda person: (len(taken.get(person, [])), person))
        for begin, people in sorted(free.items())
    }


def appointments_on(*, offer: Offer, terms: OrderTerms, day: date, at: datetime) -> list[Choice]:
    """When one could be visited on this day, and how many caregivers are free at each time."""
    if terms.minutes is None or not 0 <= (day - day_of(at)).days <= terms.days_ahead:
        return []
    last = at + timedelta(minutes=terms.order_until_minutes)
    return [
        Choice(begin, begin + timedelta(minutes=terms.minutes), len(people), too_late=begin < last)
        for begin, people in free_starts(offer=offer, terms=terms, day=day).items()
    ]
