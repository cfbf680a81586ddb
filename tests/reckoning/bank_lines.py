"""Lakeside's bank files: every way in which a line can name a lease, or seem to.

Written when all months are settled, so that lines can pay exactly what is due.
"""

import csv
from datetime import datetime, timedelta
from decimal import Decimal

from .bank import COLUMNS
from .lakeside import OPERATORS

# b repeats the end of a, and c the beginning of it; each is taken again.
ORDER = ["bank-a.csv", "bank-a.csv", "bank-b.csv", "bank-c.csv", "bank-b.csv"]
NAMES = {code: name for code, name, _ in OPERATORS}


def write(home, city):
    due = {(lease, month): statement.cash_due for lease, month, statement in city.approved()}

    def rent(lease, n):
        """What the lease owes for the n-th month of 2026."""
        return due[lease, f"2026-{n:02d}"]

    first = _Account(datetime(2026, 2, 6, 10, 0))
    first.take(rent("LK1", 1), "转账", "LK1 2026-01 房租", NAMES["OPA"])
    first.take(rent("LK10", 1), "转账", "房租", NAMES["OPA"])  # proposed
    first.take(rent("LK10", 1), "转账", "房租", NAMES["OPA"])  # proposed already: nothing is open
    first.take(rent("LK3", 2), "转账", "房租LK3二月", NAMES["OPC"])
    for text in ("XLK3", "LK31", "LK3a", "LK33", "9LK3", "LK99", "lk3"):
        first.take(Decimal("11.11"), "转账", f"{text} 房租", NAMES["OPC"])
    first.take(rent("LK4", 1), "LK4", "房租LK4,LK4", NAMES["OPC"])  # one code, three times
    first.take(rent("LK4", 2), "转账", "往来款", NAMES["OPC"])  # proposed
    first.take(rent("LK8", 4), "LK8", "LK6", NAMES["OPE"])  # two codes: proposed by payer and amount
    first.take(rent("LK8", 3), "转账", "ＬＫ８ 房租", NAMES["OPE"])  # no code: proposed
    first.take(Decimal("500.00"), "转账", "LK5２期", NAMES["OPD"])  # a fullwidth digit is no ASCII digit
    first.take(Decimal("300.00"), "_LK6_", "", NAMES["OPE"])
    first.take(Decimal("33.33"), "LK", "6", NAMES["OPE"])
    first.take(rent("LK1", 2), "转账", "房租", NAMES["OPA"])  # several months owe just that
    first.give(Decimal("25.00"), "手续费", "LK1 退款", "样例银行")
    first.take(rent("LK8", 1), "转账", "房租", NAMES["OPE"] + "分部")  # another payer
    first.take(rent("LK3", 4), "转账", "房租", NAMES["OPB"])  # what another operator owes
    first.take(rent("LK3", 4), "转账", "房租", "样例陌生人")
    first.take(Decimal("88.00"), "转账", "LK7-现金", "", again=True)
    overlap = first.lines[-6:]

    second = _Account(first.at, first.balance, list(overlap))
    second.take(
        rent("LK4", 3), "转账", "LK4 2026-03", "样例代付人"
    )  # covers what is not proposed, oldest first
    second.take(rent("LK4", 3), "转账", "房租", NAMES["OPC"])
    second.take(rent("LK4", 4), "转账", "房租", NAMES["OPC"])
    second.take(rent("LK1", 2), "租金LK1", "LK1", NAMES["OPA"])
    second.take(rent("LK1", 3), "转账", "LK1。三月", NAMES["OPA"])
    second.take(rent("LK1", 4), "转账", "四月房租", NAMES["OPA"])
    second.take(rent("LK2", 1) + rent("LK2", 2), "转账", "（LK2）清租", NAMES["OPB"])  # more than one month
    second.take(Decimal("1.00"), "转账", "LK2/LK3", NAMES["OPB"])
    second.take(Decimal("1000.00"), "捐赠", "定向捐款", "样例爱心企业")
    second.give(Decimal("1200.00"), "拨付", "OPA 二月拨付", NAMES["OPA"])
    second.take(Decimal("0.01"), "转账", "LK10", NAMES["OPB"])  # another operator's lease: the code wins
    second.take(rent("LK10", 2), "转账", "房租", NAMES["OPA"])  # a fen too much now
    second.take(rent("LK10", 2) - Decimal("0.01"), "转账", "房租", NAMES["OPA"])

    third = _Account(second.at, second.balance, first.lines[:5])
    third.take(Decimal("88.00"), "转账", "LK7-现金", "", again=True, times=3, like=first)
    third.take(rent("LK5", 3) + rent("LK5", 4), "转账", "房租", NAMES["OPD"])
    third.take(rent("LK8", 3), "LK8", "三月", NAMES["OPE"])
    third.take(rent("LK8", 1), "转账", "房租", NAMES["OPE"])
    third.take(rent("LK8", 4), "转账", "房租", NAMES["OPE"])
    third.take(rent("LK8", 2), "转账", "房租, 二月", NAMES["OPE"])
    third.take(rent("LK3", 3), "转账", "房租", NAMES["OPC"])
    third.take(rent("LK6", 2), "转账", "房租", NAMES["OPE"])
    third.take(rent("LK6", 4), "转账", "房租", NAMES["OPE"])
    for name, account in (("a", first), ("b", second), ("c", third)):
        with open(home / f"bank-{name}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *account.lines])


class _Account:
    """Lines of one file with their running balance; every line is an hour and seven minutes later."""

    def __init__(self, at, balance=Decimal("20000.00"), lines=()):
        self.at, self.balance, self.lines = at, balance, list(lines)

    def take(self, amount, summary, purpose, payer, again=False, times=2, like=None):
        """An incoming line. With `again` it goes back and comes in anew in the same minute, so that its
        lines are equal in every column; `like` is the account whose lines they equal."""
        if not again:
            self.at += timedelta(minutes=67)
            self.balance += amount
            self._line("贷", amount, summary, purpose, payer, self.at, self.balance)
            return
        if like is None:
            self.at += timedelta(minutes=67)
            self.cash = (self.at, self.balance)
        at, balance = (like or self).cash
        for n in range(times):
            self._line("贷", amount, summary, purpose, payer, at, balance + amount)
            if n < times - 1:
                self._line("借", amount, "退回", purpose, payer, at, balance)
        if like is None:
            self.balance += amount

    def give(self, amount, summary, purpose, payee):
        self.at += timedelta(minutes=67)
        self.balance -= amount
        self._line("借", amount, summary, purpose, payee, self.at, self.balance)

    def _line(self, way, amount, summary, purpose, other, at, balance):
        paid, got = (amount, "") if way == "借" else ("", amount)
        number = f"{(at.day * 24 + at.hour) * 60 + at.minute:08d}"
        self.lines.append(
            [number, "1508000000000000001", "6217000000000001", f"{at:%Y-%m-%d %H:%M:%S}", way]
            + [str(cell) for cell in (paid, got, "102424000000", summary, purpose, other, balance, "")]
        )
