"""Registering caregivers, setting their shifts, making and freeing their appointments."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from providers.caregivers.models import Appointment, Caregiver, Qualification, Shift
from providers.caregivers.queries import free_starts
from providers.operators.models import Operator
from providers.ordering.models import OrderTerms
from providers.ordering.refusals import CannotBook
from providers.ordering.times import check_in_time
from providers.ordering.weeks import replace_week, told, withdraw
from providers.services.models import Offer

SENTENCES = {
    "not_fit": _("This caregiver may not be sent for this: the certificate is missing or has run out."),
    "busy": _("This caregiver has something else at that time."),
    "too_far": _("The way to or from the visit before or after takes longer than there is time."),
    "other_operator": _("This account is no caregiver's account of this operator."),
    "account_taken": _("Another caregiver uses this account."),
}


class CannotAssign(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, `str()` the sentence for a person."""

    sentences = SENTENCES


class Certificate(NamedTuple):
    """`kind` is one of OrderTerms.Needs."""

    kind: str
    number: str
    valid_from: date
    valid_until: date | None = None


class Hours(NamedTuple):
    """`weekday` 0 is Monday."""

    weekday: int
    starts_at: time
    ends_at: time


@transaction.atomic
def register_caregiver(
    *,
    code: str,
    name: str,
    operator: Operator,
    certificates: Iterable[Certificate],
    by: Any,
    at: datetime,
) -> Caregiver:
    """This function will put a caregiver on the register, with what they are qualified for.

    Known by code; the same again changes nothing, a certificate that is new is added.
    """
    caregiver, made = Caregiver.objects.get_or_create(
        code=code, defaults={"name": name, "operator": operator}
    )
    new = []
    for one in certificates:
        _found, added = Qualification.objects.get_or_create(
            caregiver=caregiver,
            kind=one.kind,
            number=one.number,
            defaults={"valid_from": one.valid_from, "valid_until": one.valid_until},
        )
        new += [one.kind] if added else []
    if made or new:
        record(
            by=by,
            at=at,
            action="register_caregiver",
            subject=code,
            detail={"operator": operator.code, "certificates": new},
        )
    return caregiver


@transaction.atomic
def set_shifts(
    *, caregiver: Caregiver, hours: Iterable[Hours], from_on: date | None = None, by: Any, at: datetime
) -> None:
    """This function will replace a caregiver's weekly shifts, from a day on (providers/ordering/weeks.py).

    Appointments made before stay.
    """
    Caregiver.objects.select_for_update(no_key=True).get(pk=caregiver.pk)
    rows = Shift.objects.filter(caregiver=caregiver)
    week = replace_week(rows, Hours, hours, from_on=from_on, today=day_of(at), caregiver=caregiver)
    if week is not None:
        detail = {"week": told(week)} | ({"from": from_on.isoformat()} if from_on else {})
        record(by=by, at=at, action="set_shifts", subject=caregiver.code, detail=detail)


@transaction.atomic
def withdraw_shifts(*, caregiver: Caregiver, by: Any, at: datetime) -> bool:
    """This function will take back a change of shifts that was to come."""
    Caregiver.objects.select_for_update(no_key=True).get(pk=caregiver.pk)
    done = withdraw(Shift.objects.filter(caregiver=caregiver), day_of(at))
    if done:
        record(by=by, at=at, action="withdraw_shifts", subject=caregiver.code)
    return done


@transaction.atomic
def take_on(*, name: str, operator: Operator, certificate: Certificate, by: Any, at: datetime) -> Caregiver:
    """This function will put somebody new on an operator's list of caregivers, under a code that it makes."""
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    number = Caregiver.objects.filter(operator=operator).count() + 1
    return register_caregiver(
        code=f"CG{operator.pk:05}{number:03}",
        name=name,
        operator=operator,
        certificates=[certificate],
        by=by,
        at=at,
    )


@transaction.atomic
def set_leaving(*, caregiver: Caregiver, left_on: date | None, by: Any, at: datetime) -> None:
    """This function will note the first day on which somebody no longer works there; None: goes on.

    Appointments made before stay.
    """
    row = Caregiver.objects.select_for_update().get(pk=caregiver.pk)
    if row.left_on != left_on:
        row.left_on = left_on
        row.save(update_fields=["left_on"])
        day = left_on and left_on.isoformat()
        record(by=by, at=at, action="set_leaving", subject=row.code, detail={"left_on": day})


