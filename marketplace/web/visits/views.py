"""A caregiver's day, one visit, what is told of it. Pages that work without scripts; with them, also without a network."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ledger.audit.operations import record_seen
from marketplace.accounts.models import Role
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.visits import Noted
from marketplace.fulfilment.visits import report as take_report
from marketplace.web import kept, scope
from marketplace.web.access import BUREAU, roles
from marketplace.web.photos import shown
from marketplace.web.visits import keeping
from marketplace.web.visits.forms import ReportForm
from providers.models import Caregiver
from providers.ordering.times import instant
from vouchers.models import Hold, Photo, Visit, VisitReport
from vouchers.visits.operations import Kind, is_at_door, waits_for_word
from vouchers.visits.refusals import CannotReport

SEERS = BUREAU | {Role.CAREGIVER, Role.OPERATOR_MANAGER, Role.STREET_OFFICER}
"""Those who may see photos of the visits that they see."""


@dataclass(frozen=True, slots=True)
class Job:
    """One visit as its caregiver reads it. `step` is what comes next: arrive, there, word, done, missed.
    `collect`: yuan that the elder pays on the spot."""

    work: WorkOrder
    visit: Visit | None
    step: str
    at_door: bool
    collect: Decimal

    @property
    def is_open(self) -> bool:
        return self.step not in ("done", "missed")

    @property
    def name(self) -> str:
        """In full while one has to go there; afterwards nobody needs it."""
        elder = self.work.order.elder
        return elder.name if self.is_open else elder.masked_name

    @property
    def address(self) -> str:
        return self.work.address() if self.is_open else ""


def job(work: WorkOrder) -> Job:
    visit = getattr(work.hold, "visit", None)
    if work.state == WorkOrder.State.DONE or work.hold.state == Hold.State.DELIVERED:
        step = "done"
    elif not work.is_open or work.hold.state != Hold.State.OPEN:
        step = "missed"
    elif visit is None:
        step = "arrive"
    else:
        step = "there" if visit.left_at is None else "word"
    held = sum((line.amount for line in work.hold.lines.all()), Decimal("0.00"))
    return Job(work, visit, step, is_at_door(work.hold), work.line.line_price_incl_tax - held)


def _works(request: HttpRequest) -> QuerySet[WorkOrder]:
    return (
        scope.work_orders(request.user)
        .select_related(
            "order__elder__division",
            "line",
            "hold__visit",
            "hold__service",
            "hold__elder",
            "offer__service",
            "offer__premises",
            "caregiver",
        )
        .prefetch_related("hold__lines")
    )


def _caregiver(request: HttpRequest) -> Caregiver | None:
    return Caregiver.objects.filter(user=request.user.pk).first()


@roles(Role.CAREGIVER)
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """This page will list the caregiver's visits of today, and of the two days after it. Four queries."""
    day = timezone.localdate()
    begins = instant(day, time())
    works = _works(request).filter(starts_at__gte=begins, starts_at__lt=begins + timedelta(days=3))
    jobs = [job(work) for work in works.order_by("starts_at", "id")]
    ends = begins + timedelta(days=1)
    return render(
        request,
        "visits/today.html",
        {
            "day": day,
            "caregiver": _caregiver(request),
            "today": [one for one in jobs if one.work.starts_at < ends],
            "coming": [one for one in jobs if one.work.starts_at >= ends and one.step != "missed"],
            **_script(),
        },
    )


@roles(Role.CAREGIVER)
@require_safe
@kept.reads_codes
def visit(request: HttpRequest, work: int) -> HttpResponse:
    """This page will show one visit, and take what is told of it."""
    found = get_object_or_404(_works(request), pk=work)
    one = job(found)
    reports = list(VisitReport.objects.filter(hold=found.hold, refusal="").select_related("photo"))
    context = {
        "one": one,
        "work": found,
        "caregiver": found.caregiver,
        "photos": [report for report in reports if report.kind == Kind.PHOTO],
        "word": next((report for report in reports if report.kind == Kind.CONFIRMED), None),
        "keys": {kind: str(uuid.uuid4()) for kind in ("arrived", "photo", "confirmed", "left", "absent")},
        "known": " ".join(report.key for report in reports),
        "steps": _steps(one),
        **_script(),
    }
    return render(request, "visits/visit.html", context)


def _steps(one: Job) -> list[str]:
    """What may be told now, as the server knows it."""
    if one.step not in ("arrive", "there"):
        return []
    if one.at_door:
        return ["left", "absent"]
    if one.step == "arrive":
        return ["arrived"]
    said = one.visit is not None and not waits_for_word(one.visit)
    return ["photo", *([] if said else ["confirmed"]), "left", "absent"]


