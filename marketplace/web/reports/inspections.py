"""Inspections of places (一月一督查): what was found, what is overdue, and the look again."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.files.write import As, Field
from ledger.journal.queries import last_day
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import plays, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked
from marketplace.web.lists import Listing
from marketplace.web.reports.monthly import READERS
from providers.inspections.operations import CannotInspect, Found, inspect, look_again, not_inspected
from providers.models import Finding, Lease

INSPECTORS = frozenset({Role.STREET_OFFICER, Role.BUREAU_CLERK})


def _day(label: Any, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={
            "required": gettext_lazy("Choose a day"),
            "invalid": gettext_lazy("Write the day as 2026-07-01"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
        **kwargs,
    )


class InspectionForm(Marked):
    """One visit; up to three findings, of which only those with words count."""

    PLACES = 3

    lease = forms.ModelChoiceField(
        Lease.objects.none(),
        empty_label=gettext_lazy("Choose"),
        label=gettext_lazy("Which place?"),
        to_field_name="code",
        error_messages={
            "required": gettext_lazy("Choose the place"),
            "invalid_choice": gettext_lazy("Choose one of the places"),
        },
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    on = _day(gettext_lazy("Inspected on"))

    def __init__(self, *args: Any, leases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["lease"]
        field.queryset = leases
        field.label_from_instance = lambda lease: f"{lease.code} {lease.premises.name}"
        self.fields["on"].initial = timezone.localdate
        for n in range(1, self.PLACES + 1):
            self.fields[f"area_{n}"] = forms.ChoiceField(
                label=_("Finding %(number)s: of what kind") % {"number": n},
                choices=Finding.Area.choices,
                required=False,
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.fields[f"text_{n}"] = forms.CharField(
                label=_("Finding %(number)s: what is wrong") % {"number": n},
                help_text=_("Leave it empty if nothing was found."),
                required=False,
                max_length=500,
                widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            )
            self.fields[f"until_{n}"] = _day(
                _("Finding %(number)s: to be mended until") % {"number": n}, required=False
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n in range(1, self.PLACES + 1):
            if data.get(f"text_{n}", "").strip() and not data.get(f"until_{n}"):
                self.add_error(f"until_{n}", _("Say until when it is to be mended"))
        return data

    @property
    def found(self) -> list[Found]:
        data = self.cleaned_data
        return [
            Found(data[f"area_{n}"] or Finding.Area.OTHER, data[f"text_{n}"], data[f"until_{n}"])
            for n in range(1, self.PLACES + 1)
            if data[f"text_{n}"].strip()
        ]


class ReCheckForm(Marked):
    on = _day(gettext_lazy("Looked at on"))
    until = _day(gettext_lazy("If it is not mended: until when"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate


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
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return timezone.localdate().replace(day=1)


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def inspections(request: HttpRequest) -> HttpResponseBase:
    """This page will list who was not inspected in a month, what was found in it and what is still open; and note
    an inspection."""
    leases = scope.leases(request.user).select_related("premises")
    form = InspectionForm(leases=leases)
    refusal: CannotInspect | None = None
    inspecting = plays(request.user, INSPECTORS)
    if request.method == "POST":
        if not inspecting:
            raise PermissionDenied
        form = InspectionForm(request.POST, leases=leases)
        if form.is_valid():
            try:
                inspect(
                    lease=form.cleaned_data["lease"],
                    on=form.cleaned_data["on"],
                    note="",
                    found=form.found,
                    by=request.user,
                    at=timezone.now(),
                )
                messages.success(request, _("Noted."))
                return redirect("reports:inspections")
            except CannotInspect as refused:
                refusal = refused
    month, today = _month(request.GET.get("month", "")), timezone.localdate()
    rows = Finding.objects.filter(inspection__lease__in=leases).filter(
        Q(inspection__inspected_on__gte=month, inspection__inspected_on__lte=last_day(month))
        | Q(mended_on=None, inspection__inspected_on__lt=month)
    )
    sorts = {"until": ("mend_until", "id"), "lease": ("inspection__lease__code", "id")}
    listing = Listing(request, rows.select_related("inspection__lease__premises"), sorts=sorts)
    if (file := export(request, _sheet(listing, today))) is not None:
        return file
    return render(
        request,
        "reports/inspections.html",
        {
            "month": month,
            "listing": listing,
            "findings": [_told(one, today) for one in listing.page],
            "missing": not_inspected(month, scope.leases(request.user)),
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "inspecting": inspecting,
            "trail": [(_("Monthly reports"), reverse("reports:index")), (_("Inspections"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _sheet(listing: Listing, today: date) -> Sheet:
    return Sheet(
        name="inspections",
        title="inspections",
        fields=(
            Field(_("Lease"), width=10),
            Field(_("Premises"), width=24),
            Field(_("Inspected"), As.DATE, width=12),
            Field(_("Kind"), width=16),
            Field(_("Finding"), width=50),
            Field(_("Mend until"), As.DATE, width=12),
            Field(_("Mended"), As.DATE, width=12),
            Field(_("State"), width=14),
        ),
        rows=(
            [
                one.inspection.lease.code,
                one.inspection.lease.premises.name,
                one.inspection.inspected_on,
                one.get_area_display(),
                one.text,
                one.mend_until,
                one.mended_on,
                _told(one, today).word,
            ]
            for one in listing.rows
        ),
    )


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def finding(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one finding with each look again, and note another."""
    found = get_object_or_404(
        Finding.objects.filter(inspection__lease__in=scope.leases(request.user)).select_related(
            "inspection__lease__premises"
        ),
        pk=number,
    )
    inspecting = plays(request.user, INSPECTORS)
    form, refusal = ReCheckForm(), None
    if request.method == "POST":
        if not inspecting:
            raise PermissionDenied
        form = ReCheckForm(request.POST)
        if form.is_valid():
            try:
                mended = request.POST.get("do") == "mended"
                look_again(
                    finding=found, mended=mended, by=request.user, at=timezone.now(), **form.cleaned_data
                )
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
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "inspecting": inspecting,
            "trail": [
                (_("Inspections"), reverse("reports:inspections")),
                (_("Finding %(number)s") % {"number": number}, None),
            ],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )
