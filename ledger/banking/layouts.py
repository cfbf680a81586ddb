"""Bank statement files to lines, one layout for each bank. Pure: bytes in, lines out.

The columns are those of the banks' corporate detail exports, CSV or XLSX; any other bank's are mapped once
(ledger/banking/mappings.py) and read here like these. Banks still write GB18030: these files alone may be in
it, when they are not UTF-8 and then show the expected header.

A line is known by all its columns (rules.md section 8): `fingerprint` is taken over every column in one
spelling, so that 88.00 of a CSV file and 88 of a workbook are the same line; `occurrence` counts equal
lines within the file, from 1.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from django.utils.translation import gettext_lazy as _

from ledger.files.kinds import SHANGHAI, YUAN, Kind, Origin, shown
from ledger.files.problems import Problems, Unreadable, Wrong
from ledger.files.source import MB, Limits, Source
from ledger.files.table import Column, Row, read
from ledger.files.workbook_rows import OLE_MARK, ZIP_MARK

BANK_LIMITS = Limits(file=64 * MB)


@dataclass(frozen=True, slots=True)
class BankRow:
    """One line of a bank statement. `columns` are all columns by heading, as text, in the layout's order."""

    line: int
    account: str
    booked_at: datetime
    direction: Literal["in", "out"]
    amount: Decimal
    counterparty_account: str
    counterparty_name: str
    summary: str
    purpose: str
    balance: Decimal | None
    columns: dict[str, str]
    fingerprint: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What a bank's file looks like: its columns, and which of them holds what a line needs.

    Amounts stand under `debit` and `credit`, or under `signed` alone (less than zero went out). `own` is the
    account of a file whose lines do not name it; where they do, each must be of this one.
    """

    name: str
    columns: tuple[Column, ...]
    booked_at: str
    account: str | None = None
    debit: str | None = None
    credit: str | None = None
    signed: str | None = None
    counterparty_account: str | None = None
    counterparty_name: str | None = None
    summary: str | None = None
    purpose: str | None = None
    balance: str | None = None
    side: str | None = None  # the column that says 借 or 贷, where there is one
    own: str = ""
    header_line: int = 1  # what stands above it is no concern of ours


# Kinds of value that only banks write


def _words(max_length: int) -> Kind:
    """Text as the bank or a payer wrote it: not ours to refuse, except what no column can hold."""

    def parse(value: str) -> str:
        if len(value) > max_length:
            raise Wrong(
                _("is too long: %(length)s characters, at most %(limit)s"),
                length=len(value),
                limit=max_length,
            )
        if any(
            (letter < " " and letter not in "\t\r\n") or "\ud800" <= letter <= "\udfff" for letter in value
        ):
            raise Wrong(_("contains a control character, which does not belong into text"))
        return str(value)

    return Kind("bank's words", parse, frozenset({Origin.NUMBER}), nothing="")


def _account(value: str) -> str:
    if re.fullmatch(r"[0-9][0-9.]*E\+?[0-9]+", value, re.ASCII | re.IGNORECASE):
        raise Wrong(
            _(
                "the spreadsheet has turned this into a number and lost its last digits: "
                "take the file as the bank gave it"
            )
        )
    if len(value) > 40 or not re.fullmatch(r"[0-9A-Za-z*_-]+", value, re.ASCII):
        raise Wrong(_("is not an account number: at most 40 digits or letters"))
    return str(value)


def _amount(value: str) -> Decimal:
    """Yuan, with or without commas between thousands."""
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", value, re.ASCII):
        value = value.replace(",", "")
    return YUAN.parse(value)


def _balance(value: str) -> Decimal:
    return -_amount(value[1:]) if value[0] == "-" else _amount(value)


_TIME = re.compile(
    r"(\d{4})(?P<sign>[-/]?)(\d{2})(?P=sign)(\d{2})"
    r"(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})(?:\.0+)?)?",
    re.ASCII,
)


def _time(value: str) -> datetime:
    """A bank's time in Shanghai: 2026-08-06 10:00:00, 2026/08/06, 20260806, 20260806 100000."""
    found = _TIME.fullmatch(value)
    try:
        if not found:
            raise ValueError
        year, month, day, hour, minute, second = (int(found[place] or 0) for place in (1, 3, 4, 5, 6, 7))
        moment = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    except ValueError:
        raise Wrong(_("'%(value)s' is not a date or time as banks write it"), value=shown(value)) from None
    if not 1990 <= moment.year <= 2199:
        raise Wrong(_("'%(value)s' is not a date or time as banks write it"), value=shown(value))
    return moment


