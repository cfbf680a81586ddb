"""The operator's caregivers: certificates, when each works, what is in the diary, who leaves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.files.write import As, Field
from ledger.journal.queries import day_of
from marketplace.accounts.models import Role
from marketplace.templatetags.market import weekdays
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.provider.papers import tone_of
from marketplace.web.provider.supply.forms import CertificateForm, LeavingForm, TakeOnForm
from marketplace.web.provider.supply.places import first_day, to_come
from marketplace.web.provider.supply.weeks import WeekForm
from providers.caregivers.operations import (
    Certificate,
    Hours,
    register_caregiver,
    set_leaving,
    set_shifts,
    take_on,
    withdraw_shifts,
)
from providers.models import Appointment, Caregiver, Shift
from providers.ordering.weeks import week_on

DIARY_DAYS = 14


COLUMNS = (
    Field(gettext_lazy("Code"), width=12),
    Field(gettext_lazy("Name"), width=14),
    Field(gettext_lazy("Certificate"), width=18),
    Field(gettext_lazy("Number"), width=24),
    Field(gettext_lazy("Good from"), As.DATE, width=12),
    Field(gettext_lazy("Good until"), As.DATE, width=12),
    Field(gettext_lazy("State"), width=16),
    Field(gettext_lazy("Works"), width=24),
    Field(gettext_lazy("No longer from"), As.DATE, width=14),
)
STATES = {
    "ok": gettext_lazy("in order"),
    "due": gettext_lazy("runs out soon"),
    "no": gettext_lazy("does not count now"),
}


def _certificate(data: dict[str, Any]) -> Certificate:
    return Certificate(data["kind"], data["number"], data["valid_from"], data["valid_until"])


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def caregivers(request: HttpRequest) -> HttpResponseBase:
    """This page will list who is sent to people's homes, and take on somebody new."""
    today = timezone.localdate()
    form = TakeOnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = take_on(
            name=form.cleaned_data["name"],
            operator=request.user.operator,  # type: ignore[union-attr, arg-type]
            certificate=_certificate(form.cleaned_data),
            by=request.user,
            at=timezone.now(),
        )
        return redirect(f"{reverse('office:caregiver', args=[made.code])}?done=taken")
    people = (
        Caregiver.objects.filter(operator=request.user.operator_id)  # type: ignore[union-attr]
        .prefetch_related("qualifications", "shifts")
        .order_by("left_on", "code")
    )
    rows = [
        {
            "person": person,
            "left": person.left_on is not None and person.left_on <= today,
            "certificates": [(one, _state(one, today)) for one in person.qualifications.all()],
            "shifts": sorted({one.weekday for one in person.shifts.all() if one.ends_on is None or one.ends_on >= today}),
        }
        for person in people
    ]  # fmt: skip
    if (file := export(request, Sheet("caregivers", "caregivers", COLUMNS, _lines(rows)))) is not None:
        return file
    trail = [(_("Office"), reverse("office:today")), (_("Caregivers"), None)]
    return render(request, "office/caregivers.html", {"rows": rows, "form": form, "trail": trail})


def _lines(rows: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """A line for each certificate; somebody without any has one too."""
    for row in rows:
        person = row["person"]
        held = [
            [one.get_kind_display(), one.number, one.valid_from, one.valid_until, STATES[state]]
            for one, state in row["certificates"]
        ]
        for certificate in held or [[None] * 5]:
            yield [person.code, person.name, *certificate, weekdays(row["shifts"]), person.left_on]


def _state(certificate: Any, today: Any) -> str:
    """ok, soon to run out, or run out (or not begun)."""
    return "no" if certificate.valid_from > today else tone_of(certificate.valid_until, today)


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def caregiver(request: HttpRequest, caregiver: str) -> HttpResponse:
    """This page will set when one caregiver works from a day on, add a certificate, note the last day."""
    at = timezone.now()
    today = day_of(at)
    mine = Caregiver.objects.filter(operator=request.user.operator_id)  # type: ignore[union-attr]
    person = get_object_or_404(mine.select_related("operator"), code=caregiver)
    rows = Shift.objects.filter(caregiver=person)
    act = request.POST.get("act", "")
    coming = to_come(rows, Hours, today)
    week = WeekForm(
        request.POST if act == "shifts" else None,
        first=first_day(rows, today),
        week=coming.get("week", week_on(rows, Hours, today)),
    )
    paper = CertificateForm(request.POST if act == "certificate" else None, prefix="paper")
    leaving = LeavingForm(request.POST if act == "leave" else None, today=today, prefix="leaving")
    done = ""
    if act == "shifts" and week.is_valid():
        hours = [Hours(*row) for row in week.rows]
        set_shifts(
            caregiver=person, hours=hours, from_on=week.cleaned_data["from_on"], by=request.user, at=at
        )
        done = "shifts"
    elif act == "withdraw":
        withdraw_shifts(caregiver=person, by=request.user, at=at)
        done = "withdrawn"
    elif act == "certificate" and paper.is_valid():
        register_caregiver(
            code=person.code,
            name=person.name,
            operator=person.operator,
            certificates=[_certificate(paper.cleaned_data)],
            by=request.user,
            at=at,
        )
        done = "certificate"
    elif act == "leave" and leaving.is_valid():
        set_leaving(caregiver=person, left_on=leaving.cleaned_data["left_on"], by=request.user, at=at)
        done = "leaving"
    elif act == "stay":
        set_leaving(caregiver=person, left_on=None, by=request.user, at=at)
        done = "staying"
    if done:
        return redirect(f"{reverse('office:caregiver', args=[person.code])}?done={done}")
    diary = Appointment.objects.filter(
        caregiver=person, freed_at=None, ends_at__gt=at, starts_at__lt=at + timedelta(days=DIARY_DAYS)
    )
    forms = {"certificate": paper, "leave": leaving}
    return render(
        request,
        "office/caregiver.html",
        {
            "person": person,
            "form": forms.get(act, week),
            "week": week,
            "now_week": week_on(rows, Hours, today),
            "paper": paper,
            "leaving": leaving,
            "coming": coming,
            "certificates": [(one, _state(one, today)) for one in person.qualifications.all()],
            "diary": diary.select_related("offer__service", "offer__premises").order_by("starts_at"),
            "done": request.GET.get("done", ""),
            "trail": [
                (_("Office"), reverse("office:today")),
                (_("Caregivers"), reverse("office:caregivers")),
                (person.name, None),
            ],
        },
    )
