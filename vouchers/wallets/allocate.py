"""Which vouchers pay how much of a price (rules.md section 4, step 5). Pure.

    elder price x quantity, candidates  →  lines

Candidates are an elder's vouchers with something left whose programme and scope fit; the caller found
them. Only order, shares, divisibility and the two kinds of settlement are decided here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.money import ZERO, floor_fen


@dataclass(frozen=True, slots=True)
class Candidate:
    """One voucher that may pay. `remaining` in yuan; `voucher_id` is the order of serials in a programme."""

    voucher_id: int
    programme_id: int
    programme: str
    settlement: str
    valid_until: date
    remaining: Decimal
    divisible: bool
    max_share: Decimal

    @property
    def order(self) -> tuple:
        return self.valid_until, self.programme, self.voucher_id


class Line(NamedTuple):
    """`amount` yuan of one voucher of one programme."""

    voucher_id: int
    programme_id: int
    programme: str
    amount: Decimal


def allocate(price: Decimal, candidates: Iterable[Candidate]) -> list[Line]:
    """The lines that pay `price` yuan, in the order in which they pay; none where no voucher can.

    Vouchers of offset and of payout programmes never pay together: the kind that pays more does, on a
    tie the one whose first paying voucher comes first.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.order)
    best: list[Line] = []
    best_rank: tuple = (ZERO,)
    for settlement in ("offset", "payout"):
        paying = [candidate for candidate in ordered if candidate.settlement == settlement]
        lines, first = _one_kind(price, paying)
        if not lines or first is None:
            continue
        paid = sum((line.amount for line in lines), ZERO)
        if paid > best_rank[0] or (paid == best_rank[0] and first.order < best_rank[1]):
            best, best_rank = lines, (paid, first.order)
    return best


def _one_kind(price: Decimal, ordered: Iterable[Candidate]) -> tuple[list[Line], Candidate | None]:
    left = price
    paid_by: dict[str, Decimal] = {}
    lines: list[Line] = []
    first = None
    for voucher in ordered:
        if left <= 0:
            break
        share = floor_fen(voucher.max_share * price) - paid_by.get(voucher.programme, ZERO)
        allowed = min(left, share)
        amount = min(voucher.remaining, allowed) if voucher.divisible else voucher.remaining
        if amount <= 0 or amount > allowed:
            continue
        lines.append(Line(voucher.voucher_id, voucher.programme_id, voucher.programme, amount))
        paid_by[voucher.programme] = paid_by.get(voucher.programme, ZERO) + amount
        left -= amount
        first = first or voucher
    return lines, first
