"""The small texts of the books. Pure: what the journal holds in, bytes of Beancount files out.

Narrations are Chinese, tags are the same words in English; neither names a person. What an entry is about is
found by its link (^RD-…, ^ST-…) and its number.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ledger import chart
from ledger.journal.queries import next_month

if TYPE_CHECKING:
    from ledger.books.export import Month

VERSION = 1  # of the layout: another one writes every month anew

NARRATIONS = {
    "issue": "发放消费券",
    "redemption": "核销",
    "reversal": "核销冲正",
    "hold": "预占",
    "release": "释放预占",
    "closing": "退回后失效",
    "expiry": "过期",
    "void_death": "身故作废",
    "void_fraud": "欺诈作废",
    "correct_death": "更正身故",
    "statement": "抵租对账单",
    "bank": "银行流水",
    "receipt": "收款认领",
}
OPENING = "期初余额"
OPENED_ON = "2000-01-01"  # the same for every account, so that a new one changes one line of one file
OPTIONS = """\
option "title" "颐券{title}"
option "operating_currency" "CNY"
option "operating_currency" "VCY"
"""


def is_file_of_books(name: str) -> bool:
    """Whether an export writes a file of this name (a path below its directory)."""
    month = r"(\d{4})/\1-\d\d(\.alone)?\.beancount"
    return re.fullmatch(rf"main\.beancount|accounts\.beancount|{month}", name, re.ASCII) is not None


def main(months: Sequence["Month"]) -> bytes:
    lines = [OPTIONS.format(title=""), 'include "accounts.beancount"']
    lines += [f'include "{month.path}"' for month in months]
    return _bytes(lines)


def accounts(named: Iterable[tuple[str, str]]) -> bytes:
    """`named` are (account, commodity), in order of name."""
    lines = [
        f'{OPENED_ON} commodity {chart.CNY}\n  name: "人民币元"',
        f'{OPENED_ON} commodity {chart.VCY}\n  name: "券元（消费券面值，不是货币）"',
        "",
    ]
    lines += [f"{OPENED_ON} open {name} {commodity}" for name, commodity in named]
    return _bytes(lines)


def month_header(month: "Month") -> bytes:
    """The first line of a month's file. It changes whenever any other byte of the file has to."""
    balances = hashlib.sha256(repr((VERSION, sorted(month.closing.items()))).encode()).hexdigest()[:16]
    return (
        f"; {month.month:%Y-%m}: {month.entries} entries, {month.transfers} transfers, "
        f"rows {month.rows:016x}, balances {balances}\n"
    ).encode()


def closing(month: "Month") -> bytes:
    """What each account holds when the month has ended, asserted without tolerance."""
    day = next_month(month.month)
    return _bytes(
        [
            "",
            *(
                f"{day} balance {name}  {_units(name, amount, ' ~ 0.00')}"
                for name, amount in month.closing.items()
            ),
        ]
    )


def alone(month: "Month") -> bytes:
    lines = [
        OPTIONS.format(title=f" {month.month:%Y-%m}"),
        'include "../accounts.beancount"',
        f'include "{month.month:%Y-%m}.beancount"',
    ]
    if any(month.opening.values()):
        lines += ["", f'{month.month - timedelta(days=1)} * "{OPENING}" #opening']
        lines += _postings(month.opening)
    return _bytes(lines)


def _postings(balances: Mapping[str, Decimal]) -> list[str]:
    return [f"  {name}  {_units(name, amount)}" for name, amount in sorted(balances.items()) if amount]


def _units(name: str, amount: Decimal, tolerance: str = "") -> str:
    return f"{amount:.2f}{tolerance} {chart.commodity(name)}"


def _bytes(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
