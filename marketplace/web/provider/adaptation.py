"""Homes that the operator makes safer: the list, and each project's next step."""

from datetime import date, timedelta
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

from marketplace.accounts.models import Role
from marketplace.adaptation.operations import propose
from marketplace.web import adaptation, scope
from marketplace.web.access import roles
from marketplace.web.forms import Marked
from marketplace.web.photos import PhotosField
from vouchers.adaptation.models import Project
from vouchers.adaptation.operations import assess, begin, cancel, finish
from vouchers.adaptation.quotes import Wanted, offered, price_for
from vouchers.adaptation.refusals import CannotAdapt
from vouchers.adaptation.terms import MOST_QUANTITY, WARRANTY_MONTHS

State = Project.State
CONTROL = {"class": "form-control", "autocomplete": "off"}
USUAL_DAYS = 30


def day_field(label: Any, missing: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={"required": missing, "invalid": gettext_lazy("Write the day as 2026-07-01")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={**CONTROL, "type": "date"}),
    )


class AssessForm(Marked):
    visited_on = day_field(
        gettext_lazy("Day of the visit"), gettext_lazy("Say on which day the home was looked at")
    )
    assessor = forms.CharField(
        label=gettext_lazy("Who looked at it"),
        max_length=60,
        error_messages={"required": gettext_lazy("Say who looked at the home")},
        widget=forms.TextInput(attrs=CONTROL),
    )
    findings = forms.CharField(
        label=gettext_lazy("What was found, room by room"),
        max_length=1000,
        error_messages={"required": gettext_lazy("Say what was found")},
        widget=forms.Textarea(attrs={**CONTROL, "rows": 4}),
    )
    photos = PhotosField(
        label=gettext_lazy("Photos of the home as it is now"),
        help_text=gettext_lazy("One to eight. Where and when they were taken is removed from them."),
    )


class PlanForm(Marked):
    """How many of which service: a field for each item that is offered."""

    due_on = day_field(gettext_lazy("Done by"), gettext_lazy("Say by when the works are done"))
    warranty = forms.TypedChoiceField(
        label=gettext_lazy("Warranty"),
        coerce=int,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, project: Project, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["due_on"].initial = today + timedelta(days=USUAL_DAYS)
        field = self.fields["warranty"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(n, _("%(n)s months") % {"n": n}) for n in WARRANTY_MONTHS]
        field.initial = WARRANTY_MONTHS[1]
        self.ties = []
        for tie in offered(project.premises, today):
            row = price_for(tie, project.elder, today)
            if row is None:
                continue
            code = tie.service.code
            self.ties.append((tie, row))
            self.fields[f"quantity_{code}"] = forms.IntegerField(
                label=_("How many: %(item)s") % {"item": tie.item},
                required=False,
                min_value=0,
                max_value=MOST_QUANTITY,
                widget=forms.NumberInput(attrs={**CONTROL, "inputmode": "numeric"}),
            )
            self.fields[f"own_{code}"] = forms.BooleanField(
                label=_("%(item)s: the family pays it wholly") % {"item": tie.item},
                required=False,
                widget=forms.CheckboxInput(attrs={"class": "form-check-input tick"}),
            )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each item that is offered: its tie, its price row, its two fields; those of one group together."""
        return [
            {
                "tie": tie,
                "price": row,
                "quantity": self[f"quantity_{tie.service.code}"],
                "own": self[f"own_{tie.service.code}"],
            }
            for tie, row in self.ties
        ]

    @property
    def wanted(self) -> list[Wanted]:
        data = self.cleaned_data
        return [
            Wanted(tie.service.code, data[f"quantity_{tie.service.code}"], data[f"own_{tie.service.code}"])
            for tie, _row in self.ties
            if data.get(f"quantity_{tie.service.code}")
        ]


class FinishForm(Marked):
    photos = PhotosField(
        label=gettext_lazy("Photos of the finished works"),
        help_text=gettext_lazy("One to eight, of the same places as before."),
    )


class CancelForm(Marked):
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why")},
        widget=forms.TextInput(attrs=CONTROL),
    )


@roles(Role.OPERATOR_MANAGER)
@require_safe
def projects(request: HttpRequest) -> HttpResponseBase:
    """This page will list the operator's projects, open ones unless asked otherwise."""
    context, file = adaptation.listed(request, scope.adaptations(request.user))
    if file is not None:
        return file
    trail = [(_("Office"), reverse("office:today")), (_("Home adaptation"), None)]
    return render(
        request, "adaptation/projects.html", {**context, "of": "office:adaptation_project", "trail": trail}
    )


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def project(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one project and take the operator's next step: assess, plan, begin, finish, cancel."""
    found = get_object_or_404(
        scope.adaptations(request.user).select_related("elder__division", "operator", "premises"), pk=number
    )
    forms_ = _forms(request, found)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    form = forms_.get(act)
    refusal: Any = ""
    if act and (form is None or form.is_valid()):
        try:
            said = _take(act, found, form, request)
        except CannotAdapt as refused:
            refusal = refused
        else:
            messages.success(request, said)
            return redirect("office:adaptation_project", found.pk)
    return render(
        request,
        "office/adaptation.html",
        {
            **adaptation.about(found, goes_there=True),
            "forms": forms_,
            "wrong": form if form is not None and form.errors else None,
            "act": act,
            "refusal": refusal,
            "trail": [
                (_("Office"), reverse("office:today")),
                (_("Home adaptation"), reverse("office:adaptation")),
                (found.number, None),
            ],
        },
        status=422 if act else 200,
    )


def _forms(request: HttpRequest, found: Project) -> dict[str, Any]:
    """The forms of the steps that can be taken now; the one that was sent is bound."""

    def bound(act: str, form: type[Marked], **options: Any) -> Marked:
        sent = request.method == "POST" and request.POST.get("act") == act
        return form(request.POST, request.FILES, **options) if sent else form(**options)

    today = timezone.localdate()
    made: dict[str, Any] = {}
    if found.state == State.REQUESTED:
        made["assess"] = bound("assess", AssessForm)
    if found.state in (State.ASSESSED, State.PLANNED):
        made["plan"] = bound("plan", PlanForm, project=found, today=today)
    if found.state == State.WORKS:
        made["finish"] = bound("finish", FinishForm)
    if found.is_open:
        made["cancel"] = bound("cancel", CancelForm)
    return made


def _take(act: str, found: Project, form: Any, request: HttpRequest) -> str:
    """One step; answers what is said then. Raises CannotAdapt."""
    by, at = request.user, timezone.now()
    if form is None and act != "begin":  # sent again, or by a page that is old
        raise CannotAdapt("not_open")
    data = form.cleaned_data if form is not None else {}
    if act == "assess":
        assess(project=found, by=by, at=at, **data)
        return _("Noted. Make a plan now.")
    if act == "plan":
        propose(
            project=found,
            wanted=form.wanted,
            due_on=data["due_on"],
            warranty_months=data["warranty"],
            by=by,
            at=at,
        )
        return _("The plan is with the family. They were told.")
    if act == "begin":
        begin(project=found, by=by, at=at)
        return _("The works have begun.")
    if act == "finish":
        finish(project=found, photos=data["photos"], by=by, at=at)
        return _("The street or the bureau is to look at the works now.")
    if act == "cancel":
        cancel(project=found, reason=data["reason"], by=by, at=at)
        return _("Cancelled. What was set aside is free again.")
    raise CannotAdapt("not_open")
