"""Sampled call-backs: the draws and what they say of each operator, and the calls that an agent makes."""

from datetime import date

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ledger.audit.operations import record
from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.jobs.models import Job
from marketplace.jobs.operations import start
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles, whole_city
from marketplace.web.bureau.reviews.cases import DECIDERS
from marketplace.web.bureau.reviews.forms import DrawForm, ResultForm
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from providers.models import Operator
from vouchers.models import CallBack, CallBackRound, Redemption, ReviewCase
from vouchers.review.call_backs import CannotCall, answer, check_draw, published_head, results
from vouchers.review.queries import recent_months

SEED = 12  # of a seed's characters, where it only names the draw
RESULTS = {"open": "", **{value: value for value in CallBack.Result.values}}
CALL_SORTS = {
    "drawn": ("operator__code", "id"),
    "result": ("result", "id"),
    "when": ("redemption__happened_at", "id"),
}
CALLERS = frozenset({Role.HOTLINE_AGENT, Role.BUREAU_CLERK})


@roles(*BUREAU)
@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """This page will list the draws, and offer another."""
    return _rounds(request, None)


@roles(*DECIDERS)
@whole_city
@require_POST
def draw(request: HttpRequest) -> HttpResponseBase:
    """This page will have a month's call-backs drawn, which takes a while in a large city."""
    form = DrawForm(request.POST, months=recent_months(), head=published_head())
    if not form.is_valid():
        return _rounds(request, form, status=422)
    told = form.cleaned_data
    try:
        check_draw(**{**told, "month": date.fromisoformat(told["month"])}, by=request.user)
    except CannotCall as refusal:
        form.add_error(None, str(refusal))
        return _rounds(request, form, status=422)
    args = {name: str(value) for name, value in told.items()}
    job = start(kind=Job.Kind.DRAW, args=args, by=request.user, at=timezone.now())
    return redirect("job", job.pk)


def _rounds(request: HttpRequest, form: DrawForm | None, *, status: int = 200) -> HttpResponse:
    listing = Listing(
        request, CallBackRound.objects.select_related("head"), sorts={"drawn": ("id",)}, default="-drawn"
    )
    if form is None and plays(request.user, DECIDERS, city=True):
        form = DrawForm(months=recent_months(), head=published_head())
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
    found = get_object_or_404(CallBackRound.objects.select_related("head"), pk=number)
    seen = set(scope.leases(request.user).values_list("operator", flat=True))
    return render(
        request,
        "bureau/reviews/round.html",
        {
            "round": found,
            "rows": [row for row in results(found) if row.operator.pk in seen],
            "trail": [*_up(found)[:-1], (_up(found)[-1][0], None)],
        },
    )


@roles(*BUREAU)
@require_safe
def round_calls(request: HttpRequest, number: int) -> HttpResponseBase:
    """This page will list the calls of a draw: whom it asked about what, and what the elders said."""
    found = get_object_or_404(CallBackRound, pk=number)
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "operator", "result")}
    calls = CallBack.objects.filter(round=found)
    if not scope.sees_whole_city(request.user):
        calls = calls.filter(redemption__in=scope.redemptions(request.user))
    operators = Operator.objects.filter(id__in=calls.order_by().values("operator")).order_by("code")
    if wanted["operator"]:
        calls = calls.filter(operator__code=wanted["operator"])
    if wanted["result"] in RESULTS:
        calls = calls.filter(result=RESULTS[wanted["result"]])
    for word in wanted["q"].split():
        numbered = Redemption.objects.by_number(word.upper()).values("pk")
        calls = calls.filter(
            Q(redemption__in=numbered)
            | Q(redemption__lease__code__iexact=word)
            | Q(redemption__lease__premises__name__icontains=word)
        )
    calls = calls.select_related(
        "operator", "redemption__elder", "redemption__service", "redemption__lease__premises"
    ).prefetch_related("redemption__review_cases")
    listing = Listing(request, calls, sorts=CALL_SORTS)
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "bureau/reviews/round_calls.html",
        {
            "round": found,
            "listing": listing,
            "calls": [(call, _case_of(call)) for call in listing.page],
            "operators": operators,
            "results": [("open", _("still to call")), *CallBack.Result.choices],
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "trail": [*_up(found), (_("Calls"), None)],
        },
    )


def _case_of(call: CallBack) -> ReviewCase | None:
    """The case that a denial opened."""
    cases = call.redemption.review_cases.all()
    return next((one for one in cases if one.reason == ReviewCase.Reason.DENIED), None)


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="call-backs",
        title="call-backs",
        fields=(
            Field(_("Redemption"), width=16),
            Field(_("Operator"), width=24),
            Field(_("Premises"), width=24),
            Field(_("Service"), width=20),
            Field(_("Happened"), As.TIME, width=20),
            Field(_("Elder"), width=10),
            Field(_("What the elder said"), width=18),
            Field(_("Asked"), As.TIME, width=20),
            Field(_("Asked by"), width=16),
            Field(_("Note"), width=40),
        ),
        rows=(
            [
                call.redemption.number,
                call.operator.name,
                call.redemption.lease.premises.name,
                call.redemption.service.name,
                call.redemption.happened_at,
                call.redemption.elder.masked_name,
                call.get_result_display() or _("still to call"),
                call.at,
                call.by,
                call.note,
            ]
            for call in listing.rows
        ),
    )


def _up(found: CallBackRound) -> list[tuple[str, str | None]]:
    return [
        (_("Review"), reverse("bureau:reviews")),
        (_("Call-backs"), reverse("bureau:rounds")),
        (f"{found.month:%Y-%m} · {found.seed[:SEED]}", reverse("bureau:round", args=[found.pk])),
    ]


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
    """Whom one may call: an agent or clerk of one division those who live, or were served, there."""
    calls = CallBack.objects.select_related(
        "round", "redemption__elder", "redemption__service", "redemption__lease__premises"
    )
    if plays(request.user, frozenset({Role.HOTLINE_AGENT})):
        return calls.filter(redemption__elder__in=scope.elders(request.user))
    if scope.sees_whole_city(request.user):
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
