"""Orders of which nothing came: their day is over and the time to report it, and nobody delivered them."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from marketplace.fulfilment.queries import DENIED, NOT_REPORTED, undelivered, undelivered_lately
from marketplace.templatetags.yiquan import why_closed
from marketplace.web import scope
from marketplace.web.access import BUREAU, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from vouchers.models import Hold

WAITS = gettext_lazy("still set aside: to be closed tonight")
WHYS = {
    "unreported": (gettext_lazy("nobody reported it"), Q(work__closed_for=NOT_REPORTED)),
    "denied": (gettext_lazy("the elder says that nobody came"), Q(work__closed_for=DENIED)),
    "refused": (
        gettext_lazy("reported, but could not be redeemed"),
        Q(state=Hold.State.RELEASED) & ~Q(work__closed_for__in=[NOT_REPORTED, DENIED]),
    ),
    "waits": (WAITS, Q(state=Hold.State.OPEN)),
}
SORTS = {
    "day": ("service_on", "id"),
    "premises": ("premises__code", "service_on", "id"),
    "service": ("service__code", "service_on", "id"),
}


def missing(user: Any, at: datetime, *, whole: bool = False) -> QuerySet[Hold]:
    """Those that this person sees; of months not locked yet, or `whole`: of all."""
    rows = undelivered(at) if whole else undelivered_lately(at)
    return rows if scope.sees_whole_city(user) else rows.filter(premises__in=scope.premises(user))


@roles(*BUREAU)
@require_safe
def orders(request: HttpRequest) -> HttpResponseBase:
    """This page will list the orders of which nothing came, and why."""
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "why", "months")}
    rows = missing(request.user, timezone.now(), whole=wanted["months"] == "all")
    if wanted["why"] in WHYS:
        rows = rows.filter(WHYS[wanted["why"]][1])
    for word in wanted["q"].split():
        rows = rows.filter(
            Q(work__order__order__number__iexact=word)
            | Q(elder__code__iexact=word)
            | Q(premises__code__iexact=word)
            | Q(premises__name__icontains=word)
            | Q(work__caregiver__name__icontains=word)
        )
    rows = rows.select_related("premises", "service", "elder", "work__order__order", "work__caregiver")
    listing = Listing(request, rows, sorts=SORTS)
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "bureau/reviews/orders.html",
        {
            "listing": listing,
            "rows": [(hold, *about(hold)) for hold in listing.page],
            "whys": [(name, label) for name, (label, _condition) in WHYS.items()],
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "trail": [(_("Review"), reverse("bureau:reviews")), (_("Orders without a delivery"), None)],
        },
    )


def about(hold: Hold) -> tuple[str, str, str]:
    """The order's number, who was sent, and why nothing came of it."""
    work = getattr(hold, "work", None)
    number = work.order.order.number if work else hold.key
    sent = work.caregiver.name if work and work.caregiver else ""
    return number, sent, why_closed(work.closed_for) if work and work.closed_for else str(WAITS)


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="orders-without-a-delivery",
        title="orders",
        fields=(
            Field(_("Order"), width=18),
            Field(_("Day of service"), As.DATE, width=12),
            Field(_("Premises"), width=24),
            Field(_("Service"), width=20),
            Field(_("Quantity"), As.NUMBER, width=10),
            Field(_("Elder"), width=10),
            Field(_("Who goes"), width=14),
            Field(_("How it ended"), width=40),
            Field(_("Placed"), As.TIME, width=20),
        ),
        rows=(
            [
                number,
                hold.service_on,
                hold.premises.name,
                hold.service.name,
                hold.quantity,
                hold.elder.masked_name,
                sent,
                why,
                hold.placed_at,
            ]
            for hold, number, sent, why in ((hold, *about(hold)) for hold in listing.rows)
        ),
    )
