"""What is left, until when, and what was spent where."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.fulfilment.queries import last_ordered
from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.family.names import called
from marketplace.web.lists import Listing
from vouchers.models import Redemption
from vouchers.wallets.queries import in_hand, spendable

PER_PAGE = 10


def greeting(name: str, now: datetime) -> str:
    hour = timezone.localtime(now).hour
    if hour < 11:
        text = _("Good morning, %(name)s")
    elif hour < 13:
        text = _("Good day, %(name)s")
    elif hour < 18:
        text = _("Good afternoon, %(name)s")
    else:
        text = _("Good evening, %(name)s")
    return text % {"name": name}


@for_elder
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """This page will greet the elder, show what is left and what was ordered last, and lead on."""
    elder = elder_of(request)
    now = timezone.now()
    today = timezone.localdate(now)
    tickets = in_hand(elder=elder, today=today)
    return render(
        request,
        "family/home.html",
        {
            "greeting": greeting(called(elder), now),
            "today": today,
            "left": spendable(tickets, today),
            "soon": next((one for one in tickets if one.left and one.ends_soon(today)), None),
            "last": last_ordered(elder),
        },
    )


@for_elder
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """This page will show every voucher in hand, what ends first first."""
    elder = elder_of(request)
    today = timezone.localdate()
    tickets = in_hand(elder=elder, today=today)
    return render(
        request,
        "family/wallet.html",
        {
            "left": spendable(tickets, today),
            "tickets": [(one, one.ends_soon(today), one.begins_later(today)) for one in tickets],
        },
    )


@for_elder
@require_safe
def spent(request: HttpRequest) -> HttpResponse:
    """This page will list what was paid with vouchers, where and when, the latest first."""
    elder = elder_of(request)
    redemptions = Redemption.objects.filter(elder=elder).select_related("service", "lease__premises")
    return render(
        request,
        "family/spent.html",
        {
            "listing": Listing(
                request, redemptions, sorts={"latest": ("-happened_at", "-id")}, per_page=PER_PAGE
            )
        },
    )
