"""Printing an elder's voucher card."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from marketplace.web import scope
from marketplace.web.access import CARD_PRINTERS, roles
from marketplace.web.cards.card import card
from marketplace.web.cards.forms import CardForm
from marketplace.web.typeset import NoChineseFont
from vouchers.codes.operations import print_card, replace_card


@roles(*CARD_PRINTERS)
@require_http_methods(["GET", "HEAD", "POST"])
def cards(request: HttpRequest) -> HttpResponse:
    """This page will ask for whom, and answer with the card to print."""
    form = CardForm(
        request.POST or None,
        elders=scope.elders(request.user),
        initial={"code": request.GET.get("code", "")},
    )
    if request.method != "POST" or not form.is_valid():
        return render(request, "cards/cards.html", {"form": form})
    elder = form.cleaned_data["code"]
    make = replace_card if form.cleaned_data["lost"] else print_card
    code = make(elder=elder, by=request.user, at=timezone.now())
    try:
        printed = card(name=elder.masked_name, code=code)
    except NoChineseFont as refusal:
        form.add_error(None, str(refusal))
        return render(request, "cards/cards.html", {"form": form})
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="voucher-card.pdf"'
    return response
