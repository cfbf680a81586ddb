"""Issuing the vouchers that are due on a day (rules.md section 3)."""

from collections.abc import Callable, Iterable
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


# Who is eligible and not yet served, in code order: the SQL twin of eligibility.is_eligible. A condition that a
# programme does not make is left out, so that the ones it makes find their index.
WAITING = """
    SELECT e.id FROM vouchers_elder e
    WHERE (e.died_on IS NULL OR e.died_on > %(on)s) AND e.same_as_id IS NULL AND e.erased_at IS NULL
        {conditions}
    ORDER BY e.code
"""
# The same people counted by where they live.
WHERE_THEY_LIVE = """
    SELECT e.division_id, count(*) FROM vouchers_elder e
    WHERE (e.died_on IS NULL OR e.died_on > %(on)s) AND e.same_as_id IS NULL AND e.erased_at IS NULL
        {conditions}
    GROUP BY 1
"""
CONDITIONS = {
    "min_age": "AND e.birth_on <= (%(on)s::date - make_interval(years => %(min_age)s::int))::date",
    "min_ability": "AND e.ability_level >= %(min_ability)s",
    "any_of": "AND e.categories && %(any_of)s::varchar[]",
    "divisions": "AND e.division_id = ANY (%(divisions)s::bigint[])",
    "again": """AND NOT EXISTS (
        SELECT FROM vouchers_voucher v
        WHERE v.elder_id = e.id AND v.programme_id = %(programme)s AND v.valid_from = %(on)s)""",
}

# The elders come as an array, chosen before: a query that chose while it issues would look at its own vouchers
# with the plan of a table that was empty when it began.
ISSUE = """
    INSERT INTO vouchers_voucher (
        programme_id, elder_id, run_id, ordinal, face_value, remaining, valid_from, valid_until)
    SELECT %(programme)s, one.elder, %(run)s, n, %(face)s, %(face)s, %(on)s, %(until)s
    FROM unnest(%(elders)s::bigint[]) WITH ORDINALITY AS one(elder, place), generate_series(1, %(per_elder)s) AS n
    ORDER BY one.place, n
"""


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
    due = due_on(on)
    issued = []
    for done, programme in enumerate(due):
        if progress:
            progress(done, len(due), programme.code)
        issued.append(_issue_programme(programme, on=on, by=by, at=at))
    return issued


def due_on(on: date) -> list[Programme]:
    """The programmes of which a period begins that day, in code order; a lease's only while that is in force."""
    of_the_day = Programme.objects.filter(
        Q(lease=None) | Q(lease__starts_on__lte=on, lease__ends_on__gte=on),
        starts_on__lte=on,
        ends_on__gte=on,
    )
    return [
        programme
        for programme in of_the_day.order_by("code")
        if schedule.issues_on(
            cadence=programme.cadence, starts_on=programme.starts_on, ends_on=programme.ends_on, day=on
        )
    ]


def preview_issue(*, on: date) -> list[Issued]:
    """What `issue` on that day would do as things stand. Nothing is written, and nobody is served meanwhile."""
    found = []
    for programme in due_on(on):
        waiting = len(_waiting(programme, on))
        elders = min(waiting, affordable(programme))
        vouchers = elders * programme.per_elder
        value = vouchers * programme.face_value
        found.append(Issued(programme.code, elders, vouchers, value, left_out=waiting - elders))
    return found


def _issue_programme(programme: Programme, *, on: date, by: Any, at: datetime) -> Issued:
    with transaction.atomic():
        hold_journal_open()
        Programme.objects.select_for_update(no_key=True).get(id=programme.id)
        waiting = _waiting(programme, on)
        served = waiting[: affordable(programme)]
        left_out = len(waiting) - len(served)
        if not served:
            return Issued(programme.code, 0, 0, ZERO, left_out=left_out)
        run_id = _next_run()
        elders, vouchers = len(served), len(served) * programme.per_elder
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
                    "programme": programme.id,
                    "run": run_id,
                    "face": programme.face_value,
                    "on": on,
                    "until": schedule.valid_until(
                        cadence=programme.cadence,
                        ends_on=programme.ends_on,
                        valid_days=programme.valid_days,
                        day=on,
                    ),
                    "elders": served,
                    "per_elder": programme.per_elder,
                },
            )
            if cursor.rowcount != vouchers:
                raise RuntimeError(
                    f"{programme.code}: {cursor.rowcount} issued where {vouchers} were due; nothing is kept"
                )
            cursor.execute("SELECT id FROM vouchers_elder WHERE id = ANY (%s) AND died_on > %s", [served, on])
            dead = Elder.objects.filter(id__in=[id_ for (id_,) in cursor.fetchall()])
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
    return Issued(programme.code, elders, vouchers, value, left_out=left_out)


def _waiting(programme: Programme, on: date) -> list[int]:
    """The ids of the elders who are due, in code order."""
    codes = programme.divisions.values_list("code", flat=True)
    again = programme.issue_runs.filter(issued_on=on).exists()
    return [row[0] for row in _ask(WAITING, programme, on, codes=codes, again=again)]


def eligible_by_division(programme: Programme, on: date, *, codes: Iterable[str]) -> dict[int, int]:
    """How many elders would be due on that day, by the id of the division they live in; nobody served yet.

    `programme` need not be stored; `codes` are those of the divisions that it names.
    """
    return dict(_ask(WHERE_THEY_LIVE, programme, on, codes=codes, again=False))


def _ask(query: str, programme: Programme, on: date, *, codes: Iterable[str], again: bool) -> list[Any]:
    codes = list(codes)
    given = {
        "min_age": programme.min_age,
        "min_ability": programme.min_ability,
        "any_of": programme.any_of or None,
        "divisions": sorted(ids_under(codes)) if codes else None,
        "again": again or None,
    }
    made = " ".join(text for name, text in CONDITIONS.items() if given[name] is not None)
    with transaction.atomic(), connection.cursor() as cursor:
        # Just issued and not analysed yet, the table looks empty, and reading all of it for each elder cheap.
        cursor.execute("SET LOCAL enable_nestloop TO off")
        cursor.execute(query.format(conditions=made), {**given, "on": on, "programme": programme.id})
        found = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
        return found


def affordable(programme: Programme) -> int:
    """How many more elders' whole allotments the budget pays for; it bounds the face value ever issued."""
    if programme.budget is None:
        return 2**31
    runs = IssueRun.objects.filter(programme=programme) if programme.pk else IssueRun.objects.none()
    spent = runs.aggregate(sum=Sum("value"))["sum"] or ZERO
    return max(0, int((programme.budget - spent) // (programme.face_value * programme.per_elder)))


def _next_run() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('vouchers_issuerun_id_seq')")
        return cursor.fetchone()[0]
