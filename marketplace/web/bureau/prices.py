"""Prices that operators propose: old beside new, the cash price list, and the bureau's word."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.journal.operations import Busy
from marketplace.accounts.models import Role
from marketplace.web import prices as shown
from marketplace.web.access import BUREAU, plays, roles, whole_city
from marketplace.web.forms import Marked
from providers.models import Price, PriceProposal
from vouchers.city.proposals import CannotPrice, cash_checks, decide_price, others_who_offer

DECIDERS = frozenset({Role.BUREAU_CLERK, Role.BUREAU_APPROVER})


class WordForm(Marked):
    note = forms.CharField(
        label=gettext_lazy("What do you say to it?"),
        help_text=gettext_lazy("The operator reads this; it stands in the audit."),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )


@roles(*BUREAU)
@whole_city
@require_safe
def prices(request: HttpRequest) -> HttpResponseBase:
    """This page will list proposals, those that wait unless asked for all."""
    every = request.GET.get("show") == "all"
    rows = PriceProposal.objects.all()
    if not every:
        rows = rows.filter(state=PriceProposal.State.WAITING)
    context, file = shown.listed(request, rows)
    if file is not None:
        return file
    trail = [(_("Price proposals"), None)]
    return render(request, "bureau/prices.html", {**context, "every": every, "trail": trail})


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def price(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one proposal, old beside new, and take the decision on it."""
    found = get_object_or_404(PriceProposal.objects.select_related("follows__service", "operator"), pk=number)
    form = WordForm(request.POST or None)
    refusal: Any = ""
    if request.method == "POST" and form.is_valid():
        approve = request.POST.get("decision") == "approve"
        try:
            decide_price(
                proposal=found,
                approve=approve,
                by=request.user,
                at=timezone.now(),
                note=form.cleaned_data["note"],
            )
        except (CannotPrice, Busy) as refused:
            refusal = refused
        else:
            messages.success(
                request,
                _("Approved: the new price begins on its day.")
                if approve
                else _("Declined: the price stays."),
            )
            return redirect("bureau:price", found.pk)
    history = Price.objects.filter(
        service=found.follows.service, min_age=found.follows.min_age, max_age=found.follows.max_age
    ).order_by("-valid_from")
    return render(
        request,
        "bureau/price.html",
        {
            "proposal": shown.marked(found),
            "parts": shown.beside(found),
            "checks": cash_checks(found),
            "others": others_who_offer(found),
            "history": history,
            "form": form,
            "refusal": refusal,
            "deciding": found.state == PriceProposal.State.WAITING and plays(request.user, DECIDERS),
            "trail": [(_("Price proposals"), reverse("bureau:prices")), (found.follows.service.name, None)],
        },
        status=422 if request.method == "POST" else 200,
    )
