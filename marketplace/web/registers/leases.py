"""The register of leases: list, one lease with its dated terms, a new one, new terms, its end, a new operator."""

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
from ledger.journal.queries import first_open_day, next_month
from marketplace.templatetags.yiquan import iso, money, percent
from marketplace.web import scope
from marketplace.web.access import BUREAU, REGISTER_KEEPERS, REGISTER_READERS, plays, roles
from marketplace.web.registers.history import history
from marketplace.web.registers.lease_forms import (
    DecisionForm,
    EndForm,
    LeaseForm,
    OperatorChangeForm,
    TermsForm,
    dated,
    leasable,
    sums,
)
from marketplace.web.registers.pages import form_page, require_keeper, trail
from marketplace.web.registers.premises import street_choices, street_of
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.divisions.queries import ids_under
from providers.leases.schedule import rent_schedule
from providers.models import Lease, LeaseTerms
from vouchers.city import tenancy
from vouchers.city.entry import digest, row_of
from vouchers.models import Statement

STATES = {
    "running": gettext_lazy("in force"),
    "coming": gettext_lazy("not yet begun"),
    "ended": gettext_lazy("ended"),
}
MARKS = {
    "running": ("ok", "check-circle-fill"),
    "coming": ("wait", "clock"),
    "ended": ("", "dash-circle"),
}


def state_of(lease: Lease) -> str:
    today = timezone.localdate()
    return "coming" if today < lease.starts_on else "ended" if lease.ends_on < today else "running"


def _seen(request: HttpRequest) -> QuerySet[Lease]:
    now = LeaseTerms.objects.filter(lease=OuterRef("pk"), starts_on__lte=timezone.localdate()).order_by(
        "-starts_on"
    )
    first = LeaseTerms.objects.filter(lease=OuterRef("pk")).order_by("starts_on")
    return (
        scope.leases(request.user)
        .select_related("premises__division__parent__parent__parent", "operator")
        .annotate(
            **{
                f"{name}_now": Subquery(now.values(name)[:1])
                for name in ("monthly_rent", "offset_rate", "offset_cap", "carry_months")
            },
            rent_first=Subquery(first.values("monthly_rent")[:1]),
        )
    )


COLUMNS = [
    Col(
        "code", gettext_lazy("Lease"), lambda row: row.code,
        href=lambda row: reverse("registers:lease", args=[row.code]), sort=("code",), width=10,
    ),
    Col(
        "state", gettext_lazy("State"), lambda row: STATES[state_of(row)], mark=lambda row: MARKS[state_of(row)],
    ),
    Col(
        "premises", gettext_lazy("Premises"), lambda row: row.premises.name,
        small=lambda row: street_of(row.premises.division), sort=("premises__name", "code"), width=26,
    ),
    Col(
        "operator", gettext_lazy("Operator"), lambda row: row.operator.name,
        sort=("operator__name", "code"), width=26,
    ),
    Col(
        "starts", FIELDS["starts_on"], lambda row: row.starts_on, shown=lambda row: iso(row.starts_on), kind=As.DATE,
        sort=("starts_on", "code"),
    ),
    Col(
        "ends", FIELDS["ends_on"], lambda row: row.ends_on, shown=lambda row: iso(row.ends_on), kind=As.DATE,
        sort=("ends_on", "code"),
    ),
    Col(
        "rent", gettext_lazy("Rent a month"),
        lambda row: row.monthly_rent_now if row.monthly_rent_now is not None else row.rent_first,
        shown=lambda row: money(row.monthly_rent_now if row.monthly_rent_now is not None else row.rent_first),
        kind=As.AMOUNT, sort=("monthly_rent_now", "code"),
    ),
    Col(
        "rate", gettext_lazy("Rate"), lambda row: row.offset_rate_now, shown=lambda row: percent(row.offset_rate_now),
        kind=As.NUMBER,
    ),
    Col(
        "cap", gettext_lazy("Cap"), lambda row: row.offset_cap_now, shown=lambda row: percent(row.offset_cap_now),
        kind=As.NUMBER,
    ),
    Col(
        "decision", FIELDS["decision_no"], lambda row: row.decision_no or _("missing"),
        small=lambda row: row.get_basis_display(), width=20,
    ),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def leases(request: HttpRequest) -> HttpResponseBase:
    """This page will list the leases on the register."""
    get, today = request.GET, timezone.localdate()
    words, state, street = (get.get(name, "").strip()[:120] for name in ("q", "state", "street"))
    rows = _seen(request)
    for word in words.split():
        rows = rows.filter(
            Q(code__istartswith=word)
            | Q(premises__name__icontains=word)
            | Q(premises__code__istartswith=word)
            | Q(operator__name__icontains=word)
            | Q(decision_no__icontains=word)
        )
    if state in STATES:
        rows = rows.filter(
            {
                "running": Q(starts_on__lte=today, ends_on__gte=today),
                "coming": Q(starts_on__gt=today),
                "ended": Q(ends_on__lt=today),
            }[state]
        )
    if street:
        rows = rows.filter(premises__division__in=ids_under([street]))
    keeping = plays(request.user, REGISTER_KEEPERS)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="leases",
        title=_("Leases"),
        filters=[
            Filter("q", _("Code, premises, operator or decision"), words),
            Filter("state", _("State"), state, list(STATES.items())),
            Filter("street", _("Street"), street, street_choices(request.user)),
        ],
        acts=[{"label": _("New lease"), "href": reverse("registers:new_lease"), "main": True}]
        if keeping
        else [],
        nothing=(_("No lease on the register yet"), _("Enter the first, or load a file under Work.")),
    )


