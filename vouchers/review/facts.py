"""What the rules see of a redemption, and what they say: plain values, no database, no clock."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

AT_THE_PLACE = frozenset({"canteen", "rehabilitation", "day_care", "recreation"})
"""Categories for which the elder comes to the premises; the others are brought to the home."""
MEALS = frozenset({"canteen", "delivery"})
VISITS = frozenset({"home_care", "adaptation"})

FILES = "files"
"""The one counter of all that comes in files: nobody knows who stood at it."""
SHANGHAI = 8 * 3600  # no clock was ever changed since the rules exist


class Served(NamedTuple):
    """One redemption that was not reversed. Instants are seconds since 1970, amounts yuan, times minutes.

    `cashier` is empty where nobody knows who served (files); `place` is (longitude, latitude) in degrees;
    `claimed` is what it earns for the rent of the very lease that served; `open_at` are the day's opening
    hours as (from, until) in minutes of the day, None where they are not known; `kin` says how the elder
    is tied to the operator on that day; `cashiers` how many people or tablets served at the place under that
    lease in the month, `usual` what share of it this one served, in per cent;
    `locked` whether its month was locked when it was reported; `evidence` whether a visit's record proves or
    supports it (vouchers/visits/evidence.py), None where no record is kept; `denied_on` the day on which the elder,
    called back, said that it was not had.
    """

    id: int
    elder: int
    at: int
    on: date
    recorded: int
    lease: int
    premises: int
    service: int
    category: str
    unit: str
    counter: str
    cashier: str
    channel: str
    quantity: int
    list_price: Decimal
    government: Decimal
    claimed: Decimal
    ordered: int | None = None
    ordered_on: date | None = None
    died_on: date | None = None
    place: tuple[float, float] | None = None
    cash_price: Decimal | None = None
    open_at: Sequence[tuple[int, int]] | None = None
    kin: str = ""
    cashiers: int = 0
    usual: int = 0
    evidence: bool | None = None
    locked: bool = False
    denied_on: date | None = None

    @property
    def minute(self) -> int:
        """The minute of the day in Asia/Shanghai."""
        return (self.at + SHANGHAI) % 86400 // 60


class Finding(NamedTuple):
    """What a rule says about one redemption: its number, its service day, and the facts that made it."""

    redemption: int
    on: date
    facts: dict[str, Any]


Findings = Iterator[Finding]


def number(id_: int) -> str:
    return f"RD-{id_:09d}"
