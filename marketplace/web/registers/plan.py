"""The plan of premises: stages and leases over two years, a row each, and what is to be seen to next."""

from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As
from marketplace.templatetags.yiquan import iso
from marketplace.web.access import REGISTER_READERS, roles
from marketplace.web.registers.premises import MARKS, Stage, filtered, street_of
from marketplace.web.registers.table import Col, register_page
from marketplace.web.registers.words import FIELDS
from providers.models import Lease, StageChange
from providers.premises.plan import Due, Window, bands, due

NEXT = {
    "no_lease": (gettext_lazy("no lease in force for %(days)s days"), gettext_lazy("no lease in force")),
    "lease_ends": (gettext_lazy("lease ends in %(days)s days"), gettext_lazy("lease ends today")),
    "not_operating": (gettext_lazy("leased for %(days)s days, not operating yet"), ""),
    "long_surveyed": (gettext_lazy("surveyed %(days)s days ago, not listed yet"), ""),
    "long_listed": (gettext_lazy("on offer for %(days)s days"), ""),
}


def _due(row: Any, today: date) -> Due | None:
    return due(stage=row.stage, since=row.since_on, lease_ends=row.lease_ends, today=today)


def _next(row: Any, today: date) -> str:
    found = _due(row, today)
    if found is None:
        return ""
    counted, at_once = NEXT[found.what]
    return str(counted) % {"days": found.days} if found.days or not at_once else str(at_once)


def _columns(window: Window) -> list[Col]:
    today = window.today
    return [
        Col(
            "name", gettext_lazy("Premises"), lambda row: row.name, small=lambda row: row.code,
            href=lambda row: reverse("registers:one_premises", args=[row.code]), sort=("name", "code"), width=28,
        ),
        Col("code", FIELDS["code"], lambda row: row.code, sort=("code",), page=False),
        Col("street", gettext_lazy("Street"), lambda row: street_of(row.division), sort=("division__code", "code")),
        Col(
            "stage", FIELDS["stage"], lambda row: row.get_stage_display(),
            mark=lambda row: MARKS[Stage(row.stage)], sort=("stage", "code"),
        ),
        Col("since", FIELDS["since_on"], lambda row: row.since_on, shown=lambda row: iso(row.since_on),
            kind=As.DATE, sort=("since_on", "code"), width=12),
        Col("plan", gettext_lazy("Plan"), lambda row: "", draw=lambda row: _bands(row, window), file=False),
        Col(
            "ends", gettext_lazy("Lease until"), lambda row: row.lease_ends, shown=lambda row: iso(row.lease_ends),
            small=lambda row: row.operator_now, kind=As.DATE, sort=("lease_ends", "code"), width=12,
            href=lambda row: reverse("registers:lease", args=[row.lease_now]) if row.lease_now else "",
        ),
        Col(
            "next", gettext_lazy("To see to"), lambda row: _next(row, today), width=30,
            mark=lambda row: ("due", "clock") if _due(row, today) else ("", ""),
        ),
    ]  # fmt: skip


def _bands(row: Any, window: Window) -> Any:
    return bands(
        stages=[(one.stage, one.since_on) for one in row.stage_changes.all()],
        leases=[(one.starts_on, one.ends_on) for one in row.leases.all()],
        window=window,
    )


@roles(*REGISTER_READERS)
@require_safe
def plan(request: HttpRequest) -> HttpResponseBase:
    """This page will show premises over two years: their stages, how long their leases go on, what is next."""
    today = timezone.localdate()
    window = Window.around(today)
    rows, filters = filtered(request)
    since = StageChange.objects.filter(premises=OuterRef("pk")).order_by("-id").values("since_on")[:1]
    now = Lease.objects.filter(premises=OuterRef("pk"), starts_on__lte=today, ends_on__gte=today)
    rows = rows.annotate(since_on=Subquery(since), lease_ends=Subquery(now.values("ends_on")[:1]))
    return register_page(
        request,
        # Of the few shown all stages and leases are read at once; a file needs neither.
        rows if request.GET.get("format") else rows.prefetch_related("stage_changes", "leases"),
        _columns(window),
        name="plan",
        title=_("Plan of premises"),
        default="ends",
        filters=filters,
        template="registers/plan.html",
        acts=[
            {"label": _("List"), "href": reverse("registers:premises"), "icon": "list"},
            {"label": _("Board of stages"), "href": reverse("registers:board"), "icon": "table"},
        ],
        nothing=(_("No premises on the register yet"), _("Add the first, or load a file under Work.")),
        quarters=[f"{year}/{quarter}" for year, quarter in window.quarters],
        ticks=range(3, window.months, 3),
        months=window.months,
        here=window.at(today),
        stages=[(stage, stage.label) for stage in Stage],
        trail=[
            (_("Registers"), reverse("registers:hub")),
            (_("Premises"), reverse("registers:premises")),
            (_("Plan of premises"), None),
        ],
    )
