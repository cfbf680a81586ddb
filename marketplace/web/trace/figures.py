"""The figures of a statement: what each is called, how it comes about, and the claims that make it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, QuerySet, SmallIntegerField, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vouchers.models import Claim, Statement
from vouchers.settlement.queries import held_back, pending, to_take_back


@dataclass(frozen=True)
class Figure:
    """`about` says in one sentence what stands in it (rules.md section 7)."""

    name: str
    label: Promise
    about: Promise


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("charge", _("Rent charged"), _("The monthly rent for the days of this month on which rent is due.")),
        Figure("earned", _("Earned this month"), _("Voucher value of this lease's programmes, served in this month, neither held for review nor reversed.")),
        Figure("late", _("Late"), _("Served in an earlier month, on no statement until now.")),
        Figure("reversed", _("Reversed"), _("Stood on an earlier statement and has been reversed since.")),
        Figure("credit", _("Credit"), _("Earned plus late less reversed, each value times the rate in force on its service date; rounded once.")),
        Figure("carry_in", _("Carried in"), _("What is left of earlier months' credit after lapsing, oldest first.")),
        Figure("lapsed", _("Lapsed"), _("What was left of a month's credit when its term ran out.")),
        Figure("carry_out", _("Carried on"), _("What is left of each month's credit after this month's offset, oldest used up first.")),
        Figure("under_review", _("Held for review"), _("Redemptions held back until someone decides; they are on no statement.")),
    )
}  # fmt: skip

OF_CLAIMS = ("earned", "late", "reversed", "credit", "under_review")
OF_LOTS = ("carry_in", "lapsed", "carry_out")


def claims(statement: Statement, figure: str) -> QuerySet[Claim]:
    """The claims that make a figure; each has `sign`: 1 where it adds to the credit, -1 where it takes away.

    A posted statement names its claims. Before that they are those that it would take now.
    """
    month = statement.month
    posted = statement.state == Statement.State.APPROVED
    held = held_back()
    of_lease = Claim.objects.filter(lease=statement.lease_id)
    if figure == "under_review":
        return of_lease.filter(held, pending(month)).annotate(sign=Value(1))
    if posted:
        adds: Any = Q(statement=statement)
        takes: Any = Q(taken_back=statement)
    else:
        adds = pending(month) & ~held
        takes = to_take_back()
    chosen = {
        "earned": adds & Q(service_on__gte=month),
        "late": adds & Q(service_on__lt=month),
        "reversed": takes,
        "credit": adds | takes,
    }[figure]
    sign = Case(When(takes, then=Value(-1)), default=Value(1), output_field=SmallIntegerField())
    return of_lease.filter(chosen).annotate(sign=sign)
