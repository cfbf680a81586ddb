"""Bank lines and what people decide about them; what leases owe, by age."""

import itertools
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from ledger.journal.queries import midnight, next_month
from ledger.models import BankLine
from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import asked_month
from marketplace.web.lists import Listing, naming, words_of
from providers.leases.arrears import BOUNDS, age_of, arrears
from providers.models import Lease, Receipt, ReceiptPart

SORTS = {"day": ("booked_at", "id"), "amount": ("amount", "id"), "payer": ("counterparty", "id")}
MARKS = {
    Receipt.State.MATCHED: ("ok", "check-circle-fill"),
    Receipt.State.SPLIT: ("ok", "signpost-split"),
    Receipt.State.PROPOSED: ("due", "pencil-square"),
    Receipt.State.SUSPENSE: ("no", "question-circle"),
    Receipt.State.FUND: ("ok", "people"),
    Receipt.State.PAID: ("ok", "check-circle-fill"),
    Receipt.State.FEE: ("ok", "check-circle-fill"),
    Receipt.State.INTEREST: ("ok", "check-circle-fill"),
    Receipt.State.RETURNED: ("ok", "arrow-counterclockwise"),
}
# What the list shows: everything that waits for a person, or one state.
SHOWN = {
    "open": gettext_lazy("to be decided"),
    "proposed": gettext_lazy("proposed"),
    "suspense": gettext_lazy("unknown, in suspense"),
    "paid": gettext_lazy("matched to leases"),
    "fund": gettext_lazy("given to the fund"),
    "own": gettext_lazy("bank fees and interest"),
    "returned": gettext_lazy("returned"),
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
    "own": Q(receipt__state__in=["fee", "interest"]),
    "returned": Q(receipt__state="returned"),
    "out": Q(direction="out"),
    "unpaid": Q(receipt__state="suspense", direction="out"),
    "all": Q(),
}


def marked(line: BankLine) -> BankLine:
    line.tone, line.mark = MARKS[Receipt.State(line.receipt.state)]  # type: ignore[attr-defined]
    return line


@roles(*BUREAU)
@require_safe
def receipts(request: HttpRequest) -> HttpResponseBase:
    """This page will list bank lines: those that wait for a decision first, others by filter."""
    seen = scope.bank_lines(request.user)
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    words = words_of(request)
    rows = seen.filter(FILTERS[shown]).select_related("receipt__lease__operator", "file")
    month = asked_month(request.GET.get("month"))
    if month:
        rows = rows.filter(booked_at__gte=midnight(month), booked_at__lt=midnight(next_month(month)))
    for word in words.split():
        rows = rows.filter(
            naming(word, "counterparty", "summary", "purpose", amounts=["amount"])
            | Q(receipt__lease__code=word.upper())
            | Exists(ReceiptPart.objects.filter(receipt=OuterRef("receipt"), lease__code=word.upper()))
        )
    rows = rows.prefetch_related("receipt__parts__lease")
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
            "lines": [marked(line) for line in listing.page],
            "shown": shown,
            "choices": SHOWN.items(),
            "words": words,
            "month": month,
            "figures": [
                (name, SHOWN[name], sums[f"{name}_sum"] or ZERO, sums[f"{name}_n"])
                for name in ("proposed", "suspense", "paid", "out")
            ],
            "importing": plays(request.user, frozenset({Role.BUREAU_CLERK}), city=True),
            "whole_city": scope.sees_whole_city(request.user),
            "trail": [(_("Bank lines"), None)],
        },
    )


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


@roles(*BUREAU, Role.STREET_OFFICER)
@require_safe
def owed(request: HttpRequest) -> HttpResponseBase:
    """This page will list what each lease owes in cash, by age; of one age or lease, and then month by month."""
    today = timezone.localdate()
    seen = scope.leases(request.user).select_related("operator", "premises")
    wanted = {name: request.GET.get(name, "").strip()[:12] for name in ("age", "lease")}
    age = int(wanted["age"]) if wanted["age"] in {str(n) for n in range(len(BOUNDS) + 1)} else None
    if wanted["lease"]:
        seen = seen.filter(code=wanted["lease"].upper())
    leases = {lease.code: lease for lease in seen}
    words = words_of(request)
    rows = [
        (lease, one)
        for one in arrears(today, of=leases)
        if (lease := leases[one.lease]) and _named(lease, words)
    ]
    if age is not None:
        rows = [row for row in rows if row[1].ages[age]]
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
            "filtered": any(wanted.values()),
            "dues": [
                (due, ages[age_of(due.month, today)])
                for _lease, one in rows
                for due in one.dues
                if age is None or age_of(due.month, today) == age
            ]
            if wanted["lease"]
            else [],
            "bureau": plays(request.user, BUREAU),
            "sums": [
                (age, sum((one.ages[n] for _lease, one in rows), Decimal(0))) for n, age in enumerate(ages)
            ],
            "total": sum((one.total for _lease, one in rows), Decimal(0)),
            "today": today,
            "words": words,
            "trail": [(_("Arrears"), None)],
        },
    )


def _named(lease: Lease, words: str) -> bool:
    text = f"{lease.code} {lease.premises.name} {lease.operator.name} {lease.operator.code}".casefold()
    return all(word in text for word in words.casefold().split())


def age_names() -> list[Any]:
    """The ages of arrears as headings."""
    first, *_rest = BOUNDS
    names = [_("up to %(days)s days") % {"days": first}]
    names += [
        _("%(from)s to %(until)s days") % {"from": low + 1, "until": high}
        for low, high in itertools.pairwise(BOUNDS)
    ]
    return [*names, _("over %(days)s days") % {"days": BOUNDS[-1]}]
