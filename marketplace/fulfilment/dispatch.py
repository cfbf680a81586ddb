"""The operator's side of a work order: accepting, declining, sending somebody, what did not take place."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.journal.queries import SHANGHAI, day_of
from ledger.refusals import Refusal
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.operations import close, locked
from marketplace.fulfilment.visits import did_not_take_place
from marketplace.messages.operations import tell
from providers.caregivers.operations import CannotAssign, reassign
from providers.caregivers.queries import fit_for
from providers.models import Caregiver, OrderTerms, Shift
from providers.ordering.times import instant
from providers.ordering.weeks import in_force
from providers.premises.distances import WAY_INCLUDED, Place, way_minutes
from providers.premises.queries import centres_of
from vouchers.models import Visit

SENTENCES = {
    "closed": _("This order is closed already."),
    "under_way": _("The visit is under way or over: it can no longer be changed."),
    "no_reason": _("Say why, in a few words: the elder reads it."),
    "nobody_needed": _("For this the elder comes to the place: nobody is sent."),
    "too_early": _("It has not begun yet: it may still take place. Decline it instead."),
}


class CannotDispatch(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES or of CannotAssign's, `str()` the sentence."""

    sentences = SENTENCES

    def __init__(self, code: str, *, cause: Exception | None = None) -> None:
        super().__init__(code)
        self.cause = cause

    def __str__(self) -> str:
        return str(self.cause) if self.cause else super().__str__()


State = WorkOrder.State
BEFORE = (State.PLACED, State.ACCEPTED, State.ASSIGNED)
"""The states in which the office may still decline it or send another."""


def _open(work: WorkOrder) -> WorkOrder:
    """Locked. Raises CannotDispatch."""
    work = locked(work)
    if not work.is_open:
        raise CannotDispatch("closed")
    if work.state not in BEFORE or Visit.objects.filter(hold=work.hold).exists():
        raise CannotDispatch("under_way")
    return work


@transaction.atomic
def accept(*, work: WorkOrder, by: Any, at: datetime) -> WorkOrder:
    """This function will say to the elder that they will come. Accepted before, it changes nothing.

    Raises CannotDispatch: closed, under_way.
    """
    work = _open(work)
    if work.state == State.PLACED:
        work.state = State.ACCEPTED
        work.save(update_fields=["state"])
        record(by=by, at=at, action="accept_order", subject=work.key)
    return work


@transaction.atomic
def decline(*, work: WorkOrder, reason: str, by: Any, at: datetime) -> WorkOrder:
    """This function will decline an order: its hold is released, and the elder is told with the reason.

    Raises CannotDispatch: closed, under_way, no_reason.
    """
    reason = reason.strip()[:40]
    if not reason:
        raise CannotDispatch("no_reason")
    work = _open(work)
    close(work, state=State.DECLINED, reason=reason, by=by, at=at)
    tell(
        kind="order_declined",
        elder=work.order.elder,
        at=at,
        once=f"declined:{work.key}",
        what=work.offer.service.name,
        when=work.starts_at,
        why=reason,
    )
    return work


@transaction.atomic
def assign(*, work: WorkOrder, caregiver: Caregiver, by: Any, at: datetime) -> WorkOrder:
    """This function will send this caregiver. Sent before, it changes nothing.

    1. Lock the order, then the caregiver: two orders at once are looked at one after the other.
    2. Check the certificate, what else stands in the day, and the way from one place to the next.
    3. Give over the appointment; the database refuses two at one time.

    Raises CannotDispatch: closed, under_way, nobody_needed, not_fit, busy, too_far.
    """
    work = _open(work)
    terms: OrderTerms = work.offer.order_terms
    if work.where != OrderTerms.Where.HOME:
        raise CannotDispatch("nobody_needed")
    if work.state == State.ASSIGNED and work.caregiver_id == caregiver.pk:
        return work
    day = day_of(work.starts_at)
    caregiver = Caregiver.objects.select_for_update(no_key=True).get(pk=caregiver.pk)
    try:
        if not fit_for(offer=work.offer, terms=terms, day=day).filter(pk=caregiver.pk).exists():
            raise CannotAssign("not_fit")
        others = stops_of([caregiver], day)[caregiver.pk]
        problem = clash(stop_of(work, centres_of([work.order.elder.division])), others)
        if problem:
            raise CannotAssign(problem)
        if work.appointment is not None:
            work.appointment = reassign(appointment=work.appointment, caregiver=caregiver, by=by, at=at)
    except CannotAssign as cause:
        raise CannotDispatch(cause.code, cause=cause) from cause
    work.caregiver, work.state = caregiver, State.ASSIGNED
    work.save(update_fields=["caregiver", "state"])
    record(by=by, at=at, action="assign_order", subject=work.key, detail={"caregiver": caregiver.code})
    return work


