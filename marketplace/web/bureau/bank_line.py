"""One bank line: how it stands and came to, and what a clerk decides about it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ledger.models import BankLine
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, role_of, roles
from marketplace.web.bureau.forms import DonationForm, MatchForm, ReasonForm
from marketplace.web.bureau.receipts import marked
from marketplace.web.forms import row_number
from marketplace.web.lists import is_amount
from providers.leases import suspense
from providers.leases.matching import OpenDue, shared_out
from providers.leases.paid_by import months_paid
from providers.leases.receipts import Dues
from providers.models import Lease, Operator, Receipt, Returned
from vouchers.funds.operations import donate, undo_donation
from vouchers.payments import operations as payments

LOOKING = frozenset({"find", "all", "more", "fill"})
"""Buttons that change nothing but what the page shows."""


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
    what = request.POST.get("do", "")
    match, reason, donation = MatchForm(amount=line.amount), ReasonForm(), DonationForm(prefix="gift")
    back = ReasonForm(prefix="back")
    refusal: suspense.CannotMatch | None = None
    if request.method == "POST":
        if not deciding:
            raise PermissionDenied
        at: dict[str, Any] = {"receipt": found, "by": request.user, "at": timezone.now()}
        done = ""
        try:
            if what in LOOKING:
                match = _longer(request, line) if what == "more" else match
            elif what == "confirm":
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
                payments.pay(**at, numbers=request.POST.getlist("number"), amounts=_told(request))
                done = _("Matched to what it paid.")
            elif what in suspense.OWN:
                suspense.book(**at, own=what)
                done = _("Booked as the bank's own.")
            elif what == "return":
                back = ReasonForm(request.POST, prefix="back")
                if back.is_valid():
                    other = get_object_or_404(
                        scope.bank_lines(request.user).select_related("receipt"),
                        pk=row_number(request.POST.get("other", "")),
                    )
                    payments.pair_returned(**at, other=other.receipt, reason=back.cleaned_data["reason"])
                    done = _("Paired: one brought back what the other took.")
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
    open_ = found.state in (Receipt.State.PROPOSED, Receipt.State.SUSPENSE)
    meant = _meant(line) if deciding and open_ and not out else []
    left = ZERO
    if what == "fill":
        match, left = _filled(line, [one["due"] for one in meant if one["payer"]])
    wrong = next((form for form in (match, reason, donation, back) if form.errors), None)
    return render(
        request,
        "bureau/receipt.html",
        {
            "line": marked(line),
            "receipt": found,
            "deciding": deciding,
            "out": out,
            "open": open_,
            "payable": _payable(request, line) if deciding and open_ and out else None,
            "paid": payments.paid_by(found) if out else [],
            "donation": donation,
            "back": back,
            "own": OWN_OF[line.direction] if found.state == Receipt.State.SUSPENSE else "",
            "pairs": _pairs(scope.bank_lines(request.user), line) if deciding and open_ else [],
            "pair": _pair_of(found),
            "match": match,
            "left": left,
            "looked": what if what in LOOKING else "",
            "reason": reason,
            "wrong": wrong,
            "refusal": refusal,
            "parts": list(found.parts.select_related("lease__premises")),
            "went": [] if out else _went(found, request.user),
            "decisions": list(found.decisions.select_related("entry")),
            "dues": meant[:SHOWN_DUES],
            "more_dues": meant[SHOWN_DUES:],
            "fillable": any(one["payer"] for one in meant),
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


def _went(found: Receipt, user: Any) -> list[dict[str, Any]]:
    """The months that this money paid, by lease; `rest` is what no posted month has needed yet."""
    pays = [(part.lease, part.amount) for part in found.parts.select_related("lease__premises")]
    if found.state == Receipt.State.MATCHED and found.lease is not None:
        pays.append((found.lease, found.bank_line.amount))
    mine = scope.leases(user).filter(pk__in=[lease.pk for lease, _amount in pays])
    seen = set(mine.values_list("pk", flat=True))
    went = []
    for lease, amount in pays:
        if lease.pk in seen:
            months = months_paid(line=found.bank_line, lease=lease)
            rest = amount - sum((paid for _month, paid in months), ZERO)
            went.append({"lease": lease, "months": months, "rest": rest})
    return went


def _release(found: Receipt) -> Any:
    """What takes a decided line back, by how it stands."""
    ways: dict[str, Any] = {
        Receipt.State.PAID: payments.take_back,
        Receipt.State.FUND: undo_donation,
        Receipt.State.RETURNED: suspense.part,
    }
    return ways.get(found.state, suspense.release)


# What undoes it

OWN_OF = {"in": Receipt.State.INTEREST, "out": Receipt.State.FEE}


def _pairs(seen: QuerySet[BankLine], line: BankLine) -> list[tuple[BankLine, list[str]]]:
    """The lines of this sum that went the other way and may be undone by this one or undo it: those that wait, and
    what was paid out with the numbers that it paid; the nearest day first."""
    rows = seen.exclude(direction=line.direction).filter(amount=line.amount)
    rows = rows.filter(
        Q(receipt__state__in=Receipt.WAITS) | Q(receipt__state=Receipt.State.PAID, direction="out")
    )
    rows = rows.select_related("receipt").prefetch_related(*(f"receipt__{way}" for way in payments.TO_PAID))
    found = [(marked(one), payments.numbers_paid(one.receipt)) for one in rows]
    return sorted(found, key=lambda one: (abs(one[0].booked_at - line.booked_at), one[0].pk))


def _pair_of(found: Receipt) -> BankLine | None:
    """The line of which this one is the return, or that is this one's."""
    pair = Returned.objects.filter(Q(came=found) | Q(went=found))
    one = pair.select_related("came__bank_line", "went__bank_line").first()
    if one is None:
        return None
    return one.went.bank_line if one.came_id == found.pk else one.came.bank_line


