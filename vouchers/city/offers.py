"""Ending what is delivered from some premises, and delivering it again."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.journal.operations import exclusive
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from providers.models import Appointment, Offer, Slot
from vouchers.city.entry import WAIT_SECONDS
from vouchers.redemption.models import Redemption

SENTENCES = {
    "moved_on": _("Somebody has changed this meanwhile: look at it again."),
    "served_later": _("It was served there on %(day)s. It ends on that day or later."),
    "booked_later": _(
        "Elders have ordered it for %(day)s. It ends on that day or later, or cancel those orders first."
    ),
}


class CannotEnd(Refusal):
    """An offer cannot be changed so; `code` is one of SENTENCES. Nothing is written."""

    sentences = SENTENCES

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.values = values

    def __str__(self) -> str:
        return super().__str__() % self.values


def subject_of(offer: Offer) -> str:
    """How the audit names an offer: as the file that loads it does (providers/services/operations.py)."""
    return f"{offer.premises.code} {offer.service.code}"


def end_offer(*, offer: Offer, ends_on: date, reason: str, by: Any, at: datetime) -> Offer:
    """This function will end an offer: after `ends_on` it is neither redeemed nor ordered there.

    1. Keep loads, imports and expiries out; lock the offer, as booking a place does.
    2. Refuse a day before the last redemption of it there, or before a day for which places are booked.

    What was redeemed until then stays. Raises CannotEnd, Busy.
    """
    with exclusive("end_offer", wait_seconds=WAIT_SECONDS), transaction.atomic():
        offer = _locked(offer)
        if offer.ends_on is not None:
            raise CannotEnd("moved_on")
        served = _last_served(offer, after=ends_on)
        if served is not None:
            raise CannotEnd("served_later", day=served)
        booked = _last_booked(offer)
        if booked is not None and booked > ends_on:
            raise CannotEnd("booked_later", day=booked)
        return _set(offer, ends_on, "end_offer", reason, by=by, at=at)


def offer_again(*, offer: Offer, reason: str, by: Any, at: datetime) -> Offer:
    """This function will take the end of an offer back, as if it had never been. Raises CannotEnd, Busy."""
    with exclusive("offer_again", wait_seconds=WAIT_SECONDS), transaction.atomic():
        offer = _locked(offer)
        if offer.ends_on is None:
            raise CannotEnd("moved_on")
        return _set(offer, None, "offer_again", reason, by=by, at=at)


def _locked(offer: Offer) -> Offer:
    rows = Offer.objects.select_for_update(of=["self"], no_key=True).select_related("premises", "service")
    return rows.get(pk=offer.pk)


def _last_served(offer: Offer, *, after: date) -> date | None:
    rows = Redemption.objects.filter(
        lease__premises=offer.premises_id, service=offer.service_id, service_on__gt=after, reversed_on=None
    )
    return rows.aggregate(last=Max("service_on"))["last"]


def _last_booked(offer: Offer) -> date | None:
    ends = [
        Slot.objects.filter(offer=offer, taken__gt=0).aggregate(last=Max("starts_at"))["last"],
        Appointment.objects.filter(offer=offer, freed_at=None).aggregate(last=Max("starts_at"))["last"],
    ]
    return max((day_of(one) for one in ends if one), default=None)


def _set(offer: Offer, ends_on: date | None, action: str, reason: str, *, by: Any, at: datetime) -> Offer:
    was, offer.ends_on = offer.ends_on, ends_on
    offer.save(update_fields=["ends_on"])
    detail = {
        "ends_on": ["" if one is None else one.isoformat() for one in (was, ends_on)],
        "reason": ["", reason],
    }
    record(by=by, at=at, action=action, subject=subject_of(offer), detail=detail)
    return offer
