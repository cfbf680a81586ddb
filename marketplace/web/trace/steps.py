"""The three steps of statements: one after looking at it, or many at once with the exceptions taken out.

What a person looked at goes with the form as its digest. When the figures are others by then, the step is
refused, what changed is shown, and it must be looked at again.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ledger.journal.queries import previous_month
from marketplace.jobs import operations as jobs
from marketplace.jobs.models import Job
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope, sheets
from marketplace.web.access import STEP_TAKERS, role_of, roles
from marketplace.web.trace.acts import STEP_OF, WORDS, refusals
from marketplace.web.trace.statements import find, steps, up
from vouchers.approvals.operations import STEPS, CannotTakeStep
from vouchers.models import Drawing, Statement
from vouchers.settlement.operations import CannotSettle, take_steps

NOT_LOOKED_AT = "-"  # no digest of ours: a form without one is refused like one that is out of date


@roles(*STEP_TAKERS)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, lease: str, month: date) -> HttpResponse:
    """This page will show what is confirmed, reviewed or approved, and take that step once it was looked at."""
    found = find(request, lease, month)
    which, words = STEP_OF[role_of(request.user)], WORDS[role_of(request.user)]
    refusal: CannotTakeStep | None = None
    seen = ""
    if request.method == "POST":
        seen = request.POST.get("seen", "")[:64] or NOT_LOOKED_AT
        outcome = take_steps(seen={found.pk: seen}, step=which, by=request.user, clock=timezone.now)
        if outcome.taken:
            messages.success(request, str(words.done))
            if outcome.locked:
                messages.success(request, _("%(month)s is locked.") % {"month": month_name(month)})
            return redirect("statement", lease, month)
        refusal = outcome.refused[0][1] if outcome.refused else CannotSettle("nothing_left")
        if refusal.code == "nothing_left":
            messages.error(request, str(refusal))
            return redirect("steps")
        found = find(request, lease, month)
    before = refusals([found], request.user)[found.pk]
    changed = refusal is not None and refusal.code == "statement_changed"
    return render(
        request,
        "trace/step.html",
        {
            "statement": found,
            "lease": found.lease,
            "words": words,
            "refusal": refusal or before,
            "changed": _changes(found, seen) if changed else None,
            "can": before is None,
            "rows": _compared(found),
            "steps": steps(found, list(found.approvals.select_related("by").order_by("id"))),
            "objections": found.objections.filter(answer="").count(),
            "trail": [*up(request, found), (str(words.title), None)],
        },
        status=409 if refusal else 200,
    )


def _compared(found: Statement) -> list[dict[str, Any]]:
    """The figures of a statement beside those of the month before."""
    earlier = Statement.objects.filter(lease=found.lease_id, month=previous_month(found.month)).first()
    return [
        {
            "name": name,
            "label": sheets.HEADINGS[name],
            "now": getattr(found, name),
            "before": getattr(earlier, name) if earlier else None,
            "change": getattr(found, name) - getattr(earlier, name) if earlier else None,
        }
        for name in Statement.FIGURES
    ]


def _changes(found: Statement, seen: str) -> list[dict[str, Any]] | None:
    """Each figure that differs from what was looked at; None where nobody knows what that was."""
    old = Drawing.objects.filter(statement=found, digest=seen).first()
    if old is None:
        return None
    counts = ("redemptions", "under_review")
    names = [*Statement.FIGURES, *counts]
    labels = {**sheets.HEADINGS, "redemptions": _("Redemptions"), "under_review": _("Held for review")}
    rows = []
    for name in names:
        was = old.figures[name] if name in counts else Decimal(old.figures[name])
        if was != getattr(found, name):
            rows.append(
                {"label": labels[name], "was": was, "now": getattr(found, name), "count": name in counts}
            )
    return rows


@roles(*STEP_TAKERS)
@require_http_methods(["GET", "HEAD", "POST"])
def many(request: HttpRequest) -> HttpResponse:
    """This page will list what waits for this person, all chosen; exceptions are taken out, then it is checked
    once more and done as a job."""
    which, words = STEP_OF[role_of(request.user)], WORDS[role_of(request.user)]
    rows = list(
        scope.statements(request.user)
        .filter(state=STEPS[which][0])
        .select_related("lease__operator", "lease__premises__division__parent__parent__parent")
        .order_by("month", "lease__code")
    )
    why = refusals(rows, request.user)
    ready = [row for row in rows if why[row.pk] is None]
    about: dict[str, Any] = {
        "words": words,
        "ready": ready,
        "left": [(row, why[row.pk]) for row in rows if why[row.pk] is not None],
        "trail": [(_("Waiting for me"), None)],
    }
    if request.method != "POST":
        return render(request, "trace/steps.html", {**about, "sums": _sums(ready)})
    # One field for each statement, its digest with it: a form may hold a thousand.
    chosen = dict(one.partition(":")[::2] for one in request.POST.getlist("take"))
    seen = {str(row.pk): chosen[str(row.pk)][:64] or NOT_LOOKED_AT for row in ready if str(row.pk) in chosen}
    if request.POST.get("go") and seen:
        job = jobs.start(
            kind=Job.Kind.STEPS,
            args={"step": str(which), "seen": seen},
            by=request.user,
            at=timezone.now(),
        )
        return redirect("job", job.pk)
    taken = [(row, seen[str(row.pk)]) for row in ready if str(row.pk) in seen]
    return render(
        request,
        "trace/steps_check.html" if seen else "trace/steps.html",
        {
            **about,
            "taken": taken,
            "sums": _sums([row for row, _seen in taken] or ready),
            "out": [row for row in ready if str(row.pk) not in seen],
            "nothing_chosen": not seen,
        },
        status=200 if seen or not ready else 422,
    )


def _sums(rows: Iterable[Statement]) -> dict[str, Decimal]:
    listed = list(rows)
    return {
        name: sum((getattr(row, name) for row in listed), Decimal(0))
        for name in ("charge", "applied", "cash_due", "credit")
    }
