"""Who could be sent when. `at` is an instant; days are Shanghai's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from ledger.journal.queries import day_of
from providers.caregivers.models import Appointment, Caregiver, Qualification, Shift
from providers.leases.models import Lease
from providers.ordering.models import OrderTerms
from providers.ordering.queries import Choice, closed_days, sittings_ahead, within_reach
from providers.ordering.times import instant, is_free, starts
from providers.ordering.weeks import in_force
from providers.services.models import Offer


def fit_for(*, offer: Offer, terms: OrderTerms, day: date) -> QuerySet[Caregiver]:
    """The caregivers whom the operator of these premises may send for this offer on this day."""
    return Caregiver.objects.filter(pk__in=_fit(offer, terms, [day])[day]).order_by("code")


def _fit(offer: Offer, terms: OrderTerms, days: list[date]) -> dict[date, set[int]]:
    """The ids of those fit on each of these days: who works for the operator of that day, with a certificate that is
    good then. Two queries."""
    first, last = min(days), max(days)
    leases = list(
        Lease.objects.filter(premises=offer.premises_id, starts_on__lte=last, ends_on__gte=first)
        .order_by()
        .values_list("operator_id", "starts_on", "ends_on")
    )
    certificates = list(
        Qualification.objects.filter(
            Q(valid_until=None) | Q(valid_until__gte=first),
            caregiver__operator__in=[operator for operator, *_days in leases],
            kind=terms.needs or OrderTerms.Needs.HELP,  # who brings meals shows a health certificate
            valid_from__lte=last,
        )
        .order_by()
        .values_list(
            "caregiver_id", "caregiver__operator_id", "caregiver__left_on", "valid_from", "valid_until"
        )
    )
    tenants = {
        day: {operator for operator, starts_on, ends_on in leases if starts_on <= day <= ends_on}
        for day in days
    }
    return {
        day: {
            caregiver
            for caregiver, operator, left_on, valid_from, valid_until in certificates
            if operator in tenants[day]
            and valid_from <= day <= (valid_until or day)
            and (left_on is None or day < left_on)
        }
        for day in days
    }


Diary = Mapping[int, list[tuple[datetime, datetime]]]
"""From when until when each caregiver is taken, by id."""


def diary(caregivers: Iterable[int], first: date, last: date) -> Diary:
    """What stands in it on these days. One query."""
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    taken = Appointment.objects.filter(
        caregiver__in=list(caregivers),
        freed_at=None,
        starts_at__lt=instant(last, time()) + timedelta(1),
        ends_at__gt=instant(first, time()),
    ).order_by("starts_at", "id")
    for caregiver, start, end in taken.values_list("caregiver_id", "starts_at", "ends_at"):
        found[caregiver].append((start, end))
    return found


def free_starts(*, offer: Offer, terms: OrderTerms, days: list[date]) -> dict[datetime, list[int]]:
    """When an appointment could begin on these days, and who is free then: those with the emptiest diary of the day
    first. Five queries, however many days.

    A start at which everybody is taken is there with nobody.
    """
    days = [day for day in days if not offer.has_ended(day)]
    if terms.minutes is None or not days:
        return {}
    first, last = min(days), max(days)
    closed = closed_days(offer.premises_id, first, last)
    fit = _fit(offer, terms, days)
    people = set[int]().union(*fit.values())
    taken = diary(people, first, last)
    shifts = list(Shift.objects.filter(in_force(first, last), caregiver__in=people).order_by())
    free: dict[datetime, list[int]] = {}
    for day in days:
        if day not in closed:
            working = [one for one in shifts if one.is_on(day) and one.caregiver_id in fit[day]]
            free |= _free_on(day, terms.minutes, working, taken)
    return free


def _free_on(day: date, minutes: int, working: list[Shift], taken: Diary) -> dict[datetime, list[int]]:
    begins = instant(day, time())
    booked = {
        person: [(start, end) for start, end in spans if start < begins + timedelta(1) and begins < end]
        for person, spans in taken.items()
    }
    free: dict[datetime, list[int]] = {}
    for shift in working:
        for begin in starts(day=day, opens=shift.starts_at, closes=shift.ends_at, minutes=minutes):
            people = free.setdefault(begin, [])
            if is_free(begin, begin + timedelta(minutes=minutes), booked.get(shift.caregiver_id, [])):
                people.append(shift.caregiver_id)
    return {
        begin: sorted(people, key=lambda person: (len(booked.get(person, [])), person))
        for begin, people in sorted(free.items())
    }


def appointments_ahead(
    *, offer: Offer, terms: OrderTerms, days: Iterable[date], at: datetime
) -> dict[date, list[Choice]]:
    """When one could be visited on each of these days, and how many caregivers are free at each time; days too far
    ahead have no time. As many queries as `free_starts`."""
    found: dict[date, list[Choice]] = {day: [] for day in days}
    if terms.minutes is None:
        return found
    length, last = timedelta(minutes=terms.minutes), at + timedelta(minutes=terms.order_until_minutes)
    free = free_starts(offer=offer, terms=terms, days=within_reach(found, terms, at))
    for begin, people in free.items():
        found[day_of(begin)].append(Choice(begin, begin + length, len(people), too_late=begin < last))
    return found


def appointments_on(*, offer: Offer, terms: OrderTerms, day: date, at: datetime) -> list[Choice]:
    """The same of one day."""
    return appointments_ahead(offer=offer, terms=terms, days=[day], at=at)[day]


def choices_ahead(
    *, offer: Offer, terms: OrderTerms, days: Iterable[date], at: datetime
) -> dict[date, list[Choice]]:
    """The times at which an offer begins on each of these days, in the manner in which it is ordered."""
    ahead = sittings_ahead if terms.manner == OrderTerms.Manner.SITTING else appointments_ahead
    return ahead(offer=offer, terms=terms, days=days, at=at)
