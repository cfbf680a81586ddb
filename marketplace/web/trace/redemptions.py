"""One redemption: the fact, what it cost whom, up to its statements, down to vouchers, issue and entry."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ledger.audit.operations import record
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope
from marketplace.web.access import BUREAU, NAME_READERS, REVERSERS, STATEMENT_READERS, plays, roles
from marketplace.web.evidence import shown_of
from marketplace.web.trace.forms import RevealForm
from marketplace.web.trace.walk import walk
from vouchers.models import Claim, Movement, Redemption


@roles(*STATEMENT_READERS)
@require_safe
def redemption(request: HttpRequest, number: str) -> HttpResponse:
    """This page will show one redemption with its whole trail."""
    return render(request, "trace/redemption.html", _about(request, number))


@roles(*NAME_READERS)
@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """This page will show the elder's name once, after recording who asked and why."""
    form = RevealForm(request.POST)
    about = _about(request, number)
    if not form.is_valid():
        return render(request, "trace/redemption.html", {**about, "form": form}, status=422)
    found: Redemption = about["redemption"]
    if found.elder.erased_at is not None:
        raise Http404("nothing is left to reveal")
    with transaction.atomic():
        record(
            by=request.user,
            at=timezone.now(),
            action="reveal_name",
            subject=found.elder.code,
            detail={"redemption": found.number, "reason": form.cleaned_data["reason"]},
        )
    return render(request, "trace/redemption.html", {**about, "revealed": found.elder.name})


def _about(request: HttpRequest, number: str) -> dict[str, Any]:
    found = get_object_or_404(
        scope.redemptions(request.user)
        .by_number(number)
        .select_related("elder", "service", "entry", "lease__premises", "lease__operator", "reversal__entry")
    )
    seen = set(scope.leases(request.user).values_list("pk", flat=True))
    claims: list[dict[str, Any]] = [
        {"claim": claim, "visible": claim.lease_id in seen}
        for claim in Claim.objects.filter(redemption=found)
        .select_related("lease__premises", "statement__entry", "taken_back__entry")
        .order_by("lease__code")
    ]
    paid = list(
        Movement.objects.filter(redemption=found, kind__in=Movement.SPENDING)
        .select_related("voucher__programme", "voucher__run__entry")
        .order_by("id")
    )
    cases = list(found.review_cases.order_by("id"))
    elder_price = found.list_price - found.government - found.concession - found.charity
    return {
        "redemption": found,
        "reversal": getattr(found, "reversal", None),
        "claims": claims,
        "evidence": shown_of(found.hold_id),
        "paid": paid,
        "cases": cases,
        "held": any(not case.decision and case.holds for case in cases),
        "elder_price": elder_price,
        "walk": walk(request, found, paid, claims),
        "form": RevealForm() if plays(request.user, NAME_READERS) and found.elder.erased_at is None else None,
        "reads_entries": plays(request.user, BUREAU),
        "reverses": plays(request.user, REVERSERS) and found.reversed_on is None,
        "trail": [
            *_up(request, claims),
            (found.number, None),
        ],
    }


def _up(request: HttpRequest, claims: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The way up from a redemption: month, statement. Of several statements the first is the breadcrumb."""
    for item in claims:
        statement = item["claim"].statement
        if item["visible"] and statement:
            lease = item["claim"].lease.code
            up = []
            if plays(request.user, BUREAU):
                up.append((month_name(statement.month), reverse("bureau:month", args=[statement.month])))
            return [
                *up,
                (
                    f"{lease} · {month_name(statement.month)}",
                    reverse("statement", args=[lease, statement.month]),
                ),
            ]
    return []
