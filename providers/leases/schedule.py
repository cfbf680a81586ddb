"""What a lease charges for a month (rules.md section 7: charge and cap). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from ledger.money import to_fen


@dataclass(frozen=True, slots=True)
class TermsRow:
    """The money terms of a lease from `starts_on` on. Rent in yuan a month; rate and cap are shares."""

    starts_on: date
    monthly_rent: Decimal
    rent_free_until: date | None
    offset_rate: Decimal
    offset_cap: Decimal
    carry_months: int


@dataclass(frozen=True, slots=True)
class Charge:
    """`days` of the month's `of_days` are chargeable at `monthly_rent`; amounts in yuan."""

    monthly_rent: Decimal
    days: int
    of_days: int
    amount: Decimal


def terms_on(terms: Sequence[TermsRow], day: date) -> TermsRow:
    """The terms in force on `day`; before the first of them, the first. `terms` in order of start."""
    found = terms[0]
    for row in terms:
        if row.starts_on > day:
            break
        found = row
    return found


def charge(*, starts_on: date, ends_on: date, terms: TermsRow, month: date) -> Charge:
    """Monthly rent x chargeable days / days of the month, half up.

    `month` is its first day. Chargeable days lie within the lease and after `rent_free_until`.
    """
    last = last_day(month)
    begin = max(starts_on, month)
    if terms.rent_free_until:
        begin = max(begin, terms.rent_free_until + timedelta(days=1))
    days = max(0, (min(ends_on, last) - begin).days + 1)
    amount = to_fen(terms.monthly_rent * days / last.day)
    return Charge(terms.monthly_rent, days, last.day, amount)


def cap(charged: Decimal, terms: TermsRow) -> Decimal:
    return to_fen(charged * terms.offset_cap)


def last_day(month: date) -> date:
    """The last day of the month of a day."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def months_between(earlier: date, later: date) -> int:
    """How many months `later` lies after `earlier`, days disregarded."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


@dataclass(frozen=True, slots=True)
class Stretch:
    """The months from `first` to `last` (their first days), each charged `charge` and offset at most `cap`, yuan."""

    first: date
    last: date
    months: int
    charge: Decimal
    cap: Decimal
    days: int
    of_days: int

    @property
    def cash(self) -> Decimal:
        return self.charge - self.cap


def rent_schedule(*, starts_on: date, ends_on: date, terms: Sequence[TermsRow]) -> list[Stretch]:
    """What a lease will charge from its first month to its last; months alike that follow each other are one line.

    Each month by the terms on its last day, as its statement will reckon.
    """
    found: list[Stretch] = []
    month, last_month = starts_on.replace(day=1), ends_on.replace(day=1)
    while month <= last_month:
        row = terms_on(terms, last_day(month))
        one = charge(starts_on=starts_on, ends_on=ends_on, terms=row, month=month)
        most = cap(one.amount, row)
        before = found[-1] if found else None
        whole = one.days in (0, one.of_days)
        alike = (
            before is not None
            and whole
            and (before.days == 0) == (one.days == 0)
            and before.days in (0, before.of_days)
            and (before.charge, before.cap) == (one.amount, most)
        )
        if before is not None and alike:
            found[-1] = replace(before, last=month, months=before.months + 1)
        else:
            found.append(Stretch(month, month, 1, one.amount, most, one.days, one.of_days))
        month = last_day(month) + timedelta(days=1)
    return found
