"""Payout lists (拨付): each month's, and one of them with its lines, its three steps and its files."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.journal.operations import Busy
from ledger.journal.queries import next_month, previous_month
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope
from marketplace.web.access import BUREAU, STATEMENT_READERS, STEP_TAKERS, plays, role_of, roles, whole_city
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing, naming, words_of
from marketplace.web.payments import papers
from marketplace.web.payments.forms import MonthForm, PayeeForm
from marketplace.web.payments.transfers import transfer_file
from marketplace.web.trace.acts import STEP_OF, WORDS
from marketplace.web.trace.steps import NOT_LOOKED_AT
from vouchers.approvals.operations import CannotTakeStep
from vouchers.models import Payout, PayoutLine, Redemption
from vouchers.payouts.operations import (
    PAYOUTS,
    CannotPayOut,
    draw_up_payouts,
    parts_payable,
    set_payee,
    take_payout_steps,
)
from vouchers.payouts.queries import REVERSED, Pending

HEADINGS = {
    "government": gettext_lazy("Government part"),
    "charity": gettext_lazy("Charity part"),
    "vouchers": gettext_lazy("Payout vouchers"),
    "reversed": gettext_lazy("Reversed since paid"),
    "carry_in": gettext_lazy("Carried in"),
    "total": gettext_lazy("Sum"),
    "to_pay": gettext_lazy("To pay"),
    "carry_out": gettext_lazy("Carried on"),
    "held_back": gettext_lazy("Charity part held back"),
}
SORTS = {
    "month": ("month", "-operator__code"),
    "operator": ("operator__code", "-month"),
    "to_pay": ("to_pay", "number"),
    "state": ("state", "-month", "operator__code"),
}
MARKS = {
    "draft": ("wait", "hourglass-split"),
    "confirmed": ("wait", "hourglass-split"),
    "reviewed": ("due", "pencil-square"),
    "approved": ("due", "clock"),
    "paid": ("ok", "check-circle-fill"),
    "nothing": ("ok", "check-circle-fill"),
}


def standing(payout: Payout) -> tuple[str, str, str]:
    """Tone, mark and word of where a list stands."""
    if payout.state != Payout.State.APPROVED:
        return (*MARKS[payout.state], payout.get_state_display())
    if payout.to_pay == 0:
        return (*MARKS["nothing"], _("approved, nothing to pay"))
    if payout.left == 0:
        return (*MARKS["paid"], _("paid"))
    return (*MARKS["approved"], _("paid in part") if payout.paid else _("to be paid"))


def _told(payout: Any) -> Any:
    payout.tone, payout.mark, payout.word = standing(payout)
    return payout


@roles(*STATEMENT_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponseBase:
    """This page will list the payout lists that one may see, newest month first, and draw a month up."""
    drawing = plays(request.user, frozenset({Role.BUREAU_CLERK}), city=True)
    form, refusal = MonthForm(), None
    if request.method == "POST":
        if not drawing:
            raise PermissionDenied
        form = MonthForm(request.POST)
        if form.is_valid():
            try:
                drawn = draw_up_payouts(month=form.cleaned_data["month"], by=request.user, at=timezone.now())
                messages.success(
                    request,
                    _("%(month)s is drawn up: %(n)s lists.")
                    % {"month": month_name(form.cleaned_data["month"]), "n": len(drawn)},
                )
                return redirect("payments:payouts")
            except (CannotPayOut, Busy) as refused:
                refusal = refused
    seen = scope.payouts(request.user)
    months = list(seen.order_by("-month").values_list("month", flat=True).distinct())
    wanted = request.GET.get("month", "")
    rows = seen.select_related("operator")
    if wanted in {f"{month:%Y-%m}" for month in months}:
        rows = rows.filter(month=date.fromisoformat(f"{wanted}-01"))
    else:
        wanted = ""
    waiting = seen.filter(state=Payout.State.APPROVED, paid__lt=F("to_pay"))
    due = request.GET.get("show") == "due"
    if due:
        rows = rows.filter(pk__in=waiting.values("pk"))
    words = words_of(request)
    rows = rows.filter(naming(words, "number", "operator__name", "operator__code", amounts=["to_pay"]))
    listing = Listing(request, rows, sorts=SORTS, default="-month")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "payments/payouts.html",
        {
            "listing": listing,
            "lists": [_told(one) for one in listing.page],
            "months": months,
            "wanted": wanted,
            "words": words,
            "due": due,
            "drawing": drawing,
            "form": form,
            "refusal": refusal,
            "waiting": waiting.aggregate(sum=Sum(F("to_pay") - F("paid")))["sum"] or Decimal(0),
            "transferable": sorted(set(waiting.values_list("month", flat=True)), reverse=True),
            "bureau": plays(request.user, BUREAU),
            "whole_city": plays(request.user, BUREAU, city=True),
            "held_back": seen.exclude(state=Payout.State.APPROVED).filter(held_back__gt=0).exists(),
            "trail": [(_("Payouts"), None)],
        },
        status=422 if form.errors else 409 if refusal else 200,
    )


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="payouts",
        title="payouts",
        fields=(
            Field(_("Number"), width=20),
            Field(_("Month"), width=10),
            Field(_("Operator"), width=28),
            *(Field(HEADINGS[name], As.AMOUNT, width=14) for name in Payout.FIGURES),
            Field(_("Redemptions"), As.NUMBER, width=12),
            Field(_("State"), width=18),
        ),
        rows=(
            [
                one.number,
                f"{one.month:%Y-%m}",
                one.operator.name,
                *(getattr(one, name) for name in Payout.FIGURES),
                one.redemptions,
                standing(one)[2],
            ]
            for one in listing.rows
        ),
    )


def _find(request: HttpRequest, number: str) -> Payout:
    return get_object_or_404(
        scope.payouts(request.user)
        .select_related("operator")
        .prefetch_related("payments__receipt__bank_line"),
        number=number,
    )


@roles(*STATEMENT_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def payout(request: HttpRequest, number: str) -> HttpResponseBase:
    """This page will show one list: what it pays and why, its steps, its lines; and take this person's step."""
    found = _find(request, number)
    words = WORDS.get(role_of(request.user))
    refusal: CannotTakeStep | None = None
    seen = ""
    payee = PayeeForm(initial=found.payee)
    if request.method == "POST":
        if request.POST.get("do") == "payee":
            payee = PayeeForm(request.POST)
            if payee.is_valid():
                try:
                    set_payee(
                        operator=found.operator, by=request.user, at=timezone.now(), **payee.cleaned_data
                    )
                    messages.success(
                        request, _("Noted. Draw the month up again for it to stand on the list.")
                    )
                    return redirect("payments:payout", number)
                except CannotPayOut as refused:
                    refusal = refused
        elif not plays(request.user, STEP_TAKERS):
            raise PermissionDenied
        else:
            seen = request.POST.get("seen", "")[:64] or NOT_LOOKED_AT
            outcome = take_payout_steps(
                seen={found.pk: seen},
                step=STEP_OF[role_of(request.user)],
                by=request.user,
                clock=timezone.now,
            )
            if outcome.taken:
                messages.success(request, _("Done: %(number)s") % {"number": number})
                return redirect("payments:payout", number)
            refusal = outcome.refused[0][1] if outcome.refused else CannotPayOut("nothing_left")
            if refusal.code == "nothing_left":
                messages.error(request, str(refusal))
                return redirect("payments:payouts")
        found = _find(request, number)
    part = request.GET.get("part", "")
    part = part if part in PARTS else ""
    sorts = {"day": ("redemption__service_on", "redemption_id", "part", "taken_back")}
    listing = Listing(request, _lines(found, part), sorts=sorts, per_page=50)
    if (file := export(request, _lines_sheet(found, _told_whole(listing.rows)))) is not None:
        return file
    why_not = _why_not(found, request.user) if words else None
    changed = refusal is not None and refusal.code == "statement_changed"
    return render(
        request,
        "payments/payout.html",
        {
            "payout": _told(found),
            "figures": [
                (name, HEADINGS[name], getattr(found, name), href)
                for name, href in _opened(request, found).items()
            ],
            "part": HEADINGS.get(part),
            "words": words,
            "refusal": refusal,
            "why_not": why_not,
            "changed": _changes(found, seen) if changed else None,
            "steps": papers.steps_of(found),
            "listing": listing,
            "lines": _told_lines(listing.page),
            "payee": payee,
            "noting": plays(request.user, frozenset({Role.BUREAU_CLERK}), city=True),
            "bureau": plays(request.user, BUREAU),
            "trail": [(_("Payouts"), reverse("payments:payouts")), (number, None)],
        },
        status=422 if payee.errors else 409 if refusal else 200,
    )


