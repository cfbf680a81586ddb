"""Asking elders whether somebody came: the visits that are over and that the elder has not confirmed."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ledger.audit.operations import record
from marketplace.accounts.models import Role
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.visits import call_back
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.forms import Marked
from marketplace.web.lists import Listing
from vouchers.models import Hold, VisitReport
from vouchers.visits.operations import Kind, Told
from vouchers.visits.refusals import CannotReport

ANSWERS = {
    Kind.CONFIRMED: gettext_lazy("Yes, they came and did it"),
    Kind.DENIED: gettext_lazy("No, nobody came"),
    Kind.UNREACHED: gettext_lazy("Nobody answered the telephone"),
}


class AnswerForm(Marked):
    kind = forms.ChoiceField(
        choices=[(kind.value, label) for kind, label in ANSWERS.items()],
        widget=forms.RadioSelect,
        label=gettext_lazy("What did the elder say?"),
        error_messages={"required": gettext_lazy("Choose what the elder said")},
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=60)


def _waiting(user: Any) -> QuerySet[WorkOrder]:
    """The oldest first: after 72 hours it is paid as claimed, and review has to look at it.

    An agent of one division asks those who live there.
    """
    said = VisitReport.objects.filter(
        hold=OuterRef("hold"), refusal="", kind__in=[Kind.CONFIRMED, Kind.DENIED]
    )
    return (
        WorkOrder.objects.filter(
            ~Exists(said),
            order__elder__in=scope.elders(user),
            state=WorkOrder.State.UNDERWAY,
            hold__state=Hold.State.OPEN,
            hold__visit__left_at__isnull=False,
        )
        .select_related(
            "order__elder__division",
            "hold__visit__caregiver",
            "hold__service",
            "hold__elder",
            "offer__service",
            "offer__premises",
        )
        .annotate(tries=Count("hold__reports", filter=Q(hold__reports__kind=Kind.UNREACHED)))
    )


@roles(Role.HOTLINE_AGENT)
@require_safe
def visits(request: HttpRequest) -> HttpResponse:
    """This page will list the visits to ask about."""
    listing = Listing(request, _waiting(request.user), sorts={"over": ("hold__visit__left_at", "id")})
    return render(request, "hotline/visits.html", {"listing": listing})


@roles(Role.HOTLINE_AGENT)
@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: HttpRequest, work: int) -> HttpResponseBase:
    """This page will show what to ask whom, and note the answer."""
    found = get_object_or_404(_waiting(request.user), pk=work)
    form = AnswerForm(request.POST or None, initial={"key": str(uuid.uuid4())})
    if request.method != "POST":
        return _shown(request, found, form)
    if not form.is_valid():
        return _shown(request, found, form, status=422)
    at = timezone.now()
    told = Told(scope="hotline", key=form.cleaned_data["key"], kind=form.cleaned_data["kind"], happened_at=at)
    try:
        noted = call_back(work=found, told=told, by=request.user, at=at)
    except CannotReport as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Noted: %(answer)s.") % {"answer": ANSWERS[Kind(noted.report.kind)]})
    return redirect("hotline:visits")


@roles(Role.HOTLINE_AGENT)
@require_POST
def phone(request: HttpRequest, work: int) -> HttpResponse:
    """This page will show name and number once, after recording who asked for which visit."""
    found = get_object_or_404(_waiting(request.user), pk=work)
    with transaction.atomic():
        record(
            by=request.user,
            at=timezone.now(),
            action="reveal_phone",
            subject=found.order.elder.code,
            detail={"visit": found.hold.key},
        )
    return _shown(request, found, AnswerForm(initial={"key": str(uuid.uuid4())}), revealed=True)


def _shown(
    request: HttpRequest, found: WorkOrder, form: AnswerForm, *, revealed: bool = False, status: int = 200
) -> HttpResponse:
    about = {
        "work": found,
        "visit": found.hold.visit,
        "elder": found.order.elder,
        "form": form,
        "revealed": revealed,
        "trail": [(_("Visits to confirm"), reverse("hotline:visits")), (found.order.elder.masked_name, None)],
    }
    return render(request, "hotline/visit.html", about, status=status)