# What an outgoing line may have paid


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that waits to be paid, as the page offers it."""

    due: payments.Due
    equal: bool
    chosen: bool
    told: str = ""

    @property
    def amount(self) -> Decimal:
        """What of it this line pays, as far as that can be read."""
        told = self.told.replace(",", "")
        return Decimal(told) if is_amount(told) else self.due.amount


@dataclass(frozen=True, slots=True)
class Payable:
    """What waits to be paid: those shown of those that the words name of all; what of them is ticked, in yuan."""

    SHOWN = 40  # where nothing is searched for

    words: str
    shown: list[Choice]
    found: int
    total: int
    in_parts: bool
    """What is ticked is more than the line: how much of each did it pay?"""

    @property
    def cut(self) -> bool:
        return len(self.shown) < self.found

    @property
    def chosen(self) -> list[Choice]:
        return [one for one in self.shown if one.chosen]

    @property
    def sum(self) -> Decimal:
        return sum((one.amount for one in self.chosen), ZERO)


def _payable(request: HttpRequest, line: BankLine) -> Payable:
    """What waits to be paid: what is ticked first (at the start what the line itself names), then what is of just
    its amount. Without words a page of it; what words name is shown whole, and ticked whole by "all"."""
    everything = payments.dues()
    words = request.POST.get("q", "").strip()[:60] if request.method == "POST" else ""
    ticked = set(request.POST.getlist("number")) if request.method == "POST" else payments.borne_by(line)
    named = {due.number for due in everything if _named(due, words)}
    if request.POST.get("do") == "all":
        ticked |= named
    chosen = [due for due in everything if due.number in ticked]
    in_parts = sum((due.amount for due in chosen), ZERO) > line.amount
    choices = [
        Choice(due, due.amount == line.amount, due in chosen, _part(request, line, due, chosen))
        for due in everything
        if due in chosen or due.number in named
    ]
    choices.sort(key=lambda one: (not one.chosen, not one.equal, one.due.number))
    shown = choices if words else choices[: max(Payable.SHOWN, sum(one.chosen for one in choices))]
    return Payable(words, shown, len(choices), len(everything), in_parts)


def _part(request: HttpRequest, line: BankLine, due: payments.Due, chosen: list[payments.Due]) -> str:
    """What of it this line paid: as it was told, else the whole of it, or of the line where that is less."""
    if due not in chosen:
        return ""
    whole = min(due.amount, line.amount) if len(chosen) == 1 else due.amount
    return request.POST.get(f"amount_{due.number}", str(whole))[:20]


def _told(request: HttpRequest) -> dict[str, Decimal]:
    """How much of each number this line paid, where that was asked; what is no amount is none."""
    told = {
        number: request.POST[f"amount_{number}"].strip().replace(",", "")
        for number in request.POST.getlist("number")
        if f"amount_{number}" in request.POST
    }
    return {number: Decimal(text) if is_amount(text) else ZERO for number, text in told.items()}


def _named(due: payments.Due, words: str) -> bool:
    text = f"{due.number} {due.payee}".casefold()
    return all(
        word in text or (is_amount(word) and due.amount == Decimal(word))
        for word in words.replace(",", "").casefold().split()
    )


# What an incoming line may be meant for

SHOWN_DUES = 12


def _meant(line: BankLine) -> list[dict[str, Any]]:
    """What is open now and could be meant: dues of the payer's leases, and dues of just this amount; the likeliest
    first."""
    payers = set(Operator.objects.filter(name=line.counterparty.strip()).values_list("code", flat=True))
    found = [
        {"due": due, "payer": due.operator in payers, "equal": due.amount == line.amount}
        for due in Dues().open()
        if due.operator in payers or due.amount == line.amount
    ]
    return sorted(
        found, key=lambda one: (not one["payer"], not one["equal"], one["due"].month, one["due"].lease)
    )


def _filled(line: BankLine, dues: list[OpenDue]) -> tuple[MatchForm, Decimal]:
    """The question with the payer's open dues filled in, oldest first; the yuan that are more than they are."""
    told = shared_out(dues, line.amount)
    form = MatchForm.holding([(code, str(amount)) for code, amount in told], amount=line.amount)
    return form, line.amount - sum((amount for _code, amount in told), ZERO)


def _longer(request: HttpRequest, line: BankLine) -> MatchForm:
    """What was filled in, with room for more leases."""
    told = MatchForm.rows_of(request.POST)
    return MatchForm.holding(told, amount=line.amount, places=len(told) + MatchForm.PLACES)
