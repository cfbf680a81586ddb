"""Visits of the sample town: a caregiver with a phone, yesterday's visits in each of their ends, today's to make.

All of it is made through the operations, on what the town's market has set up; where there is none, nothing is made.
"""

from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from marketplace.fulfilment import dispatch
from marketplace.fulfilment.dispatch import CannotDispatch
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.operations import Placer, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.fulfilment.visits import report
from marketplace.offerings.baskets import new_basket, want
from marketplace.sample.demo_users import demo_user
from providers.caregivers.operations import give_account
from providers.caregivers.queries import free_starts
from providers.models import Caregiver, Lease, OrderTerms
from providers.ordering.times import instant
from vouchers.codes.operations import elder_token
from vouchers.models import Elder, VisitReport, Voucher
from vouchers.visits.operations import Kind, Spot, Told, scope_of

ACCOUNT = "caregiver"
TRIES = 12  # of elders for one visit
APART = 3  # of the half hours at which a visit may begin
# For which day (0 is today), and how far it has come: its elder confirmed, is still to be asked, or nothing yet.
VISITS = [(-1, "proven"), (-1, "word"), (0, "sent"), (0, "sent"), (0, "placed"), (1, "sent"), (1, "placed")]


def visit(*, today: date, by: str) -> str:
    """This function will tie the demo caregiver to the register and make a few visits. Made twice: nothing new."""
    user = demo_user(ACCOUNT)
    caregiver = Caregiver.objects.filter(operator=user.operator_id).order_by("code").first()
    if caregiver is None:
        return "no caregivers"
    if WorkOrder.objects.filter(caregiver=caregiver).exists():
        return "done before"
    at = instant(today - timedelta(days=2), time(9, 30))
    give_account(caregiver=caregiver, user=user, by=by, at=at)
    caregiver.refresh_from_db()
    made = 0
    for ahead, state in VISITS:
        day = today + timedelta(days=ahead)
        if ahead < 0 and day.month != today.month:
            continue  # nothing is delivered in a month that is drawn up
        work = _order(caregiver, day, goes=state != "placed", at=at, by=by)
        if work is None:
            continue
        made += 1
        if state in ("proven", "word"):
            _go(work, caregiver, confirmed=state == "proven")
    return f"{made} visits"


def _order(caregiver: Caregiver, day: date, *, goes: bool, at: datetime, by: str) -> WorkOrder | None:
    """A visit on this day by the caregiver's operator, for an elder who may have it; the caregiver `goes` there."""
    rented = Lease.objects.filter(operator=caregiver.operator_id, starts_on__lte=day, ends_on__gte=day)
    offers = OrderTerms.objects.filter(
        offer__premises__in=rented.values("premises"),
        where=OrderTerms.Where.HOME,
        manner=OrderTerms.Manner.APPOINTMENT,
        needs__in=caregiver.qualifications.values("kind"),
    ).select_related("offer__premises", "offer__service")
    for terms in offers.order_by("offer__service__code", "offer_id"):
        free = free_starts(offer=terms.offer, terms=terms, days=[day])
        begins = [begin for begin, people in free.items() if caregiver.pk in people]
        for elder, begin in product(_people(terms, caregiver, day), begins[::APART]):
            home = f"{elder.division.name}{elder.pk % 40 + 1}栋{elder.pk % 6 + 1}01室"
            try:
                with transaction.atomic():
                    care = new_basket(user=None, elder=elder)
                    want(care=care, offer=terms.offer, starts_at=begin, address=home)
                    work = place_order(care=care, placer=Placer(by=by, channel="hotline"), at=at).work.get()
                    return dispatch.assign(work=work, caregiver=caregiver, by=by, at=at) if goes else work
            except (CannotOrder, CannotDispatch):
                continue
    return None


def _people(terms: OrderTerms, caregiver: Caregiver, day: date) -> list[Elder]:
    """Some without an order, who hold a voucher that such a service takes on this day."""
    fits = Voucher.objects.filter(
        Q(programme__scope="city") | Q(programme__lease__operator=caregiver.operator_id),
        elder=OuterRef("pk"),
        programme__categories__contains=[terms.offer.service.category],
        remaining__gt=0,
        expired_on=None,
        voided_on=None,
        valid_from__lte=day,
        valid_until__gte=day,
    )
    found = Elder.objects.filter(Exists(fits), died_on=None, orders=None, delegations=None)
    return list(found.select_related("division").order_by("-code")[:TRIES])


def _go(work: WorkOrder, caregiver: Caregiver, *, confirmed: bool) -> None:
    """There and back; told at once, as on a day with a network."""
    begins = work.starts_at
    leaves = work.ends_at - timedelta(minutes=10)
    place = work.offer.premises
    spot = None
    if place.longitude is not None and place.latitude is not None:
        spot = Spot(float(place.longitude), float(place.latitude), 25)
    told: list[tuple[VisitReport.Kind, datetime, dict[str, Any]]] = [(Kind.ARRIVED, begins, {"spot": spot})]
    if confirmed:
        shown = leaves - timedelta(minutes=1)
        told.append(
            (Kind.CONFIRMED, shown, {"credential": {"token": elder_token(elder=work.order.elder, at=shown)}})
        )
    told.append((Kind.LEFT, leaves, {}))
    for kind, when, what in told:
        fresh = WorkOrder.objects.select_related("hold__service", "hold__elder__division").get(pk=work.pk)
        one = Told(
            scope=scope_of(caregiver), key=f"sample-{kind}-{work.pk}", kind=kind, happened_at=when, **what
        )
        report(work=fresh, caregiver=caregiver, told=one, by=caregiver.user, at=when)
