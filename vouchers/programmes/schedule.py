"""When a programme issues and how long its vouchers are valid (rules.md section 3). Pure."""

from datetime import date, timedelta

from ledger.journal.queries import last_day, next_month

QUARTERS = (1, 4, 7, 10)


def issues_on(*, cadence: str, starts_on: date, ends_on: date, day: date) -> bool:
    """Whether `day` is the first day of one of the programme's periods."""
    if not starts_on <= day <= ends_on:
        return False
    if cadence == "once":
        return day == starts_on
    return day.day == 1 and (cadence == "monthly" or day.month in QUARTERS)


def issue_days(*, cadence: str, starts_on: date, ends_on: date) -> list[date]:
    """The first days of all of the programme's periods."""
    if cadence == "once":
        return [starts_on]
    days, month = [], starts_on.replace(day=1)
    while month <= ends_on:
        if issues_on(cadence=cadence, starts_on=starts_on, ends_on=ends_on, day=month):
            days.append(month)
        month = next_month(month)
    return days


def valid_until(*, cadence: str, ends_on: date, valid_days: int | None, day: date) -> date:
    """Last day of validity of a voucher issued on `day`: of `valid_days` counting the day of issue, else of
    the period; never beyond the programme's end."""
    if valid_days is not None:
        return min(ends_on, day + timedelta(days=valid_days - 1))
    if cadence == "once":
        return ends_on
    if cadence == "monthly":
        return min(ends_on, last_day(day))
    return min(ends_on, last_day(next_month(next_month(day.replace(day=1)))))
