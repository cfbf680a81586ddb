"""What repeats every week, told whole: the rows of one house, offer or person.

Note [Weeks from a day]: a week holds from a day on. The rows that held until then end the day before and stay on
record, new ones begin. Until that day the change can be withdrawn; there is one change to come at a time.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any

from django.db.models import Min, Model, Q, QuerySet


def in_force(day: date, until: date | None = None) -> Q:
    """Rows that hold on this day, or on any from it until another."""
    return (Q(starts_on=None) | Q(starts_on__lte=until or day)) & (Q(ends_on=None) | Q(ends_on__gte=day))


def week_on(rows: QuerySet[Any], kind: Any, day: date) -> list[Any]:
    """The week that holds on this day, as `kind`: a named tuple, the weekday and the beginning first."""
    weekday, begins, *_rest = kind._fields
    found = rows.filter(in_force(day)).order_by(weekday, begins)
    return [kind(*row) for row in found.values_list(*kind._fields)]


def change_to_come(rows: QuerySet[Any], today: date) -> date | None:
    """From which day another week holds than today's, if one was set. One query."""
    found = rows.aggregate(
        begins=Min("starts_on", filter=Q(starts_on__gt=today)),
        ends=Min("ends_on", filter=Q(ends_on__gte=today)),
    )
    return found["begins"] or (found["ends"] and found["ends"] + timedelta(days=1))


def withdraw(rows: QuerySet[Any], today: date) -> bool:
    """This function will take back the change to come: today's week goes on. Whether there was one."""
    dropped, _ = rows.filter(starts_on__gt=today).delete()
    return bool(rows.filter(ends_on__gte=today).update(ends_on=None) + dropped)


def replace_week(
    rows: QuerySet[Any],
    kind: Any,
    wanted: Iterable[Any],
    *,
    from_on: date | None,
    today: date,
    **of: Model,
) -> list[Any] | None:
    """This function will make `rows`, which belong to `of`, those `wanted`; None where they are so already.

    From a day on, not before `today`; without a day, as if it had always been so. A change that was to come is
    withdrawn. Inside a transaction that holds `of`.
    """
    week = sorted(set(wanted))
    if from_on is None:
        dated = rows.exclude(starts_on=None, ends_on=None).exists()
        if not dated and week_on(rows, kind, today) == week:
            return None
        rows.delete()
    else:
        if change_to_come(rows, today) in (None, from_on) and week_on(rows, kind, from_on) == week:
            return None
        withdraw(rows, today)
        rows.filter(starts_on=from_on).delete()
        rows.filter(in_force(from_on)).update(ends_on=from_on - timedelta(days=1))
    rows.model.objects.bulk_create(rows.model(**of, **one._asdict(), starts_on=from_on) for one in week)
    return week


def told(rows: Iterable[tuple]) -> list[list]:
    """The same for an audit record: times as 08:00."""
    return [
        [value.isoformat("minutes") if isinstance(value, time) else value for value in row] for row in rows
    ]
