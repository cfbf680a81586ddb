"""Statements as lists show them: plain values.

A large city's month is 500 leases, of which a page shows fifty and sums up all: to make an object of each statement,
its lease, premises, operator and the divisions above takes longer than to write the page.
"""

from typing import Any

from django.db.models import F, QuerySet

from vouchers.models import Statement

OF_LEASE = {
    "code": F("lease__code"),
    "premises": F("lease__premises__name"),
    "operator": F("lease__operator__name"),
    "operator_code": F("lease__operator__code"),
    "division": F("lease__premises__division"),
}


def listed(statements: QuerySet[Statement]) -> QuerySet[Any, Any]:
    """These statements as named rows: month, state, counts and figures are the statement's own; `code` is the
    lease's, `premises` and `operator` are names, `division` is the number of the premises' own."""
    own = ("month", "state", "redemptions", "under_review", *Statement.FIGURES)
    return statements.annotate(**OF_LEASE).values_list(*OF_LEASE, *own, named=True)
