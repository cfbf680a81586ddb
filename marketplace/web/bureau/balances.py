"""Whether the lines on record of each bank account follow from one another, and where some are missing."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.banking.neighbours import accounts
from marketplace.jobs.breaks import told
from marketplace.web import scope
from marketplace.web.access import BUREAU, roles, whole_city

# What to do about a break, by where it lies.
TODO = {
    "before": gettext_lazy("Lines before this file are not on record. Upload the file of those days first, then this one again. Were they read in another layout before, drop this file."),
    "inside": gettext_lazy("A line of the file is missing, or stands there twice. Ask the bank for the whole file."),
    "after": gettext_lazy("Lines between this file and what is on record are missing. Upload the file of those days as well."),
    "record": gettext_lazy("Upload the file of these days; what is on record already is not taken again."),
}  # fmt: skip


def shown(one: dict[str, Any]) -> dict[str, Any]:
    """A break as told by marketplace/jobs/breaks.py, for components/breaks.html."""
    return {
        **one,
        "missing": Decimal(one["missing"]),
        "todo": TODO[one["place"]],
        "sides": [
            {
                **side,
                "on": date.fromisoformat(side["on"]),
                "amount": Decimal(side["amount"]),
                "balance": Decimal(side["balance"]),
            }
            for side in one["sides"]
        ],
    }


@roles(*BUREAU)
@whole_city
@require_safe
def balances(request: HttpRequest) -> HttpResponse:
    """This page will show each account's lines on record and where their balances break."""
    found = list(accounts(scope.bank_lines(request.user)))
    return render(
        request,
        "bureau/balances.html",
        {
            "accounts": found,
            "breaks": [shown(told(one)) for account in found for one in account.breaks],
            "trail": [(_("Bank lines"), reverse("bureau:receipts")), (_("Balances"), None)],
        },
    )
