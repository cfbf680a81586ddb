"""The rules: what each looks for and why, its parameters and since when, who set them."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ledger.journal.queries import first_open_day
from marketplace.accounts.models import Role
from marketplace.jobs.models import Job
from marketplace.jobs.operations import start
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles, whole_city
from marketplace.web.bureau.reviews.cases import DECIDERS
from marketplace.web.bureau.reviews.forms import RuleForm, RunForm
from vouchers.models import RuleTerms
from vouchers.review.backlog import backlog, decided_by_rule
from vouchers.review.catalogue import RULES
from vouchers.review.parameters import CannotSetTerms, Terms, in_force, set_terms
from vouchers.review.queries import recent_months

DECIDED_DAYS = 90


@roles(*BUREAU)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """This page will list the rules with what they do now, what waits of each and what became of the rest."""
    now = timezone.now()
    seen = scope.review_cases(request.user)
    waiting = {line.rule: line for line in backlog(seen, at=now).lines}
    decided = decided_by_rule(seen.filter(decided_at__gte=now - timedelta(days=DECIDED_DAYS)))
    return render(
        request,
        "bureau/reviews/rules.html",
        {
            "rows": [
                {"terms": terms, "waiting": waiting.get(code), "decided": decided.get(code, {})}
                for code, terms in in_force(_this_month()).items()
            ],
            "days": DECIDED_DAYS,
            "trail": [(_("Review"), reverse("bureau:reviews")), (_("Rules"), None)],
        },
    )


@roles(*BUREAU)
@require_safe
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """This page will explain one rule."""
    return _page(request, code)


@roles(Role.BUREAU_APPROVER)
@whole_city
@require_POST
def set_rule(request: HttpRequest, code: str) -> HttpResponseBase:
    """This page will set a rule's parameters from a month on."""
    form = RuleForm(request.POST, terms=_terms(code), first=_first_month())
    if not form.is_valid():
        return _page(request, code, form, status=422)
    mode = form.cleaned_data["mode"]
    try:
        set_terms(
            rule=code,
            valid_from=form.month,
            active=mode != "rest",
            holds=mode == "hold",
            values=form.values,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
    except CannotSetTerms as refusal:
        form.add_error(None, str(refusal))
        return _page(request, code, form, status=422)
    messages.success(
        request,
        _(
            "Set. Cases that stand already are not touched; let the rule look again at what was served before."
        ),
    )
    return redirect("bureau:rule", code=code)


@roles(*DECIDERS)
@whole_city
@require_POST
def run(request: HttpRequest, code: str) -> HttpResponseBase:
    """This page will have one rule look again at a month, as its parameters are now."""
    _terms(code)
    form = RunForm(request.POST, months=recent_months())
    if not form.is_valid():
        return _page(request, code, again=form, status=422)
    args = {"month": form.cleaned_data["month"], "rule": code}
    job = start(kind=Job.Kind.REVIEW, args=args, by=request.user, at=timezone.now())
    return redirect("job", job.pk)


def _this_month() -> date:
    return timezone.localdate().replace(day=1)


def _first_month() -> date:
    """Parameters change from the first open month that is not over."""
    return max(first_open_day() or _this_month(), _this_month())


def _terms(code: str) -> Terms:
    if code not in RULES:
        raise Http404("no such rule")
    return in_force(_this_month())[code]


def _page(
    request: HttpRequest,
    code: str,
    form: RuleForm | None = None,
    *,
    again: RunForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now, terms = timezone.now(), _terms(code)
    seen = scope.review_cases(request.user).filter(reason=code)
    if form is None and plays(request.user, frozenset({Role.BUREAU_APPROVER}), city=True):
        form = RuleForm(terms=terms, first=_first_month())
    months = recent_months() if plays(request.user, DECIDERS, city=True) else []
    if again is None and months and terms.active:
        again = RunForm(months=months)
    waiting = backlog(seen, at=now).lines
    about: dict[str, Any] = {
        "rule": terms.rule,
        "terms": terms,
        "parameters": [(one, terms.values[one.name]) for one in terms.rule.parameters],
        "history": [
            (row, [(one.label, row.values.get(one.name, one.default)) for one in terms.rule.parameters])
            for row in RuleTerms.objects.filter(rule=code).order_by("-valid_from", "-id")
        ],
        "waiting": waiting[0] if waiting else None,
        "decided": decided_by_rule(seen.filter(decided_at__gte=now - timedelta(days=DECIDED_DAYS))).get(
            code, {}
        ),
        "days": DECIDED_DAYS,
        "form": form,
        "again": again,
        "trail": [
            (_("Review"), reverse("bureau:reviews")),
            (_("Rules"), reverse("bureau:rules")),
            (terms.rule.label, None),
        ],
    }
    return render(request, "bureau/reviews/rule.html", about, status=status)
