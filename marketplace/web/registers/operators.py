"""The register of operators: list, one operator with checks and suspensions by date, entering and changing."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As
from marketplace.templatetags.yiquan import iso
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, plays, roles, whole_city
from marketplace.web.registers.entry import EntryForm, day, number, reason, text
from marketplace.web.registers.history import history
from marketplace.web.registers.lease_forms import a_day
from marketplace.web.registers.pages import form_page, require_keeper, trail
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.models import Lease, Operator, SafetyCheck, Suspension
from providers.operators.queries import Standing, standings
from providers.operators.standing import CannotReinstate, reinstate
from vouchers.city.entry import row_of

STANDINGS = {
    "good": (gettext_lazy("may serve"), "ok", "check-circle-fill"),
    "old": (gettext_lazy("safety check too old"), "no", "exclamation-triangle-fill"),
    "suspended": (gettext_lazy("suspended"), "no", "x-octagon-fill"),
}


class OperatorForm(EntryForm):
    register = "operators"
    code = text(FIELDS["code"], hint=gettext_lazy("A capital letter, then capital letters or digits: OP0012"))
    name = text(FIELDS["name"])
    uscc = text(FIELDS["uscc"], longest=18)
    phone = text(FIELDS["phone"], longest=24, inputmode="tel")
    filing_no = text(FIELDS["filing_no"], longest=60)
    stars = number(FIELDS["stars"])
    safety_checked_on = day(gettext_lazy("Latest safety check"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.base:
            del self.fields["code"], self.fields["safety_checked_on"]


class CheckForm(EntryForm):
    register = "operators"
    safety_checked_on = day(
        gettext_lazy("Day of the check"), hint=gettext_lazy("Good for 365 days; later than those on record.")
    )


class SuspendForm(EntryForm):
    register = "operators"
    suspended_on = day(
        gettext_lazy("First day"), hint=gettext_lazy("From this day on nothing can be redeemed.")
    )


class ReinstateForm(EntryForm):
    reinstated_on = day(gettext_lazy("May serve again from"))
    why = reason(gettext_lazy("Why?"))

    AT = {"too_early": "reinstated_on"}

    def clean_reinstated_on(self) -> str:
        return a_day(self.cleaned_data["reinstated_on"])

    def reinstate(self, operator: Operator, *, by: Any) -> Suspension | None:
        if not self.is_valid():
            return None
        try:
            return reinstate(
                operator=operator,
                on=date.fromisoformat(self.cleaned_data["reinstated_on"]),
                reason=self.cleaned_data["why"],
                by=by,
                at=timezone.now(),
            )
        except CannotReinstate as refusal:
            self.add_error(self.AT.get(refusal.code), str(refusal))
            return None


def _seen(request: HttpRequest) -> QuerySet[Operator]:
    """The operators of the leases seen; those who see the whole city see every operator."""
    if scope.sees_whole_city(request.user):
        return Operator.objects.all()
    return Operator.objects.filter(id__in=scope.leases(request.user).values("operator"))


def _standing(row: Any) -> str:
    standing = Standing(row.checked_on, row.is_suspended)
    if standing.suspended:
        return "suspended"
    return "good" if standing.may_serve(timezone.localdate()) else "old"


COLUMNS = [
    Col(
        "name", gettext_lazy("Operator"), lambda row: row.name, small=lambda row: row.code,
        href=lambda row: reverse("registers:operator", args=[row.code]), sort=("name", "code"), width=30,
    ),
    Col("code", FIELDS["code"], lambda row: row.code, sort=("code",), page=False),
    Col(
        "standing", gettext_lazy("State"), lambda row: STANDINGS[_standing(row)][0],
        mark=lambda row: STANDINGS[_standing(row)][1:], width=18,
    ),
    Col(
        "checked", gettext_lazy("Latest safety check"), lambda row: row.checked_on,
        shown=lambda row: iso(row.checked_on),
        small=lambda row: _("good until %(day)s") % {"day": Standing(row.checked_on, False).good_until}
        if row.checked_on else "",
        kind=As.DATE, sort=("checked_on", "code"),
    ),
    Col("stars", FIELDS["stars"], lambda row: row.stars, kind=As.NUMBER, sort=("stars", "code"), width=8),
    Col(
        "leases", gettext_lazy("Leases running"), lambda row: row.running, kind=As.NUMBER, sort=("running", "code"),
        width=12,
    ),
    Col("uscc", FIELDS["uscc"], lambda row: row.uscc, page=False, width=22),
    Col("filing", FIELDS["filing_no"], lambda row: row.filing_no, width=18),
    Col("phone", FIELDS["phone"], lambda row: row.phone, page=False),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def operators(request: HttpRequest) -> HttpResponseBase:
    """This page will list the operators and whether they may serve today."""
    today = timezone.localdate()
    words, standing = (request.GET.get(name, "").strip()[:120] for name in ("q", "standing"))
    checks = SafetyCheck.objects.filter(operator=OuterRef("pk"), checked_on__lte=today).order_by()
    suspended = Suspension.objects.filter(
        Q(reinstated_on=None) | Q(reinstated_on__gt=today), operator=OuterRef("pk"), starts_on__lte=today
    )
    running = (
        Lease.objects.filter(operator=OuterRef("pk"), starts_on__lte=today, ends_on__gte=today)
        .order_by()
        .values("operator")
        .annotate(n=Count("id"))
        .values("n")
    )
    rows = _seen(request).annotate(
        checked_on=Subquery(checks.values("operator").annotate(last=Max("checked_on")).values("last")),
        is_suspended=Exists(suspended),
        running=Subquery(running),
    )
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(code__istartswith=word) | Q(uscc__istartswith=word))
    if standing == "suspended":
        rows = rows.filter(is_suspended=True)
    keeping = plays(request.user, REGISTER_KEEPERS, city=True)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="operators",
        title=_("Operators"),
        default="code",
        filters=[
            Filter("q", _("Name, code or credit code"), words),
            Filter("standing", _("State"), standing, [("suspended", _("suspended"))]),
        ],
        acts=[{"label": _("Add an operator"), "href": reverse("registers:new_operator"), "main": True}]
        if keeping
        else [],
        nothing=(_("No operator on the register yet"), _("Add the first, or load a file under Work.")),
    )


def _trail(name: str, href: str | None = None, *rest: str) -> list[tuple[str, str | None]]:
    return trail(_("Operators"), "registers:operators", name, href, *rest)


@roles(*REGISTER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def operator(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show one operator: its leases, checks and suspensions by date, and note new ones."""
    found = get_object_or_404(_seen(request), code=code)
    base = row_of("operators", found)
    today = timezone.localdate()
    check, suspend, back = CheckForm(base=base), SuspendForm(base=base), ReinstateForm()
    wrong: EntryForm | None = None
    if request.method == "POST":
        require_keeper(request, city=True)
        what, done = request.POST.get("do"), ""
        if what == "reinstate":
            wrong = back = ReinstateForm(request.POST)
            if back.reinstate(found, by=request.user):
                done = _("Noted: the operator may serve again from that day.")
        else:
            wrong = form = (SuspendForm if what == "suspend" else CheckForm)(request.POST, base=base)
            draft = form.enter(by=request.user, at=timezone.now())
            if draft and (draft.changed or draft.new):
                done = _("Noted.")
            elif draft:
                form.add_error(
                    next(name for name in form.fields if name != "seen"),
                    _("This adds nothing to what is on record."),
                )
            check, suspend = (check, form) if what == "suspend" else (form, suspend)  # type: ignore[assignment]
        if done:
            messages.success(request, done)
            return redirect("registers:operator", code)
    standing = standings([found], today)[found.pk]
    label, tone, mark = STANDINGS[
        "suspended" if standing.suspended else "good" if standing.may_serve(today) else "old"
    ]
    keeping = plays(request.user, REGISTER_KEEPERS, city=True)
    return render(
        request,
        "registers/operator.html",
        {
            "one": found,
            "label": label,
            "tone": tone,
            "mark": mark,
            "standing": standing,
            "checks": list(found.safety_checks.order_by("-checked_on")),
            "suspensions": list(found.suspensions.order_by("-starts_on")),
            "open": found.suspensions.filter(reinstated_on=None).exists(),
            "leases": list(
                scope.leases(request.user)
                .filter(operator=found)
                .select_related("premises")
                .order_by("-starts_on")
            ),
            "keeping": keeping,
            "check": check,
            "suspend": suspend,
            "reinstate": back,
            "wrong": wrong if wrong is not None and wrong.errors else None,
            "history": history(found.code),
            "trail": _trail(found.name),
        },
        status=422 if wrong is not None and wrong.errors else 200,
    )


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def new_operator(request: HttpRequest) -> HttpResponse:
    """This page will put an operator on the register."""
    form = OperatorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Entered on the register."))
        return redirect("registers:operator", form.row["code"].strip())
    return form_page(
        request, form, title=_("Add an operator"), verb=_("Add to the register"), back=reverse("registers:operators"),
        trail=_trail(_("Add an operator")),
    )  # fmt: skip


@roles(*REGISTER_KEEPERS)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def edit_operator(request: HttpRequest, code: str) -> HttpResponse:
    """This page will change what describes an operator; what was stays in its history."""
    found = get_object_or_404(_seen(request), code=code)
    form = OperatorForm(request.POST if request.method == "POST" else None, base=row_of("operators", found))
    here = reverse("registers:operator", args=[code])
    if request.method == "POST" and form.enter(by=request.user, at=timezone.now()):
        messages.success(request, _("Saved. What was before stands in the history."))
        return redirect(here)
    return form_page(
        request, form, title=_("Change the operator’s record"), verb=_("Save"), back=here,
        about=_("An empty field keeps what is on record."), trail=_trail(found.name, here, _("Edit")),
    )  # fmt: skip
