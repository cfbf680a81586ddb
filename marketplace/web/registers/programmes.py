"""The register of programmes: list, one programme, and its design with a preview that changes nothing."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As
from marketplace.templatetags.yiquan import iso, money
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, plays, roles, whole_city
from marketplace.web.registers.entry import day, number, pick, several, text
from marketplace.web.registers.history import history
from marketplace.web.registers.lease_forms import Previewed
from marketplace.web.registers.pages import form_page, trail
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS, YES_NO
from providers.models import Division, Service
from vouchers.city.entry import row_of
from vouchers.models import Elder, Programme
from vouchers.programmes import design, schedule
from vouchers.programmes.register import draft_of

ABILITY = [
    ("0", gettext_lazy("0, intact")),
    ("1", "1"),
    ("2", "2"),
    ("3", "3"),
    ("4", gettext_lazy("4, complete loss")),
]


class ProgrammeForm(Previewed):
    register = "programmes"
    code = text(FIELDS["code"], hint=gettext_lazy("A capital letter, then capital letters or digits: PG0012"))
    name = text(FIELDS["name"])
    settlement = pick(FIELDS["settlement"], Programme.Settlement.choices)
    lease = pick(FIELDS["lease"], hint=gettext_lazy("Whose rent it offsets, or whose premises limit it."))
    scope = pick(FIELDS["scope"], Programme.Scope.choices)
    categories = several(FIELDS["categories"], Service.Category.choices)
    face_value = number(FIELDS["face_value"])
    per_elder = number(FIELDS["per_elder"])
    divisible = pick(FIELDS["divisible"], YES_NO.items())
    cadence = pick(FIELDS["cadence"], Programme.Cadence.choices)
    starts_on = day(FIELDS["starts_on"])
    ends_on = day(FIELDS["ends_on"])
    valid_days = number(FIELDS["valid_days"], hint=gettext_lazy("Else until the end of the period."))
    max_share = number(FIELDS["max_share"], hint=gettext_lazy("0.5: half of what the elder would pay."))
    min_spend = number(FIELDS["min_spend"])
    min_age = number(FIELDS["min_age"])
    min_ability = pick(FIELDS["min_ability"], ABILITY)
    any_of = several(FIELDS["any_of"], Elder.Group.choices)
    divisions = several(FIELDS["divisions"], hint=gettext_lazy("None ticked: the whole city."), choices=())
    budget = number(FIELDS["budget"], hint=gettext_lazy("Bounds the face value ever issued."))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lease"].widget.choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *(
                (one.code, f"{one.code} {one.premises.name}")
                for one in scope.leases(user).select_related("premises").order_by("code")
            ),
        ]
        named = set((self.base or self.initial).get("divisions", "").split(";"))
        self.fields["divisions"].widget.choices = [  # type: ignore[attr-defined]
            (one.code, one.name)
            for one in Division.objects.order_by("code")
            if one.level in ("district", "street") or one.code in named
        ]
        if self.base:
            del self.fields["code"]


def seen(user: Any) -> QuerySet[Programme]:
    """All for those who see the whole city; else those of leases seen, and those that belong to none."""
    rows = Programme.objects.select_related("lease__premises")
    if scope.sees_whole_city(user):
        return rows
    return rows.filter(Q(lease=None) | Q(lease__in=scope.leases(user)))


def _terms(row: Programme) -> str:
    return f"{row.per_elder} × {money(row.face_value)}"


COLUMNS = [
    Col(
        "name", gettext_lazy("Programme"), lambda row: row.name, small=lambda row: row.code,
        href=lambda row: reverse("registers:programme", args=[row.code]), sort=("name", "code"), width=28,
    ),
    Col("code", FIELDS["code"], lambda row: row.code, sort=("code",), page=False),
    Col(
        "settlement", FIELDS["settlement"], lambda row: row.get_settlement_display(), sort=("settlement", "code"),
        small=lambda row: row.get_scope_display(),
    ),
    Col(
        "lease", FIELDS["lease"], lambda row: row.lease.code if row.lease else "",
        small=lambda row: row.lease.premises.name if row.lease else "",
        href=lambda row: reverse("registers:lease", args=[row.lease.code]) if row.lease else "", sort=("lease__code",),
    ),
    Col("terms", gettext_lazy("Each elder, yuan"), _terms, small=lambda row: row.get_cadence_display(), width=18),
    Col(
        "starts", FIELDS["starts_on"], lambda row: row.starts_on, shown=lambda row: iso(row.starts_on), kind=As.DATE,
        sort=("starts_on", "code"),
    ),
    Col(
        "ends", FIELDS["ends_on"], lambda row: row.ends_on, shown=lambda row: iso(row.ends_on), kind=As.DATE,
        sort=("ends_on", "code"),
    ),
    Col(
        "issued", gettext_lazy("Issued, yuan"), lambda row: row.issued or Decimal("0.00"),
        shown=lambda row: money(row.issued or Decimal("0.00")), kind=As.AMOUNT, sort=("issued", "code"),
    ),
    Col(
        "budget", FIELDS["budget"], lambda row: row.budget, shown=lambda row: money(row.budget), kind=As.AMOUNT,
        sort=("budget", "code"),
    ),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def programmes(request: HttpRequest) -> HttpResponseBase:
    """This page will list the programmes and what each has issued."""
    words, settlement, state = (
        request.GET.get(name, "").strip()[:120] for name in ("q", "settlement", "state")
    )
    today = timezone.localdate()
    rows = seen(request.user).annotate(issued=Sum("issue_runs__value"))
    for word in words.split():
        rows = rows.filter(
            Q(name__icontains=word) | Q(code__istartswith=word) | Q(lease__code__istartswith=word)
        )
    if settlement in Programme.Settlement.values:
        rows = rows.filter(settlement=settlement)
    states = {"running": _("in force"), "ended": _("ended")}
    if state in states:
        rows = rows.filter(ends_on__gte=today) if state == "running" else rows.filter(ends_on__lt=today)
    keeping = plays(request.user, REGISTER_KEEPERS, city=True)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="programmes",
        title=_("Programmes"),
        default="code",
        filters=[
            Filter("q", _("Name, code or lease"), words),
            Filter("settlement", _("Settlement"), settlement, Programme.Settlement.choices),
            Filter("state", _("State"), state, list(states.items())),
        ],
        acts=[{"label": _("Design a programme"), "href": reverse("registers:new_programme"), "main": True}]
        if keeping
        else [],
        nothing=(_("No programme on the register yet"), _("Design the first, or load a file under Work.")),
    )


def _trail(name: str, href: str | None = None, *rest: str) -> list[tuple[str, str | None]]:
    return trail(_("Programmes"), "registers:programmes", name, href, *rest)


@roles(*REGISTER_READERS)
@require_safe
def programme(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show one programme: its terms, whom it is for, and each run that issued."""
    found = get_object_or_404(seen(request.user), code=code)
    today = timezone.localdate()
    days = schedule.issue_days(cadence=found.cadence, starts_on=found.starts_on, ends_on=found.ends_on)
    runs = found.issue_runs.aggregate(value=Sum("value"), vouchers=Sum("vouchers"))
    return render(
        request,
        "registers/programme.html",
        {
            "one": found,
            "words": {
                "categories": [Service.Category(one).label for one in found.categories],
                "any_of": [Elder.Group(one).label for one in found.any_of],
                "divisions": list(found.divisions.order_by("code").values_list("name", flat=True)),
            },
            "next": next((one for one in days if one > today), None),
            "issued": runs["value"] or Decimal("0.00"),
            "vouchers": runs["vouchers"] or 0,
            "runs": list(found.issue_runs.order_by("-issued_on", "-id")[:12]),
            "bureau": scope.sees_whole_city(request.user),
            "keeping": plays(request.user, REGISTER_KEEPERS, city=True),
            "history": history(found.code),
            "trail": _trail(found.name),
        },
    )


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def new_programme(request: HttpRequest) -> HttpResponse:
    """This page will design a programme: what it would do is shown, and changes nothing, until it is entered."""
    like = seen(request.user).filter(code=request.GET.get("like", "")[:12]).first()
    initial = {**row_of("programmes", like), "code": "", "name": ""} if like else {"max_share": "1"}
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None, user=request.user, initial=initial
    )
    return _designing(
        request, form, title=_("Design a programme"), sure=_("Enter the programme"),
        done=_("Entered on the register. It issues on its day, or at once under Work."),
        back=reverse("registers:programmes"), trail=_trail(_("Design a programme")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def edit_programme(request: HttpRequest, code: str) -> HttpResponse:
    """This page will change a programme that has issued nothing; of one that has, its last day alone."""
    found = get_object_or_404(seen(request.user), code=code)
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None,
        user=request.user,
        base=row_of("programmes", found),
    )
    here = reverse("registers:programme", args=[code])
    return _designing(
        request, form, title=_("Change the programme"), sure=_("Save these terms"),
        done=_("Saved. What was before stands in the history."), back=here,
        about=_("Once vouchers were issued, only the last day can be moved; other terms are another programme."),
        trail=_trail(found.name, here, _("Edit")),
    )  # fmt: skip


def _designing(
    request: HttpRequest, form: ProgrammeForm, *, sure: str, done: str, back: str, **context: Any
) -> HttpResponse:
    reach = replay = drafted = None
    if request.method == "POST" and form.is_valid():
        really = request.POST.get("do") == "sure" and form.was_shown
        if form.enter(by=request.user, at=timezone.now(), dry_run=not really):
            if really:
                messages.success(request, done)
                return redirect("registers:programme", form.row["code"].strip())
            drafted, codes = draft_of(form.row)
            today = timezone.localdate()
            reach = design.reach(drafted, codes=codes, today=today)
            replay = design.replay(drafted, codes=codes, months=design.last_quarter(today))
            form.show()
    return form_page(
        request,
        form,
        verb=_("See what it would do"),
        sure=sure,
        back=back,
        reach=reach,
        replay=replay,
        drafted=drafted,
        template="registers/programme_form.html",
        **context,
    )
