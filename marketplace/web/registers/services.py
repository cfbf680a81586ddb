"""The register of services: list, one service with its prices by date and age, new prices, where it is offered."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As
from marketplace.templatetags.yiquan import money
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, plays, roles, whole_city
from marketplace.web.lists import Listing
from marketplace.web.registers.entry import EntryForm, day, number, pick, text
from marketplace.web.registers.history import history
from marketplace.web.registers.pages import form_page, require_keeper, trail
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.models import Offer, Price, Service
from vouchers.city.entry import row_of
from vouchers.city.pricing import set_price


class ServiceForm(EntryForm):
    register = "services"
    code = text(FIELDS["code"], hint=gettext_lazy("A capital letter, then capital letters or digits: SV0012"))
    name = text(FIELDS["name"])
    category = pick(FIELDS["category"], Service.Category.choices)
    unit = pick(FIELDS["unit"], Service.Unit.choices)
    daily_limit = number(FIELDS["daily_limit"], hint=gettext_lazy("How many one elder may have on one day."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.base:
            del self.fields["code"]


class PriceForm(EntryForm):
    register = "service_prices"
    valid_from = day(
        FIELDS["valid_from"], hint=gettext_lazy("Prices that this one replaces end the day before.")
    )
    valid_until = day(FIELDS["valid_until"])
    min_age = number(FIELDS["min_age"])
    max_age = number(FIELDS["max_age"])
    list_price = number(FIELDS["list_price"])
    government = number(FIELDS["government"])
    concession = number(FIELDS["concession"])
    charity = number(FIELDS["charity"])


class OfferForm(EntryForm):
    register = "offers"
    premises = pick(gettext_lazy("Also offered at"))

    def __init__(self, *args: Any, premises: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "—"), *((one.code, f"{one.code} {one.name}") for one in premises)]
        self.fields["premises"].widget.choices = choices  # type: ignore[attr-defined]
        self._offered = {code for code, _name in choices}

    def clean_premises(self) -> str:
        code = str(self.cleaned_data["premises"])
        return code if code in self._offered else ""


COLUMNS = [
    Col(
        "name", gettext_lazy("Service"), lambda row: row.name, small=lambda row: row.code,
        href=lambda row: reverse("registers:service", args=[row.code]), sort=("name", "code"), width=28,
    ),
    Col("code", FIELDS["code"], lambda row: row.code, sort=("code",), page=False),
    Col("category", FIELDS["category"], lambda row: row.get_category_display(), sort=("category", "code")),
    Col("unit", FIELDS["unit"], lambda row: row.get_unit_display(), width=10),
    Col(
        "price", gettext_lazy("List price today"), lambda row: row.price_now, shown=lambda row: money(row.price_now),
        kind=As.AMOUNT, sort=("price_now", "code"),
    ),
    Col("limit", FIELDS["daily_limit"], lambda row: row.daily_limit, kind=As.NUMBER),
    Col("places", gettext_lazy("Offered at"), lambda row: row.places, kind=As.NUMBER, sort=("places", "code")),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def services(request: HttpRequest) -> HttpResponseBase:
    """This page will list the services, their price today and at how many places they are offered."""
    words, category = (request.GET.get(name, "").strip()[:120] for name in ("q", "category"))
    today = timezone.localdate()
    now = Price.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=today), service=OuterRef("pk"), valid_from__lte=today
    )
    places = (
        Offer.objects.filter(Q(ends_on=None) | Q(ends_on__gte=today), service=OuterRef("pk"))
        .order_by()
        .values("service")
        .annotate(n=Count("id"))
    )
    rows = Service.objects.annotate(
        price_now=Subquery(now.order_by("min_age").values("list_price")[:1]),
        places=Subquery(places.values("n")),
    )
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(code__istartswith=word))
    if category in Service.Category.values:
        rows = rows.filter(category=category)
    keeping = plays(request.user, REGISTER_KEEPERS, city=True)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="services",
        title=_("Services"),
        default="code",
        filters=[
            Filter("q", _("Name or code"), words),
            Filter("category", _("Category"), category, Service.Category.choices),
        ],
        acts=[{"label": _("Add a service"), "href": reverse("registers:new_service"), "main": True}]
        if keeping
        else [],
        nothing=(_("No service on the register yet"), _("Add the first, or load a file under Work.")),
    )


def _trail(name: str, href: str | None = None, *rest: str) -> list[tuple[str, str | None]]:
    return trail(_("Services"), "registers:services", name, href, *rest)


@roles(*REGISTER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show one service: its prices by date and age, where it is offered, and take a new price."""
    found = get_object_or_404(Service, code=code)
    keeping = plays(request.user, REGISTER_KEEPERS)
    seen = scope.premises(request.user)
    listing = Listing(
        request,
        found.offers.filter(premises__in=seen).select_related("premises"),
        sorts={"premises": ("premises__code",)},
    )
    places = seen.exclude(offers__service=found).exclude(stage="retired").order_by("code") if keeping else []
    price, offer = PriceForm(), OfferForm(premises=places)
    wrong: EntryForm | None = None
    if request.method == "POST":
        require_keeper(request, city=request.POST.get("do") != "offer")
        done = ""
        if request.POST.get("do") == "offer":
            wrong = offer = OfferForm(request.POST, premises=places, initial={"service": code})
            offer.base = {"service": code}
            if offer.enter(by=request.user, at=timezone.now()):
                done = _("Offered there from now on.")
        else:
            wrong = price = PriceForm(request.POST)
            set_ = price.attempt(
                lambda: set_price(service=found, row=price.row, by=request.user, at=timezone.now())
            )
            if set_:
                done = _("The price is set.")
        if done:
            messages.success(request, done)
            return redirect("registers:service", code)
    today = timezone.localdate()
    rows = list(found.prices.order_by("-valid_from", "min_age"))
    return render(
        request,
        "registers/service.html",
        {
            "one": found,
            "prices": [
                (row, row.list_price - row.government - row.concession - row.charity, _in_force(row, today))
                for row in rows
            ],
            "listing": listing,
            "offered": [(row, row.has_ended(today)) for row in listing.page],
            "keeping": keeping,
            "pricing": plays(request.user, REGISTER_KEEPERS, city=True),
            "price": price,
            "offer": offer,
            "wrong": wrong if wrong is not None and wrong.errors else None,
            "history": history(found.code, prefix=True),
            "trail": _trail(found.name),
        },
        status=422 if wrong is not None and wrong.errors else 200,
    )


def _in_force(price: Price, today: Any) -> bool:
    return price.valid_from <= today and (price.valid_until is None or today <= price.valid_until)


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def new_service(request: HttpRequest) -> HttpResponse:
    """This page will put a service on the register."""
    form = ServiceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Entered on the register."))
        return redirect("registers:service", form.row["code"].strip())
    return form_page(
        request, form, title=_("Add a service"), verb=_("Add to the register"), back=reverse("registers:services"),
        trail=_trail(_("Add a service")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def edit_service(request: HttpRequest, code: str) -> HttpResponse:
    """This page will change a service that was never used; one in use stays as it is."""
    found = get_object_or_404(Service, code=code)
    form = ServiceForm(request.POST if request.method == "POST" else None, base=row_of("services", found))
    here = reverse("registers:service", args=[code])
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Saved. What was before stands in the history."))
        return redirect(here)
    return form_page(
        request, form, title=_("Change the service"), verb=_("Save"), back=here,
        about=_("A service that was used stays as it is: another one gets a code of its own."),
        trail=_trail(found.name, here, _("Edit")),
    )  # fmt: skip