def book_appointment(*, offer: Offer, starts_at: datetime, key: str, by: Any, at: datetime) -> Appointment:
    """This function will book a caregiver for an offer at a time: whoever is free with the emptiest diary.

    1. Answer a key that was booked before with its appointment; refuse one used for something else.
    2. Check terms and cut-off.
    3. Lock all who could come, then send the first who is still free.

    Raises CannotBook; nothing is written.
    """
    with transaction.atomic():
        first = Appointment.objects.filter(key=key).first()
        if first is not None:
            if first.freed_at or (first.offer_id, first.starts_at) != (offer.pk, starts_at):
                raise CannotBook("key_reused")
            return first
        terms = OrderTerms.objects.filter(offer=offer, manner=OrderTerms.Manner.APPOINTMENT).first()
        if terms is None or terms.minutes is None:
            raise CannotBook("not_ordered")
        check_in_time(
            starts_at=starts_at, at=at, until_minutes=terms.order_until_minutes, days_ahead=terms.days_ahead
        )
        people = free_starts(offer=offer, terms=terms, days=[day_of(starts_at)]).get(starts_at)
        if people is None:
            raise CannotBook("closed_then")
        ends_at = starts_at + timedelta(minutes=terms.minutes)
        taken = _taken_meanwhile(people, starts_at, ends_at)
        person = next((one for one in people if one not in taken), None)
        if person is None:
            raise CannotBook("nobody_free")
        appointment = Appointment.objects.create(
            key=key, offer=offer, caregiver_id=person, starts_at=starts_at, ends_at=ends_at, booked_at=at
        )
        record(by=by, at=at, action="book_appointment", subject=key, detail={"caregiver": person})
        return appointment


def _taken_meanwhile(people: list[int], starts_at: datetime, ends_at: datetime) -> set[int]:
    """Those of these caregivers who have something else then; they are locked, so nobody else takes one after this.

    Without the lock two who write at once would each find the other's row, and wait for it in a circle: an exclusion
    constraint looks only after it has written. All are locked, in one order, before anybody is chosen.
    """
    list(Caregiver.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
    overlapping = Appointment.objects.filter(
        caregiver__in=people, freed_at=None, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    return set(overlapping.order_by().values_list("caregiver_id", flat=True))


@transaction.atomic
def give_account(*, caregiver: Caregiver, user: Any, by: Any, at: datetime) -> None:
    """This function will let a caregiver tell of visits by this account; the same again changes nothing.

    Raises CannotAssign: other_operator, account_taken.
    """
    if user.operator_id != caregiver.operator_id or user.role != "caregiver":
        raise CannotAssign("other_operator")
    caregiver = Caregiver.objects.select_for_update(no_key=True).get(pk=caregiver.pk)
    if caregiver.user_id == user.pk:
        return
    if Caregiver.objects.filter(user=user).exists():
        raise CannotAssign("account_taken")
    caregiver.user = user
    caregiver.save(update_fields=["user"])
    record(by=by, at=at, action="give_account", subject=caregiver.code, detail={"user": user.get_username()})


@transaction.atomic
def reassign(*, appointment: Appointment, caregiver: Caregiver, by: Any, at: datetime) -> Appointment:
    """This function will give an appointment to another caregiver; to the same it changes nothing.

    Whether they may do it and get there is the caller's to check. Raises CannotAssign: busy.
    """
    appointment = Appointment.objects.select_for_update(of=["self"]).get(pk=appointment.pk)
    if appointment.caregiver_id == caregiver.pk:
        return appointment
    appointment.caregiver = caregiver
    try:
        with transaction.atomic():
            appointment.save(update_fields=["caregiver"])
    except IntegrityError as error:
        if "appointments_of_one_caregiver_never_overlap" not in str(error):
            raise
        raise CannotAssign("busy") from None
    record(by=by, at=at, action="reassign", subject=appointment.key, detail={"caregiver": caregiver.code})
    return appointment


@transaction.atomic
def free_appointments(*, keys: Iterable[str], by: Any, at: datetime) -> int:
    """This function will free the appointments made under these keys, each once; how many that were."""
    freed = 0
    for appointment in Appointment.objects.filter(key__in=list(keys), freed_at=None).order_by("id"):
        if Appointment.objects.filter(pk=appointment.pk, freed_at=None).update(freed_at=at):
            record(by=by, at=at, action="free_appointment", subject=appointment.key)
            freed += 1
    return freed