@roles(Role.CAREGIVER)
@require_POST
def report(request: HttpRequest, work: int) -> HttpResponseBase:
    """This form will take in one thing told of a visit: from the page, or from the queue of a phone (JSON).

    What was assigned to another meanwhile is refused with a sentence, not missing: it was told, and is kept.
    """
    at = timezone.now()
    caregiver = _caregiver(request)
    if caregiver is None:
        raise Http404
    found = get_object_or_404(
        WorkOrder.objects.select_related("hold__service", "hold__elder__division", "order__elder"),
        pk=work,
        offer__premises__in=scope.places_of_operator(caregiver.operator_id),
    )
    form = ReportForm(request.POST, request.FILES)
    wants_json = "application/json" in request.headers.get("Accept", "")
    if not form.is_valid():
        code, detail = _first_error(form)
        return _refused(request, found, code, detail, as_json=wants_json)
    told = form.told(caregiver, at=at)
    try:
        noted = take_report(work=found, caregiver=caregiver, told=told, by=request.user, at=at)
    except CannotReport as refusal:
        return _refused(request, found, refusal.code, str(refusal), as_json=wants_json)
    if wants_json:
        return JsonResponse(
            {"number": noted.report.number, "paid": noted.receipt is not None},
            status=200 if noted.repeated else 201,
        )
    messages.success(request, _said(noted, found))
    return redirect("visits:visit", found.pk)


def _refused(
    request: HttpRequest, found: WorkOrder, code: str, detail: str, *, as_json: bool
) -> HttpResponseBase:
    if as_json:
        return JsonResponse({"code": code, "detail": detail}, status=422)
    messages.error(request, detail)
    mine = _works(request).filter(pk=found.pk).exists()
    return redirect("visits:visit", found.pk) if mine else redirect("visits:today")


def _first_error(form: ReportForm) -> tuple[str, str]:
    for field in form:
        for error in field.errors.as_data():
            return error.code or "invalid", str(error.messages[0])
    return "invalid", _("This cannot be sent yet")


def _said(noted: Noted, work: WorkOrder) -> str:
    work.refresh_from_db()
    words: dict[Any, str] = {
        Kind.ARRIVED: _("Checked in."),
        Kind.PHOTO: _("The photo is kept."),
        Kind.CONFIRMED: _("The elder has confirmed."),
        Kind.ABSENT: _("Noted: nobody was there. The elder is told."),
    }
    if noted.report.kind != Kind.LEFT:
        return words[noted.report.kind]
    if work.state == WorkOrder.State.DONE:
        return _("Done. The vouchers are settled.")
    return _("Checked out. The hotline will ask the elder, then the vouchers are settled.")


@roles(*SEERS)
@require_safe
def photo(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """This picture will be shown to the caregiver, the operator and the bureau: to those who see the visit."""
    user: Any = request.user
    reports = VisitReport.objects.filter(photo__number=number)
    if user.role in (Role.CAREGIVER, Role.OPERATOR_MANAGER):
        reports = reports.filter(hold__work__in=scope.work_orders(user))
    else:
        reports = reports.filter(hold__redemption__in=scope.redemptions(user))
    report = get_object_or_404(reports.select_related("hold__elder"))
    if user.role != Role.CAREGIVER:  # who took it
        detail = {"visit": report.hold.key}
        elder = report.hold.elder.code
        record_seen(by=user, at=timezone.now(), action="see_photo", subject=elder, detail=detail)
    return shown(get_object_or_404(Photo, number=number))


def _script() -> dict[str, Any]:
    return {"files": keeping.files(), "words": words(), "seen_at": int(_now().timestamp() * 1000)}


def _now() -> datetime:
    return timezone.now()


def words() -> dict[str, str]:
    """What the script says; {places} are filled in there."""
    return {
        "unsent": _("{n} not sent yet, the oldest is {age}"),
        "offline": _("No network. Go on: everything is kept on this phone and sent later."),
        "as_of": _("This page is as it was at {time}."),
        "shut": _("Sign in again to send what is kept on this phone."),
        "stranded": _("Something that another account did on this phone is not sent. Sign in with it."),
        "old": _(
            "Something has not been sent for a long time. Find a network soon: after 72 hours it is too late."
        ),
        "kept": _("Kept on this phone at {time}, not sent yet"),
        "taken": _("Taken at {time}"),
        "refused": _("Not taken: {why}"),
        "age_now": _("less than a minute old"),
        "age_minutes": _("{n} minutes old"),
        "age_hours": _("{n} hours old"),
        "arrived": _("I have arrived"),
        "photo": _("Photo"),
        "confirmed": _("The elder confirms"),
        "left": _("Leaving"),
        "absent": _("Nobody is there"),
        "camera_denied": _("The camera is not allowed. Allow it in the browser, or type the code."),
        "camera_missing": _("No camera was found. Use a USB scanner, or type the code."),
        "camera_broken": _("The camera did not start. Try again, or type the code."),
    }
