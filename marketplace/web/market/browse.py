"""What there is: by kind and nearness, by what is typed, and one service with who pays which part."""

import uuid
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ledger.journal.queries import day_of
from marketplace.offerings.baskets import open_basket
from marketplace.offerings.queries import Shown, Sought, offers, shown
from marketplace.web import photos
from marketplace.web.access import signed_in
from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.lists import Onwards
from providers.models import Service
from providers.operators.queries import standings
from providers.ordering.queries import week_of
from vouchers.elders.models import Elder
from vouchers.photos.models import Photo
from vouchers.redemption import terms
from vouchers.redemption.operations import RedemptionOrder, quote
from vouchers.redemption.refusals import CannotRedeem

A_PAGE = KINDS_SHOWN = 5  # so many to choose from at once; the others wait behind one more press


@for_elder
@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """This page will show the kinds of services, and the offers of one kind or of what was typed, near ones first."""
    elder, at = elder_of(request), timezone.now()
    sought = _sought(request)
    context: dict[str, Any] = {
        "sought": sought,
        "kinds": Service.Category.choices[:KINDS_SHOWN],
        "more_kinds": Service.Category.choices[KINDS_SHOWN:],
        "kind_name": dict(Service.Category.choices).get(sought.kind, ""),
        "care": open_basket(user=request.user, elder=elder),
    }
    if sought.kind or sought.words or sought.open_now or sought.stars or sought.delivers:
        known = terms.current()
        page = Onwards(
            lambda first, most: offers(
                elder=elder, sought=sought, terms=known, at=at, first=first, most=most
            ),
            request.GET.get("page"),
            A_PAGE,
        )
        rest = request.GET.copy()
        rest.pop("page", None)
        context |= {"page": page, "rest": rest.urlencode()}
    return render(request, "market/browse.html", context)


def _sought(request: HttpRequest) -> Sought:
    asked = request.GET
    kind = asked.get("kind", "")
    stars = asked.get("stars", "")
    return Sought(
        words=asked.get("q", "")[:60],
        kind=kind if kind in Service.Category.values else "",
        open_now=asked.get("open") == "1",
        stars=int(stars) if stars in {"3", "4", "5"} else 0,
        delivers=asked.get("home") == "1",
    )


def offer_shown(request: HttpRequest, premises: str, service: str, elder: Elder, at: Any) -> Shown:
    """The offer of this address as this elder sees it; 404 when it is not listed."""
    one = shown(premises=premises, service=service, elder=elder, terms=terms.current(), at=at)
    if one is None:
        raise Http404
    return one


@signed_in
@require_safe
def picture(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """This page will show the photo that stands with a service now. Another photo has another number: it may be kept."""
    photo = get_object_or_404(Photo, number=number, of_service__isnull=False)
    return photos.shown(photo, cache="private, max-age=604800, immutable")


@for_elder
@require_safe
def service(request: HttpRequest, premises: str, service: str) -> HttpResponse:
    """This page will show one service at one place: what this elder pays today, who pays the rest, when it is
    open, how it stands with safety and stars, what the house was before."""
    elder, at = elder_of(request), timezone.now()
    one = offer_shown(request, premises, service, elder, at)
    judged, refusal = None, None
    try:
        judged = quote(
            order=RedemptionOrder(
                key="", happened_at=at, premises=premises, service=service, elder=elder.code, quantity=1
            )
        )
    except CannotRedeem as cannot:
        refusal = cannot
    today = day_of(at)
    standing = standings([one.operator], today)[one.operator.pk]
    return render(
        request,
        "market/service.html",
        {
            "one": one,
            "standing": standing,
            "serves": standing.may_serve(today),
            "split": judged.split if judged else None,
            "refusal": refusal,
            "week": week_of(one.offer.premises, today),
            "today": today,
            "tomorrow": today + timedelta(days=1),
        },
    )
