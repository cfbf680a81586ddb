"""Bank lines and what people decide about them; what leases owe, by age."""

import itertools
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.models import BankLine
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, role_of, roles
from marketplace.web.bureau.forms import DonationForm, MatchForm, ReasonForm
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from providers.leases import suspense
from providers.leases.arrears import BOUNDS, arrears
from providers.leases.receipts import Dues
from providers.models import Lease, Receipt, ReceiptPart
from vouchers.funds.operations import donate, undo_donation
from vouchers.payments import operations as payments

SORTS = {"day": ("booked_at", "id"), "amount": ("amount", "id"), "payer": ("counterparty", "id")}
MARKS = {
    Receipt.State.MATCHED: ("ok", "check-circle-fill"),
    Receipt.State.SPLIT: ("ok", "signpost-split"),
    Receipt.State.PROPOSED: ("due", "pencil-square"),
    Receipt.State.SUSPENSE: ("no", "question-circle"),
    Receipt.State.FUND: ("ok", "people"),
    Receipt.State.PAID: ("ok", "check-circle-fill"),
}
# What the list shows: everything that waits for a person, or one state.
SHOWN = {
    "open": gettext_lazy("to be decided"),
    "proposed": gettext_lazy("proposed"),
    "suspense": gettext_lazy("unknown, in suspense"),
    "paid": gettext_lazy("matched to leases"),
    "fund": gettext_lazy("given to the fund"),
    "out": gettext_lazy("outgoing"),
    "unpaid": gettext_lazy("outgoing, not matched yet"),
    "all": gettext_lazy("all lines"),
}
FILTERS = {
    "open": Q(receipt__state__in=["proposed", "suspense"], direction="in"),
    "proposed": Q(receipt__state="proposed"),
    "suspense": Q(receipt__state="suspense", direction="in"),
    "paid": Q(receipt__state__in=["matched", "split"]),
    "fund": Q(receipt__state="fund"),
    "out": Q(direction="out"),
    "unpaid": Q(receipt__state="suspense", direction="out"),
    "all": Q(),
}


def _marked(line: BankLine) -> BankLine:
    line.tone, line.mark = MARKS[Receipt.State(line.receipt.state)]  # type: ignore[attr-defined]
    return line


@roles(*BUREAU)
@require_safe
def receipts(request: HttpRequest) -> HttpResponseBase:
    """This page will list bank lines: those that wait for a decision first, others by filter."""
    seen = scope.bank_lines(request.user)
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    words = request.GET.get("q", "").strip()[:60]
    rows = seen.filter(FILTERS[shown]).select_related("receipt__lease__operator", "file")
    for word in words.split():
        rows = rows.filter(
            Q(counterparty__icontains=word)
            | Q(summary__icontains=word)
            | Q(purpose__icontains=word)
            | Q(receipt__lease__code=word.upper())
            | Exists(ReceiptPart.objects.filter(receipt=OuterRef("receipt"), lease__code=word.upper()))
            | (Q(amount=word) if _is_amount(word) else Q(pk=None))
        )
    listing = Listing(request, rows, sorts=SORTS, default="-day")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    sums = seen.aggregate(
        **{
            f"{name}_{what}": (
                Sum("amount", filter=FILTERS[name]) if what == "sum" else Count("id", filter=FILTERS[name])
            )
            for name in ("proposed", "suspense", "paid", "out")
            for what in ("sum", "n")
        }
    )
    return render(
        request,
        "bureau/receipts.html",
        {
            "listing": listing,
            "lines": [_marked(line) for line in listing.page],
            "shown": shown,
            "choices": SHOWN.items(),
            "words": words,
            "figures": [
                (name, SHOWN[name], sums[f"{name}_sum"] or ZERO, sums[f"{name}_n"])
                for name in ("proposed", "suspense", "paid", "out")
            ],
            "importing": role_of(request.user) == Role.BUREAU_CLERK,
            "whole_city": scope.sees_whole_city(request.user),
            "trail": [(_("Bank lines"), None)],
        },
    )


