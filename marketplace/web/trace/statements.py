"""The statements that one may see, and one of them: its reckoning, its approvals, its terms."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope, sheets
from marketplace.web.access import BUREAU, STATEMENT_READERS, STEP_TAKERS, plays, role_of, roles
from marketplace.web.exports import export
from marketplace.web.listed import listed
from marketplace.web.lists import Listing
from marketplace.web.trace.acts import WORDS, refusal
from providers.leases import schedule
from providers.models import Lease
from vouchers.approvals.models import Document, Taken
from vouchers.models import Approval, Statement
from vouchers.settlement.objections import may_object, term_ends_on
from vouchers.settlement.queries import lease_facts
from vouchers.settlement.reckon import LeaseFacts

SORTS = {
    "month": ("month", "-lease__code"),
    "lease": ("lease__code", "-month"),
    **{name: (name, "lease__code", "-month") for name in Statement.FIGURES},
    "state": ("state", "-month", "lease__code"),
}


@roles(*STATEMENT_READERS)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """This page will list all statements that one may see, newest month first."""
    seen = scope.statements(request.user)
    months = list(seen.values_list("month", flat=True).distinct().order_by("-month"))
    rows = listed(seen)
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "month", "state", "held")}
    if wanted["month"] in {f"{month:%Y-%m}" for month in months}:
        rows = rows.filter(month=date.fromisoformat(f"{wanted['month']}-01"))
    else:
        wanted["month"] = ""
    if wanted["state"] in Statement.State.values:
        rows = rows.filter(state=wanted["state"])
    if wanted["held"]:
        rows = rows.filter(under_review__gt=0)
    for word in wanted["q"].split():
        rows = rows.filter(
            Q(lease__code__icontains=word)
            | Q(lease__premises__name__icontains=word)
            | Q(lease__operator__name__icontains=word)
        )
    listing = Listing(request, rows, sorts=SORTS, default="-month")
    if (file := export(request, sheets.statements(listing.rows))) is not None:
        return file
    return render(
        request,
        "trace/statements.html",
        {
            "listing": listing,
            "months": months,
            "states": Statement.State.choices,
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "trail": [(_("Statements"), None)],
        },
    )


@roles(*STATEMENT_READERS)
@require_safe
def statement(request: HttpRequest, lease: str, month: date) -> HttpResponseBase:
    """This page will show the reckoning of one lease and month as a ladder, with approvals and terms, or hand it out as a file."""
    found = find(request, lease, month)
    row = listed(Statement.objects.filter(pk=found.pk))
    if (file := export(request, sheets.statements(row, f"statement-{lease}-{month:%Y-%m}"))) is not None:
        return file
    facts = facts_of(found)
    approvals = list(found.approvals.select_related("by").order_by("id"))
    near = Statement.objects.filter(lease=found.lease).values_list("month", flat=True)
    return render(
        request,
        "trace/statement.html",
        {
            "statement": found,
            "lease": found.lease,
            "terms": terms_of(facts, month),
            "charge": charge_of(facts, month),
            "steps": steps(found, approvals),
            "earlier_rounds": [a for a in approvals if a.round != found.round],
            "before": near.filter(month__lt=month).order_by("-month").first(),
            "after": near.filter(month__gt=month).order_by("month").first(),
            "reads_entries": plays(request.user, BUREAU),
            **_asked(request, found, approvals),
            "trail": [*up(request, found)[:-1], (f"{lease} · {month_name(month)}", None)],
        },
    )


def _asked(request: HttpRequest, found: Statement, approvals: list[Approval]) -> dict[str, Any]:
    """What this reader may do here: their own step, objections, and until when silence is no consent."""
    said = found.objections.aggregate(
        n=Count("id"), open=Count("id", filter=Q(answer="")), last=Max("answered_at")
    )
    about: dict[str, Any] = {
        "term": _term(found, said["last"]),
        "objected": said["n"],
        "objecting": may_object(found, request.user),
    }
    if plays(request.user, STEP_TAKERS):
        did = any(one.round == found.round and one.by == request.user for one in approvals)
        about["words"] = WORDS[role_of(request.user)]
        about["refusal"] = refusal(found, request.user, did_another=did, objection_open=bool(said["open"]))
    return about


def term_of(found: Statement) -> date | None:
    """The last day to object, while the statement waits for its operator."""
    return _term(found, found.objections.aggregate(last=Max("answered_at"))["last"])


def _term(found: Statement, answered_at: datetime | None) -> date | None:
    if found.state != Statement.State.DRAFT:
        return None
    return term_ends_on(found, answered_at=answered_at)


def find(request: HttpRequest, lease: str, month: date) -> Statement:
    return get_object_or_404(
        scope.statements(request.user).select_related(
            "lease__operator", "lease__premises__division", "entry"
        ),
        lease__code=lease,
        month=month,
    )


def up(request: HttpRequest, found: Statement) -> list[tuple[str, str | None]]:
    """The way from the first list down to this statement."""
    lease, month = found.lease.code, found.month
    way: list[tuple[str, str | None]]
    if plays(request.user, BUREAU):
        way = [
            (_("Offset months"), reverse("bureau:months")),
            (month_name(month), reverse("bureau:month", args=[month])),
        ]
    else:
        way = [(_("Statements"), reverse("statements"))]
    return [*way, (f"{lease} · {month_name(month)}", reverse("statement", args=[lease, month]))]


def facts_of(found: Statement) -> LeaseFacts:
    """The lease with its dated terms, as its months are reckoned."""
    return lease_facts(Lease.objects.filter(pk=found.lease_id))[0]


def terms_of(facts: LeaseFacts, month: date) -> schedule.TermsRow:
    """The terms in force in a month; they change only with a month."""
    return schedule.terms_on(facts.terms, schedule.last_day(month))


def charge_of(facts: LeaseFacts, month: date) -> schedule.Charge:
    return schedule.charge(
        starts_on=facts.starts_on, ends_on=facts.ends_on, terms=terms_of(facts, month), month=month
    )


def steps(found: Document, approvals: Iterable[Taken]) -> list[dict[str, Any]]:
    """The three approvals of a statement or payout list in their order: done by whom, waited for, or to come."""
    of_round = {approval.step: approval for approval in approvals if approval.round == found.round}
    questions = {
        Approval.Step.CONFIRM: _("Operator confirms"),
        Approval.Step.REVIEW: _("Street reviews"),
        Approval.Step.APPROVE: _("Bureau approves"),
    }
    shown, waiting = [], False
    for number, step in enumerate(Approval.Step, start=1):
        approval = of_round.get(step)
        now = approval is None and not waiting
        waiting = waiting or now
        shown.append({"number": number, "title": questions[step], "approval": approval, "now": now})
    return shown
