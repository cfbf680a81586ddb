"""A home adaptation as every desk shows it: its facts, its plan, its photos, its steps; and the list of them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from ledger.audit.operations import record_seen
from ledger.files.write import As, Field
from marketplace.web import photos, scope
from marketplace.web.access import STATEMENT_READERS, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from providers.adaptation.items import ITEMS
from vouchers.adaptation.models import Plan, Project, ProjectPhoto
from vouchers.adaptation.terms import HOUSEHOLD_CAP, together
from vouchers.models import Redemption

State = Project.State
MARKS = {
    State.REQUESTED: ("due", "hourglass-split"),
    State.ASSESSED: ("due", "pencil-square"),
    State.PLANNED: ("wait", "hourglass-split"),
    State.AGREED: ("ok", "check-lg"),
    State.WORKS: ("wait", "clock"),
    State.DONE: ("due", "eye"),
    State.ACCEPTED: ("ok", "check-circle-fill"),
    State.CANCELLED: ("no", "slash-circle"),
}
SHOWN = {
    "open": (pgettext_lazy("of projects", "open"), ~Q(state__in=[State.ACCEPTED, State.CANCELLED])),
    "done": (gettext_lazy("wait for acceptance"), Q(state=State.DONE)),
    "planned": (gettext_lazy("wait for the family"), Q(state=State.PLANNED)),
    "accepted": (pgettext_lazy("of works", "accepted"), Q(state=State.ACCEPTED)),
    "all": (gettext_lazy("all"), Q()),
}
SORTS = {
    "number": ("id",),
    "asked": ("requested_at", "id"),
    "state": ("state", "id"),
    "warranty": ("warranty_until", "id"),
}
COLUMNS = (
    Field(gettext_lazy("Project"), width=12),
    Field(gettext_lazy("Elder"), width=10),
    Field(gettext_lazy("Community"), width=18),
    Field(gettext_lazy("Operator"), width=24),
    Field(gettext_lazy("Requested"), As.TIME, width=20),
    Field(gettext_lazy("State"), width=16),
    Field(gettext_lazy("Items"), width=40),
    Field(gettext_lazy("List price"), As.AMOUNT, width=14),
    Field(gettext_lazy("Vouchers"), As.AMOUNT, width=14),
    Field(gettext_lazy("The family pays"), As.AMOUNT, width=14),
    Field(gettext_lazy("Accepted"), As.TIME, width=20),
    Field(gettext_lazy("Warranty until"), As.DATE, width=14),
)


def marked(project: Project) -> Project:
    project.tone, project.mark = MARKS[State(project.state)]  # type: ignore[attr-defined]
    return project


def current_plan(project: Project) -> Plan | None:
    """The plan that counts: agreed, or the latest that waits or was answered; None where there is none."""
    plans = [plan for plan in project.plans.all() if plan.answer != Plan.Answer.REPLACED]
    return next((plan for plan in plans if plan.answer == Plan.Answer.AGREED), plans[-1] if plans else None)


def listed(request: HttpRequest, rows: QuerySet[Project]) -> tuple[dict[str, Any], HttpResponseBase | None]:
    """What a list of projects needs, and the file if one was asked for."""
    wanted = request.GET.get("show", "")
    wanted = wanted if wanted in SHOWN else "open"
    rows = rows.filter(SHOWN[wanted][1]).select_related("elder__division", "operator", "premises")
    rows = rows.annotate(
        amount=Sum("plans__lines__list_price", filter=Q(plans__answer="agreed")),
        vouchers=Sum("plans__lines__vouchers", filter=Q(plans__answer="agreed")),
        self_pay=Sum("plans__lines__self_pay", filter=Q(plans__answer="agreed")),
    )
    listing = Listing(request, rows, sorts=SORTS, default="-asked")
    file = export(request, Sheet("home-adaptation", "home-adaptation", COLUMNS, _lines(listing.rows)))
    context = {
        "listing": listing,
        "rows": [marked(row) for row in listing.page] if file is None else [],
        "show": wanted,
        "shown": [(name, label) for name, (label, _rows) in SHOWN.items()],
        "cap": HOUSEHOLD_CAP,
    }
    return context, file


def _lines(rows: Any) -> Iterable[list[Any]]:
    for row in rows.prefetch_related("plans__lines"):
        plan = current_plan(row)
        yield [
            row.number,
            row.elder.masked_name,
            row.elder.division.name,
            row.operator.name,
            row.requested_at,
            row.get_state_display(),
            "; ".join(f"{line.item} × {line.quantity}" for line in plan.lines.all()) if plan else "",
            row.amount,
            row.vouchers,
            row.self_pay,
            row.accepted_at,
            row.warranty_until,
        ]


def about(project: Project, *, goes_there: bool = False) -> dict[str, Any]:
    """What the page of a project shows at every desk; the address to whoever goes there, while there is work."""
    plan = current_plan(project)
    lines = list(plan.lines.select_related("service", "hold__redemption")) if plan else []
    pictures = list(project.photos.select_related("photo").defer("photo__sealed"))
    return {
        "project": marked(project),
        "address": project.address() if goes_there and project.is_open else "",
        "plan": plan,
        "lines": lines,
        "total": together(line.parts for line in lines),
        "before": [one for one in pictures if one.shows == ProjectPhoto.Shows.BEFORE],
        "after": [one for one in pictures if one.shows == ProjectPhoto.Shows.AFTER],
        "inspections": list(project.inspections.all()),
        "redemptions": [
            line.hold.redemption
            for line in lines
            if line.hold is not None and isinstance(getattr(line.hold, "redemption", None), Redemption)
        ],
        "cap": HOUSEHOLD_CAP,
        "listed_items": len(ITEMS),
    }


def up(address: str) -> list[tuple[str, str | None]]:
    return [(_("Home adaptation"), address)]


@roles(*STATEMENT_READERS)
@require_safe
def photo(request: HttpRequest, number: int, photo: int) -> HttpResponse:
    """This address will show one photo of a project to whoever may see the project."""
    project = get_object_or_404(scope.adaptations(request.user), pk=number)
    found = get_object_or_404(project.photos.select_related("photo"), pk=photo)
    elder, detail = project.elder.code, {"adaptation": project.pk}
    record_seen(by=request.user, at=timezone.now(), action="see_photo", subject=elder, detail=detail)
    return photos.shown(found.photo)
