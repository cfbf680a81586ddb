"""Files of redemptions and reversals: each row by the same operation as a terminal's, in file order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.files import kinds
from ledger.files.table import Column, Row, Table
from vouchers.redemption.models import Redemption
from vouchers.redemption.operations import FILES, AlreadyReversed, RedemptionOrder, redeem, reverse
from vouchers.redemption.refusals import CannotRedeem

KEY = kinds.text(80)

REDEMPTIONS = (
    Column("key", KEY),
    Column("happened_at", kinds.INSTANT),
    Column("premises", kinds.CODE),
    Column("service", kinds.CODE),
    Column("elder", kinds.CODE),
    Column("quantity", kinds.integer(1, 32767)),
    Column("channel", kinds.choice(*Redemption.Channel.values), required=False),
)
REVERSALS = (
    Column("key", KEY),
    Column("reversed_at", kinds.INSTANT),
    Column("reason", kinds.text(500), required=False),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: accepted, repeated, or the code of its refusal."""

    line: int
    word: str

    @property
    def refused(self) -> bool:
        return self.word not in ("accepted", "repeated")


def import_redemptions(*, table: Table, by: Any, clock: Callable[[], datetime]) -> Iterator[Outcome]:
    """This function will redeem each row of a file that was checked, each in its own transaction.

    `clock` tells when each row is learnt of. Repeating the file repeats nothing: rows that were refused
    are tried anew, and judged as things stand then.
    """
    for row in table.rows():
        yield Outcome(row.line, _redeem(row, by=by, at=clock()))


def _redeem(row: Row, *, by: Any, at: datetime) -> str:
    order = RedemptionOrder(
        key=row["key"],
        happened_at=row["happened_at"],
        premises=row["premises"],
        service=row["service"],
        elder=row["elder"],
        quantity=row["quantity"],
        channel=row["channel"] or "",
    )
    try:
        return "repeated" if redeem(order=order, by=by, at=at).repeated else "accepted"
    except CannotRedeem as refusal:
        return refusal.code


def import_reversals(*, table: Table, by: Any, clock: Callable[[], datetime]) -> Iterator[Outcome]:
    """This function will reverse the redemption that each row of a checked file names by its key or number."""
    for row in table.rows():
        yield Outcome(row.line, _reverse(row, by=by, at=clock()))


def _reverse(row: Row, *, by: Any, at: datetime) -> str:
    # What came by a terminal has a key of that terminal: it is named by its number.
    redemption = (
        Redemption.objects.filter(key_scope=FILES, key=row["key"]).first()
        or Redemption.objects.by_number(row["key"]).first()
    )
    if redemption is None:
        return "unknown_reference"
    try:
        reverse(
            redemption=redemption, reversed_at=row["reversed_at"], reason=row["reason"] or "", by=by, at=at
        )
    except AlreadyReversed:
        return "repeated"
    return "accepted"
