"""Yuan, days and months: the few sums that every rule uses.

Yuan are Decimal with two decimals. A month is a string `YYYY-MM`, which sorts as time does.
"""

import calendar
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")
ZERO = Decimal("0.00")
# China has kept no summer time since 1991 and every date here is later: a fixed offset is Asia/Shanghai.
SHANGHAI = timezone(timedelta(hours=8))


def half_up(amount):
    """To the fen, half away from zero."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def floor_fen(amount):
    """To the fen, downwards; the amount is never negative."""
    return amount.quantize(FEN, ROUND_DOWN)


def month_of(day):
    return f"{day:%Y-%m}"


def first_day(month):
    return date.fromisoformat(month + "-01")


def days_in(month):
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]


def last_day(month):
    return first_day(month) + timedelta(days=days_in(month) - 1)


def later(month, by):
    """The month `by` months after this one; `by` may be negative."""
    n = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{n // 12:04d}-{n % 12 + 1:02d}"


def instant(text):
    """An ISO 8601 time; without an offset it is Shanghai's."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def service_date(at):
    """The calendar day in Shanghai on which the instant lies."""
    return at.astimezone(SHANGHAI).date()


def age_on(born_on, day):
    """Whole years on that day: the birthday itself counts."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
