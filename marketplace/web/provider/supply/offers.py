"""How one service of one house is ordered: until when, how far ahead, its sittings and their places."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ledger.journal.queries import day_of
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.provider.supply.forms import TermsForm, before
from marketplace.web.provider.supply.places import first_day, to_come
from marketplace.web.provider.supply.weeks import SittingsForm
from providers.models import Appointment, Offer, OrderTerms, Sitting, Slot
from providers.ordering.operations import Places, set_order_terms, set_sittings, withdraw_sittings
from providers.ordering.weeks import week_on

BOOKED_DAYS = 14


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, premises: str, service: str) -> HttpResponse:
    """This page will set how a service is ordered, and its sittings from a day on; it shows what is booked."""
    at = timezone.now()
    today = day_of(at)
    one = get_object_or_404(
        Offer.objects.select_related("premises", "service", "order_terms"),
        premises__in=scope.own_places(request.user, today),
        premises__code=premises,
        service__code=service,
    )
    terms: OrderTerms | None = getattr(one, "order_terms", None)
    rows = Sitting.objects.filter(offer=one)
    act = request.POST.get("act", "")
    coming = to_come(rows, Places, today)
    asked = TermsForm(request.POST if act == "terms" else None, terms=terms, prefix="terms")
    sittings = SittingsForm(
        request.POST if act == "sittings" else None,
        first=first_day(rows, today),
        week=coming.get("week", week_on(rows, Places, today)),
    )
    done = ""
    if act == "terms" and asked.is_valid():
        set_order_terms(offer=one, **asked.cleaned_data, by=request.user, at=at)
        done = "terms"
    elif act == "sittings" and sittings.is_valid():
        day = sittings.cleaned_data["from_on"]
        set_sittings(offer=one, sittings=sittings.rows, from_on=day, by=request.user, at=at)
        done = "sittings"
    elif act == "withdraw":
        withdraw_sittings(offer=one, by=request.user, at=at)
        done = "withdrawn"
    if done:
        return redirect(f"{reverse('office:offer', args=[premises, service])}?done={done}")
    return render(
        request,
        "office/offer.html",
        {
            "offer": one,
            "terms": terms,
            "order_until": terms and before(terms.order_until_minutes),
            "cancel_until": terms and before(terms.cancel_until_minutes),
            "seated": terms is not None and terms.manner == OrderTerms.Manner.SITTING,
            "form": sittings if act == "sittings" else asked,
            "asked": asked,
            "sittings": sittings,
            "coming": coming,
            "booked": _booked(one, at),
            "done": request.GET.get("done", ""),
            "trail": [
                (_("Office"), reverse("office:today")),
                (_("Hours and orders"), reverse("office:places")),
                (one.premises.name, reverse("office:place", args=[premises])),
                (one.service.name, None),
            ],
        },
    )


def _booked(one: Offer, at: Any) -> list[dict[str, Any]]:
    """What is booked in the coming days: time, taken, of how many; `gone` where no sitting is left under it."""
    until = at + timedelta(days=BOOKED_DAYS)
    sittings = list(Sitting.objects.filter(offer=one))
    found = []
    slots = Slot.objects.filter(Q(taken__gt=0), offer=one, ends_at__gt=at, starts_at__lt=until)
    for slot in slots.order_by("starts_at"):
        local = timezone.localtime(slot.starts_at)
        stands = any(row.is_on(local.date()) and row.starts_at == local.time() for row in sittings)
        found.append({"at": slot.starts_at, "taken": slot.taken, "of": slot.capacity, "gone": not stands})
    visits = Appointment.objects.filter(offer=one, freed_at=None, ends_at__gt=at, starts_at__lt=until)
    for visit in visits.select_related("caregiver").order_by("starts_at"):
        found.append({"at": visit.starts_at, "caregiver": visit.caregiver})
    return found
