"""What a lease charges for a month (rules.md section 7: charge and cap). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
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
