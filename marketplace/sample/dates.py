"""Months counted from one day: the sample is always three months old and never out of date.

A month is written as the date of its first day.
"""

from dataclasses import dataclass
from datetime import date, timedelta


def add_months(first: date, months: int) -> date:
    """The first day of the month `months` after (or, negative, before) that of `first`."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def last_day(first: date) -> date:
    return add_months(first, 1) - timedelta(days=1)


def label(first: date) -> str:
    return f"{first:%Y-%m}"


def quarter_start(first: date) -> date:
    return date(first.year, (first.month - 1) // 3 * 3 + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """The four months of the sample as seen from `today`.

    Months -3 and -2 are settled, month -1 is drawn up and waits, month 0 is running up to yesterday.
    """

    today: date

    @property
    def yesterday(self) -> date:
        return self.today - timedelta(days=1)

    def month(self, offset: int) -> date:
        return add_months(self.today.replace(day=1), offset)

    @property
    def start(self) -> date:
        """The first day on which anything is redeemed."""
        return self.month(-3)

    @property
    def months(self) -> list[date]:
        return [self.month(offset) for offset in (-3, -2, -1, 0)]

    def halves(self, first: date) -> list[tuple[str, date, date]]:
        """A month's redemption files: suffix, first and last service day; none after yesterday."""
        middle = first.replace(day=15)
        parts = [("a", first, middle), ("b", middle + timedelta(days=1), last_day(first))]
        return [
            (suffix, start, min(end, self.yesterday))
            for suffix, start, end in parts
            if start <= self.yesterday
        ]