def _yuan_only(value: str) -> str:
    if value.upper() not in ("人民币", "人民币元", "CNY", "RMB"):
        raise Wrong(_("only lines in yuan can be taken: this one is in another currency"))
    return str(value)


def _side(value: str) -> str:
    if value not in ("借", "贷"):
        raise Wrong(_("is neither 借 nor 贷"))
    return str(value)


ACCOUNT = Kind("account", _account, nothing="")  # a number in a workbook has lost its zeros or its end
AMOUNT = Kind("bank amount", _amount, frozenset({Origin.NUMBER}))
BALANCE = Kind("bank balance", _balance, frozenset({Origin.NUMBER}))
TIME = Kind("bank time", _time, frozenset({Origin.DATE, Origin.NUMBER}))
WORDS = Kind("bank's words", _words(1000).parse, frozenset({Origin.NUMBER, Origin.DATE}), nothing="")
CURRENCY = Kind("currency", _yuan_only, nothing="")
SIDE = Kind("side", _side)


def _column(name: str, kind: Kind, *, required: bool = False) -> Column:
    return Column(name, kind, required=required)


ICBC = Layout(
    name="icbc",
    columns=(
        _column("凭证号", _words(64)),
        _column("本方账号", ACCOUNT, required=True),
        _column("对方账号", ACCOUNT),
        _column("交易时间", TIME, required=True),
        _column("借/贷", SIDE, required=True),
        _column("借方发生额", AMOUNT),
        _column("贷方发生额", AMOUNT),
        _column("对方行号", _words(64)),
        _column("摘要", _words(500)),
        _column("用途", _words(500)),
        _column("对方单位名称", _words(200)),
        _column("余额", BALANCE),
        _column("个性化信息", _words(1000)),
    ),
    account="本方账号",
    booked_at="交易时间",
    side="借/贷",
    debit="借方发生额",
    credit="贷方发生额",
    counterparty_account="对方账号",
    counterparty_name="对方单位名称",
    summary="摘要",
    purpose="用途",
    balance="余额",
)

CCB = Layout(
    name="ccb",
    columns=(
        _column("账号", ACCOUNT, required=True),
        _column("交易时间", TIME, required=True),
        _column("借方发生额", AMOUNT),
        _column("贷方发生额", AMOUNT),
        _column("余额", BALANCE),
        _column("币种", CURRENCY),
        _column("对方户名", _words(200)),
        _column("对方账号", ACCOUNT),
        _column("对方开户机构", _words(200)),
        _column("记账日期", TIME),
        _column("摘要", _words(500)),
        _column("备注", _words(500)),
        _column("账户明细编号-交易流水号", _words(100)),
        _column("企业流水号", _words(100)),
        _column("凭证种类", _words(100)),
        _column("凭证号", _words(64)),
        _column("交易介质编号", _words(100)),
    ),
    account="账号",
    booked_at="交易时间",
    debit="借方发生额",
    credit="贷方发生额",
    counterparty_account="对方账号",
    counterparty_name="对方户名",
    summary="摘要",
    purpose="备注",
    balance="余额",
)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (ICBC, CCB)}


def read_bank(
    source: "str | os.PathLike[str] | bytes | BinaryIO", layout: str | Layout, *, name: str | None = None
) -> list[BankRow]:
    """This function will read a bank's file whole.

    1. Take it as UTF-8 or XLSX; failing that as GB18030, if that shows the layout's header.
    2. Read every column, and check that each line moves one positive amount one way.
    3. Give each line its fingerprint and count equal ones.

    Amounts are yuan, times are Asia/Shanghai. `layout` may be a key of LAYOUTS (KeyError otherwise).
    Raises FileRefused with everything that is wrong.
    """
    known = LAYOUTS[layout] if isinstance(layout, str) else layout
    problems = Problems()
    file = Source(source, name)
    rows: list[Row] = []
    try:
        data = utf8(file, {column.name for column in known.columns}, known.header_line)
        rows = read(
            data,
            known.columns,
            name=file.name,
            problems=problems,
            limits=BANK_LIMITS,
            header_line=known.header_line,
        )
    except Unreadable as stop:
        problems.add_wrong(file.name, stop.line, "", stop)
    seen: Counter[str] = Counter()
    lines = []
    for row in rows:
        if line := _line(known, row, file.name, seen, problems):
            lines.append(line)
    problems.refuse()
    return lines


