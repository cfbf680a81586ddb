"""Issuing the vouchers that are due on a day (rules.md section 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Sum

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.money import ZERO
from providers.divisions.queries import ids_under
from vouchers.elders.deaths import void_of_dead
from vouchers.elders.models import Elder
from vouchers.programmes import schedule
from vouchers.programmes.models import IssueRun, Programme


@dataclass(frozen=True, slots=True)
class Issued:
    """What one programme issued in a run; `left_out` elders did not fit into its budget."""

    programme: str
    elders: int
    vouchers: int
    value: Decimal
    left_out: int = 0


# Who is eligible and not yet served, in code order: the SQL twin of eligibility.is_eligible.
ELIGIBLE = """
    FROM vouchers_elder e
    WHERE (e.died_on IS NULL OR e.died_on > %(on)s)
        AND (%(min_age)s::int IS NULL OR e.birth_on <= (%(on)s::date - make_interval(years => %(min_age)s))::date)
        AND (%(min_ability)s::int IS NULL OR e.ability_level >= %(min_ability)s)
        AND (cardinality(%(any_of)s::varchar[]) = 0 OR e.categories && %(any_of)s::varchar[])
        AND (%(divisions)s::bigint[] IS NULL OR e.division_id = ANY (%(divisions)s::bigint[]))
        AND NOT EXISTS (
            SELECT FROM vouchers_voucher v
            WHERE v.elder_id = e.id AND v.programme_id = %(programme)s AND v.valid_from = %(on)s)
"""

ISSUE = f"""
    WITH eligible AS (SELECT e.id, e.code {ELIGIBLE} ORDER BY e.code LIMIT %(limit)s),
    issued AS (
        INSERT INTO vouchers_voucher (
            programme_id, elder_id, run_id, ordinal, face_value, remaining, valid_from, valid_until)
        SELECT %(programme)s, eligible.id, %(run)s, n, %(face)s, %(face)s, %(on)s, %(until)s
        FROM eligible, generate_series(1, %(per_elder)s) AS n
        ORDER BY eligible.code, n
        ON CONFLICT (elder_id, programme_id, valid_from, ordinal) DO NOTHING
        RETURNING elder_id)
    SELECT count(DISTINCT elder_id), count(*) FROM issued
"""  # noqa: S608 - the parts are constants above


def issue(
    *, on: date, by: Any, at: datetime, progress: Callable[[int, int, str], None] | None = None
) -> list[Issued]:
    """This function will issue what is due on `on`, to all who are eligible and not yet served.

    1. For each programme whose period begins that day (a lease's only while that is in force):
    2. Issue in one statement, whole allotments in code order as far as the budget reaches.
    3. Post one entry, Issued to Outstanding.
    4. Void at once what went to elders of whom a later death is known.

    Each programme in its own transaction; run again or at once, nobody is served twice (a constraint).
    """
    of_the_day = Programme.objects.filter(
        Q(lease=None) | Q(lease__starts_on__lte=on, lease__ends_on__gte=on),
        starts_on__lte=on,
        ends_on__gte=on,
    )
    due = [
        programme
        for programme in of_the_day.order_by("code")
        if schedule.issues_on(
            cadence=programme.cadence, starts_on=programme.starts_on, ends_on=programme.ends_on, day=on
        )
    ]
    issued = []
    for done, programme in enumerate(due):
        if progress:
            progress(done, len(due), programme.code)
        issued.append(_issue_programme(programme, on=on, by=by, at=at))
    return issued


def _issue_programme(programme: Programme, *, on: date, by: Any, at: datetime) -> Issued:
    with transaction.atomic():
        hold_journal_open()
        Programme.objects.select_for_update(no_key=True).get(id=programme.id)
        conditions = _conditions(programme, on)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) " + ELIGIBLE, conditions)
            waiting = cursor.fetchone()[0]
        limit = min(waiting, _affordable(programme))
        if not limit:
            return Issued(programme.code, 0, 0, ZERO, left_out=waiting)
        run_id = _next_run()
        elders, vouchers = limit, limit * programme.per_elder
        value = vouchers * programme.face_value
        entry = post(
            key=f"issue:{programme.code}:{on}:{run_id}",
            kind="issue",
            dated_on=on,
            at=at,
            moves=[
                Move(chart.vouchers_issued(programme.code), chart.vouchers_outstanding(programme.code), value)
            ],
            link=f"IS-{run_id:06d}",
        )
        IssueRun.objects.create(
            id=run_id,
            programme=programme,
            issued_on=on,
            recorded_at=at,
            by=name_of(by),
            elders=elders,
            vouchers=vouchers,
            value=value,
            entry=entry,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                ISSUE,
                {
                    **conditions,
                    "limit": limit,
                    "run": run_id,
                    "face": programme.face_value,
                    "per_elder": programme.per_elder,
                    "until": schedule.valid_until(
                        cadence=programme.cadence,
                        ends_on=programme.ends_on,
                        valid_days=programme.valid_days,
                        day=on,
                    ),
                },
            )
            done = cursor.fetchone()
        if done != (elders, vouchers):
            raise RuntimeError(
                f"{programme.code}: {done} issued where {elders, vouchers} were due; nothing is kept"
            )
        dead = Elder.objects.filter(died_on__gt=on, vouchers__run=run_id).distinct()
        for elder in dead.order_by("id"):
            Elder.objects.select_for_update(no_key=True).get(id=elder.id)
            void_of_dead(elder=elder, by=by, at=at)
        record(
            by=by,
            at=at,
            action="issue",
            subject=programme.code,
            detail={"on": on.isoformat(), "elders": elders, "vouchers": vouchers, "value": str(value)},
            channel="run",
        )
    return Issued(programme.code, elders, vouchers, value, left_out=waiting - limit)


def _conditions(programme: Programme, on: date) -> dict:
    codes = list(programme.divisions.values_list("code", flat=True))
    return {
        "on": on,
        "programme": programme.id,
        "min_age": programme.min_age,
        "min_ability": programme.min_ability,
        "any_of": programme.any_of,
        "divisions": sorted(ids_under(codes)) if codes else None,
    }


def _affordable(programme: Programme) -> int:
    """How many more elders' whole allotments the budget pays for; it bounds the face value ever issued."""
    if programme.budget is None:
        return 2**31
    spent = IssueRun.objects.filter(programme=programme).aggregate(sum=Sum("value"))["sum"] or ZERO
    return max(0, int((programme.budget - spent) // (programme.face_value * programme.per_elder)))


def _next_run() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('vouchers_issuerun_id_seq')")
        return cursor.fetchone()[0]
