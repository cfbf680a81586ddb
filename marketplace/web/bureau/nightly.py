"""The nightly tasks: how each stands, and its runs with what they printed or why they failed."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As
from marketplace.nightly.models import NightlyRun
from marketplace.nightly.queries import TASKS, standings
from marketplace.templatetags.yiquan import moment
from marketplace.web.access import ADMINISTRATORS, BUREAU, roles, whole_city
from marketplace.web.registers.table import Col, Filter, register_page

READERS = BUREAU | ADMINISTRATORS
STATES = {
    "never": (gettext_lazy("has not run yet"), "", "dash-circle"),
    "running": (NightlyRun.Outcome.RUNNING.label, "wait", "hourglass-split"),
    "late": (gettext_lazy("is late"), "due", "exclamation-triangle-fill"),
    "done": (NightlyRun.Outcome.DONE.label, "ok", "check-circle-fill"),
    "failed": (NightlyRun.Outcome.FAILED.label, "no", "x-octagon-fill"),
}
COLUMNS = [
    Col("began", gettext_lazy("Began"), lambda run: run.started_at, lambda run: moment(run.started_at),
        kind=As.TIME, sort=("started_at", "id"), width=20),
    Col("ended", gettext_lazy("Ended"), lambda run: run.ended_at, lambda run: moment(run.ended_at),
        kind=As.TIME, width=20),
    Col("outcome", gettext_lazy("Outcome"), lambda run: run.get_outcome_display(),
        mark=lambda run: STATES[run.outcome][1:], sort=("outcome", "id")),
    Col("summary", gettext_lazy("What it printed, or why it failed"), lambda run: run.summary, width=80),
]  # fmt: skip


@roles(*READERS)
@whole_city
@require_safe
def nightly(request: HttpRequest) -> HttpResponse:
    """This page will show each task with its last run, what failed or is late first."""
    rows = [(one, *STATES[one.state]) for one in standings(timezone.now())]
    first = ("failed", "late")
    rows.sort(key=lambda row: first.index(row[0].state) if row[0].state in first else len(first))
    return render(request, "bureau/nightly.html", {"rows": rows, "trail": [(_("Nightly tasks"), None)]})


@roles(*READERS)
@whole_city
@require_safe
def task(request: HttpRequest, name: str) -> HttpResponseBase:
    """This page will list the runs of one task, newest first."""
    found = next((one for one in TASKS if one.name == name), None)
    if found is None:
        raise Http404("no such task")
    outcome = request.GET.get("outcome", "")
    runs = NightlyRun.objects.filter(task=name)
    if outcome in NightlyRun.Outcome.values:
        runs = runs.filter(outcome=outcome)
    trail: list[tuple[Any, str | None]] = [
        (_("Nightly tasks"), reverse("bureau:nightly")),
        (found.label, None),
    ]
    return register_page(
        request,
        runs,
        COLUMNS,
        name=f"nightly-{name}",
        title=str(found.label),
        default="-began",
        filters=[Filter("outcome", _("Outcome"), outcome, list(NightlyRun.Outcome.choices))],
        nothing=(_("It has not run yet"), _("Each run stands here from its beginning on.")),
        trail=trail,
    )
