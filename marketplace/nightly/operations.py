"""The nightly tasks themselves: each a call of the operation a command calls, noted with its outcome.

Every one can run twice, at once or half-way and again: what they do is idempotent, and those that write
exclude one another (ledger.journal.operations.exclusive).
"""

import contextlib
import io
import logging
from collections.abc import Callable
from datetime import date, timedelta

from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from ledger.journal.operations import exclusive
from ledger.journal.queries import first_open_day, previous_month
from marketplace.nightly.models import NightlyRun
from vouchers.codes.operations import forget_used
from vouchers.programmes.operations import issue
from vouchers.settlement.operations import lock_if_complete
from vouchers.wallets.operations import expire

logger = logging.getLogger(__name__)

BY = "nightly"
ISSUE_AHEAD_DAYS = 3  # tomorrow's order finds its voucher
REPORTING_DAYS = 3  # a terminal may report 72 hours back: only then is expiry final (rules.md sections 4, 6)


def noted(task: str, work: Callable[[], str]) -> NightlyRun:
    """This function will run `work`, and note when it began, when it ended and what came of it.

    A failure is noted and raised: Celery's log has the trace.
    """
    run = NightlyRun.objects.create(task=task, started_at=timezone.now())
    try:
        summary = work()
    except BaseException as error:
        # In a transaction that is broken, or without a database, it cannot be noted: the reason still goes up.
        with contextlib.suppress(DatabaseError):
            _end(run, NightlyRun.Outcome.FAILED, f"{type(error).__name__}: {error}")
        raise
    return _end(run, NightlyRun.Outcome.DONE, summary)


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


def forget_used_codes() -> str:
    """Remove uses of elders' codes and tries of PINs that no rule asks for any more."""
    return f"{forget_used(at=timezone.now())} forgotten"


def printed(command: str, *arguments: str) -> str:
    """What a command prints; it raises when the command refuses or finds something."""
    output = io.StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()
