"""One helper writes every audit record, in the transaction of what it tells of."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from ledger.audit.models import Record


def name_of(by: Any) -> str:
    """The name under which an actor stands in the audit: a user's username, or a task's own name."""
    return by if isinstance(by, str) else by.get_username()


def as_now(by: Any) -> Any:
    """The person as the register has them now: a role taken away since the page was opened counts no more."""
    return get_user_model()._default_manager.get(pk=by.pk)


def record(
    *, by: Any, at: datetime, action: str, subject: str, detail: dict | None = None, channel: str = "web"
) -> Record:
    """This function will note that `by` did `action` to `subject` at `at`.

    `detail` is JSON without personal data: codes, amounts as strings, dates as ISO text.
    """
    return Record.objects.create(
        by=name_of(by), at=at, action=action, subject=subject, detail=detail or {}, channel=channel
    )


SEEN_ONCE = timedelta(minutes=10)


def record_seen(
    *, by: Any, at: datetime, action: str, subject: str, detail: dict | None = None, channel: str = "web"
) -> None:
    """This function will note that `by` saw `subject`, once in ten minutes: a page is several pictures and looks.

    `action` is one of ledger.audit.models.SEEN.
    """
    since = at - SEEN_ONCE
    if not Record.objects.filter(subject=subject, by=name_of(by), action=action, at__gt=since).exists():
        record(by=by, at=at, action=action, subject=subject, detail=detail, channel=channel)


# Of these it is kept that they changed, not what they were.
UNTOLD = frozenset({"phone"})


def record_differences(
    differences: Mapping[str, Mapping[str, list[str]]],
    *,
    what: str,
    by: Any,
    at: datetime,
    channel: str = "file",
) -> None:
    """This function will note of each row of a register that is new or changed what was and what is.

    `differences` by the row's code (ledger/files/draft.py); `what` is the register's name.
    """
    Record.objects.bulk_create(
        [
            Record(
                by=name_of(by),
                at=at,
                action=f"{'change' if fields else 'enter'}_{what}"[:40],
                subject=code[:80],
                detail={name: ["…", "…"] if name in UNTOLD else pair for name, pair in fields.items()},
                channel=channel,
            )
            for code, fields in differences.items()
        ],
        batch_size=1000,
    )
