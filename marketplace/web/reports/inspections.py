"""Inspections of places (一月一督查): who was inspected, what was found, what is overdue, and the look again."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ledger.files.write import As, Field
from ledger.journal.queries import last_day
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import full_day
from marketplace.web import scope
from marketplace.web.access import plays, roles
from marketplace.web.converters import MonthConverter
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import PER_PAGE, Listing
from marketplace.web.reports.inspection_forms import FindingsForm, InspectionForm, ReCheckForm, ReopenForm
from marketplace.web.reports.monthly import READERS
from providers.inspections.operations import (
    CannotInspect,
    add_findings,
    inspect,
    look_again,
    not_inspected,
)
from providers.models import Finding, Inspection

INSPECTORS = frozenset({Role.STREET_OFFICER, Role.BUREAU_CLERK})
SORTS = {
    "until": ("until", "lease__code", "-inspected_on", "id"),
    "lease": ("lease__code", "-inspected_on", "id"),
    "day": ("inspected_on", "id"),
}


def _told(finding: Any, today: date) -> Any:
    """With what the templates write of it."""
    if finding.mended_on:
        finding.tone, finding.mark, finding.word = "ok", "check-circle-fill", _("mended")
    elif finding.mend_until < today:
        finding.tone, finding.mark, finding.word = "no", "x-octagon-fill", _("overdue")
    else:
        finding.tone, finding.mark, finding.word = "due", "hourglass-split", _("to be mended")
    return finding


def _month(text: str) -> date:
    """The month that an address asks for; this one where it names none that could be."""
    if re.fullmatch(MonthConverter.regex, text):
        return MonthConverter().to_python(text)
    return timezone.localdate().replace(day=1)


def _inspections(user: Any) -> QuerySet[Inspection]:
    return Inspection.objects.filter(lease__in=scope.leases(user)).select_related("lease__premises")


def _asked(request: HttpRequest, month: date, today: date) -> QuerySet[Inspection]:
    """The inspections of a month, and earlier ones of which something is still to be mended, as they are asked for."""
    waiting = Finding.objects.filter(inspection=OuterRef("pk"), mended_on=None)
    rows = _inspections(request.user).annotate(
        until=Min("findings__mend_until", filter=Q(findings__mended_on=None))
    )
    of_month = Q(inspected_on__gte=month, inspected_on__lte=last_day(month))
    show = request.GET.get("show", "")
    if show == "month":
        rows = rows.filter(of_month)
    else:
        rows = rows.filter(of_month | Q(Exists(waiting), inspected_on__lt=month))
    if show == "open":
        rows = rows.filter(Exists(waiting))
    elif show == "overdue":
        rows = rows.filter(Exists(waiting.filter(mend_until__lt=today)))
    for word in request.GET.get("q", "").strip()[:120].split():
        rows = rows.filter(
            Q(lease__code__istartswith=word) | Q(lease__premises__name__icontains=word) | Q(by__iexact=word)
        )
    return rows.prefetch_related("findings")


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def inspections(request: HttpRequest) -> HttpResponseBase:
    """This page will list who was not inspected in a month, what each inspection of it found and what is still open of
    earlier ones; and note an inspection."""
    leases = scope.leases(request.user)
    offered = leases.select_related("premises").order_by("code")
    form = InspectionForm(leases=offered, initial={"lease": request.GET.get("lease", "")[:12]})
    refusal: CannotInspect | None = None
    earlier: Inspection | None = None
    inspecting = plays(request.user, INSPECTORS)
    if request.method == "POST":
        if not inspecting:
            raise PermissionDenied
        form = InspectionForm(request.POST, leases=offered)
        if form.is_valid():
            data = form.cleaned_data
            try:
                made = inspect(
                    lease=data["lease"],
                    on=data["on"],
                    note=data["note"],
                    found=form.found,
                    by=request.user,
                    at=timezone.now(),
                )
                messages.success(request, _("Noted."))
                return redirect("reports:inspection", made.pk)
            except CannotInspect as refused:
                refusal = refused
                earlier = Inspection.objects.filter(lease=data["lease"], inspected_on=data["on"]).first()
    month, today = _month(request.GET.get("month", "")), timezone.localdate()
    listing = Listing(request, _asked(request, month, today), sorts=SORTS)
    if (file := export(request, _sheet(listing, today))) is not None:
        return file
    missing = not_inspected(month, leases)
    return render(
        request,
        "reports/inspections.html",
        {
            "month": month,
            "last": last_day(month),
            "listing": listing,
            "rows": [(one, [_told(found, today) for found in one.findings.all()]) for one in listing.page],
            "shows": [
                ("month", _("Inspected in this month")),
                ("open", _("Something is to be mended")),
                ("overdue", _("Something is overdue")),
            ],
            "show": request.GET.get("show", ""),
            "q": request.GET.get("q", "").strip()[:120],
            "missing": missing[:PER_PAGE],
            "more_missing": len(missing[PER_PAGE:]),
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "earlier": earlier,
            "inspecting": inspecting,
            "trail": [(_("Monthly reports"), reverse("reports:index")), (_("Inspections"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _sheet(listing: Listing, today: date) -> Sheet:
    """One line a finding, and one for an inspection that found nothing."""

    def rows() -> Iterator[list[Any]]:
        for one in listing.rows:
            about = [one.lease.code, one.lease.premises.name, one.inspected_on, one.by, one.note]
            for found in (_told(each, today) for each in one.findings.all()):
                words = [found.get_area_display(), found.text, found.mend_until, found.mended_on, found.word]
                yield [*about, *words]
            if not one.findings.all():
                yield [*about, "", "", None, None, _("nothing found")]

    return Sheet(
        name="inspections",
        title="inspections",
        fields=(
            Field(_("Lease"), width=10),
            Field(_("Premises"), width=24),
            Field(_("Inspected"), As.DATE, width=12),
            Field(_("By"), width=16),
            Field(_("Note"), width=40),
            Field(_("Kind"), width=16),
            Field(_("Finding"), width=50),
            Field(_("Mend until"), As.DATE, width=12),
            Field(_("Mended"), As.DATE, width=12),
            Field(_("State"), width=14),
        ),
        rows=rows(),
    )


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def inspection(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one inspection and all that it found, and take what was found besides."""
    one = get_object_or_404(_inspections(request.user), pk=number)
    inspecting = plays(request.user, INSPECTORS)
    form, refusal = FindingsForm(), None
    if request.method == "POST":
        if not inspecting:
            raise PermissionDenied
        form = FindingsForm(request.POST)
        if form.is_valid():
            try:
                add_findings(inspection=one, found=form.found, by=request.user, at=timezone.now())
                messages.success(request, _("Noted."))
                return redirect("reports:inspection", number)
            except CannotInspect as refused:
                refusal = refused
    today = timezone.localdate()
    return render(
        request,
        "reports/inspection.html",
        {
            "one": one,
            "findings": [_told(found, today) for found in one.findings.order_by("id")],
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "inspecting": inspecting,
            "trail": [(_("Inspections"), _of_month(one)), (_name(one), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _of_month(one: Inspection) -> str:
    return f"{reverse('reports:inspections')}?month={one.inspected_on:%Y-%m}"


def _name(one: Inspection) -> str:
    return f"{one.lease.code} · {full_day(one.inspected_on)}"


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def finding(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one finding with each look again, and note another; also that it is not mended after all."""
    found = get_object_or_404(
        Finding.objects.filter(inspection__lease__in=scope.leases(request.user)).select_related(
            "inspection__lease__premises"
        ),
        pk=number,
    )
    inspecting = plays(request.user, INSPECTORS)
    do = request.POST.get("do", "")
    kind = ReopenForm if found.mended_on and do != "mended" else ReCheckForm
    form, refusal = kind(), None
    if request.method == "POST":
        if not inspecting:
            raise PermissionDenied
        form = kind(request.POST)
        if form.is_valid():
            act = {"mended": do == "mended", "by": request.user, "at": timezone.now(), **form.cleaned_data}
            try:
                look_again(finding=found, **act)
                messages.success(request, _("Noted."))
                return redirect("reports:finding", number)
            except CannotInspect as refused:
                refusal = refused
    return render(
        request,
        "reports/finding.html",
        {
            "finding": _told(found, timezone.localdate()),
            "rechecks": list(found.rechecks.all()),
            "form": form if not found.mended_on or isinstance(form, ReopenForm) else ReopenForm(),
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "inspecting": inspecting,
            "trail": [
                (_("Inspections"), _of_month(found.inspection)),
                (_name(found.inspection), reverse("reports:inspection", args=[found.inspection_id])),
                (_("Finding %(number)s") % {"number": number}, None),
            ],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )
