"""Everything received in a year, by kind, to keep or to print."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from marketplace.web.family.acting import elder_of, for_elder
from marketplace.web.family.names import called
from providers.models import Service
from vouchers.elders.models import Elder
from vouchers.redemption.queries import Received, received, years_of

PICTOGRAMS = {
    Service.Category.CANTEEN: "bowl",
    Service.Category.DELIVERY: "bowl",
    Service.Category.HOME_CARE: "house",
    Service.Category.REHABILITATION: "steps",
    Service.Category.DAY_CARE: "sun",
    Service.Category.ADAPTATION: "rail",
    Service.Category.RECREATION: "fan",
}


def counted(unit: str, number: int) -> str:
    """3 meals."""
    names = {
        Service.Unit.MEAL: ngettext("%(n)s meal", "%(n)s meals", number),
        Service.Unit.VISIT: ngettext("%(n)s visit", "%(n)s visits", number),
        Service.Unit.HOUR: ngettext("%(n)s hour", "%(n)s hours", number),
        Service.Unit.DAY: ngettext("%(n)s day", "%(n)s days", number),
        Service.Unit.ITEM: ngettext("%(n)s item", "%(n)s items", number),
    }
    return names[Service.Unit(unit)] % {"n": number}


def facts(elder: Elder, year: int) -> dict:
    """What the page and the sheet of a year say."""
    kinds = received(elder=elder, year=year)
    total = Received()
    for kind in kinds:
        total.add(kind.total)
    return {
        "name": called(elder),
        "year": year,
        "total": total,
        "kinds": [
            (
                PICTOGRAMS[kind.category],
                kind.category.label,
                kind.total,
                [(service.name, counted(service.unit, of.quantity), of) for service, of in kind.services],
            )
            for kind in kinds
        ],
    }


@for_elder
@require_safe
def record(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """This page will show what the elder received in one year: times, worth, and who paid."""
    elder = elder_of(request)
    this_year = timezone.localdate().year
    years = sorted({this_year, *years_of(elder)}, reverse=True)
    year = this_year if year is None else year
    if year not in years:
        raise Http404("nothing was received in that year")
    return render(
        request,
        "family/record.html",
        {**facts(elder, year), "years": years, "today": timezone.localdate()},
    )
