"""Questions about the months of leases: sums of claims, leases with their terms, months before."""

from collections.abc import Collection, Iterable
from datetime import date

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, SmallIntegerField, Value, When

from ledger.journal.queries import last_day, next_month
from providers.leases.schedule import TermsRow
from providers.models import Lease
from vouchers.redemption.models import Claim
from vouchers.settlement.models import ReviewCase, Statement
from vouchers.settlement.reckon import LeaseFacts, Month, Sums

# The two conditions of a claim, for set-based SQL and for the ORM.
PENDING = "c.statement_id IS NULL AND c.reversed_on IS NULL AND c.service_on < %(end)s"
TO_TAKE_BACK = "c.statement_id IS NOT NULL AND c.reversed_on IS NOT NULL AND c.taken_back_id IS NULL"


def pending(month: date) -> Q:
    """PENDING of Claim: what a statement of `month` would count, held back or not."""
    return Q(statement=None, reversed_on=None, service_on__lt=next_month(month))


def to_take_back() -> Q:
    """TO_TAKE_BACK of Claim: stood on a statement and has been reversed since."""
    return Q(statement__isnull=False, reversed_on__isnull=False, taken_back=None)


def held_back(redemption: str = "redemption_id") -> Exists:
    """Whether an open case holds a redemption back; `redemption` is where a row of the query has its id."""
    return Exists(ReviewCase.objects.filter(redemption=OuterRef(redemption), decision="", holds=True))


OF_CLAIMS = ("earned", "late", "reversed", "credit", "under_review")
"""The figures of a statement that are made of claims."""


def claims_of(statement: Statement, figure: str) -> QuerySet[Claim]:
    """The claims that make a figure (one of OF_CLAIMS); each has `sign`: 1 where it adds to the credit, -1 where it
    takes away.

    A posted statement names its claims. Before that they are those that it would take now. What is held back stands
    on no statement: for a posted one these are the claims that were held back when it was posted, whatever was
    decided since.
    """
    month = statement.month
    posted = statement.state == Statement.State.APPROVED
    of_lease = Claim.objects.filter(lease=statement.lease_id)
    if figure == "under_review":
        held = (
            of_lease.filter(_held_when_posted(statement))
            if posted
            else of_lease.filter(held_back(), pending(month))
        )
        return held.annotate(sign=Value(1))
    if posted:
        adds: Q = Q(statement=statement)
        takes: Q = Q(taken_back=statement)
    else:
        adds = pending(month) & ~Q(held_back())
        takes = to_take_back()
    chosen = {
        "earned": adds & Q(service_on__gte=month),
        "late": adds & Q(service_on__lt=month),
        "reversed": takes,
        "credit": adds | takes,
    }[figure]
    sign = Case(When(takes, then=Value(-1)), default=Value(1), output_field=SmallIntegerField())
    return of_lease.filter(chosen).annotate(sign=sign)


def _held_when_posted(statement: Statement) -> Q:
    """Claims up to the month of a posted statement that a case held back at the moment when it was posted.

    A reversal decides the cases of its redemption, so what was reversed earlier is not among them.
    """
    posted_at = statement.approvals.filter(step="approve").latest("id").at
    cases = ReviewCase.objects.filter(
        Q(decision="") | Q(decided_at__gt=posted_at),
        redemption=OuterRef("redemption_id"),
        holds=True,
        opened_at__lte=posted_at,
    )
    on_none = Q(statement=None) | Q(statement__month__gt=statement.month)
    return Q(Exists(cases)) & Q(service_on__lt=next_month(statement.month)) & on_none


# Changes with every claim that comes, goes or is swapped.
MARK = "bit_xor(hashint8extended(c.redemption_id, 0))"

