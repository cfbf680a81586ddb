"""The register of public property: list, board of stages, one page, entering, changing, moving on."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As
from marketplace.registers.models import PhotoWithdrawal
from marketplace.templatetags.yiquan import money
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, plays, roles
from marketplace.web.bureau.forms import street_and_above
from marketplace.web.lists import Listing
from marketplace.web.registers.entry import EntryForm, day, number, pick, reason, text
from marketplace.web.registers.history import history
from marketplace.web.registers.pages import form_page, require_keeper, trail
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.divisions.queries import ids_under
from providers.models import Division, Lease, Premises, StageChange
from providers.premises.operations import CannotMove, move_premises
from vouchers.city.entry import row_of

Stage = Premises.Stage
MARKS = {
    Stage.SURVEYED: ("wait", "search"),
    Stage.LISTED: ("due", "flag-fill"),
    Stage.LEASED: ("wait", "receipt"),
    Stage.OPERATING: ("ok", "check-circle-fill"),
    Stage.RETIRED: ("", "dash-circle"),
}
PHOTOS = 12  # on a page
ON_BOARD = 8  # cards of one stage; the rest is behind the link


class PremisesForm(EntryForm):
    register = "premises"
    code = text(FIELDS["code"], hint=gettext_lazy("A capital letter, then capital letters or digits: PR0012"))
    name = text(FIELDS["name"])
    former_use = pick(FIELDS["former_use"], Premises.FormerUse.choices)
    owner = text(FIELDS["owner"])
    owner_kind = pick(FIELDS["owner_kind"], Premises.OwnerKind.choices)
    division = pick(FIELDS["division"])
    address = text(FIELDS["address"])
    longitude = number(FIELDS["longitude"])
    latitude = number(FIELDS["latitude"])
    floor_area_m2 = number(FIELDS["floor_area_m2"])
    condition = pick(FIELDS["condition"], Premises.Condition.choices)
    market_rent = number(FIELDS["market_rent"])
    stage = pick(
        FIELDS["stage"], [(Stage.SURVEYED, Stage.SURVEYED.label), (Stage.LISTED, Stage.LISTED.label)]
    )

    def __init__(self, *args: Any, user: Any, base: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, base=base, **kwargs)
        offered = division_choices(user)
        if base and base["division"] not in dict(offered):  # premises of a whole district
            offered.append((base["division"], base["division"]))
        self.fields["division"].widget.choices = offered  # type: ignore[attr-defined]
        if base:  # its code stays, and its stage moves by a form of its own
            del self.fields["code"], self.fields["stage"]

    def clean_division(self) -> str:
        """Somebody of one division enters premises of that division alone."""
        code = str(self.cleaned_data["division"])
        offered = {value for value, _label in self.fields["division"].widget.choices}  # type: ignore[attr-defined]
        return code if code in offered else ""


class MoveForm(EntryForm):
    stage = pick(gettext_lazy("Next stage"))
    since_on = day(FIELDS["since_on"])
    decision_no = text(
        FIELDS["decision_no"],
        hint=gettext_lazy("Needed where the premises go to another use than elder care."),
        longest=60,
    )
    why = reason(gettext_lazy("Why?"), required=False)

    AT = {"in_future": "since_on", "too_early": "since_on", "decision_missing": "decision_no"}

    def __init__(self, *args: Any, premises: Premises, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.premises = premises
        moves = Premises.MOVES[Stage(premises.stage)]
        self.fields["stage"].widget.choices = [  # type: ignore[attr-defined]
            (stage, stage.label) for stage in Stage if stage in moves
        ]
        self.fields["seen"].initial = premises.stage
        self.initial["seen"] = premises.stage

    def move(self, *, by: Any) -> StageChange | None:
        if not self.is_valid():
            return None
        data = self.cleaned_data
        try:
            on = date.fromisoformat(data["since_on"])
        except ValueError:
            self.add_error("since_on", _("Name a day as 2026-08-31."))
            return None
        try:
            return move_premises(
                premises=self.premises,
                seen=data["seen"],
                stage=data["stage"],
                on=on,
                decision_no=data["decision_no"].strip(),
                reason=data["why"].strip(),
                by=by,
                at=timezone.now(),
            )
        except CannotMove as refusal:
            self.add_error(self.AT.get(refusal.code, "stage"), str(refusal))
            return None


def division_choices(user: Any) -> list[tuple[str, str]]:
    """Streets and communities that this person answers for, streets first in their district's order."""
    rows = (
        Division.objects.filter(level__in=["street", "community"]).order_by("code").select_related("parent")
    )
    if user.division_id is not None:
        rows = rows.filter(id__in=ids_under([user.division.code]))
    return [
        (
            row.code,
            row.name if row.level == "street" else f"{row.parent.name if row.parent else ''} {row.name}",
        )
        for row in rows
    ]