def _why_not(found: Payout, user: Any) -> CannotPayOut | None:
    did = found.approvals.filter(round=found.round, by=user).exists()
    try:
        PAYOUTS.check(found, step=STEP_OF[user.role], by=user, did_another=did)
    except CannotPayOut as why:
        return why
    return None


def _changes(found: Payout, seen: str) -> list[tuple[Any, Decimal, Decimal]]:
    """Each figure that differs from what was looked at."""
    old = found.drawings.filter(digest=seen).first()
    if old is None:
        return []
    was = {name: Decimal(old.figures[name]) for name in Payout.FIGURES}
    return [
        (HEADINGS[name], was[name], getattr(found, name))
        for name in Payout.FIGURES
        if was[name] != getattr(found, name)
    ]


Line = tuple[Redemption, Any, Decimal]
CHUNK = 2_000  # lines of a file that are read at a time


PARTS = (*PayoutLine.Part.values, REVERSED)


def _opened(request: HttpRequest, found: Payout) -> dict[str, str]:
    """Where the lines of each figure stand: of the list itself, on the list before or after, or a bank line."""
    here = reverse("payments:payout", args=[found.number])
    lists = dict(
        scope.payouts(request.user)
        .filter(operator=found.operator_id, month__in=[previous_month(found.month), next_month(found.month)])
        .values_list("month", "number")
    )
    there = {
        name: reverse("payments:payout", args=[lists[month]]) if month in lists else ""
        for name, month in (
            ("carry_in", previous_month(found.month)),
            ("carry_out", next_month(found.month)),
        )
    }
    paid = list(found.payments.select_related("receipt"))
    if len(paid) == 1 and plays(request.user, BUREAU):
        there["to_pay"] = reverse("bureau:receipt", args=[paid[0].receipt.bank_line_id])
    own = {name: f"{here}?part={name}#h-lines" for name in PARTS}
    return {name: own.get(name) or there.get(name) or f"{here}#h-lines" for name in Payout.FIGURES}


