"""What was served: every redemption at the operator's premises, and the lines of what a lease has earned."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import asked_day
from marketplace.web.lists import Listing
from vouchers.models import Redemption
from vouchers.settlement.queries import held_back

PARTS = ("list_price", "government", "concession", "charity", "vouchers", "self_pay")

SORTS = {
    "number": ("id",),
    "day": ("service_on", "id"),
    "service": ("service__name", "id"),
    "vouchers": ("vouchers", "id"),
    "self_pay": ("self_pay", "id"),
}

COLUMNS = (
    Field(gettext_lazy("Redemption"), width=16),
    Field(gettext_lazy("Served"), As.TIME, width=20),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Elder"), width=10),
    Field(gettext_lazy("Service"), width=20),
    Field(gettext_lazy("Quantity"), As.NUMBER, width=10),
    Field(gettext_lazy("List price"), As.AMOUNT, width=12),
    Field(gettext_lazy("Government part"), As.AMOUNT, width=12),
    Field(gettext_lazy("Operator's concession"), As.AMOUNT, width=12),
    Field(gettext_lazy("Charity part"), As.AMOUNT, width=12),
    Field(gettext_lazy("Vouchers"), As.AMOUNT, width=12),
    Field(gettext_lazy("Collected from the elder"), As.AMOUNT, width=12),
    Field(gettext_lazy("State"), width=16),
)

STATES = {
    "counts": gettext_lazy("counts"),
    "held": gettext_lazy("held for review"),
    "reversed": gettext_lazy("reversed"),
}


def _state_of(row: Redemption) -> str:
    return "reversed" if row.reversed_on else "held" if row.is_held else "counts"  # type: ignore[attr-defined]


@roles(Role.OPERATOR_MANAGER)
@require_safe
def served(request: HttpRequest) -> HttpResponseBase:
    """This page will list every serving at the operator's premises, the running month unless asked otherwise."""
    now = timezone.localdate()
    since = asked_day(request.GET.get("since")) or now.replace(day=1)
    until = asked_day(request.GET.get("until")) or max(now, since)
    leases = scope.leases(request.user)
    rows: Any = Redemption.objects.filter(lease__in=leases, service_on__range=(since, until))
    rows = rows.annotate(is_held=held_back("pk"))
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "lease", "service", "state")}
    services = sorted(rows.order_by().values_list("service__code", "service__name").distinct())
    if wanted["lease"]:
        rows = rows.filter(lease__code=wanted["lease"])
    if wanted["service"]:
        rows = rows.filter(service__code=wanted["service"])
    if wanted["state"] == "reversed":
        rows = rows.filter(reversed_on__isnull=False)
    elif wanted["state"] in STATES:
        rows = rows.filter(reversed_on=None, is_held=wanted["state"] == "held")
    if wanted["q"]:
        rows = rows.filter(id__in=Redemption.objects.by_number(wanted["q"].upper()).values("id"))
    valid = Q(reversed_on=None)
    totals = rows.order_by().aggregate(
        servings=Count("id", filter=valid), **{part: Sum(part, filter=valid) for part in PARTS}
    )
    rows = rows.select_related("lease__premises", "service", "elder")
    listing = Listing(request, rows, sorts=SORTS, default="-number")
    name = f"served-{since}-{until}"
    if (file := export(request, Sheet(name, name, COLUMNS, _lines(listing.rows)))) is not None:
        return file
    return render(
        request,
        "office/served.html",
        {
            "listing": listing,
            "rows": [(row, _state_of(row), STATES[_state_of(row)]) for row in listing.page],
            "totals": {part: ZERO if value is None else value for part, value in totals.items()},
            "since": since,
            "until": until,
            "wanted": wanted,
            "filtered": any(wanted.values()) or "since" in request.GET or "until" in request.GET,
            "leases": list(leases.select_related("premises").order_by("code")),
            "services": services,
            "states": STATES.items(),
            "trail": [(_("Office"), reverse("office:today")), (_("What was served"), None)],
        },
    )


def _lines(rows: Iterable[Redemption]) -> Iterator[list[Any]]:
    if isinstance(rows, QuerySet):
        rows = rows.iterator(chunk_size=2000)
    for row in rows:
        yield [
            row.number,
            row.happened_at,
            row.lease.premises.name,
            row.elder.masked_name,
            row.service.name,
            row.quantity,
            *(getattr(row, part) for part in PARTS),
            STATES[_state_of(row)],
        ]
