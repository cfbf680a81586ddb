"""What was ordered: the list, one order in words, cancelling, another time, the same again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ledger.journal.queries import SHANGHAI, day_of
from marketplace.fulfilment.models import CareOrder, StandingOrder, WorkOrder
from marketplace.fulfilment.operations import Placer, cancel, cancel_until, change_time, may_cancel
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.offerings.baskets import new_basket, want
from marketplace.web.family.acting import acting_of, elder_of, for_elder
from marketplace.web.market.choose import chosen_time, times
from providers.caregivers.queries import choices_ahead
from providers.models import Offer
from providers.ordering.times import days_between
from vouchers.elders.models import Elder
from vouchers.models import Hold, Visit

A_PAGE = 5

# A work order in words, with icon and tone.
WORDS = {
    WorkOrder.State.PLACED: (gettext_lazy("Ordered, the place has been told"), "hourglass-split", "wait"),
    WorkOrder.State.ACCEPTED: (gettext_lazy("Accepted, they expect you"), "check-circle-fill", "ok"),
    WorkOrder.State.ASSIGNED: (gettext_lazy("Somebody is chosen to come"), "person", "ok"),
    WorkOrder.State.UNDERWAY: (gettext_lazy("They are with you"), "person", "due"),
    WorkOrder.State.DONE: (gettext_lazy("Delivered"), "check-circle-fill", "ok"),
    WorkOrder.State.CANCELLED: (gettext_lazy("Cancelled, vouchers are free again"), "x-octagon-fill", ""),
    WorkOrder.State.DECLINED: (
        gettext_lazy("They cannot come, vouchers are free again"),
        "x-octagon-fill",
        "",
    ),
    WorkOrder.State.MISSED: (
        gettext_lazy("Did not take place, vouchers are free again"),
        "x-octagon-fill",
        "",
    ),
}


OVER = (gettext_lazy("Over. We ring to ask whether all was well"), "telephone-fill", "due")


@dataclass(frozen=True, slots=True)
class Told:
    """One work order as a person reads it. `held`: yuan of vouchers set aside for it; `visit` where somebody came."""

    work: WorkOrder
    state: str
    words: Any
    icon: str
    tone: str
    held: Decimal
    self_pay: Decimal
    may_cancel: bool
    until: datetime
    visit: Visit | None


def works(elder: Elder) -> QuerySet[WorkOrder]:
    return (
        WorkOrder.objects.filter(order__elder=elder)
        .select_related(
            "order__order",
            "line",
            "hold__visit",
            "caregiver",
            "offer__service",
            "offer__premises__division",
            "offer__order_terms",
            "appointment__caregiver",
        )
        .prefetch_related("hold__lines")
    )


def told(work: WorkOrder, at: datetime) -> Told:
    """The hold is the truth: what was delivered or released elsewhere is said so before the nightly run notes it."""
    state = WorkOrder.State(work.state)
    if work.is_open and work.hold.state == Hold.State.DELIVERED:
        state = WorkOrder.State.DONE
    elif work.is_open and work.hold.state == Hold.State.RELEASED:
        state = WorkOrder.State.CANCELLED
    visit = getattr(work.hold, "visit", None)
    words, icon, tone = WORDS[state]
    if state == WorkOrder.State.UNDERWAY and visit is not None and visit.left_at is not None:
        words, icon, tone = OVER
    held = sum((line.amount for line in work.hold.lines.all()), Decimal("0.00"))
    return Told(
        work,
        state.value,
        words,
        icon,
        tone,
        held,
        work.line.line_price_incl_tax - held,
        state in WorkOrder.OPEN and may_cancel(work, at),
        cancel_until(work),
        visit,
    )


@for_elder
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """This page will list what was ordered for this elder: what is to come first, then what was."""
    elder, at = elder_of(request), timezone.now()
    coming = works(elder).filter(state__in=WorkOrder.OPEN).order_by("starts_at", "id")
    page = Paginator(
        works(elder).exclude(state__in=WorkOrder.OPEN).order_by("-starts_at", "-id"), A_PAGE
    ).get_page(request.GET.get("page"))
    standing = (
        StandingOrder.objects.filter(elder=elder, stopped_at=None)
        .select_related("offer__service", "offer__premises")
        .order_by("id")
    )
    return render(
        request,
        "market/orders.html",
        {
            "coming": [told(work, at) for work in coming[:20]],
            "past": [told(work, at) for work in page.object_list],
            "page": page,
            "standing": standing,
        },
    )


def _order(request: HttpRequest, number: int) -> CareOrder:
    """This elder's order with this number; another's is not there."""
    return get_object_or_404(
        CareOrder.objects.select_related("order", "elder"), elder=elder_of(request), order__number=str(number)
    )


@for_elder
@require_safe
def order(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one order: when, where, what was set aside, until when it can be cancelled."""
    care, at = _order(request, number), timezone.now()
    rows = [told(work, at) for work in works(care.elder).filter(order=care).order_by("starts_at", "id")]
    context = {
        "care": care,
        "rows": rows,
        "new": request.GET.get("new") == "1" and at - care.placed_at < timedelta(minutes=10),
        "can_stand": any(row.work.booking_id for row in rows),
    }
    return render(request, "market/order.html", context)


