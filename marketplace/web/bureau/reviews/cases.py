"""The cases: what waits, one of them with the facts that made it, and what a person decides."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.bureau.reviews.forms import DecisionForm
from marketplace.web.bureau.reviews.orders import missing
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import row_number
from marketplace.web.lists import Listing
from vouchers.models import Redemption, ReviewCase
from vouchers.review.backlog import AGES, backlog, older_than
from vouchers.review.catalogue import RULES
from vouchers.review.operations import CannotHold, hold_back, release_all
from vouchers.settlement.operations import CannotSettle, decide_review

TOLD = 5  # refusals that are named one by one
DECIDERS = frozenset({Role.BUREAU_CLERK, Role.BUREAU_APPROVER})
STATES = {
    "open": Q(decision=""),
    "held": Q(decision="", holds=True),
    "marked": Q(decision="", holds=False),
    "decided": ~Q(decision=""),
}
SORTS = {
    "opened": ("opened_at", "id"),
    "rule": ("reason", "opened_at", "id"),
    "day": ("redemption__service_on", "id"),
    "value": ("redemption__vouchers", "id"),
    "lease": ("redemption__lease__code", "id"),
}
WITH = (
    "redemption__elder",
    "redemption__service",
    "redemption__lease__premises",
    "redemption__lease__operator",
)


@roles(*BUREAU)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """This page will list the cases, oldest first, with what waits for how long above them."""
    now = timezone.now()
    seen = scope.review_cases(request.user)
    wanted = {name: request.GET.get(name, "").strip()[:60] for name in ("q", "state", "rule", "age")}
    if wanted["state"] not in STATES:
        wanted["state"] = ""
    rows = seen.filter(STATES[wanted["state"] or "open"])
    if wanted["rule"] in RULES:
        rows = rows.filter(reason=wanted["rule"])
    if wanted["age"] in {str(days) for days, _label in AGES}:
        rows = older_than(rows, int(wanted["age"]), at=now)
    for word in wanted["q"].split():
        numbered = Redemption.objects.by_number(word.upper()).values("pk")
        rows = rows.filter(
            Q(redemption__in=numbered)
            | Q(redemption__lease__code__iexact=word)
            | Q(redemption__lease__premises__name__icontains=word)
            | Q(redemption__lease__operator__name__icontains=word)
        )
    rows = rows.select_related(*WITH).prefetch_related(
        "redemption__claims__statement", "redemption__review_cases"
    )
    listing = Listing(request, rows, sorts=SORTS, default="opened")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    waiting = backlog(seen, at=now)
    return render(
        request,
        "bureau/reviews/index.html",
        {
            "listing": listing,
            "cases": [about(case, now) for case in listing.page],
            "backlog": waiting,
            "lines": [(RULES[line.rule], line) for line in waiting.lines],
            "most": max((count for _d, _l, count in waiting.ages), default=0) or 1,
            "orders": missing(request.user, now).count(),
            "servings": scope.servings(request.user).open_cases().count(),  # type: ignore[attr-defined]
            "states": [("open", _("open")), ("held", _("held back")), ("marked", _("marked")), ("decided", _("decided"))],
            "rules": list(RULES.values()),
            "ages": [(str(days), _("%(days)s days and older") % {"days": days}) for days, _label in AGES if days],
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "decides": plays(request.user, DECIDERS) and wanted["state"] != "decided",
            "ticked": request.GET.get("ticked") == "1",
            "trail": [(_("Review"), None)],
        },
    )  # fmt: skip


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="reviews",
        title="reviews",
        fields=(
            Field(_("Redemption"), width=16),
            Field(_("Rule"), width=24),
            Field(_("What was found"), width=50),
            Field(_("Service date"), As.DATE, width=12),
            Field(_("Elder"), width=10),
            Field(_("Lease"), width=10),
            Field(_("Premises"), width=24),
            Field(_("Operator"), width=24),
            Field(_("Voucher value"), As.AMOUNT, width=14),
            Field(_("Opened"), As.TIME, width=20),
            Field(_("State"), width=14),
            Field(_("Held back by"), width=16),
            Field(_("Why held back"), width=40),
            Field(_("Decided"), As.TIME, width=20),
            Field(_("Decided by"), width=16),
            Field(_("Reason"), width=40),
        ),
        rows=(
            [
                case.redemption.number,
                RULES[case.reason].label,
                RULES[case.reason].sentence(case.facts),
                case.redemption.service_on,
                case.redemption.elder.masked_name,
                case.redemption.lease.code,
                case.redemption.lease.premises.name,
                case.redemption.lease.operator.name,
                case.redemption.vouchers,
                case.opened_at,
                case.get_decision_display() or (_("held back") if case.holds else _("marked")),
                case.held_by,
                case.held_for,
                case.decided_at,
                case.decided_by,
                case.note,
            ]
            for case in listing.rows
        ),
    )


def about(case: ReviewCase, now: Any) -> dict[str, Any]:
    """A case as the pages show it: its rule, what was found in words, its age, where its redemption stands, and
    what else holds that back."""
    claims = list(case.redemption.claims.all())
    others = [one for one in case.redemption.review_cases.all() if one.pk != case.pk and not one.decision]
    return {
        "case": case,
        "redemption": case.redemption,
        "rule": RULES[case.reason],
        "said": RULES[case.reason].sentence(case.facts),
        "days": ((case.decided_at or now) - case.opened_at).days,
        "stands": [claim.statement for claim in claims if claim.statement],
        "also_held": [RULES[one.reason].label for one in others if one.holds],
    }


@roles(*BUREAU)
@require_safe
def case(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one case: the finding, the redemption, what stands beside it, and the decision."""
    return _page(request, _find(request, number), DecisionForm())