def street_choices(user: Any) -> list[tuple[str, str]]:
    rows = Division.objects.filter(level=Division.Level.STREET).order_by("code")
    if user.division_id is not None:
        rows = rows.filter(id__in=ids_under([user.division.code]))
    return [(row.code, row.name) for row in rows]


def street_of(division: Division) -> str:
    return next((one.name for one in street_and_above(division)), division.name)


def _seen(request: HttpRequest) -> QuerySet[Premises]:
    today = timezone.localdate()
    now = Lease.objects.filter(premises=OuterRef("pk"), starts_on__lte=today, ends_on__gte=today)
    return (
        scope.premises(request.user)
        .select_related("division__parent__parent__parent")
        .annotate(
            lease_now=Subquery(now.values("code")[:1]),
            operator_now=Subquery(now.values("operator__name")[:1]),
        )
    )


def filtered(request: HttpRequest) -> tuple[QuerySet[Premises], list[Filter]]:
    """The premises that one sees and the address asks for, and the filters above them."""
    get = request.GET
    words, stage, street, owner = (
        get.get(name, "").strip()[:120] for name in ("q", "stage", "street", "owner")
    )
    rows = _seen(request)
    for word in words.split():
        rows = rows.filter(
            Q(code__istartswith=word)
            | Q(name__icontains=word)
            | Q(address__icontains=word)
            | Q(owner__icontains=word)
        )
    if stage in Stage.values:
        rows = rows.filter(stage=stage)
    if street:
        rows = rows.filter(division__in=ids_under([street]))
    if owner in Premises.OwnerKind.values:
        rows = rows.filter(owner_kind=owner)
    return rows, [
        Filter("q", _("Name, address, owner or code"), words),
        Filter("stage", _("Stage"), stage, Stage.choices),
        Filter("street", _("Street"), street, street_choices(request.user)),
        Filter("owner", _("Kind of owner"), owner, Premises.OwnerKind.choices),
    ]


