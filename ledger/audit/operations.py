"""One helper writes every audit record, in the transaction of what it tells of."""

from datetime import datetime
from typing import Any

from ledger.audit.models import Record


def name_of(by: Any) -> str:
    """The name under which an actor stands in the audit: a user's username, or a task's own name."""
    return by if isinstance(by, str) else by.get_username()


def record(
    *, by: Any, at: datetime, action: str, subject: str, detail: dict | None = None, channel: str = "web"
) -> Record:
    """This function will note that `by` did `action` to `subject` at `at`.

    `detail` is JSON without personal data: codes, amounts as strings, dates as ISO text.
    """
    return Record.objects.create(
        by=name_of(by), at=at, action=action, subject=subject, detail=detail or {}, channel=channel
    )