def _one(request: HttpRequest, code: str) -> Lease:
    return get_object_or_404(
        scope.leases(request.user)
        .select_related("premises__division__parent__parent__parent", "operator")
        .prefetch_related("terms"),
        code=code,
    )


def _trail(name: str, href: str | None = None, *rest: str) -> list[tuple[str, str | None]]:
    return trail(_("Leases"), "registers:leases", name, href, *rest)


@roles(*REGISTER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def lease(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show one lease: parties, terms by date, what it charges month by month, its programmes."""
    found = _one(request, code)
    keeping = plays(request.user, REGISTER_KEEPERS)
    lacking = keeping and not (found.basis and found.decision_no)
    base = row_of("leases", found)
    form = DecisionForm(request.POST if request.method == "POST" else None, base=base)
    if request.method == "POST":
        require_keeper(request)
        if form.enter(by=request.user, at=timezone.now()):
            messages.success(request, _("Saved. Certificates can be issued now."))
            return redirect("registers:lease", code)
    versions = sorted(found.terms.all(), key=lambda one: one.starts_on)
    today = timezone.localdate()
    current = [one for one in versions if one.starts_on <= today][-1:] or versions[:1]
    plan = rent_schedule(
        starts_on=found.starts_on, ends_on=found.ends_on, terms=[dated(one) for one in versions]
    )
    state = state_of(found)
    return render(
        request,
        "registers/lease.html",
        {
            "one": found,
            "state": STATES[state],
            "tone": MARKS[state][0],
            "mark": MARKS[state][1],
            "street": street_of(found.premises.division),
            "versions": versions[::-1],
            "current": current[0] if current else None,
            "plan": plan,
            "sums": sums(plan),
            "programmes": list(found.programmes.order_by("code")),
            "statements": list(Statement.objects.filter(lease=found).order_by("-month")[:6]),
            "reminders": list(found.reminders.all()),
            "reminding": plays(request.user, BUREAU),
            "keeping": keeping,
            "form": form if lacking else None,
            "history": history(found.code),
            "trail": _trail(found.code),
        },
        status=422 if form.errors else 200,
    )


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_lease(request: HttpRequest) -> HttpResponse:
    """This page will enter a lease, after its rent schedule was looked at."""
    seen = leasable(scope.premises(request.user))
    initial = {"premises": request.GET.get("premises", "")[:12]}
    form = LeaseForm(request.POST if request.method == "POST" else None, premises=seen, initial=initial)
    plan = None
    if request.method == "POST" and form.is_valid():
        sure = request.POST.get("do") == "sure" and form.was_shown
        if form.enter(by=request.user, at=timezone.now(), dry_run=not sure):
            if sure:
                messages.success(request, _("Entered on the register."))
                return redirect("registers:lease", form.row["code"].strip())
            plan = form.plan
            form.show()
    return _previewing(
        request, form, plan, title=_("New lease"), sure=_("Enter the lease"), back=reverse("registers:leases"),
        trail=_trail(_("New lease")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_terms(request: HttpRequest, code: str) -> HttpResponse:
    """This page will give a lease new terms from a month on, after their schedule was looked at."""
    found = _one(request, code)
    base = row_of("leases", found)
    first = next_month(timezone.localdate().replace(day=1))
    if (open_from := first_open_day()) and open_from > first:
        first = open_from
    kept = ("monthly_rent", "rent_free_until", "offset_rate", "offset_cap", "carry_months")
    initial = {name: base[name] for name in kept} | {"starts_on": first.isoformat()}
    form = TermsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method != "POST":
        form.initial["seen"] = digest(base)
    plan = None
    if request.method == "POST" and form.is_valid():
        sure = request.POST.get("do") == "sure" and form.was_shown
        done = form.attempt(
            lambda: tenancy.set_terms(
                lease=found,
                row=form.row,
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=timezone.now(),
                dry_run=not sure,
            )
        )
        if done and sure:
            messages.success(request, _("New terms from %(day)s.") % {"day": done.starts_on})
            return redirect("registers:lease", code)
        if done:
            plan = form.plan(found)
            form.show()
    return _previewing(
        request, form, plan, title=_("New terms of %(lease)s") % {"lease": code}, sure=_("Set these terms"),
        back=reverse("registers:lease", args=[code]), lease=found,
        trail=_trail(code, reverse("registers:lease", args=[code]), _("New terms")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def end_lease(request: HttpRequest, code: str) -> HttpResponse:
    """This page will move the last day of a lease; what elders still hold under it is shown and honoured."""
    found = _one(request, code)
    base = row_of("leases", found)
    form = EndForm(request.POST if request.method == "POST" else None, initial={"ends_on": base["ends_on"]})
    if request.method != "POST":
        form.initial["seen"] = digest(base)
    plan = left = None
    if request.method == "POST" and form.is_valid():
        sure = request.POST.get("do") == "sure" and form.was_shown
        left = tenancy.outstanding(found, after=form.until)
        done = form.attempt(
            lambda: tenancy.end_lease(
                lease=found,
                ends_on=form.until,
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=timezone.now(),
                dry_run=not sure,
            )
        )
        if done and sure:
            messages.success(request, _("The last day is %(day)s now.") % {"day": form.until})
            return redirect("registers:lease", code)
        if done:
            plan = _plan_until(found, form.until)
            form.show()
    return _previewing(
        request, form, plan, title=_("The end of %(lease)s") % {"lease": code}, sure=_("Move the last day"),
        back=reverse("registers:lease", args=[code]), left=left, lease=found,
        orders=tenancy.open_orders(found, after=form.until) if plan else 0,
        trail=_trail(code, reverse("registers:lease", args=[code]), _("End")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def change_operator(request: HttpRequest, code: str) -> HttpResponse:
    """This page will end a lease and begin another of the same premises the day after."""
    found = _one(request, code)
    base = row_of("leases", found)
    kept = ("monthly_rent", "offset_rate", "offset_cap", "carry_months", "ends_on")
    form = OperatorChangeForm(
        request.POST if request.method == "POST" else None, initial={name: base[name] for name in kept}
    )
    if request.method != "POST":
        form.initial["seen"] = digest(base)
    plan = left = None
    if request.method == "POST" and form.is_valid():
        sure = request.POST.get("do") == "sure" and form.was_shown
        left = tenancy.outstanding(found, after=form.until)
        done = form.attempt(
            lambda: tenancy.change_operator(
                lease=found,
                ends_on=form.until,
                seen=form.cleaned_data["seen"],
                row=form.new_row,
                by=request.user,
                at=timezone.now(),
                dry_run=not sure,
            )
        )
        if done and sure:
            messages.success(request, _("The lease ends, and the next one begins the day after."))
            return redirect("registers:lease", form.row["code"].strip())
        if done:
            plan = form.plan
            form.show()
    return _previewing(
        request, form, plan, title=_("New operator for %(premises)s") % {"premises": found.premises.name},
        sure=_("Change the operator"), back=reverse("registers:lease", args=[code]), left=left, lease=found,
        orders=tenancy.open_orders(found, after=form.until) if plan else 0,
        trail=_trail(code, reverse("registers:lease", args=[code]), _("New operator")),
    )  # fmt: skip


def _plan_until(found: Lease, until: Any) -> list[Any]:
    terms = sorted((dated(one) for one in found.terms.all()), key=lambda one: one.starts_on)
    return rent_schedule(starts_on=found.starts_on, ends_on=until, terms=terms)


def _previewing(request: HttpRequest, form: Any, plan: Any, *, sure: str, **context: Any) -> HttpResponse:
    """The form, and below it what it would come to; only then the button that makes it so."""
    return form_page(
        request,
        form,
        verb=_("See what it comes to"),
        do="see",
        sure=sure,
        plan=plan,
        sums=sums(plan) if plan else None,
        template="registers/lease_form.html",
        **context,
    )
