"""Bank files of any other layout: a person says once which heading holds what, for one account.

Afterwards such a file is read like the known ones: the same checks, fingerprints and matching.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.banking import layouts
from ledger.banking.layouts import BANK_LIMITS, LAYOUTS, Layout
from ledger.banking.models import BankFile, BankMapping
from ledger.files.csv_rows import csv_rows
from ledger.files.kinds import Kind
from ledger.files.problems import Problems, Unreadable, Wrong
from ledger.files.source import Source
from ledger.files.table import Column
from ledger.files.workbook_rows import OLE_MARK, ZIP_MARK, workbook_rows
from ledger.refusals import Refusal

PREFIX = "mapped:"
SAMPLE_ROWS = 5

# What a heading may hold, in the order in which it is asked, with how its cells are read.
PLACES: dict[str, Kind] = {
    "booked_at": layouts.TIME,
    "account": layouts.ACCOUNT,
    "signed": layouts.BALANCE,
    "debit": layouts.AMOUNT,
    "credit": layouts.AMOUNT,
    "side": layouts.SIDE,
    "balance": layouts.BALANCE,
    "counterparty_name": layouts.WORDS,
    "counterparty_account": layouts.ACCOUNT,
    "summary": layouts.WORDS,
    "purpose": layouts.WORDS,
    "currency": layouts.CURRENCY,
}
# How banks call them; the first heading that fits is proposed.
USUAL = {
    "booked_at": ("交易时间", "交易日期", "会计日期", "记账日期", "入账日期", "日期"),
    "account": ("本方账号", "账号"),
    "signed": ("交易发生金额", "发生额", "交易金额"),
    "debit": ("借方发生额", "借方发生额(支出)", "支出金额", "借方金额", "支出"),
    "credit": ("贷方发生额", "贷方发生额(收入)", "收入金额", "贷方金额", "收入"),
    "side": ("借/贷", "借贷标志"),
    "balance": ("余额", "账户余额", "当前余额"),
    "counterparty_name": ("对方户名", "对方单位名称", "对方名称", "对方账户名称"),
    "counterparty_account": ("对方账号", "对方账户"),
    "summary": ("摘要", "交易摘要"),
    "purpose": ("用途", "备注", "附言"),
    "currency": ("币种",),
}

SENTENCES = {
    "no_day": _("Say which column holds the day."),
    "no_amount": _("Say which column holds the amounts: one with signs, or one each for out (借) and in (贷)."),
    "amount_twice": _("Amounts stand either in one column with signs, or in two: not in both."),
    "heading_twice": _("One column can hold only one thing."),
    "unknown_heading": _("The file has no such column."),
    "known_bank": _("These are the columns of a bank that is known already: choose it when you upload the file."),
    "mapped_before": _("The files of this account with these columns were mapped before."),
    "in_use": _("Files have been read by this mapping: it stays as it is."),
    "wrong_role": _("Only a clerk of the bureau maps bank files."),
}  # fmt: skip


class CannotMap(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


@dataclass(frozen=True)
class Look:
    """What a file shows: its headings, and its first rows as text."""

    headings: list[str]
    rows: list[list[str]]


def look(source: bytes | BinaryIO, *, header_line: int, name: str) -> Look:
    """This function will read the headings and first rows of a file whose columns nobody knows yet.

    Raises FileRefused.
    """
    problems = Problems()
    found: list[list[str]] = []
    try:
        file = Source(source, name)
        data = layouts.utf8(file, set(), header_line)
        with Source(data, name).open(BANK_LIMITS) as (opened, _state):
            if data[:4] == OLE_MARK:
                raise Unreadable(1, _("this is an old Excel file: save it as .xlsx"))
            read = workbook_rows if data[:4] == ZIP_MARK else csv_rows
            for line, cells in read(opened, BANK_LIMITS):
                if line < header_line:
                    continue
                if isinstance(cells, Wrong):
                    raise Unreadable(line, cells.message, **cells.values)
                found.append([str(cell).strip() for cell in cells])
                if len(found) > SAMPLE_ROWS:
                    break
        if len(found) < 2:
            raise Unreadable(
                header_line, _("below this line there are no rows: is it the line of the headings?")
            )
    except Unreadable as stop:
        problems.add_wrong(name, stop.line, "", stop)
        problems.refuse()
    headings = found[0]
    while headings and not headings[-1]:
        headings.pop()
    if len(set(headings)) < len(headings) or not all(headings):
        problems.add(
            name,
            header_line,
            "",
            _("some columns have no name, or the same: is it the line of the headings?"),
        )
        problems.refuse()
    return Look(headings, [(row + [""] * len(headings))[: len(headings)] for row in found[1:]])


def guess(headings: Sequence[str]) -> dict[str, str]:
    """What each heading probably holds, by the names that banks use."""
    found: dict[str, str] = {}
    for place, names in USUAL.items():
        heading = next((name for name in names if name in headings and name not in found.values()), None)
        if heading:
            found[place] = heading
    if "debit" in found and "credit" in found:
        found.pop("signed", None)
    return found


def layout_from(
    *, account: str, headings: Sequence[str], places: Mapping[str, str], header_line: int = 1, name: str = ""
) -> Layout:
    """The layout that a mapping makes. Raises CannotMap where it cannot tell day, amount and direction."""
    of = {place: heading for place, heading in places.items() if heading and place in PLACES}
    if not set(of.values()) <= set(headings):
        raise CannotMap("unknown_heading")
    if len(set(of.values())) < len(of):
        raise CannotMap("heading_twice")
    if "booked_at" not in of:
        raise CannotMap("no_day")
    if "signed" in of and ("debit" in of or "credit" in of):
        raise CannotMap("amount_twice")
    if "signed" not in of and not ("debit" in of and "credit" in of):
        raise CannotMap("no_amount")
    place_of = {heading: place for place, heading in of.items()}
    required = {"booked_at", "signed", "account"}
    return Layout(
        name=name,
        columns=tuple(
            Column(
                heading,
                PLACES[place_of[heading]] if heading in place_of else layouts.WORDS,
                required=place_of.get(heading) in required,
            )
            for heading in headings
        ),
        own=account,
        header_line=header_line,
        **{place: heading for place, heading in of.items() if place != "currency"},
    )


def find_layout(name: str) -> Layout:
    """A known layout, or that of a mapping (`mapped:7`). Raises KeyError."""
    if not name.startswith(PREFIX):
        return LAYOUTS[name]
    number = name.removeprefix(PREFIX)
    mapping = BankMapping.objects.filter(pk=int(number)).first() if number.isdecimal() else None
    if mapping is None:
        raise KeyError(name)
    return layout_of(mapping)


def layout_of(mapping: BankMapping) -> Layout:
    return layout_from(
        account=mapping.account,
        headings=mapping.headings,
        places=mapping.places,
        header_line=mapping.header_line,
        name=mapping.layout_name,
    )


def _mark(headings: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(sorted(headings), ensure_ascii=False).encode()).hexdigest()


def save_mapping(
    *,
    account: str,
    bank: str,
    headings: Sequence[str],
    places: Mapping[str, str],
    header_line: int,
    by: Any,
    at: datetime,
) -> BankMapping:
    """This function will keep a mapping for the files of one account. Raises CannotMap."""
    if not by.holds("bureau_clerk", city=True):
        raise CannotMap("wrong_role")
    layout_from(account=account, headings=headings, places=places)
    if any({column.name for column in known.columns} == set(headings) for known in LAYOUTS.values()):
        raise CannotMap("known_bank")
    try:
        with transaction.atomic():
            mapping = BankMapping.objects.create(
                account=account,
                bank=bank,
                headings=list(headings),
                places={place: places[place] for place in PLACES if places.get(place)},
                header_line=header_line,
                mark=_mark(headings),
                made_by=name_of(by),
                made_at=at,
            )
            record(by=by, at=at, action="map_bank_file", subject=mapping.layout_name, detail=mapping.places)
    except IntegrityError:
        raise CannotMap("mapped_before") from None
    return mapping


def drop_mapping(*, mapping: BankMapping, by: Any, at: datetime) -> None:
    """This function will take away a mapping by which no file was read. Raises CannotMap."""
    if not by.holds("bureau_clerk", city=True):
        raise CannotMap("wrong_role")
    with transaction.atomic():
        if BankFile.objects.filter(layout=mapping.layout_name).exists():
            raise CannotMap("in_use")
        name = mapping.layout_name
        mapping.delete()
        record(by=by, at=at, action="drop_bank_mapping", subject=name)
