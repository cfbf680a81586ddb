"""What a city remembers: vouchers, redemptions with their lines, orders; and the way it says no."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .arithmetic import ZERO


class Refused(Exception):
    """The rules say no; `code` says why."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


@dataclass
class Voucher:
    serial: str
    programme: str
    elder: str
    valid_from: date
    valid_until: date
    left: Decimal
    held: Decimal = ZERO
    void_by: str | None = None  # "death" or "fraud": what comes back to it is voided at once
    voided_by_death: Decimal = ZERO  # what a corrected death gives back

    def order(self):
        return (self.valid_until, self.programme, self.serial)


@dataclass
class Line:
    voucher: Voucher
    amount: Decimal


@dataclass
class Redemption:
    key: str
    content: tuple
    elder: str
    premises: str
    service: str
    service_on: date
    quantity: int
    lease: str
    operator: str
    price: dict  # list, government, concession, charity, elder, vouchers, self_pay
    lines: list
    reversed_on: date | None = None
    review: str | None = None  # None, "held", "released", "rejected"
    stands: dict = field(default_factory=dict)  # lease -> month of the approved statement it stands on
    taken_off: dict = field(default_factory=dict)  # lease -> month of the statement that counted its reversal


@dataclass
class Order:
    key: str
    elder: str
    premises: str
    service: str
    service_on: date
    quantity: int
    lines: list
    placed_on: date
    state: str = "open"  # open, delivered, released