SUMS = f"""
    SELECT c.lease_id, date_trunc('month', c.service_on)::date, CASE WHEN review.redemption_id IS NOT NULL THEN 'held' ELSE 'counted' END,
        sum(c.amount), count(*), {MARK}
    FROM vouchers_claim c LEFT JOIN (
        SELECT DISTINCT redemption_id FROM vouchers_reviewcase WHERE decision = '' AND holds) AS review
        ON review.redemption_id = c.redemption_id
    WHERE {PENDING} {{lease}} GROUP BY 1, 2, 3
    UNION ALL
    SELECT c.lease_id, date_trunc('month', c.service_on)::date, 'taken_back', sum(c.amount), count(*), {MARK}
    FROM vouchers_claim c WHERE {TO_TAKE_BACK} {{lease}} GROUP BY 1, 2
"""  # noqa: S608 - the parts are constants above


def sums(month: date, *, of: Collection[int] | None = None) -> dict[int, Sums]:
    """By lease id, what the claims up to the end of `month` add up to. One query, two index ranges.

    `of`: only these leases (ids).
    """
    sql = SUMS.format(lease="" if of is None else "AND c.lease_id = ANY(%(leases)s)")
    found: dict[int, dict[str, list]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, {"end": next_month(month), "leases": list(of or ())})
        for lease, service_month, kind, amount, count, mark in cursor.fetchall():
            kinds = found.setdefault(lease, {"counted": [], "taken_back": [], "held": []})
            kinds[kind].append((service_month, amount, count, mark))
    return {
        lease: Sums(
            counted={row[0]: row[1] for row in kinds["counted"]},
            taken_back={row[0]: row[1] for row in kinds["taken_back"]},
            redemptions=sum(row[2] for row in kinds["counted"]),
            held=sum(row[2] for row in kinds["held"]),
            counted_mark=_xor(row[3] for row in kinds["counted"]),
            taken_back_mark=_xor(row[3] for row in kinds["taken_back"]),
        )
        for lease, kinds in found.items()
    }


def _xor(marks: Iterable[int]) -> int:
    total = 0
    for mark in marks:
        total ^= mark
    return total


def lease_facts(leases: QuerySet[Lease] | None = None) -> list[LeaseFacts]:
    """Leases with their terms, in code order. Two queries."""
    chosen = (Lease.objects.all() if leases is None else leases).prefetch_related("terms").order_by("code")
    return [
        LeaseFacts(
            lease.id,
            lease.code,
            lease.starts_on,
            lease.ends_on,
            [
                TermsRow(
                    row.starts_on,
                    row.monthly_rent,
                    row.rent_free_until,
                    row.offset_rate,
                    row.offset_cap,
                    row.carry_months,
                )
                for row in sorted(lease.terms.all(), key=lambda row: row.starts_on)
            ],
        )
        for lease in chosen
    ]


def history(month: date, *, of: Collection[int] | None = None) -> dict[int, list[Month]]:
    """By lease id (`of`: only these), the approved months before `month`, in order. One query."""
    approved = Statement.objects.filter(state=Statement.State.APPROVED, month__lt=month)
    if of is not None:
        approved = approved.filter(lease_id__in=of)
    months: dict[int, list[Month]] = {}
    for lease, past, credit, applied in approved.order_by("month").values_list(
        "lease_id", "month", "credit", "applied"
    ):
        months.setdefault(lease, []).append(Month(past, credit, applied))
    return months


def without_statement(month: date) -> QuerySet[Lease]:
    """Leases in force in a month that have no statement of it: loaded, or begun, after it was drawn up."""
    in_force = Lease.objects.filter(starts_on__lte=last_day(month), ends_on__gte=month)
    return in_force.exclude(statements__month=month)


def not_posted(month: date) -> QuerySet[Statement]:
    """The statements of a month that still wait for one of their steps."""
    return Statement.objects.filter(month=month).exclude(state=Statement.State.APPROVED)


def of_month(month: date) -> QuerySet[Statement]:
    """The statements of a month with lease, operator and premises, in lease order."""
    return (
        Statement.objects.filter(month=month)
        .select_related("lease__operator", "lease__premises__division")
        .order_by("lease__code")
    )