def _lines(found: Payout, only: str = "") -> Any:
    """(redemption id, part, taken back, yuan): those that stand, or would stand as of now; `only` of one figure.
    Read page by page."""
    if found.state != Payout.State.APPROVED:
        return Pending(found.operator_id, found.month, parts=parts_payable(), only=only)
    rows = found.lines.values_list("redemption_id", "part", "taken_back", "amount")
    if only == REVERSED:
        return rows.filter(taken_back=True)
    return rows.filter(part=only, taken_back=False) if only else rows


def _told_lines(rows: Iterable[tuple[int, str, bool, Decimal]]) -> list[Line]:
    """(redemption, part, yuan with its sign) of some lines. Two queries."""
    listed = list(rows)
    redemptions = (
        Redemption.objects.select_related("service", "elder", "lease__premises")
        .filter(pk__in={row[0] for row in listed})
        .in_bulk()
    )
    names = dict(PayoutLine.Part.choices)
    return [
        (redemptions[pk], names[PayoutLine.Part(part)], -amount if back else amount)
        for pk, part, back, amount in listed
    ]


def _told_whole(rows: Iterable[tuple[int, str, bool, Decimal]]) -> Iterator[Line]:
    """The same of a whole list, so many at a time."""
    left = iter(rows)
    while chunk := list(islice(left, CHUNK)):
        yield from _told_lines(chunk)


def _lines_sheet(found: Payout, lines: Iterable[Line]) -> Sheet:
    return Sheet(
        name=found.number,
        title=found.number,
        fields=(
            Field(_("Redemption"), width=16),
            Field(_("Service date"), As.DATE, width=12),
            Field(_("Premises"), width=24),
            Field(_("Service"), width=20),
            Field(_("Elder"), width=10),
            Field(_("Part"), width=16),
            Field(_("Amount in yuan"), As.AMOUNT, width=14),
        ),
        rows=(
            [
                one.number,
                one.service_on,
                one.lease.premises.name,
                one.service.name,
                one.elder.masked_name,
                part,
                amount,
            ]
            for one, part, amount in lines
        ),
    )


@roles(*STATEMENT_READERS)
@require_safe
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """This page will give a list as PDF."""
    found = _find(request, number)
    return papers.given(
        request,
        lambda: papers.payout_pdf(found, HEADINGS, language=get_language() or "zh-hans"),
        name=f"{found.number}.pdf",
        back=reverse("payments:payout", args=[number]),
    )


@roles(*BUREAU)
@whole_city
@require_safe
def transfer(request: HttpRequest, month: date) -> HttpResponseBase:
    """This page will give the bank's file of what is to be paid of a month, each line with its number."""
    rows = (
        scope.payouts(request.user)
        .filter(month=month, state=Payout.State.APPROVED, paid__lt=F("to_pay"))
        .order_by("operator__code")
    )
    return transfer_file(
        f"transfer-{month:%Y-%m}", ((one.payee, one.left, f"拨付 {one.number}") for one in rows)
    )
