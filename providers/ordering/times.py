"""Days, weekdays and cut-offs of what is ordered. Pure; Shanghai's calendar."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from ledger.journal.queries import SHANGHAI, day_of
from providers.ordering.refusals import CannotBook

STEP_MINUTES = 30
"""Appointments begin on the half hours of a shift."""


def instant(day: date, clock: time) -> datetime:
    """That time of day in Shanghai."""
    return datetime.combine(day, clock, tzinfo=SHANGHAI)


def days_between(first: date, last: date) -> list[date]:
    """Both and those between."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def check_in_time(*, starts_at: datetime, at: datetime, until_minutes: int, days_ahead: int) -> None:
    """Raises CannotBook when it is too late at `at` to order what begins at `starts_at`, or too early."""
    if at > starts_at - timedelta(minutes=until_minutes):
        raise CannotBook("too_late")
    if (day_of(starts_at) - day_of(at)).days > days_ahead:
        raise CannotBook("too_early")


def starts(*, day: date, opens: time, closes: time, minutes: int) -> Iterator[datetime]:
    """When an appointment of `minutes` may begin in a shift: every half hour from its beginning."""
    begin, end = instant(day, opens), instant(day, closes)
    while begin + timedelta(minutes=minutes) <= end:
        yield begin
        begin += timedelta(minutes=STEP_MINUTES)


def is_free(start: datetime, end: datetime, taken: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether nothing in `taken` meets start up to end."""
    return all(end <= begins or ends <= start for begins, ends in taken)
