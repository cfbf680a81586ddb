"""Rent that is due and not paid, by how long ago it fell due. Reads; changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.journal.queries import last_day
from ledger.money import ZERO
from providers.leases.matching import OpenDue
from providers.leases.receipts import Dues

# Days since the month ended; the last bound is open.
BOUNDS = (30, 60, 90)


@dataclass(slots=True)
class Arrears:
    """What one lease owes: yuan by age (up to 30, 60, 90 days, more), and the dues that make it."""

    lease: str
    ages: list[Decimal] = field(default_factory=lambda: [ZERO] * (len(BOUNDS) + 1))
    dues: list[OpenDue] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum(self.ages, ZERO)


def arrears(today: date, *, of: Iterable[str] | None = None) -> list[Arrears]:
    """What each lease owes from months that have ended, in lease order; `of` are codes of leases, None all.

    What a proposal would pay is not counted as owed (rules.md section 8).
    """
    wanted = None if of is None else set(of)
    found: dict[str, Arrears] = {}
    for due in Dues().open():
        if wanted is not None and due.lease not in wanted:
            continue
        one = found.setdefault(due.lease, Arrears(due.lease))
        one.ages[age_of(due.month, today)] += due.amount
        one.dues.append(due)
    return [found[code] for code in sorted(found)]


def age_of(month: date, today: date) -> int:
    """The place among the ages of what fell due in a month."""
    days = (today - last_day(month)).days
    return sum(days > bound for bound in BOUNDS)
