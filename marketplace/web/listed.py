"""Statements as lists show them: plain values.

A large city's month is 500 leases, of which a page shows fifty and sums up all: to make an object of each statement,
its lease, premises, operator and the divisions above takes longer than to write the page.
"""

from typing import Any

from django.db.models import Exists, F, Max, OuterRef, QuerySet, Subquery

from vouchers.models import Objection, Statement

OF_LEASE = {
    "code": F("lease__code"),
    "premises": F("lease__premises__name"),
    "operator": F("lease__operator__name"),
    "operator_code": F("lease__operator__code"),
    "division": F("lease__premises__division"),
}


OBJECTIONS = Objection.objects.filter(statement=OuterRef("pk"))
OF_OBJECTIONS = {
    "objected": Exists(OBJECTIONS.filter(answer="")),
    "answered_at": Subquery(
        OBJECTIONS.order_by().values("statement").annotate(last=Max("answered_at")).values("last")
    ),
}


def listed(statements: QuerySet[Statement], *, objections: bool = False) -> QuerySet[Any, Any]:
    """These statements as named rows: month, state, counts and figures are the statement's own; `code` is the
    lease's, `premises` and `operator` are names, `division` is the number of the premises' own.

    With `objections`, `objected` is whether one waits for its answer, `answered_at` when the last was answered.
    """
    more = {**OF_LEASE, **(OF_OBJECTIONS if objections else {})}
    own = ("month", "state", "drawn_at", "redemptions", "under_review", *Statement.FIGURES)
    return statements.annotate(**more).values_list(*more, *own, named=True)
