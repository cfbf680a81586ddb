"""One lease, one month: the statement of section 7, as sums over what is known now. Changes nothing."""

from dataclasses import dataclass
from decimal import Decimal

from .arithmetic import ZERO, days_in, first_day, half_up, last_day, later, month_of

MONEY = (
    "charge", "carry_in", "earned", "late", "reversed", "credit",
    "lapsed", "available", "cap", "applied", "carry_out", "cash_due",
)  # fmt: skip


@dataclass
class Statement:
    lease: str
    month: str
    charge: Decimal
    carry_in: Decimal
    earned: Decimal
    late: Decimal
    reversed: Decimal
    credit: Decimal
    lapsed: Decimal
    available: Decimal
    cap: Decimal
    applied: Decimal
    carry_out: Decimal
    cash_due: Decimal
    redemptions: int
    under_review: int


def charge(lease, month):
    """Rent of the days of the month that are in the lease and no longer free of rent."""
    terms = lease.terms_on(first_day(month))
    start, end = max(first_day(month), lease.starts_on), min(last_day(month), lease.ends_on)
    days = (end - start).days + 1
    if terms.rent_free_until and terms.rent_free_until >= start:
        days = (end - terms.rent_free_until).days
    return half_up(terms.monthly_rent * max(days, 0) / days_in(month))


def _sorted_out(items, code, month):
    """The lease's redemptions that this month earns, counts late, takes off, or holds back."""
    earned, late, reverted, waiting = [], [], [], []
    for made, value in items:
        served = month_of(made.service_on)
        if made.reversed_on:
            if code in made.stands and code not in made.taken_off:
                reverted.append((made, value))
        elif code in made.stands or served > month:
            continue
        elif made.review == "held":
            waiting.append((made, value))
        else:
            (earned if served == month else late).append((made, value))
    return earned, late, reverted, waiting


def counted(items, code, month):
    """Redemptions that come to stand on this statement, and those that it takes off."""
    earned, late, reverted, _ = _sorted_out(items, code, month)
    return [made for made, _ in earned + late], [made for made, _ in reverted]


def reckon(lease, items, credit_left, month, always=False):
    """The statement, or None when the lease has none for that month (`always`: one that says nothing)."""
    earned, late, reverted, waiting = _sorted_out(items, lease.code, month)
    total = {
        name: sum((value for _, value in some), ZERO)
        for name, some in (("earned", earned), ("late", late), ("reversed", reverted))
    }
    lapsed = sum((left for m, left, carry_months in credit_left if month > later(m, carry_months)), ZERO)
    in_force = month_of(lease.starts_on) <= month <= month_of(lease.ends_on)
    if not always and not in_force and not lapsed and not any(total.values()):
        return None

    def rated(some):
        return sum((value * lease.terms_on(made.service_on).offset_rate for made, value in some), ZERO)

    rent = charge(lease, month) if in_force else ZERO
    credit = half_up(rated(earned) + rated(late) - rated(reverted))
    carry_in = sum((left for _, left, _ in credit_left), ZERO) - lapsed
    available = carry_in + credit
    cap = half_up(rent * lease.terms_on(first_day(month)).offset_cap)
    applied = min(available, cap)
    return Statement(
        lease=lease.code,
        month=month,
        charge=rent,
        carry_in=carry_in,
        credit=credit,
        lapsed=lapsed,
        available=available,
        cap=cap,
        applied=applied,
        carry_out=available - applied,
        cash_due=rent - applied,
        redemptions=len(earned) + len(late),
        under_review=len(waiting),
        **total,
    )


def credit_after(lease, credit_left, statement):
    """What is left of each month's credit once the statement is approved, oldest first."""
    month = statement.month
    kept = [[m, left, c] for m, left, c in credit_left if month <= later(m, c)]
    if statement.credit > 0:
        kept.append([month, statement.credit, lease.terms_on(first_day(month)).carry_months])
    used = statement.applied if statement.credit > 0 else statement.applied - statement.credit
    for bucket in kept:
        take = min(bucket[1], used)
        bucket[1] -= take
        used -= take
    return [bucket for bucket in kept if bucket[1]]
