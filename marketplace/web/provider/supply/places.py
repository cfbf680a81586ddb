"""The operator's houses: when each is open, on which days it is closed, what is offered there."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import day_of
from marketplace.accounts.models import Role
from marketplace.templatetags.market import weekdays
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import row_number
from marketplace.web.provider.supply.forms import ClosedForm, before
from marketplace.web.provider.supply.weeks import WeekForm
from providers.models import Closure, Offer, OpeningHours, Premises, Sitting
from providers.ordering.operations import Hours, close_for, reopen, set_opening_hours, withdraw_opening_hours
from providers.ordering.queries import week_of
from providers.ordering.weeks import change_to_come, in_force, week_on

COLUMNS = (
    Field(gettext_lazy("Code"), width=12),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Opening hours"), width=36),
    Field(gettext_lazy("Service"), width=20),
    Field(gettext_lazy("How it is had"), width=20),
    Field(gettext_lazy("Where"), width=14),
    Field(gettext_lazy("Can be ordered"), width=20),
    Field(gettext_lazy("Can be changed or cancelled"), width=20),
    Field(gettext_lazy("Days ahead"), As.NUMBER, width=12),
    Field(gettext_lazy("Sittings and their places"), width=48),
)


def first_day(rows: QuerySet[Any], today: date) -> date:
    """From when another week may hold: from tomorrow on, as people rely on today's; at once where there is none."""
    return today + timedelta(days=1) if rows.exists() else today


def to_come(rows: QuerySet[Any], kind: Any, today: date) -> dict[str, Any]:
    """For the page: the change that is to come, if any, and the week that will hold then."""
    day = change_to_come(rows, today)
    return {"from_on": day, "week": week_on(rows, kind, day)} if day else {}


@roles(Role.OPERATOR_MANAGER)
@require_safe
def places(request: HttpRequest) -> HttpResponseBase:
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
    if (file := export(request, Sheet("places", "places", COLUMNS, _lines(rows, today)))) is not None:
        return file
    trail = [(_("Office"), reverse("office:today")), (_("Hours and orders"), None)]
    return render(request, "office/places.html", {"rows": rows, "trail": trail})


def _lines(rows: list[dict[str, Any]], today: date) -> Iterator[list[Any]]:
    """Each offer of each house as it stands today; a house without offers has a line too. Two queries."""
    houses = [row["premises"] for row in rows]
    hours, sittings = defaultdict(list), defaultdict(list)
    for opened in OpeningHours.objects.filter(in_force(today), premises__in=houses).order_by(
        "weekday", "opens_at"
    ):
        times = f"{opened.opens_at:%H:%M}–{opened.closes_at:%H:%M}"
        hours[opened.premises_id].append((opened.weekday, times))
    for one in Sitting.objects.filter(in_force(today), offer__premises__in=houses).order_by(
        "weekday", "starts_at"
    ):
        sitting = f"{one.starts_at:%H:%M}–{one.ends_at:%H:%M} ({one.capacity})"
        sittings[one.offer_id].append((one.weekday, sitting))
    for row in rows:
        house = row["premises"]
        open_then = _in_words(hours[house.pk])
        for offer in row["offers"] or [None]:
            terms = offer and getattr(offer, "order_terms", None)
            yield [
                house.code,
                house.name,
                open_then,
                offer and offer.service.name,
                terms.get_manner_display() if terms else offer and _("not ordered: people come by"),
                terms and terms.get_where_display(),
                terms and before(terms.order_until_minutes),
                terms and before(terms.cancel_until_minutes),
                terms and terms.days_ahead,
                offer and _in_words(sittings[offer.pk]),
            ]


def _in_words(week: list[tuple[int, str]]) -> str:
    """What holds on which weekdays, those alike together."""
    days = defaultdict(list)
    for weekday, what in week:
        days[what].append(weekday)
    return "; ".join(f"{weekdays(on)} {what}" for what, on in days.items())


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
