"""Orders that stand: on which days, and the end of it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from ledger.journal.queries import SHANGHAI
from marketplace.fulfilment.models import StandingOrder, WorkOrder
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.fulfilment.standing import stand, stop
from marketplace.web.family.acting import acting_of, elder_of, for_elder
from marketplace.web.market.orders import works
from providers.ordering.models import Weekday

EVERY = {
    "workdays": (gettext_lazy("Monday to Friday"), range(5)),
    "daily": (gettext_lazy("Every day"), range(7)),
}


@for_elder(order=True)
@require_http_methods(["GET", "HEAD", "POST"])
def days(request: HttpRequest, number: int, work: int) -> HttpResponse:
    """This page will ask on which days the same is wanted from now on."""
    found: WorkOrder = get_object_or_404(works(elder_of(request)), pk=work, order__order__number=str(number))
    if found.booking_id is None:
        raise Http404
    local = found.starts_at.astimezone(SHANGHAI)
    if request.method == "POST":
        wanted = request.POST.get("days", "")
        if wanted == "weekly":
            weekdays = range(local.weekday(), local.weekday() + 1)
        elif wanted in EVERY:
            weekdays = EVERY[wanted][1]
        else:
            raise Http404
        try:
            stand(
                acting=acting_of(request),
                offer=found.offer,
                weekdays=weekdays,
                clock=local.time(),
                quantity=found.quantity,
                address=found.address(),
                at=timezone.now(),
            )
        except CannotOrder as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request, _("It is ordered for you every night. When it cannot be, you are told.")
            )
        return redirect("market:orders")
    choices = [(value, label) for value, (label, _days) in EVERY.items()]
    weekly = _("Every %(weekday)s") % {"weekday": Weekday(local.weekday()).label}
    return render(request, "market/days.html", {"work": found, "choices": [*choices, ("weekly", weekly)]})


@for_elder(order=True)
@require_POST
def stop_standing(request: HttpRequest, pk: int) -> HttpResponse:
    """This form will end an order that stands."""
    found = get_object_or_404(
        StandingOrder.objects.select_related("offer__service"),
        pk=pk,
        elder=elder_of(request),
        stopped_at=None,
    )
    stop(standing=found, acting=acting_of(request), at=timezone.now())
    messages.success(request, _("Ended. What is ordered already stays; it can be cancelled one by one."))
    return redirect("market:orders")
