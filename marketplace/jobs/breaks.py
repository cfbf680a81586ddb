"""Breaks of balances as JSON, to be kept with what a job found and to be shown by pages."""

from typing import Any

from ledger.banking.continuity import Break, Line
from ledger.journal.queries import day_of
from ledger.models import BankLine


def told(one: Break) -> dict[str, Any]:
    """Both lines, what is missing between them in yuan, and where that lies: `inside` of the file, `before` or
    `after` it, or on `record` already."""
    stored = isinstance(one.before, BankLine), isinstance(one.after, BankLine)
    places = {
        (False, False): "inside",
        (True, False): "before",
        (False, True): "after",
        (True, True): "record",
    }
    return {
        "account": one.after.account[-4:],
        "sides": [_told(one.before), _told(one.after)],
        "missing": str(one.missing),
        "place": places[stored],
    }


def _told(line: Line) -> dict[str, Any]:
    stored = line if isinstance(line, BankLine) else None
    return {
        "line": line.line,
        "file": stored.file.name if stored else "",
        "number": stored.pk if stored else None,
        "on": str(day_of(line.booked_at)),
        "amount": str(line.amount if line.direction == "in" else -line.amount),
        "balance": str(line.balance),
    }
