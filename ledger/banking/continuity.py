"""Whether a bank file's balances follow from one another. Pure: lines in, the places of the gaps out."""

from collections.abc import Sequence
from decimal import Decimal

from ledger.banking.layouts import BankRow


def gaps(rows: Sequence[BankRow]) -> list[int]:
    """This function will name the lines (of the file) whose balance does not follow from the one before.

    Account by account, lines without a balance left out. Banks write the oldest line first or last: the order
    in which fewer lines break is the file's. A gap means that a line is missing, or stands there twice.
    """
    by_account: dict[str, list[BankRow]] = {}
    for row in rows:
        if row.balance is not None:
            by_account.setdefault(row.account, []).append(row)
    found: list[int] = []
    for listed in by_account.values():
        forwards, backwards = _breaks(listed), _breaks(listed[::-1])
        found += forwards if len(forwards) <= len(backwards) else backwards
    return sorted(found)


def _breaks(listed: Sequence[BankRow]) -> list[int]:
    """The lines at which a running balance breaks, read in this order."""
    lines = []
    before: Decimal | None = None
    for row in listed:
        assert row.balance is not None
        signed = row.amount if row.direction == "in" else -row.amount
        if before is not None and before + signed != row.balance:
            lines.append(row.line)
        before = row.balance
    return lines