COLUMNS = [
    Col(
        "name", gettext_lazy("Premises"), lambda row: row.name, small=lambda row: row.code,
        href=lambda row: reverse("registers:one_premises", args=[row.code]), sort=("name", "code"), width=28,
    ),
    Col("code", FIELDS["code"], lambda row: row.code, sort=("code",), page=False),
    Col(
        "stage", FIELDS["stage"], lambda row: row.get_stage_display(),
        mark=lambda row: MARKS[Stage(row.stage)], sort=("stage", "code"),
    ),
    Col("street", gettext_lazy("Street"), lambda row: street_of(row.division), sort=("division__code", "code")),
    Col("address", FIELDS["address"], lambda row: row.address, page=False, width=28),
    Col(
        "owner", FIELDS["owner"], lambda row: row.owner, small=lambda row: row.get_owner_kind_display(),
        sort=("owner", "code"), width=24,
    ),
    Col("former_use", FIELDS["former_use"], lambda row: row.get_former_use_display()),
    Col(
        "area", gettext_lazy("Area, m²"), lambda row: row.floor_area_m2, shown=lambda row: money(row.floor_area_m2),
        kind=As.NUMBER, sort=("floor_area_m2", "code"),
    ),
    Col(
        "rent", gettext_lazy("Market rent"), lambda row: row.market_rent, shown=lambda row: money(row.market_rent),
        kind=As.AMOUNT, sort=("market_rent", "code"),
    ),
    Col(
        "lease", gettext_lazy("Lease"), lambda row: row.lease_now or "", small=lambda row: row.operator_now,
        href=lambda row: reverse("registers:lease", args=[row.lease_now]) if row.lease_now else "",
    ),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def premises(request: HttpRequest) -> HttpResponseBase:
    """This page will list the premises on the register."""
    rows, filters = filtered(request)
    keeping = plays(request.user, REGISTER_KEEPERS)
    acts = (
        [{"label": _("Add premises"), "href": reverse("registers:new_premises"), "main": True}]
        if keeping
        else []
    )
    acts.append({"label": _("Board of stages"), "href": reverse("registers:board"), "icon": "table"})
    acts.append({"label": _("Plan of premises"), "href": reverse("registers:plan"), "icon": "calendar3"})
    return register_page(
        request, rows, COLUMNS, name="premises", title=_("Premises"), default="code", filters=filters, acts=acts,
        nothing=(_("No premises on the register yet"), _("Add the first, or load a file under Work.")),
    )  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """This page will show the premises by stage, side by side, the newest of each first."""
    rows, filters = filtered(request)
    since = StageChange.objects.filter(premises=OuterRef("pk")).order_by("-id").values("since_on")[:1]
    rows = rows.annotate(since_on=Subquery(since))
    asked = request.GET.get("stage", "")
    columns = []
    for stage in Stage:
        if asked in Stage.values and stage != asked:
            continue
        of_stage = rows.filter(stage=stage)
        tone, mark = MARKS[stage]
        columns.append(
            {
                "stage": stage,
                "tone": tone,
                "mark": mark,
                "label": stage.label,
                "total": of_stage.count(),
                "rows": of_stage.order_by("-since_on", "code")[:ON_BOARD],
            }
        )
    return render(
        request,
        "registers/board.html",
        {
            "title": _("Board of stages"),
            "columns": columns,
            "filters": filters,
            "trail": [
                (_("Registers"), reverse("registers:hub")),
                (_("Premises"), reverse("registers:premises")),
                (_("Board of stages"), None),
            ],
        },
    )


@roles(*REGISTER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def one_premises(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show one premises, its stages and leases, and take it to its next stage."""
    found = get_object_or_404(_seen(request), code=code)
    keeping = plays(request.user, REGISTER_KEEPERS)
    form = MoveForm(premises=found, initial={"since_on": timezone.localdate().isoformat()})
    if request.method == "POST":
        require_keeper(request)
        form = MoveForm(request.POST, premises=found)
        if (moved := form.move(by=request.user)) is not None:
            messages.success(request, _("Moved: now %(stage)s.") % {"stage": moved.get_stage_display()})
            return redirect("registers:one_premises", code)
    tone, mark = MARKS[Stage(found.stage)]
    photos = Listing(
        request,
        found.photos.filter(withdrawal=None).select_related("photo"),
        sorts={"taken": ("-taken_on", "-id")},
        per_page=PHOTOS,
    )
    return render(
        request,
        "registers/premises.html",
        {
            "one": found,
            "tone": tone,
            "mark": mark,
            "street": street_of(found.division),
            "stages": list(found.stage_changes.order_by("id")),
            "leases": list(found.leases.select_related("operator").order_by("-starts_on")),
            "listing": photos,
            "withdrawn": list(
                PhotoWithdrawal.objects.filter(photo__premises=found).select_related("photo").order_by("-id")
            ),
            "offers": [
                (row, row.has_ended(timezone.localdate()))
                for row in found.offers.select_related("service").order_by("service__code")
            ],
            "keeping": keeping,
            "form": form,
            "moving": keeping and bool(Premises.MOVES[Stage(found.stage)]),
            "history": history(found.code),
            "trail": _trail(found.name),
        },
        status=422 if form.errors else 200,
    )


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_premises(request: HttpRequest) -> HttpResponse:
    """This page will put premises on the register."""
    form = PremisesForm(
        request.POST if request.method == "POST" else None,
        user=request.user,
        initial={"stage": Stage.SURVEYED},
    )
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Entered on the register."))
        return redirect("registers:one_premises", form.row["code"])
    return form_page(
        request, form, title=_("Add premises"), verb=_("Add to the register"), back=reverse("registers:premises"),
        trail=_trail(_("Add premises")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_premises(request: HttpRequest, code: str) -> HttpResponse:
    """This page will change what describes premises; what was stays in their history."""
    found = get_object_or_404(scope.premises(request.user).select_related("division"), code=code)
    form = PremisesForm(
        request.POST if request.method == "POST" else None, user=request.user, base=row_of("premises", found)
    )
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Saved. What was before stands in the history."))
        return redirect("registers:one_premises", code)
    return form_page(
        request, form, title=_("Change premises"), verb=_("Save"), back=reverse("registers:one_premises", args=[code]),
        about=_("An empty field keeps what is on record."),
        trail=_trail(found.name, reverse("registers:one_premises", args=[code]), _("Edit")),
    )  # fmt: skip


def _trail(name: str, href: str | None = None, *rest: str) -> list[tuple[str, str | None]]:
    return trail(_("Premises"), "registers:premises", name, href, *rest)
