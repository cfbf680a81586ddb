"""Sampled call-backs: the draws and what they say of each operator, and the calls that an agent makes."""

from datetime import date

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ledger.audit.operations import record
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.bureau.reviews.cases import DECIDERS
from marketplace.web.bureau.reviews.forms import DrawForm, ResultForm
from marketplace.web.lists import Listing
from vouchers.models import CallBack, CallBackRound
from vouchers.review.call_backs import CannotCall, answer, draw_round, results
from vouchers.review.queries import recent_months

CALLERS = frozenset({Role.HOTLINE_AGENT, Role.BUREAU_CLERK})


@roles(*BUREAU)
@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """This page will list the draws, and offer another."""
    return _rounds(request, None)


@roles(*DECIDERS)
@require_POST
def draw(request: HttpRequest) -> HttpResponseBase:
    """This page will draw a month's call-backs."""
    form = DrawForm(request.POST, months=recent_months())
    if not form.is_valid():
        return _rounds(request, form, status=422)
    told = form.cleaned_data
    try:
        made = draw_round(
            month=date.fromisoformat(told["month"]),
            confidence=told["confidence"],
            margin=told["margin"],
            seed=told["seed"],
            by=request.user,
            at=timezone.now(),
        )
    except CannotCall as refusal:
        form.add_error(None, str(refusal))
        return _rounds(request, form, status=422)
    return redirect("bureau:round", number=made.pk)


def _rounds(request: HttpRequest, form: DrawForm | None, *, status: int = 200) -> HttpResponse:
    listing = Listing(request, CallBackRound.objects.all(), sorts={"drawn": ("id",)}, default="-drawn")
    if form is None and plays(request.user, DECIDERS):
        form = DrawForm(months=recent_months())
    about = {
        "listing": listing,
        "form": form,
        "trail": [(_("Review"), reverse("bureau:reviews")), (_("Call-backs"), None)],
    }
    return render(request, "bureau/reviews/rounds.html", about, status=status)


@roles(*BUREAU)
@require_safe
def round_(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show what a draw says of each operator."""
    found = get_object_or_404(CallBackRound, pk=number)
    seen = set(scope.leases(request.user).values_list("operator", flat=True))
    return render(
        request,
        "bureau/reviews/round.html",
        {
            "round": found,
            "rows": [row for row in results(found) if row.operator.pk in seen],
            "trail": [
                (_("Review"), reverse("bureau:reviews")),
                (_("Call-backs"), reverse("bureau:rounds")),
                (f"{found.month:%Y-%m} · {found.seed}", None),
            ],
        },
    )


# The agent's side


@roles(*CALLERS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """This page will list the calls still to be made, in the order of the draw."""
    calls = _calls(request).filter(result="")
    listing = Listing(request, calls, sorts={"round": ("round_id", "id")})
    return render(
        request, "bureau/reviews/calls.html", {"listing": listing, "trail": [(_("Calls to make"), None)]}
    )


@roles(*CALLERS)
@require_safe
def call(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show what to ask whom."""
    return _call(request, _find(request, number), ResultForm())


@roles(*CALLERS)
@require_POST
def phone(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show name and telephone number once, after recording who asked for which call."""
    found = _find(request, number)
    with transaction.atomic():
        record(
            by=request.user,
            at=timezone.now(),
            action="reveal_phone",
            subject=found.redemption.elder.code,
            detail={"redemption": found.redemption.number, "call": found.pk},
        )
    return _call(request, found, ResultForm(), revealed=True)


@roles(*CALLERS)
@require_POST
def result(request: HttpRequest, number: int) -> HttpResponseBase:
    """This page will note what the elder said."""
    found = _find(request, number)
    form = ResultForm(request.POST)
    if not form.is_valid():
        return _call(request, found, form, status=422)
    told = form.cleaned_data
    try:
        answer(call=found, result=told["result"], note=told["note"], by=request.user, at=timezone.now())
        messages.success(request, _("Noted: %(result)s.") % {"result": CallBack.Result(told["result"]).label})
    except CannotCall as refusal:
        messages.error(request, str(refusal))
    return redirect("bureau:calls")


def _calls(request: HttpRequest) -> QuerySet[CallBack]:
    """Agents call the whole city; a clerk's own division bounds what the clerk may call."""
    calls = CallBack.objects.select_related(
        "round", "redemption__elder", "redemption__service", "redemption__lease__premises"
    )
    if plays(request.user, frozenset({Role.HOTLINE_AGENT})) or scope.sees_whole_city(request.user):
        return calls
    return calls.filter(redemption__in=scope.redemptions(request.user))


def _find(request: HttpRequest, number: int) -> CallBack:
    return get_object_or_404(_calls(request), pk=number)


def _call(
    request: HttpRequest, found: CallBack, form: ResultForm, *, revealed: bool = False, status: int = 200
) -> HttpResponse:
    about = {
        "call": found,
        "redemption": found.redemption,
        "elder": found.redemption.elder,
        "form": form,
        "revealed": revealed,
        "trail": [(_("Calls to make"), reverse("bureau:calls")), (found.redemption.number, None)],
    }
    return render(request, "bureau/reviews/call.html", about, status=status)
