"""Reminders of rent: who gets one, looked at, made together as one PDF, and what was sent before."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.journal.queries import last_day
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, role_of, roles
from marketplace.web.bureau import letters
from marketplace.web.lists import Listing
from marketplace.web.payments.papers import given
from providers.leases.arrears import BOUNDS
from providers.models import Lease, Reminder, ReminderRun
from providers.reminders.operations import CannotRemind, Draft, digest, drafts, letter_of, lines_of, remind

# How many days ago the oldest open month ended.
AGES = {"0": gettext_lazy("all that is due"), **{str(n): gettext_lazy("over %(days)s days") for n in BOUNDS}}
USUAL_AGE = "30"


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def reminders(request: HttpRequest) -> HttpResponse:
    """This page will propose letters to leases in arrears, by age or to one, make those that a clerk chose, and
    list what was sent."""
    sending = role_of(request.user) == Role.BUREAU_CLERK
    leases = {one.code: one for one in scope.leases(request.user).select_related("operator", "premises")}
    only = request.GET.get("lease", "")
    if only and only not in leases:
        raise Http404("no such lease")
    age = request.GET.get("over", "")
    age = age if age in AGES else USUAL_AGE
    found = drafts(timezone.localdate(), of=[only] if only else leases)
    if not only:
        found = [one for one in found if _days(one) > int(age)]
    chosen = {one.lease for one in found if not one.term_runs}
    refusal: CannotRemind | None = None
    if request.method == "POST":
        if not sending:
            raise PermissionDenied
        seen = dict(one.partition(":")[::2] for one in request.POST.getlist("take"))
        seen = {code: known for code, known in seen.items() if code in leases}
        chosen = set(seen)
        if request.POST.get("do") == "look" and (looked_at := drafts(timezone.localdate(), of=chosen)):
            return _look(looked_at, leases, request)
        try:
            run = remind(seen=seen, by=request.user, at=timezone.now())
            messages.success(request, _("The letters are ready: download them as one PDF."))
            return redirect(f"{reverse('bureau:reminders')}#run-{run.pk}")
        except CannotRemind as refused:
            refusal = refused
    runs = ReminderRun.objects.filter(letters__lease__in=leases.values()).distinct()
    listing = Listing(
        request,
        runs.prefetch_related("letters__lease"),
        sorts={"id": ("id",)},
        default="-id",
        per_page=20,
    )
    return render(
        request,
        "bureau/reminders.html",
        {
            "drafts": [(one, leases[one.lease], one.lease in chosen, digest(one)) for one in found],
            "ages": [(days, label % {"days": days}) for days, label in AGES.items()],
            "age": age,
            "only": leases.get(only),
            "sending": sending,
            "refusal": refusal,
            "listing": listing,
            "runs": [
                (run, [one for one in run.letters.all() if one.lease.code in leases]) for run in listing.page
            ],
            "trail": [
                (_("Bank lines"), reverse("bureau:receipts")),
                (_("Arrears"), reverse("bureau:arrears")),
                (_("Reminders"), None),
            ],
        },
        status=409 if refusal else 200,
    )


def _days(draft: Draft) -> int:
    """How long ago the oldest open month ended."""
    return (draft.dated_on - last_day(min(due.month for due in draft.debt.dues))).days


def _look(found: list[Draft], leases: dict[str, Lease], request: HttpRequest) -> HttpResponse:
    """The letters as they would be, marked as drafts; nothing is kept."""
    told = [(letter_of(one, leases[one.lease]), lines_of(one)) for one in found]
    language, at = get_language() or "zh-hans", timezone.now()
    return given(
        request,
        lambda: letters.pdf(told, language=language, at=at, draft=True),
        name="reminders-draft.pdf",
        back=reverse("bureau:reminders"),
    )


@roles(*BUREAU)
@require_safe
def run_pdf(request: HttpRequest, number: int) -> HttpResponse:
    """This page will give the letters of one run as PDF: those to leases that the reader sees."""
    run = get_object_or_404(ReminderRun, pk=number)
    return _sent(request, run.letters.filter(lease__in=scope.leases(request.user)), f"reminders-{run}")


@roles(*BUREAU, Role.OPERATOR_MANAGER)
@require_safe
def letter_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """This page will give one letter as PDF; also to the operator to whom it went."""
    found = Reminder.objects.filter(number=number, lease__in=scope.leases(request.user))
    return _sent(request, found, number)


def _sent(request: HttpRequest, found: QuerySet[Reminder], name: str) -> HttpResponse:
    """As they were sent, whatever has been paid since."""
    told = list(found.select_related("lease", "run").prefetch_related("lines").order_by("lease__code"))
    if not told:
        raise Http404("no such letter")
    language = get_language() or "zh-hans"
    return given(
        request,
        lambda: letters.pdf(
            [(one, list(one.lines.all())) for one in told], language=language, at=told[0].run.at
        ),
        name=f"{name}.pdf",
        back=reverse("bureau:reminders" if plays(request.user, BUREAU) else "office:rent"),
    )
