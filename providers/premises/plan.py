"""Stages and leases of premises over time, as bands to draw. Pure: days in, months out.

Time is counted in months from the first day drawn, a day being its part of its month: every month is as wide.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from providers.premises.models import Premises

QUARTERS = 8
BEHIND = 3  # of them before the one of today
LATE_DAYS = 180  # as long as this at one stage, premises wait to be moved on
SOON_DAYS = 180  # a lease that ends within these is to be seen to


@dataclass(frozen=True, slots=True)
class Window:
    """What is drawn: whole quarters around a day."""

    starts_on: date
    today: date

    @classmethod
    def around(cls, today: date) -> "Window":
        month = 3 * ((today.month - 1) // 3) - 3 * BEHIND  # from January of this year, zero
        return cls(date(today.year + month // 12, month % 12 + 1, 1), today)

    @property
    def months(self) -> int:
        return 3 * QUARTERS

    @property
    def quarters(self) -> list[tuple[int, int]]:
        """Year and quarter, oldest first."""
        first = 4 * self.starts_on.year + (self.starts_on.month - 1) // 3
        return [(one // 4, one % 4 + 1) for one in range(first, first + QUARTERS)]

    def at(self, day: date) -> float:
        """Where a day begins, in months from the left; within the drawing."""
        whole = 12 * (day.year - self.starts_on.year) + day.month - self.starts_on.month
        part = (day.day - 1) / monthrange(day.year, day.month)[1]
        return round(min(max(whole + part, 0.0), float(self.months)), 3)


@dataclass(frozen=True, slots=True)
class Band:
    """`what` is a stage, or "ahead" for a lease that goes on; `starts` and `width` in months."""

    what: str
    starts: float
    width: float


def bands(
    *, stages: Iterable[tuple[str, date]], leases: Iterable[tuple[date, date]], window: Window
) -> list[Band]:
    """The bands of one row: its stages up to today, each until the next one; before the first that is on record
    the leases of then; after today the leases as long as they go on.

    `stages`: stage and its first day, in their order. `leases`: first and last day, both included.
    """
    known = list(stages)
    after = window.today + timedelta(days=1)
    first = known[0][1] if known else after
    found = [_band(Premises.Stage.LEASED, since, min(last + timedelta(days=1), first), window)
             for since, last in sorted(leases)]  # fmt: skip
    for (stage, since), (_next, until) in pairwise([*known, ("", after)]):
        found.append(_band(stage, since, until, window))
    found += [_band("ahead", max(since, after), last + timedelta(days=1), window)
              for since, last in sorted(leases)]  # fmt: skip
    return [band for band in found if band.width > 0]


def _band(what: str, since: date, until: date, window: Window) -> Band:
    starts = window.at(since)
    return Band(what, starts, round(window.at(until) - starts, 3) if until > since else 0.0)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done next: `what` is a key of the page's words; `days` how long it has waited or will take."""

    what: str
    days: int


def due(*, stage: str, since: date | None, lease_ends: date | None, today: date) -> Due | None:
    """The next thing to see to of premises at this stage; None where all is well."""
    waited = (today - since).days if since else 0
    if stage in (Premises.Stage.LEASED, Premises.Stage.OPERATING):
        if lease_ends is None:
            return Due("no_lease", waited)
        if (left := (lease_ends - today).days) <= SOON_DAYS:
            return Due("lease_ends", left)
        if stage == Premises.Stage.LEASED and waited >= LATE_DAYS:
            return Due("not_operating", waited)
    elif stage != Premises.Stage.RETIRED and waited >= LATE_DAYS:
        return Due(f"long_{stage}", waited)
    return None
