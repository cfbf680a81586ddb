"""The nightly tasks themselves: each a call of the operation a command calls, noted with its outcome.

Every one can run twice, at once or half-way and again: what they do is idempotent, and those that write
exclude one another (ledger.journal.operations.exclusive).
"""

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ledger.journal.operations import exclusive
from ledger.journal.queries import first_open_day, previous_month
from marketplace.fulfilment import standing
from marketplace.fulfilment.tidying import tidy
from marketplace.nightly.models import NightlyRun
from marketplace.privacy import retention
from vouchers.programmes.operations import issue
from vouchers.settlement import objections
from vouchers.settlement.operations import lock_if_complete
from vouchers.wallets.operations import expire

logger = logging.getLogger(__name__)

BY = "nightly"
NIGHTLY_LOCK = 7204  # with the run's number; ledger/journal/guards.py and the outbox have the others
ISSUE_AHEAD_DAYS = 3  # tomorrow's order finds its voucher
REPORTING_DAYS = 3  # a terminal may report 72 hours back: only then is expiry final (rules.md sections 4, 6)


def noted(task: str, work: Callable[[], str]) -> NightlyRun:
    """This function will run `work`, and note when it began, when it ended and what came of it.

    A failure is noted and raised: Celery's log has the trace. Runs of this task whose worker was killed are
    noted as failed first: a run that lives holds a lock of its database session.
    """
    _close_abandoned(task)
    with contextlib.ExitStack() as alive:
        with transaction.atomic():  # nobody sees it before its lock is held
            run = NightlyRun.objects.create(task=task, started_at=timezone.now())
            alive.enter_context(_alive(run.pk))
        try:
            summary = work()
        except BaseException as error:
            # In a transaction that is broken, or without a database, it cannot be noted: the reason goes up.
            with contextlib.suppress(DatabaseError):
                _end(run, NightlyRun.Outcome.FAILED, f"{type(error).__name__}: {error}")
            raise
        return _end(run, NightlyRun.Outcome.DONE, summary)


def _close_abandoned(task: str) -> None:
    for run in NightlyRun.objects.filter(task=task, outcome=NightlyRun.Outcome.RUNNING):
        with _alive(run.pk) as nobody_runs_it:
            # One that came to its end since it was looked up has let its lock go too.
            run.refresh_from_db(fields=["outcome"])
            if nobody_runs_it and run.outcome == NightlyRun.Outcome.RUNNING:
                _end(run, NightlyRun.Outcome.FAILED, "its worker was killed; the next run does what it left")


@contextlib.contextmanager
def _alive(number: int) -> Iterator[bool]:
    """Whether the run of this number is ours inside the block. The lock goes with the database session."""
    key = [NIGHTLY_LOCK, number % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", key)
        ours = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours:
            # A session that is broken or gone has let it go already.
            with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", key)


def _end(run: NightlyRun, outcome: str, summary: str) -> NightlyRun:
    run.outcome, run.summary, run.ended_at = outcome, summary, timezone.now()
    run.save(update_fields=["summary", "outcome", "ended_at"])
    return run


def issue_ahead(today: date) -> str:
    """Issue what is due today and in the next three days, dated and valid from the day itself."""
    lines = []
    with exclusive("issue_ahead"):
        for ahead in range(ISSUE_AHEAD_DAYS + 1):
            day = today + timedelta(days=ahead)
            lines += [
                f"{day} {done.programme}: {done.vouchers} / {done.value}"
                for done in issue(on=day, by=BY, at=timezone.now())
                if done.vouchers
            ]
    return "\n".join(lines) or "nothing due"


def expire_reported(today: date) -> str:
    """Expire what no terminal can report on any more."""
    with exclusive("expire_reported"):
        done = expire(on=today - timedelta(days=REPORTING_DAYS), by=BY, at=timezone.now())
    return (
        "\n".join(f"{code}: {count} / {value}" for code, (count, value) in done.items())
        or "nothing to expire"
    )


def lock_complete_months(today: date) -> str:
    """Lock months of which every lease is approved, should the last approval not have come to it."""
    locked = []
    with exclusive("lock_complete_months"):
        while (month := first_open_day()) and month <= previous_month(today.replace(day=1)):
            if not lock_if_complete(month=month, by=BY, at=timezone.now()):
                break
            locked.append(f"{month:%Y-%m}")
    return ", ".join(locked) or "nothing to lock"


def deem_silent_confirmed(today: date) -> str:
    """Record as confirmed what no operator objected to within its term."""
    done = objections.deem_silent_confirmed(today=today, by=BY, at=timezone.now())
    return ", ".join(str(statement) for statement in done) or "no term passed"


def clear_past_terms() -> str:
    """Remove or empty what is past its term, kind by kind."""
    done = [one for one in retention.clear_all(by=BY, at=timezone.now()) if one.cleared]
    return ", ".join(f"{one.kind} {one.cleared}" for one in done) or "nothing is past its term"


def place_standing(today: date) -> str:
    """Order what is ordered again and again, today and on the next days."""
    done = standing.place_standing(today=today, by=BY, at=timezone.now())
    return f"{done.orders} placed, {done.refused} refused"


def tidy_orders() -> str:
    """Close orders that were delivered, released or never reported."""
    done = tidy(by=BY, at=timezone.now())
    return f"{done.delivered} delivered, {done.cancelled} cancelled, {done.missed} missed"


def printed(command: str, *arguments: str) -> str:
    """What a command prints; it raises when the command refuses or finds something."""
    output = io.StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()
