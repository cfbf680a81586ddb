"""What repeats every week, told whole: the rows of one place, offer or person, replaced by those wanted."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from django.db.models import Model, QuerySet


def replace_week(rows: QuerySet[Any], kind: Any, wanted: Iterable[Any], **of: Model) -> list[Any] | None:
    """This function will make `rows`, which belong to `of`, those `wanted`; None where they are so already.

    `kind` is the named tuple of which `wanted` are: its fields are those of a row, the weekday and the beginning
    first. Inside a transaction that holds `of`.
    """
    week = sorted(set(wanted))
    weekday, begins, *_rest = kind._fields
    if [kind(*row) for row in rows.order_by(weekday, begins).values_list(*kind._fields)] == week:
        return None
    rows.delete()
    rows.model.objects.bulk_create(rows.model(**of, **one._asdict()) for one in week)
    return week


def told(rows: Iterable[tuple]) -> list[list]:
    """The same for an audit record: times as 08:00."""
    return [
        [value.isoformat("minutes") if isinstance(value, time) else value for value in row] for row in rows
    ]