def _work(request: HttpRequest, number: int, work: int) -> WorkOrder:
    return get_object_or_404(works(elder_of(request)), pk=work, order__order__number=str(number))


@for_elder(order=True)
@require_POST
def cancel_work(request: HttpRequest, number: int, work: int) -> HttpResponse:
    """This form will cancel one service."""
    found = _work(request, number, work)
    try:
        cancel(work=found, placer=Placer.of(acting_of(request)), at=timezone.now())
    except CannotOrder as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Cancelled. Your vouchers are free again."))
    return redirect("market:order", number)


@for_elder(order=True)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, number: int, work: int) -> HttpResponse:
    """This page will ask for another time of the same service, and move it there."""
    found, at = _work(request, number, work), timezone.now()
    offer: Offer = found.offer
    taken = False
    if request.method == "POST":
        starts_at = chosen_time(request, offer, offer.order_terms, at)
        taken = starts_at is None
        if starts_at is not None:
            try:
                change_time(work=found, starts_at=starts_at, placer=Placer.of(acting_of(request)), at=at)
            except CannotOrder as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, _("The time is changed."))
            return redirect("market:order", number)
    if not may_cancel(found, at):
        messages.error(request, str(CannotOrder("too_late_to_cancel" if found.is_open else "closed")))
        return redirect("market:order", number)
    context = times(request, offer, offer.order_terms, at)
    return render(request, "market/change.html", {"work": found, "taken": taken, **context})


@for_elder(order=True)
@require_POST
@transaction.atomic
def again(request: HttpRequest, number: int) -> HttpResponse:
    """This form will put the same services into a new basket, at the next free time of the same hour, and lead
    to the last look."""
    care, at = _order(request, number), timezone.now()
    basket = new_basket(user=request.user, elder=care.elder)
    wanted = 0
    for work in works(care.elder).filter(order=care).order_by("starts_at", "id"):
        starts_at = next_like(work, at)
        if starts_at is None or not getattr(work.offer, "supply", None):
            continue
        want(
            care=basket,
            offer=work.offer,
            starts_at=starts_at,
            quantity=work.quantity,
            address=work.address(),
        )
        wanted += 1
    if not wanted:
        messages.error(
            request, _("None of this can be ordered again in the coming days. Choose something else.")
        )
        return redirect("market:browse")
    return redirect("market:check")


def next_like(work: WorkOrder, at: datetime) -> datetime | None:
    """The next free time at the same hour within a week; None when there is none."""
    terms = getattr(work.offer, "order_terms", None)
    if terms is None:
        return None
    clock = work.starts_at.astimezone(SHANGHAI).time()
    today = day_of(at)
    week = days_between(today, today + timedelta(days=min(7, terms.days_ahead)))
    for choices in choices_ahead(offer=work.offer, terms=terms, days=week, at=at).values():
        for choice in choices:
            if choice.can_be_chosen and choice.starts_at.astimezone(SHANGHAI).time() == clock:
                return choice.starts_at
    return None
