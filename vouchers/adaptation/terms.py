"""What public money pays for one home. Pure.

Amounts are yuan. Vouchers, government part and charity part together are what a household gets; what a home costs
beyond that the family pays itself.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from ledger.money import ZERO

HOUSEHOLD_CAP = Decimal("3000.00")
"""A household, once. Wuhan 2021 and Huangshan 2023 pay what was spent up to 3,000 yuan a household and leave the
rest to the family; assessment and acceptance are not counted (extremexp.net/fangchan/2021/0607/154568.html,
investchn.com/home/news/detail/id/497829.html). Other cities pay more; theirs is another figure here."""

WARRANTY_MONTHS = (12, 24, 36)
MOST_QUANTITY = 20


class Parts(NamedTuple):
    """Who pays which part of a line, in yuan; together the list price."""

    list_price: Decimal
    government: Decimal
    concession: Decimal
    charity: Decimal
    vouchers: Decimal
    self_pay: Decimal

    @property
    def public(self) -> Decimal:
        return self.government + self.charity + self.vouchers


def together(parts: Iterable[Parts]) -> Parts:
    """Each part summed."""
    listed = list(parts)
    return Parts(*(sum((getattr(one, name) for one in listed), ZERO) for name in Parts._fields))


def over_cap(parts: Iterable[Parts]) -> Decimal:
    """By how much these lines ask for more than a household gets; zero when they do not."""
    return max(ZERO, together(parts).public - HOUSEHOLD_CAP)
