"""When, and where: one question a page."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from ledger.journal.queries import day_of
from marketplace.fulfilment.queries import last_address
from marketplace.offerings.baskets import address_of, new_basket, open_basket, want
from marketplace.offerings.models import Wish
from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.forms import Marked
from marketplace.web.market.browse import offer_shown
from providers.caregivers.queries import choices_ahead
from providers.models import Offer, OrderTerms
from providers.ordering.queries import Choice
from providers.ordering.times import days_between
from vouchers.elders.models import Elder

DAYS_SHOWN = 5
MOST_TIMES = 5


def choices_on(
    offer: Offer, order_terms: OrderTerms, days: list[date], at: datetime
) -> dict[date, list[Choice]]:
    """The times of each day that can still be chosen, or that are full."""
    found = choices_ahead(offer=offer, terms=order_terms, days=days, at=at)
    return {day: [choice for choice in choices if not choice.too_late] for day, choices in found.items()}


def times(request: HttpRequest, offer: Offer, order_terms: OrderTerms, at: datetime) -> dict[str, Any]:
    """The days and times to choose from: the day asked for, or the first one on which there is a time."""
    today = day_of(at)
    last = today + timedelta(days=order_terms.days_ahead)
    asked = _day(request.GET.get("day", ""), today, last)
    coming = days_between(today, min(last, today + timedelta(days=DAYS_SHOWN - 1)))
    found = choices_on(offer, order_terms, [asked] if asked else coming, at)
    first = asked or next(
        (day for day, choices in found.items() if any(one.can_be_chosen for one in choices)), today
    )
    start = today if first in coming else min(first, last - timedelta(days=DAYS_SHOWN - 1))
    days = days_between(start, min(last, start + timedelta(days=DAYS_SHOWN - 1)))
    later = request.GET.get("later") == "1"
    free = [choice for choice in found[first] if choice.can_be_chosen]
    return {
        "day": first,
        "days": days,
        "next_days": days[-1] + timedelta(days=1) if days[-1] < last else None,
        "choices": free[MOST_TIMES:] if later else free[:MOST_TIMES],
        "more": not later and len(free) > MOST_TIMES,
        "later": later,
        "full": bool(found[first]) and not free,
        "today": today,
        "tomorrow": today + timedelta(days=1),
    }


def _day(text: str, first: date, last: date) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if first <= day <= last else None


def chosen_time(request: HttpRequest, offer: Offer, order_terms: OrderTerms, at: datetime) -> datetime | None:
    """The time that was sent, if it is one of those that could be chosen."""
    try:
        wanted = datetime.fromisoformat(request.POST.get("starts_at", ""))
    except ValueError:
        return None
    if wanted.tzinfo is None:
        return None
    day = day_of(wanted)
    choices = choices_on(offer, order_terms, [day], at)[day]
    return next((one.starts_at for one in choices if one.starts_at == wanted and one.can_be_chosen), None)


@for_elder(order=True)
@require_http_methods(["GET", "HEAD", "POST"])
def when(request: HttpRequest, premises: str, service: str) -> HttpResponse:
    """This page will ask for day and time, and put the service into the elder's basket."""
    elder, at = elder_of(request), timezone.now()
    one = offer_shown(request, premises, service, elder, at)
    if not one.can_be_ordered or one.terms is None:
        raise Http404
    taken = False
    if request.method == "POST":
        starts_at = chosen_time(request, one.offer, one.terms, at)
        if starts_at is not None:
            wish = _wanted(request, elder, one.offer, one.terms, starts_at)
            if one.terms.where == OrderTerms.Where.HOME:
                return redirect("market:where", wish.line_id)
            return redirect("market:check")
        taken = True
    context = times(request, one.offer, one.terms, at)
    return render(request, "market/when.html", {"one": one, "taken": taken, **context})


@transaction.atomic
def _wanted(
    request: HttpRequest, elder: Elder, offer: Offer, order_terms: OrderTerms, starts_at: datetime
) -> Wish:
    care = open_basket(user=request.user, elder=elder) or new_basket(
        user=request.user, elder=elder, key=uuid4()
    )
    address = last_address(elder) if order_terms.where == OrderTerms.Where.HOME else ""
    return want(care=care, offer=offer, starts_at=starts_at, address=address)


class WhereForm(Marked):
    address = forms.CharField(
        label=_("Street, number, building, room"),
        max_length=120,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
        error_messages={"required": _("Say where the service is to be brought.")},
    )


@for_elder(order=True)
@require_http_methods(["GET", "HEAD", "POST"])
def where(request: HttpRequest, line: int) -> HttpResponse:
    """This page will ask where to come; the last address stands there already."""
    elder = elder_of(request)
    care = open_basket(user=request.user, elder=elder)
    if care is None:
        raise Http404
    wish = get_object_or_404(
        Wish.objects.select_related("line", "offer__service", "offer__order_terms"),
        line=line,
        line__basket=care.basket,
        offer__order_terms__where=OrderTerms.Where.HOME,
    )
    form = WhereForm(request.POST or None, initial={"address": address_of(care, wish)})
    if request.method == "POST" and form.is_valid():
        want(
            care=care,
            offer=wish.offer,
            starts_at=wish.starts_at,
            quantity=wish.line.quantity,
            address=form.cleaned_data["address"],
        )
        return redirect("market:check")
    return render(request, "market/where.html", {"wish": wish, "form": form})
