"""Owing what must happen after a commit, and doing it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ledger.outbox.models import Outbox

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)


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

    1. Take one row nobody else has (SKIP LOCKED) and run its handler in that transaction.
    2. What fails is put off, twice as long each time, with its error kept for people to see.

    A crash half-way leaves the row owed: handlers must bear being run again.
    """
    done = 0
    for _turn in range(most):
        with transaction.atomic():
            row = (
                Outbox.objects.select_for_update(skip_locked=True)
                .filter(done_at=None, due_at__lte=clock(), topic__in=handlers)
                .order_by("due_at", "id")
                .first()
            )
            if row is None:
                return done
            try:
                with transaction.atomic():
                    handlers[row.topic](row.payload)
            except Exception as error:  # whatever it is, it is owed still: say so and try later
                row.tries += 1
                row.last_error = f"{type(error).__name__}: {error}"[:2000]
                row.due_at = clock() + min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
            else:
                row.done_at = clock()
                row.last_error = ""
                done += 1
            row.save(update_fields=["tries", "last_error", "due_at", "done_at"])
    return done
