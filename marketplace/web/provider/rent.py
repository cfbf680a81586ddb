"""What the operator still owes of its rent, and the bureau's letters about it."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import last_day
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from providers.leases.arrears import arrears
from providers.models import Reminder

COLUMNS = (
    Field(gettext_lazy("Lease"), width=10),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Month of rent"), As.DATE, width=14),
    Field(gettext_lazy("Days since the month ended"), As.NUMBER, width=14),
    Field(gettext_lazy("Open, in yuan"), As.AMOUNT, width=16),
)


@roles(Role.OPERATOR_MANAGER)
@require_safe
def rent(request: HttpRequest) -> HttpResponseBase:
    """This page will list what is open of each month's rent of the operator's leases, and the letters sent."""
    today = timezone.localdate()
    leases = {one.code: one for one in scope.leases(request.user).select_related("premises")}
    due: list[dict[str, Any]] = [
        {
            "lease": leases[one.lease],
            "month": part.month,
            "amount": part.amount,
            "days": _days(part.month, today),
        }
        for one in arrears(today, of=leases)
        for part in one.dues
    ]
    lines = ([one["lease"].code, one["lease"].premises.name, *_row(one)] for one in due)
    if (file := export(request, Sheet("rent", "rent", COLUMNS, lines))) is not None:
        return file
    letters = Reminder.objects.filter(lease__in=leases.values()).select_related("lease")
    return render(
        request,
        "office/rent.html",
        {
            "due": due,
            "total": sum((one["amount"] for one in due), ZERO),
            "today": today,
            "listing": Listing(
                request, letters, sorts={"day": ("dated_on", "id")}, default="-day", per_page=20
            ),
            "trail": [(_("Office"), reverse("office:today")), (_("Rent to pay"), None)],
        },
    )


def _days(month: Any, today: Any) -> int:
    return int((today - last_day(month)).days)


def _row(one: dict[str, Any]) -> list[Any]:
    return [one["month"], one["days"], one["amount"]]