@roles(*DECIDERS)
@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponseBase:
    """This page will hold, release or reject; a rejection is shown once more before it is done."""
    found = _find(request, number)
    decision = request.POST.get("decision", "")
    form = DecisionForm(request.POST)
    if decision not in ("hold", "release", "reject", "confirm"):
        form.add_error(None, _("Choose what is to be done"))
    if not form.is_valid():
        return _page(request, found, form, status=422)
    if decision == "reject":
        return _page(request, found, form, confirming=True)
    reason, now = form.cleaned_data["reason"], timezone.now()
    try:
        if decision == "hold":
            hold_back(case=found, by=request.user, at=now, reason=reason)
            messages.success(request, _("Held back. It stands on no statement until somebody decides."))
        else:
            decide_review(
                redemption=found.redemption,
                release=decision == "release",
                by=request.user,
                at=now,
                reason=reason,
                seen={found.pk, *map(row_number, request.POST.getlist("seen"))},
            )
            said = _("Released: it counts.") if decision == "release" else _("Rejected: it was reversed.")
            messages.success(request, said)
    except (CannotHold, CannotSettle) as refusal:
        messages.error(request, str(refusal))
    return redirect("bureau:review", number=found.pk)


@roles(*DECIDERS)
@require_POST
def release(request: HttpRequest) -> HttpResponseBase:
    """This page will release the cases that were ticked, all for one reason."""
    numbers = [number for number in map(row_number, request.POST.getlist("case")) if number][:200]
    form = DecisionForm(request.POST)
    back = f"{reverse('bureau:reviews')}?{request.POST.get('back', '')[:300]}"
    if not numbers:
        messages.error(request, _("Tick the cases that are to be released."))
    elif not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
    else:
        chosen = Redemption.objects.filter(
            pk__in=scope.review_cases(request.user).filter(pk__in=numbers, decision="").values("redemption")
        ).order_by("pk")
        done, refused = release_all(
            redemptions=chosen,
            by=request.user,
            at=timezone.now(),
            reason=form.cleaned_data["reason"],
            seen=set(numbers),
        )
        said = ngettext("%(n)s redemption released.", "%(n)s redemptions released.", done)
        if done:
            messages.success(request, said % {"n": done})
        for redemption, refusal in refused[:TOLD]:
            messages.error(request, f"{redemption.number}: {refusal}")
        if more := len(refused[TOLD:]):
            said = ngettext(
                "And %(n)s more was left as it is.", "And %(n)s more were left as they are.", more
            )
            messages.error(request, said % {"n": more})
    return redirect(back)


def _find(request: HttpRequest, number: int) -> ReviewCase:
    return get_object_or_404(scope.review_cases(request.user).select_related(*WITH), pk=number)


def _up() -> list[tuple[str, str | None]]:
    return [(_("Review"), reverse("bureau:reviews"))]


def _page(
    request: HttpRequest,
    found: ReviewCase,
    form: DecisionForm,
    *,
    confirming: bool = False,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    redemption = found.redemption
    others = redemption.review_cases.exclude(pk=found.pk).order_by("id")
    beside = [
        other
        for number in found.facts.get("beside", [])
        for other in scope.redemptions(request.user)
        .by_number(number)
        .select_related("service", "lease__premises")
    ]
    return render(
        request,
        "bureau/reviews/case.html",
        {
            **about(found, now),
            "others": [about(other, now) for other in others],
            "asked": redemption.call_backs.exclude(result="").select_related("round").order_by("id"),
            "beside": beside,
            "form": form,
            "confirming": confirming,
            "decides": plays(request.user, DECIDERS) and not found.decision,
            "trail": [*_up(), (redemption.number, None)],
        },
        status=status,
    )
