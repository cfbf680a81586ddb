"""Owing what must happen after a commit, and doing it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from ledger.outbox.models import Outbox

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
OUTBOX_LOCK = 7203  # with the row's number; journal/guards.py has the others


def owe(*, key: str, topic: str, payload: dict[str, Any], at: datetime) -> None:
    """This function will note, in the caller's transaction, that `topic` must be handled once it commits.

    The same key again is owed once. `payload` is JSON without personal data.
    """
    Outbox.objects.bulk_create(
        [Outbox(key=key, topic=topic, payload=payload, created_at=at, due_at=at)], ignore_conflicts=True
    )


def settle_debts(
    *,
    handlers: Mapping[str, Callable[[dict[str, Any]], None]],
    clock: Callable[[], datetime],
    most: int = 100,
) -> int:
    """This function will do what is owed and due, oldest first; how much of it was done.

    1. Take each row that nobody else is at, and look whether it is owed still.
    2. Run its handler, outside any transaction: some work needs one of its own kind, or several.
    3. What fails is put off, twice as long each time, with its error kept for people to see.

    A crash half-way leaves the row owed: handlers must bear being run again.
    """
    done = 0
    for number in _due(handlers, clock()).values_list("id", flat=True)[:most]:
        with _alone(number) as ours:
            row = _due(handlers, clock()).filter(id=number).first() if ours else None
            if row is not None:
                done += _handle(row, handlers[row.topic], clock)
    return done


def _due(topics: Iterable[str], now: datetime) -> QuerySet[Outbox]:
    return Outbox.objects.filter(done_at=None, due_at__lte=now, topic__in=list(topics)).order_by(
        "due_at", "id"
    )


def _handle(row: Outbox, handler: Callable[[dict[str, Any]], None], clock: Callable[[], datetime]) -> bool:
    try:
        handler(row.payload)
    except Exception as error:  # whatever it is, it is owed still: say so and try later
        row.tries += 1
        row.last_error = f"{type(error).__name__}: {error}"[:2000]
        row.due_at = clock() + min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
    else:
        row.done_at = clock()
        row.last_error = ""
    row.save(update_fields=["tries", "last_error", "due_at", "done_at"])
    return row.done_at is not None


@contextmanager
def _alone(number: int) -> Iterator[bool]:
    """Whether this row is ours inside the block. The lock belongs to the database session and goes with it."""
    key = [OUTBOX_LOCK, number % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", key)
        ours = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", key)
