"""One service at one place: since when it is no longer offered there, and whether it is offered again."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.journal.operations import Busy
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, plays, roles
from marketplace.web.forms import Marked
from marketplace.web.registers.entry import day, reason
from marketplace.web.registers.history import history
from marketplace.web.registers.lease_forms import a_day
from marketplace.web.registers.pages import require_keeper, trail
from providers.models import Offer
from vouchers.city.offers import CannotEnd, end_offer, offer_again, subject_of


class EndForm(Marked):
    ends_on = day(gettext_lazy("Last day"))
    end_why = reason(gettext_lazy("Why does it end?"))

    def clean_ends_on(self) -> str:
        return a_day(self.cleaned_data["ends_on"])


class AgainForm(Marked):
    again_why = reason(gettext_lazy("Why is it offered again?"))


@roles(*REGISTER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, code: str, premises: str) -> HttpResponse:
    """This page will show one service at one place, and end it there or offer it again."""
    found = get_object_or_404(
        Offer.objects.filter(premises__in=scope.premises(request.user)).select_related("premises", "service"),
        service__code=code,
        premises__code=premises,
    )
    today = timezone.localdate()
    form: Marked = EndForm(initial={"ends_on": today.isoformat()}) if found.ends_on is None else AgainForm()
    if request.method == "POST":
        require_keeper(request)
        form = (EndForm if request.POST.get("do") == "end" else AgainForm)(request.POST)
        if form.is_valid() and (done := _changed(request, found, form)):
            messages.success(request, done)
            return redirect("registers:offer", code, premises)
        found.refresh_from_db()
    service = found.service
    return render(
        request,
        "registers/offer.html",
        {
            "one": found,
            "over": found.has_ended(today),
            "keeping": plays(request.user, REGISTER_KEEPERS),
            "ending": isinstance(form, EndForm),
            "form": form,
            "history": history(subject_of(found)),
            "trail": trail(
                _("Services"), "registers:services", service.name, reverse("registers:service", args=[code]),
                found.premises.name,
            ),
        },
        status=422 if form.errors else 200,
    )  # fmt: skip


def _changed(request: HttpRequest, found: Offer, form: Marked) -> str:
    """Do what the form asks; what to say of it, or nothing when it was refused."""
    act: dict[str, Any] = {"offer": found, "by": request.user, "at": timezone.now()}
    data = form.cleaned_data
    try:
        if isinstance(form, EndForm):
            end_offer(**act, ends_on=date.fromisoformat(data["ends_on"]), reason=data["end_why"])
            return _("Noted: after that day it is neither redeemed nor ordered there.")
        offer_again(**act, reason=data["again_why"])
        return _("Noted: it is offered there again.")
    except CannotEnd as refusal:
        form.add_error(None if refusal.code == "moved_on" else "ends_on", str(refusal))
    except Busy as refusal:
        form.add_error(None, str(refusal))
    return ""