@transaction.atomic
def no_show(*, work: WorkOrder, reason: str, by: Any, at: datetime) -> WorkOrder:
    """This function will note that an order did not take place: nobody was met, or nobody could be sent.

    Raises CannotDispatch: closed, under_way, too_early, no_reason.
    """
    reason = reason.strip()[:40]
    if not reason:
        raise CannotDispatch("no_reason")
    work = _open(work)
    if at < work.starts_at:
        raise CannotDispatch("too_early")
    did_not_take_place(work=work, reason=reason, by=by, at=at)
    return work


# A caregiver's day


class Stop(NamedTuple):
    """Something in a caregiver's day. `window` where it may be done at any moment between: meals."""

    work: int
    starts_at: datetime
    ends_at: datetime
    place: Place | None
    window: bool


def stop_of(work: WorkOrder, centres: dict[int, Place | None]) -> Stop:
    """`centres` by division; the place of a home is that of its community, nobody's door."""
    place = centres.get(work.order.elder.division_id)
    return Stop(work.pk, work.starts_at, work.ends_at, place, work.booking_id is not None)


def stops_of(caregivers: Iterable[Caregiver], day: date) -> dict[int, list[Stop]]:
    """What stands in each one's day, in order of time, by caregiver id. Two queries."""
    ids = [one.pk for one in caregivers]
    begins = instant(day, time())
    found = (
        WorkOrder.objects.filter(
            Q(caregiver__in=ids) | Q(caregiver=None, appointment__caregiver__in=ids),
            state__in=[*WorkOrder.OPEN, State.DONE],
            where=OrderTerms.Where.HOME,
            starts_at__lt=begins + timedelta(days=1),
            ends_at__gt=begins,
        )
        .select_related("order__elder__division", "appointment")
        .order_by("starts_at", "id")
    )
    works = list(found)
    centres = centres_of({work.order.elder.division for work in works})
    stops: dict[int, list[Stop]] = defaultdict(list)
    for work in works:
        whose = work.caregiver_id or (work.appointment.caregiver_id if work.appointment else 0)
        stops[whose].append(stop_of(work, centres))
    return stops


def clash(new: Stop, others: Iterable[Stop]) -> str:
    """Why `new` does not fit into a day: busy, too_far; empty where it does. Pure.

    Two windows may lie over one another: meals are brought on one round.
    """
    for other in others:
        if other.work == new.work or (other.window and new.window):
            continue
        if other.starts_at < new.ends_at and new.starts_at < other.ends_at:
            return "busy"
        gap = max(new.starts_at - other.ends_at, other.starts_at - new.ends_at)
        if way_minutes(other.place, new.place) - WAY_INCLUDED > gap.total_seconds() / 60:
            return "too_far"
    return ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be sent. `problem`: "", busy or too_far; `minutes`: of the way from what lies before."""

    caregiver: Caregiver
    problem: str
    on_shift: bool
    stops: int
    planned: bool

    @property
    def can_go(self) -> bool:
        return not self.problem


def candidates(work: WorkOrder) -> list[Candidate]:
    """Whom one could send, the best first: free, on shift, with the emptiest day. Five queries, however many."""
    day = day_of(work.starts_at)
    people = list(fit_for(offer=work.offer, terms=work.offer.order_terms, day=day))
    stops = stops_of(people, day)
    new = stop_of(work, centres_of([work.order.elder.division]))
    local = work.starts_at.astimezone(SHANGHAI).time()
    working = set(
        Shift.objects.filter(
            in_force(day),
            caregiver__in=people,
            weekday=day.weekday(),
            starts_at__lte=local,
            ends_at__gt=local,
        ).values_list("caregiver_id", flat=True)
    )
    planned = work.caregiver_id or (work.appointment.caregiver_id if work.appointment else None)
    found = [
        Candidate(
            one, clash(new, stops[one.pk]), one.pk in working, len(stops[one.pk]), planned=one.pk == planned
        )
        for one in people
    ]
    return sorted(
        found,
        key=lambda one: (not one.can_go, not one.planned, not one.on_shift, one.stops, one.caregiver.code),
    )
