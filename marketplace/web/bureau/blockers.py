"""What stands between a month and its lock, as the desk says it. The rule itself is lock_if_complete's."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ledger.journal.queries import next_month
from marketplace.templatetags.yiquan import month_name
from marketplace.web import scope
from marketplace.web.bureau.totals import Totals
from providers.models import Lease
from vouchers.models import Statement
from vouchers.settlement.queries import not_posted, without_statement

NAMED = 8
"""So many leases without a statement are named; the rest is counted."""

State = Statement.State


@dataclass(frozen=True)
class Blocker:
    """`query` filters the month's list to what is meant; `href` is another page that shows it. `leases` have no
    statement yet: drawing the month up again gives them one."""

    text: str
    query: str = ""
    href: str = ""
    leases: tuple[str, ...] = ()


def blockers(month: date, totals: Totals, user: Any, *, objected: int, locked: date | None) -> list[Blocker]:
    """What this month waits for, of what this person sees: `totals`, and how many of its statements are `objected` to
    without an answer yet. `locked`: the last locked month.

    What is held back for review is not among them: it stands on no statement, and counts once it is cleared.
    """
    return [
        *_steps(totals),
        *_objected(objected),
        *_missing(month, user),
        *_elsewhere(month, totals, user),
        *_earlier(month, locked),
    ]


def held(totals: Totals) -> str:
    """How much is held back for review, beside what blocks; empty where nothing is."""
    if not (n := totals.under_review):
        return ""
    said = ngettext("%(n)s redemption is held for review", "%(n)s redemptions are held for review", n)
    return said % {"n": n}


def _steps(totals: Totals) -> list[Blocker]:
    waits = {
        State.DRAFT: lambda n: ngettext(
            "%(n)s waits for the operator to confirm", "%(n)s wait for the operator to confirm", n
        ),
        State.CONFIRMED: lambda n: ngettext(
            "%(n)s waits for the street to review", "%(n)s wait for the street to review", n
        ),
        State.REVIEWED: lambda n: ngettext(
            "%(n)s waits for the bureau to approve", "%(n)s wait for the bureau to approve", n
        ),
    }
    return [
        Blocker(sentence(n) % {"n": n}, query=f"state={state}")
        for state, sentence in waits.items()
        if (n := totals.states.get(state, 0))
    ]


def _objected(n: int) -> list[Blocker]:
    if not n:
        return []
    said = ngettext(
        "%(n)s has an objection that waits for an answer; it cannot be confirmed before",
        "%(n)s have objections that wait for an answer; they cannot be confirmed before",
        n,
    )
    return [Blocker(said % {"n": n}, query="objected=1")]


def _missing(month: date, user: Any) -> list[Blocker]:
    codes = _codes(without_statement(month).filter(pk__in=scope.leases(user).values("pk")))
    if not codes:
        return []
    n = len(codes)
    said = ngettext(
        "%(n)s lease has no statement yet: draw the month up again",
        "%(n)s leases have no statement yet: draw the month up again",
        n,
    )
    return [Blocker(said % {"n": n}, leases=codes[:NAMED])]


def _codes(leases: Any) -> tuple[str, ...]:
    return tuple(leases.order_by("code").values_list("code", flat=True))


def _elsewhere(month: date, totals: Totals, user: Any) -> list[Blocker]:
    """What waits in other divisions, of which this person sees no more than that."""
    if scope.sees_whole_city(user):
        return []
    unseen = Lease.objects.exclude(pk__in=scope.leases(user).values("pk"))
    n = not_posted(month).count() - totals.waiting + without_statement(month).filter(pk__in=unseen).count()
    if not n:
        return []
    said = ngettext(
        "%(n)s lease of another division is not posted yet",
        "%(n)s leases of other divisions are not posted yet",
        n,
    )
    return [Blocker(said % {"n": n})]


def _earlier(month: date, locked: date | None) -> list[Blocker]:
    if locked is None or locked >= (month - timedelta(days=1)).replace(day=1):
        return []
    first = next_month(locked)
    said = _("%(month)s is still open, and comes first") % {"month": month_name(first)}
    return [Blocker(said, href=reverse("bureau:month", args=[first]))]
