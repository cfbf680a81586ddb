"""The log of the bureau's seal, and the public head of the chain."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.models import Head, SealApproval
from ledger.seals.operations import CannotSeal, approve_seal, put_seal
from marketplace.accounts.models import Role
from marketplace.web.access import BUREAU, anyone, role_of, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked, row_number
from marketplace.web.lists import Listing
from providers.handover.operations import digest_of
from providers.models import Handover
from vouchers.models import Paper, Payout


class SealForm(Marked):
    paper = forms.CharField(
        label=gettext_lazy("Number of the paper"),
        help_text=gettext_lazy("A certificate or statement, a payout list, a paper of rent handed over"),
        max_length=40,
        error_messages={"required": gettext_lazy("Enter the number of the paper")},
        widget=forms.TextInput(
            attrs={"class": "form-control", "autocomplete": "off", "autocapitalize": "characters"}
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


def content_of(number: str) -> str:
    """The digest of what stands on a paper; empty where there is none that could be sealed."""
    if number.startswith("JK-"):
        handover = Handover.objects.filter(number=number, state__in=["approved", "paid"]).first()
        return digest_of(handover) if handover else ""
    if number.startswith("BF-"):
        payout = Payout.objects.filter(number=number, state=Payout.State.APPROVED).first()
        return payout.digest if payout else ""
    paper = Paper.objects.filter(number=number).first()
    return paper.content["digest"] if paper else ""


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def seals(request: HttpRequest) -> HttpResponseBase:
    """This page will list each use of the seal; an approver allows one, a clerk notes that it was put on."""
    form, refusal = SealForm(), None
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
    rows = SealApproval.objects.select_related("use")
    listing = Listing(request, rows, sorts={"id": ("id",)}, default="-id")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "reports/seals.html",
        {
            "listing": listing,
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


@anyone
@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """This page will show anybody where the chain of seals ends, and where it ended on the days before."""
    heads = list(Head.objects.all()[:30])
    return render(request, "reports/chain.html", {"heads": heads, "trail": [(_("Head of the chain"), None)]})
