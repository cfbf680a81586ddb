"""The operator's houses: when each is open, on which days it is closed, what is offered there."""

from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.journal.queries import day_of
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.forms import row_number
from marketplace.web.provider.supply.forms import ClosedForm
from marketplace.web.provider.supply.weeks import WeekForm
from providers.models import Closure, Offer, OpeningHours, Premises
from providers.ordering.operations import Hours, close_for, reopen, set_opening_hours, withdraw_opening_hours
from providers.ordering.queries import week_of
from providers.ordering.weeks import change_to_come, week_on


def first_day(rows: QuerySet[Any], today: date) -> date:
    """From when another week may hold: from tomorrow on, as people rely on today's; at once where there is none."""
    return today + timedelta(days=1) if rows.exists() else today


def to_come(rows: QuerySet[Any], kind: Any, today: date) -> dict[str, Any]:
    """For the page: the change that is to come, if any, and the week that will hold then."""
    day = change_to_come(rows, today)
    return {"from_on": day, "week": week_on(rows, kind, day)} if day else {}


@roles(Role.OPERATOR_MANAGER)
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """This page will list the operator's houses with what is offered in each and how it is ordered."""
    today = timezone.localdate()
    houses = list(scope.own_places(request.user, today))
    offers: dict[int, list[Offer]] = {}
    for offer in (
        Offer.objects.filter(premises__in=houses)
        .select_related("service", "order_terms", "premises")
        .order_by("service__code")
    ):
        offers.setdefault(offer.premises_id, []).append(offer)
    closed: dict[int, list[Closure]] = {}
    for closure in Closure.objects.filter(premises__in=houses, ends_on__gte=today).order_by("starts_on"):
        closed.setdefault(closure.premises_id, []).append(closure)
    opened = set(OpeningHours.objects.filter(premises__in=houses).values_list("premises_id", flat=True))
    rows = [
        {"premises": house, "offers": offers.get(house.pk, []), "closed": closed.get(house.pk, []), "hours": house.pk in opened}
        for house in houses
    ]  # fmt: skip
    trail = [(_("Office"), reverse("office:today")), (_("Hours and orders"), None)]
    return render(request, "office/places.html", {"rows": rows, "trail": trail})


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: HttpRequest, premises: str) -> HttpResponse:
    """This page will set the opening hours of one house from a day on, and the days on which it is closed."""
    at = timezone.now()
    today = day_of(at)
    house = get_object_or_404(scope.own_places(request.user, today), code=premises)
    rows = OpeningHours.objects.filter(premises=house)
    closed = Closure.objects.filter(premises=house, ends_on__gte=today).order_by("starts_on")
    act = request.POST.get("act", "")
    coming = to_come(rows, Hours, today)
    week = WeekForm(
        request.POST if act == "hours" else None,
        first=first_day(rows, today),
        week=coming.get("week", week_on(rows, Hours, today)),
    )
    closing = ClosedForm(
        request.POST if act == "close" else None, today=today, closed=closed, prefix="closed"
    )
    done = ""
    if act == "hours" and week.is_valid():
        hours = [Hours(*row) for row in week.rows]
        set_opening_hours(
            premises=house, hours=hours, from_on=week.cleaned_data["from_on"], by=request.user, at=at
        )
        done = "hours"
    elif act == "withdraw":
        withdraw_opening_hours(premises=house, by=request.user, at=at)
        done = "withdrawn"
    elif act == "close" and closing.is_valid():
        close_for(premises=house, **closing.cleaned_data, by=request.user, at=at)
        done = "closed"
    elif act == "reopen":
        closure = get_object_or_404(closed, pk=row_number(request.POST.get("closure", "")))
        reopen(closure=closure, by=request.user, at=at)
        done = "reopened"
    if done:
        return redirect(f"{reverse('office:place', args=[house.code])}?done={done}")
    return render(
        request,
        "office/place.html",
        {
            "premises": house,
            "form": closing if act == "close" else week,
            "week": week,
            "closing": closing,
            "closed": closed,
            "days": week_of(house, today),
            "coming": coming,
            "today": today,
            "done": request.GET.get("done", ""),
            "trail": _trail(house),
        },
    )


def _trail(house: Premises) -> list[tuple[str, str | None]]:
    return [
        (_("Office"), reverse("office:today")),
        (_("Hours and orders"), reverse("office:places")),
        (house.name, None),
    ]