def _is_amount(word: str) -> bool:
    whole, _dot, fen = word.partition(".")
    return whole.isdecimal() and len(whole) < 13 and (not fen or (fen.isdecimal() and len(fen) <= 2))


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="bank-lines",
        title="bank-lines",
        fields=(
            Field(_("Booked"), As.TIME, width=20),
            Field(_("Amount"), As.AMOUNT, width=14),
            Field(_("Payer or payee"), width=28),
            Field(_("Summary"), width=28),
            Field(_("Purpose"), width=28),
            Field(_("State"), width=14),
            Field(_("Lease"), width=10),
            Field(_("File"), width=20),
        ),
        rows=(
            [
                line.booked_at,
                line.amount if line.direction == "in" else -line.amount,
                line.counterparty,
                line.summary,
                line.purpose,
                line.receipt.get_state_display(),
                line.receipt.lease.code if line.receipt.lease else "",
                line.file.name,
            ]
            for line in listing.rows
        ),
    )


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one bank line, how it stands and came to, and take the clerk's decision."""
    line = get_object_or_404(
        scope.bank_lines(request.user).select_related("receipt__lease__operator", "file", "entry"), pk=number
    )
    found: Receipt = line.receipt
    deciding = role_of(request.user) == Role.BUREAU_CLERK
    out = line.direction == "out"
    match, reason, donation = MatchForm(amount=line.amount), ReasonForm(), DonationForm(prefix="gift")
    refusal: suspense.CannotMatch | None = None
    if request.method == "POST":
        if not deciding:
            raise PermissionDenied
        at: dict[str, Any] = {"receipt": found, "by": request.user, "at": timezone.now()}
        done = ""
        try:
            if (what := request.POST.get("do")) == "confirm":
                suspense.confirm(**at)
                done = _("Confirmed: the money pays the lease.")
            elif what == "decline":
                suspense.decline(**at)
                done = _("Declined: the line waits in suspense.")
            elif what == "release":
                reason = ReasonForm(request.POST)
                if reason.is_valid():
                    _release(found)(**at, reason=reason.cleaned_data["reason"])
                    done = _("Released: the money waits in suspense again.")
            elif what == "pay":
                payments.pay(**at, numbers=request.POST.getlist("number"))
                done = _("Matched to what it paid.")
            elif what == "donate":
                donation = DonationForm(request.POST, prefix="gift")
                if donation.is_valid():
                    donate(**at, **donation.cleaned_data)
                    done = _("Taken into the charity fund.")
            else:
                match = MatchForm(request.POST, amount=line.amount)
                if match.is_valid():
                    suspense.match_by_hand(**at, parts=match.parts)
                    done = _("Matched.") if len(match.parts) == 1 else _("Split over the leases.")
        except suspense.CannotMatch as refused:
            refusal = refused
        if done:
            messages.success(request, done)
            return redirect("bureau:receipt", number)
        line.receipt.refresh_from_db()
        found = line.receipt
    wrong = next((form for form in (match, reason, donation) if form.errors), None)
    return render(
        request,
        "bureau/receipt.html",
        {
            "line": _marked(line),
            "receipt": found,
            "deciding": deciding,
            "out": out,
            "open": found.state in (Receipt.State.PROPOSED, Receipt.State.SUSPENSE),
            "payable": _payable(line) if deciding and out else [],
            "paid": payments.paid_by(found) if out else [],
            "donation": donation,
            "match": match,
            "reason": reason,
            "wrong": wrong,
            "refusal": refusal,
            "parts": list(found.parts.select_related("lease__premises")),
            "decisions": list(found.decisions.select_related("entry")),
            "dues": _dues(line) if deciding and not out else [],
            "leases": Lease.objects.select_related("premises").order_by("code")
            if deciding and not out
            else [],
            "trail": [
                (_("Bank lines"), reverse("bureau:receipts")),
                (_("Line %(number)s") % {"number": line.pk}, None),
            ],
        },
        status=422 if wrong else 409 if refusal else 200,
    )


def _release(found: Receipt) -> Any:
    """What takes a decided line back, by how it stands."""
    return {Receipt.State.PAID: payments.take_back, Receipt.State.FUND: undo_donation}.get(
        Receipt.State(found.state), suspense.release
    )


def _payable(line: BankLine) -> list[tuple[payments.Due, bool]]:
    """What waits to be paid, and whether it is of just this amount; those first."""
    found = [(due, due.amount == line.amount) for due in payments.dues()]
    return sorted(found, key=lambda row: (not row[1], row[0].number))[:40]


def _dues(line: BankLine) -> list[dict[str, Any]]:
    """What is open now and could be meant: of the payer's leases, and dues of just this amount."""
    payers = set(
        Lease.objects.filter(operator__name=line.counterparty.strip()).values_list("code", flat=True)
    )
    return [
        {"due": due, "payer": due.lease in payers, "equal": due.amount == line.amount}
        for due in Dues().open()
        if due.lease in payers or due.amount == line.amount
    ][:12]


@roles(*BUREAU)
@require_safe
def owed(request: HttpRequest) -> HttpResponseBase:
    """This page will list what each lease owes in cash, by age."""
    leases = {
        lease.code: lease for lease in scope.leases(request.user).select_related("operator", "premises")
    }
    rows = [(leases[one.lease], one) for one in arrears(timezone.localdate(), of=leases)]
    sorts: dict[str, Any] = {
        "lease": lambda row: row[0].code,
        "total": lambda row: row[1].total,
        "operator": lambda row: (row[0].operator.name, row[0].code),
    }
    listing = Listing(request, rows, sorts=sorts, default="-total", per_page=100)
    ages = [str(name) for name in age_names()]
    sheet = Sheet(
        name="arrears",
        title="arrears",
        fields=(
            Field(_("Lease"), width=10),
            Field(_("Operator"), width=28),
            *(Field(name, As.AMOUNT, width=14) for name in ages),
            Field(_("Sum"), As.AMOUNT, width=14),
        ),
        rows=([lease.code, lease.operator.name, *one.ages, one.total] for lease, one in listing.rows),
    )
    if (file := export(request, sheet)) is not None:
        return file
    return render(
        request,
        "bureau/arrears.html",
        {
            "listing": listing,
            "ages": ages,
            "rows": [(lease, one, list(zip(ages, one.ages, strict=True))) for lease, one in listing.page],
            "sums": [
                (age, sum((one.ages[n] for _lease, one in rows), Decimal(0))) for n, age in enumerate(ages)
            ],
            "total": sum((one.total for _lease, one in rows), Decimal(0)),
            "today": timezone.localdate(),
            "trail": [(_("Arrears"), None)],
        },
    )


def age_names() -> list[Any]:
    """The ages of arrears as headings."""
    first, *_rest = BOUNDS
    names = [_("up to %(days)s days") % {"days": first}]
    names += [
        _("%(from)s to %(until)s days") % {"from": low + 1, "until": high}
        for low, high in itertools.pairwise(BOUNDS)
    ]
    return [*names, _("over %(days)s days") % {"days": BOUNDS[-1]}]
