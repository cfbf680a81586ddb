"""One voucher's history, and the run that issued it."""

from dataclasses import dataclass
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.web import scope
from marketplace.web.access import BUREAU, STATEMENT_READERS, plays, roles
from marketplace.web.lists import Listing
from vouchers.models import IssueRun, Movement, Redemption, Voucher

# How a movement changes what is free to spend, and what is set aside.
FREE = {
    Movement.Kind.REDEEM: -1,
    Movement.Kind.GIVE_BACK: 1,
    Movement.Kind.HOLD: -1,
    Movement.Kind.RELEASE: 1,
    Movement.Kind.EXPIRE: -1,
    Movement.Kind.VOID: -1,
    Movement.Kind.UNVOID: 1,
    Movement.Kind.REDEEM_HELD: 0,
}
MARKS = {
    Movement.Kind.REDEEM: "receipt",
    Movement.Kind.REDEEM_HELD: "receipt",
    Movement.Kind.GIVE_BACK: "arrow-counterclockwise",
    Movement.Kind.HOLD: "lock-fill",
    Movement.Kind.RELEASE: "unlock",
    Movement.Kind.EXPIRE: "hourglass-split",
    Movement.Kind.VOID: "slash-circle",
    Movement.Kind.UNVOID: "arrow-counterclockwise",
}


@dataclass(frozen=True)
class Line:
    """One step of a voucher's life: `change` of what is free to spend, and what is free `left` after it."""

    movement: Movement
    change: Decimal
    left: Decimal
    mark: str
    redemption: Redemption | None  # only when the reader may see it


def history(voucher: Voucher, *, visible: set[int]) -> list[Line]:
    """The voucher's movements in the order in which they were written, with the balance after each."""
    left = voucher.face_value
    lines = []
    movements = voucher.movements.select_related("entry", "redemption__service", "hold").order_by("id")
    for movement in movements:
        change = movement.amount * FREE[Movement.Kind(movement.kind)]
        left += change
        redemption = movement.redemption if movement.redemption_id in visible else None
        lines.append(Line(movement, change, left, MARKS[Movement.Kind(movement.kind)], redemption))
    return lines


@roles(*STATEMENT_READERS)
@require_safe
def voucher(request: HttpRequest, serial: str) -> HttpResponse:
    """This page will tell a voucher's life from issue to now, and what is left of it."""
    found = get_object_or_404(
        scope.vouchers(request.user)
        .by_serial(serial)
        .select_related("programme__lease__premises", "elder__division", "run__entry")
    )
    visible = set(
        scope.redemptions(request.user).filter(movements__voucher=found).values_list("pk", flat=True)
    )
    lines = history(found, visible=visible)
    return render(
        request,
        "trace/voucher.html",
        {
            "voucher": found,
            "programme": found.programme,
            "lines": lines,
            "adds_up": (lines[-1].left if lines else found.face_value) == found.remaining,
            "reads_entries": plays(request.user, BUREAU),
            "trail": [
                *(
                    [
                        (
                            _("Issue run %(number)s") % {"number": found.run_id},
                            reverse("issue_run", args=[found.run_id]),
                        )
                    ]
                    if plays(request.user, BUREAU)
                    else []
                ),
                (_("Voucher %(serial)s") % {"serial": found.serial}, None),
            ],
        },
    )


@roles(*BUREAU)
@require_safe
def issue_run(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one run that issued vouchers, and each of them."""
    run = get_object_or_404(IssueRun.objects.select_related("programme__lease", "entry"), pk=number)
    issued = (
        scope.vouchers(request.user).filter(run=run).select_related("elder", "programme", "elder__division")
    )
    if not scope.sees_whole_city(request.user) and not issued.exists():
        raise Http404("nothing of this run is visible")
    listing = Listing(
        request,
        issued,
        sorts={"serial": "id", "remaining": ("remaining", "id"), "elder": ("elder__code", "id")},
    )
    return render(
        request,
        "trace/issue_run.html",
        {
            "run": run,
            "listing": listing,
            "trail": [(_("Issue run %(number)s") % {"number": run.pk}, None)],
        },
    )
