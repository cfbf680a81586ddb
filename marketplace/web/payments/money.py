"""Refunds of ended leases, the charity fund and its budgets, rent handed over by owner."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import last_locked_month
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, role_of, roles, whole_city
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing, naming, words_of
from marketplace.web.payments import papers
from marketplace.web.payments.forms import BudgetForm, HandoverForm, RefundForm, TreasuryForm
from marketplace.web.payments.transfers import transfer_file
from providers.handover.operations import CannotHandOver, decide_handover, draw_up_handover, waiting
from providers.leases.refunds import CannotRefund, decide_refund, draw_up_refund, overpaid
from providers.models import Handover, Refund
from vouchers.funds.operations import CannotBudget, fund_balance, set_budget, uses
from vouchers.models import Donation, Statement
from vouchers.payouts.operations import payees_of

DONE_MARKS = {
    "draft": ("wait", "hourglass-split"),
    "approved": ("due", "clock"),
    "paid": ("ok", "check-circle-fill"),
    "dropped": ("", "dash-circle"),
}
BUDGET_MARKS = {
    "fine": ("ok", "check-circle-fill"),
    "low": ("due", "exclamation-triangle-fill"),
    "exhausted": ("no", "x-octagon-fill"),
}


def _marked(one: Any) -> Any:
    one.tone, one.mark = DONE_MARKS[one.state]
    return one


def _is(request: HttpRequest, role: str) -> bool:
    return role_of(request.user) == role


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def refunds(request: HttpRequest) -> HttpResponseBase:
    """This page will list who has paid too much, and each refund: drawn up by a clerk, approved by another."""
    form, refusal = RefundForm(), None
    leases = scope.leases(request.user)
    about = request.POST.get("lease", "")
    if request.method == "POST":
        act: dict[str, Any] = {"by": request.user, "at": timezone.now()}
        try:
            if request.POST.get("do") == "draw":
                if not _is(request, Role.BUREAU_CLERK):
                    raise PermissionDenied
                form = RefundForm(request.POST)
                if form.is_valid():
                    lease = get_object_or_404(leases, code=about)
                    made = draw_up_refund(lease=lease, **form.cleaned_data, **act)
                    messages.success(request, _("%(number)s waits for approval.") % {"number": made.number})
                    return redirect("payments:refunds")
            else:
                found = get_object_or_404(Refund, number=request.POST.get("number", ""), lease__in=leases)
                decide_refund(refund=found, approve=request.POST.get("do") == "approve", **act)
                messages.success(request, _("Done: %(number)s") % {"number": found.number})
                return redirect("payments:refunds")
        except CannotRefund as refused:
            refusal = refused
    words = words_of(request)
    rows = Refund.objects.filter(lease__in=leases).select_related("lease__operator", "lease__premises")
    fields = ("number", "lease__code", "lease__operator__name", "reason")
    rows = rows.filter(naming(words, *fields, amounts=["amount"]))
    listing = Listing(request, rows, sorts={"number": ("id",)}, default="-number")
    sheet = Sheet(
        name="refunds",
        title="refunds",
        fields=(
            Field(_("Number"), width=18),
            Field(_("Lease"), width=10),
            Field(_("Operator"), width=28),
            Field(_("Amount in yuan"), As.AMOUNT, width=14),
            Field(_("Why?"), width=40),
            Field(_("State"), width=18),
        ),
        rows=(
            [
                one.number,
                one.lease.code,
                one.lease.operator.name,
                one.amount,
                one.reason,
                one.get_state_display(),
            ]
            for one in listing.rows
        ),
    )
    if (file := export(request, sheet)) is not None:
        return file
    payable = _payable(leases)
    if request.GET.get("format") == "transfer":
        paid = ((account, one.left, f"退款 {one.number}") for one, account in payable if account)
        return transfer_file("transfer-refunds", paid)
    seen = set(leases.values_list("pk", flat=True))
    today = timezone.localdate()
    return render(
        request,
        "payments/refunds.html",
        {
            "listing": listing,
            "words": words,
            "refunds": [_marked(one) for one in listing.page],
            "overpaid": [one for one in overpaid(today) if one.lease.pk in seen],
            "transferable": any(account for _one, account in payable),
            "without_account": [one for one, account in payable if not account],
            "credits": _credits_of_ended(leases.filter(ends_on__lt=today)),
            "form": form,
            "about": about,
            "refusal": refusal,
            "drawing": _is(request, Role.BUREAU_CLERK),
            "approving": _is(request, Role.BUREAU_APPROVER),
            "trail": [(_("Payouts"), reverse("payments:payouts")), (_("Refunds"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _payable(leases: Any) -> list[tuple[Refund, dict[str, str]]]:
    """The refunds that wait to be paid, each with the account to which it goes; empty where none is on record."""
    rows = Refund.objects.filter(lease__in=leases, state=Refund.State.APPROVED)
    found = list(rows.select_related("lease__operator").order_by("number"))
    accounts = payees_of(one.lease.operator_id for one in found)
    return [(one, accounts.get(one.lease.operator_id, {})) for one in found]


def _credits_of_ended(leases: Any) -> list[Statement]:
    """The last posted statement of each ended lease that still carries credit: it lapses, nothing is refunded."""
    month = last_locked_month()
    if month is None:
        return []
    rows = Statement.objects.filter(lease__in=leases, month=month, carry_out__gt=0)
    return list(rows.select_related("lease__operator").order_by("lease__code"))


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def fund(request: HttpRequest) -> HttpResponseBase:
    """This page will show what is left of the charity fund, its budgets and who gave."""
    form, refusal = BudgetForm(), None
    setting = _is(request, Role.BUREAU_APPROVER)
    if request.method == "POST":
        if not setting:
            raise PermissionDenied
        form = BudgetForm(request.POST)
        if form.is_valid():
            try:
                set_budget(by=request.user, at=timezone.now(), **form.cleaned_data)
                messages.success(request, _("The budget is set."))
                return redirect("payments:fund")
            except CannotBudget as refused:
                refusal = refused
    words = words_of(request)
    rows = Donation.objects.filter(naming(words, "donor", "wish", amounts=["amount"]))
    rows = rows.select_related("receipt__bank_line")
    sorts = {"at": ("receipt__bank_line__booked_at", "id"), "amount": ("amount", "id")}
    listing = Listing(request, rows, sorts=sorts, default="-at")
    sheet = Sheet(
        name="donations",
        title="donations",
        fields=(
            Field(_("Booked"), As.TIME, width=20),
            Field(_("Donor"), width=28),
            Field(_("Purpose"), width=28),
            Field(_("Amount in yuan"), As.AMOUNT, width=14),
            Field(_("State"), width=14),
        ),
        rows=(
            [
                one.receipt.bank_line.booked_at,
                one.donor,
                one.wish,
                one.amount,
                _("undone") if one.undone_at else "",
            ]
            for one in listing.rows
        ),
    )
    if (file := export(request, sheet)) is not None:
        return file
    balance = fund_balance()
    return render(
        request,
        "payments/fund.html",
        {
            "listing": listing,
            "words": words,
            "balance": balance,
            "overdrawn": balance < 0,
            "budgets": [(use, *BUDGET_MARKS[use.state]) for use in uses()],
            "form": form,
            "refusal": refusal,
            "setting": setting,
            "trail": [(_("Payouts"), reverse("payments:payouts")), (_("Charity fund"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def handovers(request: HttpRequest) -> HttpResponseBase:
    """This page will list what rent waits for which owner, and each sum handed over with its paper."""
    form, treasury, refusal = HandoverForm(), TreasuryForm(), None
    about = request.POST.get("number", "")
    if request.method == "POST":
        act: dict[str, Any] = {"by": request.user, "at": timezone.now()}
        try:
            if request.POST.get("do") == "draw":
                if not _is(request, Role.BUREAU_CLERK):
                    raise PermissionDenied
                form = HandoverForm(request.POST)
                if form.is_valid():
                    kind, _bar, name = request.POST.get("owner", "").partition("|")
                    made = draw_up_handover(name=name, kind=kind, until=form.cleaned_data["until"], **act)
                    messages.success(request, _("%(number)s waits for approval.") % {"number": made.number})
                    return redirect("payments:handovers")
            else:
                found = get_object_or_404(Handover, number=about)
                approving = request.POST.get("do") == "approve"
                treasury = TreasuryForm(request.POST) if approving and found.owner.to_treasury else treasury
                if not treasury.is_bound or treasury.is_valid():
                    number = treasury.cleaned_data["treasury_no"] if treasury.is_bound else ""
                    decide_handover(handover=found, approve=approving, treasury_no=number, **act)
                    messages.success(request, _("Done: %(number)s") % {"number": found.number})
                    return redirect("payments:handovers")
        except CannotHandOver as refused:
            refusal = refused
    words = words_of(request)
    rows = Handover.objects.filter(naming(words, "number", "owner__name", "treasury_no", amounts=["amount"]))
    rows = rows.select_related("owner")
    sorts = {"number": ("id",), "owner": ("owner__code", "id"), "amount": ("amount", "id")}
    listing = Listing(request, rows, sorts=sorts, default="-number")
    sheet = Sheet(
        name="handed-over",
        title="handed-over",
        fields=(
            Field(_("Number"), width=22),
            Field(_("Owner"), width=28),
            Field(_("Received up to"), As.DATE, width=14),
            Field(_("Amount in yuan"), As.AMOUNT, width=14),
            Field(_("The treasury's number (缴款书号)"), width=22),
            Field(_("State"), width=18),
        ),
        rows=(
            [one.number, one.owner.name, one.until_on, one.amount, one.treasury_no, one.get_state_display()]
            for one in listing.rows
        ),
    )
    if (file := export(request, sheet)) is not None:
        return file
    until = form.cleaned_data["until"] if form.is_bound and form.is_valid() else None
    return render(
        request,
        "payments/handovers.html",
        {
            "listing": listing,
            "words": words,
            "handovers": [_marked(one) for one in listing.page],
            "waiting": waiting(until or form.fields["until"].initial()),
            "until": until or form.fields["until"].initial(),
            "form": form,
            "treasury": treasury,
            "about": about,
            "refusal": refusal,
            "drawing": _is(request, Role.BUREAU_CLERK),
            "approving": _is(request, Role.BUREAU_APPROVER),
            "trail": [(_("Payouts"), reverse("payments:payouts")), (_("Rent handed over"), None)],
        },
        status=422 if form.errors or treasury.errors else 409 if refusal else 200,
    )


@roles(*BUREAU)
@whole_city
@require_safe
def handover(request: HttpRequest, number: str) -> HttpResponse:
    """This page will show one sum handed over: the leases whose rent it is, its way, and the bank line that paid it."""
    found = get_object_or_404(
        Handover.objects.select_related("owner").prefetch_related("payments__receipt__bank_line"),
        number=number,
    )
    return render(
        request,
        "payments/handover.html",
        {
            "handover": _marked(found),
            "listing": Listing(
                request,
                found.lines.select_related("lease__premises", "lease__operator"),
                sorts={"lease": ("lease__code",)},
            ),
            "trail": [
                (_("Payouts"), reverse("payments:payouts")),
                (_("Rent handed over"), reverse("payments:handovers")),
                (number, None),
            ],
        },
    )


@roles(*BUREAU)
@whole_city
@require_safe
def handover_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """This page will give the paper of what was handed over as PDF, once it is approved."""
    found = get_object_or_404(
        Handover.objects.select_related("owner"), number=number, state__in=["approved", "paid"]
    )
    address = request.build_absolute_uri(reverse("verify", args=[found.number, found.code]))
    return papers.given(
        request,
        lambda: papers.handover_pdf(found, address=address, language=get_language() or "zh-hans"),
        name=f"{found.number}.pdf",
        back=reverse("payments:handovers"),
    )
