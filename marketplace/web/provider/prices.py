"""Prices of what the operator offers, and proposals of new ones."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.web import prices as shown
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked, row_number
from providers.models import Operator, Price, PriceProposal
from vouchers.city.proposals import CannotPrice, propose_price, services_of, withdraw_price

CONTROL = {"class": "form-control", "autocomplete": "off"}


def _yuan(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal("0.00"),
        max_digits=12,
        decimal_places=2,
        error_messages={
            "required": gettext_lazy("Say how much, in yuan"),
            "invalid": gettext_lazy("Write the amount as 1234.50"),
        },
        widget=forms.TextInput(attrs={**CONTROL, "inputmode": "decimal"}),
    )


class ProposalForm(Marked):
    valid_from = forms.DateField(
        label=gettext_lazy("From which day"),
        error_messages={
            "required": gettext_lazy("Choose a day"),
            "invalid": gettext_lazy("Write the day as 2026-07-01"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={**CONTROL, "type": "date"}),
    )
    list_price = _yuan(gettext_lazy("New list price, yuan a unit"))
    concession = _yuan(gettext_lazy("Your concession of it, yuan a unit"))
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why")},
        widget=forms.TextInput(attrs=CONTROL),
    )


COLUMNS = (
    Field(gettext_lazy("Service"), width=24),
    Field(gettext_lazy("Ages"), width=10),
    Field(gettext_lazy("From"), As.DATE, width=12),
    Field(gettext_lazy("Until"), As.DATE, width=12),
    Field(gettext_lazy("List price"), As.AMOUNT, width=12),
    Field(gettext_lazy("Government part"), As.AMOUNT, width=12),
    Field(gettext_lazy("Operator's concession"), As.AMOUNT, width=12),
    Field(gettext_lazy("Charity part"), As.AMOUNT, width=12),
)


def _line(row: Price) -> list[Any]:
    parts = (row.list_price, row.government, row.concession, row.charity)
    return [row.service.name, shown.ages(row), row.valid_from, row.valid_until, *parts]


def _own(request: HttpRequest) -> Operator:
    operator: Operator = request.user.operator  # type: ignore[union-attr, assignment]
    return operator


def _rows(operator: Operator) -> Any:
    """Price rows that hold today or later, of the services that the operator offers."""
    today = timezone.localdate()
    return (
        Price.objects.filter(Q(valid_until=None) | Q(valid_until__gte=today))
        .filter(service__in=services_of(operator, today))
        .select_related("service")
        .order_by("service__code", "valid_from", "min_age")
    )


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def prices(request: HttpRequest) -> HttpResponseBase:
    """This page will list the prices of what the operator offers and its proposals; it takes one of them back."""
    operator, now = _own(request), timezone.now()
    proposals = PriceProposal.objects.filter(operator=operator)
    if request.method == "POST":
        found = get_object_or_404(proposals, pk=row_number(request.POST.get("proposal", "")))
        try:
            withdraw_price(proposal=found, by=request.user, at=now)
        except CannotPrice as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Taken back."))
        return redirect("office:prices")
    if request.GET.get("table") == "prices":
        rows = (_line(row) for row in _rows(operator))
        if (file := export(request, Sheet("prices", "prices", COLUMNS, rows))) is not None:
            return file
    context, file = shown.listed(request, proposals)
    if file is not None:
        return file
    waiting = set(proposals.filter(state=PriceProposal.State.WAITING).values_list("follows", flat=True))
    return render(
        request,
        "office/prices.html",
        {
            **context,
            "prices": [(row, shown.ages(row), row.pk in waiting) for row in _rows(operator)],
            "today": timezone.localdate(),
            "trail": [(_("Office"), reverse("office:today")), (_("Prices"), None)],
        },
    )


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, number: int) -> HttpResponse:
    """This page will ask for a new price in place of one."""
    operator = _own(request)
    row = get_object_or_404(_rows(operator), pk=number)
    first = max(timezone.localdate(), row.valid_from) + timedelta(days=1)
    given = {"list_price": row.list_price, "concession": row.concession, "valid_from": first}
    form = ProposalForm(request.POST or None, initial=given)
    refusal: Any = ""
    if request.method == "POST" and form.is_valid():
        try:
            propose_price(
                operator=operator, follows=row, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except CannotPrice as refused:
            refusal = refused
        else:
            messages.success(request, _("Proposed. The bureau decides; until then the price stays."))
            return redirect("office:prices")
    return render(
        request,
        "office/propose.html",
        {
            "row": row,
            "ages": shown.ages(row),
            "form": form,
            "refusal": refusal,
            "trail": [
                (_("Office"), reverse("office:today")),
                (_("Prices"), reverse("office:prices")),
                (row.service.name, None),
            ],
        },
        status=422 if request.method == "POST" else 200,
    )