def utf8(file: Source, expected: Set[str], header_line: int = 1) -> bytes:
    """The file's bytes; a GB18030 file that shows the expected headings is turned into UTF-8."""
    with file.open(BANK_LIMITS) as (opened, _state):
        data = opened.read()
    if data[:4] in (ZIP_MARK, OLE_MARK):
        return data
    try:
        data.decode("utf-8")
        return data
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return data
    lines = text.splitlines()[:header_line]
    header = lines[-1].replace('"', "").split(",") if len(lines) == header_line else []
    return text.encode("utf-8") if expected <= {cell.strip() for cell in header} else data


def _line(layout: Layout, row: Row, file: str, seen: Counter[str], problems: Problems) -> BankRow | None:
    try:
        direction, amount = _movement(layout, row)
        account = row[layout.account] if layout.account else layout.own
        if layout.own and account != layout.own:
            raise _WrongSide(layout.account or "", _("this line is of another account than this layout's"))
    except _WrongSide as wrong:
        problems.add_wrong(file, row.line, wrong.column, wrong)
        return None
    columns = {column.name: _spelt(row[column.name]) for column in layout.columns}
    fingerprint = _fingerprint(layout, columns)
    seen[fingerprint] += 1
    return BankRow(
        line=row.line,
        account=account,
        booked_at=row[layout.booked_at],
        direction=direction,
        amount=amount,
        counterparty_account=_text(row, layout.counterparty_account),
        counterparty_name=_text(row, layout.counterparty_name),
        summary=_text(row, layout.summary),
        purpose=_text(row, layout.purpose),
        balance=row[layout.balance] if layout.balance else None,
        columns=columns,
        fingerprint=fingerprint,
        occurrence=seen[fingerprint],
    )


def _text(row: Row, column: str | None) -> str:
    return row[column] if column else ""


class _WrongSide(Wrong):
    """The money moves no way or both; `column` is where that shows."""

    def __init__(self, column: str, message: Any, **values: Any) -> None:
        super().__init__(message, **values)
        self.column = column


def _movement(layout: Layout, row: Row) -> tuple[Literal["in", "out"], Decimal]:
    """Which way the money went, and how much: by its sign, or of debit (借, out) and credit (贷, in) exactly one is filled;
    a bank's 0.00 in the other counts as not filled. Raises _WrongSide."""
    if layout.signed:
        moved: Decimal = row[layout.signed]
        if not moved:
            raise _WrongSide(layout.signed, _("moves nothing: the amount is zero"))
        return ("out" if moved < 0 else "in"), abs(moved)
    assert layout.debit and layout.credit
    debit: Decimal | None = row[layout.debit] or None
    credit: Decimal | None = row[layout.credit] or None
    names = {"debit": layout.debit, "credit": layout.credit}
    if debit and credit:
        raise _WrongSide(
            layout.credit, _("%(debit)s and %(credit)s are both filled: one must be empty"), **names
        )
    amount = debit or credit
    if amount is None:
        raise _WrongSide(
            layout.credit, _("neither %(debit)s nor %(credit)s holds an amount above zero"), **names
        )
    side, under = ("借", layout.debit) if debit else ("贷", layout.credit)
    if layout.side and row[layout.side] != side:
        raise _WrongSide(
            layout.side,
            _("says %(said)s, but the amount stands under %(under)s"),
            said=row[layout.side],
            under=under,
        )
    return ("out" if debit else "in"), amount


def _spelt(value: Any) -> str:
    """A column's value in its one spelling: yuan with two decimals, times to the second, the rest as it is."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _fingerprint(layout: Layout, columns: dict[str, str]) -> str:
    canonical = json.dumps([layout.name, *columns.items()], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
