"""The lines that make a figure of a statement: claims, lots of credit by month, or days of rent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.templatetags.yiquan import money, percent
from marketplace.web import opened, scope, sheets
from marketplace.web.access import BUREAU, STATEMENT_READERS, plays, roles
from marketplace.web.exports import export
from marketplace.web.forms import asked_day
from marketplace.web.lists import Listing
from marketplace.web.trace import figures, lots
from marketplace.web.trace.forms import OBJECTED
from marketplace.web.trace.statements import charge_of, facts_of, find, terms_of, up
from providers.leases import schedule
from providers.leases.paid_by import paid_by
from vouchers.models import Claim, Redemption, Statement
from vouchers.settlement.objections import may_object
from vouchers.settlement.queries import OF_CLAIMS, claims_of, held_back
from vouchers.settlement.reckon import LeaseFacts

SORTS = {
    "day": ("service_on", "redemption_id"),
    "number": ("redemption_id",),
    "value": ("amount", "redemption_id"),
    "service": ("redemption__service__name", "redemption_id"),
}


@dataclass(frozen=True)
class Line:
    """One claim of a figure: `value` and `earns` carry the sign with which they enter the credit."""

    claim: Claim
    redemption: Redemption
    value: Decimal
    rate: Decimal
    earns: Decimal


@roles(*STATEMENT_READERS)
@require_safe
def lines(request: HttpRequest, lease: str, month: date, figure: str) -> HttpResponseBase:
    """This page will open one figure of one statement."""
    if figure not in figures.FIGURES:
        raise Http404("no such figure")
    statement = find(request, lease, month)
    about: dict[str, Any] = {
        "statement": statement,
        "lease": statement.lease,
        "figure": figures.FIGURES[figure],
        "amount": getattr(statement, figure),
        "trail": [*up(request, statement), (str(figures.FIGURES[figure].label), None)],
    }
    if figure in OF_CLAIMS:
        return _claims(request, statement, figure, about)
    facts = facts_of(statement)
    if figure == "charge":
        about |= {"month": month, "charge": charge_of(facts, month), "terms": terms_of(facts, month)}
        return render(request, "trace/lines_charge.html", about)
    if figure in ("cap", "cash_due"):
        return render(request, "trace/lines_sum.html", {**about, **_sum(request, statement, figure, facts)})
    about["lots"] = lots.of_figure(statement, facts, figure)
    return render(request, "trace/lines_lots.html", about)


def _sum(request: HttpRequest, statement: Statement, figure: str, facts: LeaseFacts) -> dict[str, Any]:
    """The parts of a figure that is reckoned from others; of the cash due also the bank lines that paid it."""

    def part(sign: str, name: str) -> dict[str, Any]:
        href = opened.statement(request.user, statement.lease.code, statement.month, name)
        label, amount = figures.FIGURES[name].label, money(getattr(statement, name))
        return {"sign": sign, "label": label, "amount": amount, "href": href}

    if figure == "cap":
        share = {"sign": "×", "label": _("Cap, share of the rent")}
        share["amount"] = percent(terms_of(facts, statement.month).offset_cap)
        return {"parts": [part("", "charge"), share], "rounded": True}
    lines = paid_by(lease=statement.lease, month=statement.month)
    bureau = plays(request.user, BUREAU)
    return {
        "parts": [part("", "charge"), part("−", "applied")],
        "paid": [(one, reverse("bureau:receipt", args=[one.line.pk]) if bureau else "") for one in lines],
        "left": statement.cash_due - sum((one.amount for one in lines), Decimal(0)),
    }


def _claims(
    request: HttpRequest, statement: Statement, figure: str, about: dict[str, Any]
) -> HttpResponseBase:
    claims = claims_of(statement, figure)
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "service", "day")}
    total = claims.aggregate(value=Sum(F("amount") * F("sign")))["value"] or Decimal(0)
    services = sorted(
        claims.order_by().values_list("redemption__service__code", "redemption__service__name").distinct()
    )
    if wanted["service"]:
        claims = claims.filter(redemption__service__code=wanted["service"])
    if day := asked_day(wanted["day"]):
        claims = claims.filter(service_on=day)
    else:
        wanted["day"] = ""
    if wanted["q"]:
        numbered = scope.redemptions(request.user).by_number(wanted["q"].upper()).values("pk")
        claims = claims.filter(redemption__in=numbered)
    claims = claims.select_related(
        "redemption__elder", "redemption__service", "redemption__lease__premises", "statement", "taken_back"
    ).annotate(held=held_back())
    terms = facts_of(statement).terms
    listing = Listing(request, claims, sorts=SORTS, default="day")
    name = f"{statement.lease.code}-{statement.month:%Y-%m}-{figure}"
    if (file := export(request, sheets.claims(_read(listing.rows, terms), name))) is not None:
        return file
    return render(
        request,
        "trace/lines_claims.html",
        {
            **about,
            "listing": listing,
            "lines": list(_read(listing.page, terms)),
            "total": total,
            "agrees": _agrees(statement, figure, total, listing.total, any(wanted.values())),
            "posted": statement.state == Statement.State.APPROVED,
            "services": services,
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "objecting": figure in OBJECTED and may_object(statement, request.user),
        },
    )


def _agrees(statement: Statement, figure: str, total: Decimal, count: int, filtered: bool) -> bool | None:
    """Whether the lines add up to the figure on the statement; None where there is nothing to compare."""
    if figure == "under_review":
        return None if filtered else count == statement.under_review
    if figure == "credit":
        return total == statement.earned + statement.late - statement.reversed
    return abs(total) == getattr(statement, figure)


def _read(claims: Iterable[Claim], terms: Sequence[schedule.TermsRow]) -> Iterator[Line]:
    for claim in claims:
        rate = schedule.terms_on(terms, claim.service_on).offset_rate
        value = claim.amount * claim.sign  # type: ignore[attr-defined]
        yield Line(claim, claim.redemption, value, rate, value * rate)
