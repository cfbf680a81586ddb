"""The log of the bureau's seal, and the public head of the chain."""

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
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.models import Head, Link, SealApproval
from ledger.seals.operations import CannotSeal, approve_seal, put_seal
from marketplace.accounts.models import Role
from marketplace.web.access import BUREAU, anyone, role_of, roles, whole_city
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked, row_number
from marketplace.web.lists import Listing
from marketplace.web.reports.sealable import content_of, href_of, waiting


class SealForm(Marked):
    paper = forms.CharField(
        label=gettext_lazy("Number of the paper"),
        help_text=gettext_lazy(
            "A certificate or statement, a payout list, a paper of rent handed over, a reminder, a monthly report"
        ),
        max_length=40,
        error_messages={"required": gettext_lazy("Enter the number of the paper")},
        widget=forms.TextInput(
            attrs={
                "class": "form-control",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "list": "papers",
            }
        ),
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose"),
        min_length=2,
        max_length=200,
        error_messages={
            "required": gettext_lazy("Say what it is for"),
            "min_length": gettext_lazy("Say what it is for"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    copies = forms.IntegerField(
        label=gettext_lazy("Copies"),
        min_value=1,
        max_value=99,
        initial=1,
        error_messages={
            "required": gettext_lazy("Enter how many copies"),
            "invalid": gettext_lazy("Enter how many copies"),
            "min_value": gettext_lazy("At least one copy"),
            "max_value": gettext_lazy("At most 99 copies"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric"}),
    )

    def clean_paper(self) -> str:
        number = str(self.cleaned_data["paper"]).strip().upper()
        self.content = content_of(number)
        if not self.content:
            raise forms.ValidationError(_("There is no such paper, or it is not approved yet"))
        return number


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def seals(request: HttpRequest) -> HttpResponseBase:
    """This page will list each use of the seal; an approver allows one, a clerk notes that it was put on."""
    form, refusal = SealForm(initial={"paper": request.GET.get("paper", "")[:40]}), None
    allowing = role_of(request.user) == Role.BUREAU_APPROVER
    sealing = role_of(request.user) == Role.BUREAU_CLERK
    if request.method == "POST":
        act: dict[str, Any] = {"by": request.user, "at": timezone.now()}
        if not (allowing or sealing):
            raise PermissionDenied
        try:
            if request.POST.get("do") == "seal":
                number = row_number(request.POST.get("approval", ""))
                put_seal(approval=get_object_or_404(SealApproval, pk=number), **act)
                messages.success(request, _("Noted."))
                return redirect("reports:seals")
            form = SealForm(request.POST)
            if form.is_valid():
                approve_seal(content=form.content, **form.cleaned_data, **act)
                messages.success(request, _("Allowed: a clerk may now put the seal on it."))
                return redirect("reports:seals")
        except CannotSeal as refused:
            refusal = refused
    rows, asked = SealApproval.objects.select_related("use"), request.GET.get("q", "").strip()[:80]
    for word in asked.split():
        rows = rows.filter(
            Q(paper__icontains=word)
            | Q(purpose__icontains=word)
            | Q(approved_by__iexact=word)
            | Q(use__sealed_by__iexact=word)
        )
    listing = Listing(request, rows, sorts={"id": ("id",)}, default="-id")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "reports/seals.html",
        {
            "listing": listing,
            "rows": [(one, href_of(one.paper)) for one in listing.page],
            "q": asked,
            "offered": waiting() if allowing else [],
            "form": form,
            "wrong": form if form.errors else None,
            "refusal": refusal,
            "allowing": allowing,
            "sealing": sealing,
            "trail": [(_("Monthly reports"), reverse("reports:index")), (_("Seal log"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="seal-log",
        title="seal-log",
        fields=(
            Field(_("Number of the paper"), width=22),
            Field(_("Purpose"), width=30),
            Field(_("Copies"), As.NUMBER, width=8),
            Field(_("Allowed by"), width=20),
            Field(_("Allowed at"), As.TIME, width=20),
            Field(_("Sealed by"), width=20),
            Field(_("Sealed at"), As.TIME, width=20),
        ),
        rows=(
            [
                one.paper,
                one.purpose,
                one.copies,
                one.approved_by,
                one.approved_at,
                one.use.sealed_by if hasattr(one, "use") else "",
                one.use.sealed_at if hasattr(one, "use") else None,
            ]
            for one in listing.rows
        ),
    )


class LinkForm(Marked):
    number = forms.CharField(
        label=gettext_lazy("Number of the link"),
        help_text=gettext_lazy("On a paper it stands before the sixty-four letters and digits"),
        max_length=18,
        error_messages={"required": gettext_lazy("Enter the number of the link")},
        widget=forms.TextInput(
            attrs={"class": "form-control", "autocomplete": "off", "inputmode": "numeric"}
        ),
    )

    def clean_number(self) -> int:
        number = row_number(str(self.cleaned_data["number"]).strip())
        if not number:
            raise forms.ValidationError(_("The number of a link has digits only"))
        return number


@anyone
@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """This page will show anybody where the chain of seals ends, where it ended before, and any link by number."""
    form, link, status = LinkForm(request.GET if "number" in request.GET else None), None, 200
    if form.is_bound:
        found = (
            Link.objects.filter(number=form.cleaned_data["number"])
            if form.is_valid()
            else Link.objects.none()
        )
        link = found.first()
        status = 200 if link else 422 if form.errors else 404
    about = {
        "heads": list(Head.objects.all()[:30]),
        "form": form,
        "link": link,
        "published": link and Head.objects.filter(number=link.number).first(),
        "asked": form.is_bound and not form.errors,
        "trail": [(_("Head of the chain"), None)],
    }
    return render(request, "reports/chain.html", about, status=status)
