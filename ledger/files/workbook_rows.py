"""The first sheet of an XLSX workbook to rows of text, in bounded memory.

Each cell becomes the text that a CSV file would hold (`Cell`, which remembers its origin): numbers
without exponent, days and times as ISO 8601, TRUE and FALSE as yes and no. A formula stays a formula:
its column refuses it.
"""

import warnings
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook

from ledger.files.csv_rows import Row
from ledger.files.kinds import Cell, Origin
from ledger.files.problems import Unreadable
from ledger.files.source import MB, Limits
from ledger.files.workbook_guard import DAMAGED, guard

ZIP_MARK = b"PK\x03\x04"
OLE_MARK = b"\xd0\xcf\x11\xe0"  # .xls, and any workbook with a password
_LAST_ROW = 1_048_576
_EXACT = 10**15  # Excel keeps fifteen digits


def workbook_rows(file: BinaryIO, limits: Limits) -> Iterator[Row]:
    """This function will yield (row number, cells) for each row of the first sheet that is not blank.

    Raises Unreadable for anything that is not a readable, honest workbook.
    """
    size = file.seek(0, 2)
    if size > limits.workbook_file:
        raise Unreadable(
            1,
            _("the file has %(size)s MB; at most %(limit)s MB are read at a time: split it"),
            size=-(-size // MB),
            limit=limits.workbook_file // MB,
        )
    file.seek(0)
    try:
        archive = ZipFile(file)
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable(1, DAMAGED) from None
    with archive:
        guard(archive, limits)
    file.seek(0)
    width = 0  # of the widest so far, the header at least: openpyxl ends each row at its last cell
    for number, row in _sheet(file):
        if len(row) > limits.columns and any(cell.value is not None for cell in row[limits.columns :]):
            raise Unreadable(number, _("this row has more than %(limit)s cells"), limit=limits.columns)
        cells: list[str] = [_text(cell) for cell in row[: limits.columns]]
        if any(cells):
            width = max(width, len(cells))
            cells += [""] * (width - len(cells))
            yield number, cells


def _sheet(file: BinaryIO) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Row number and openpyxl's cells of each row. Whatever openpyxl trips over is a damaged workbook:
    fed with hostile XML it raises nearly anything, which is why everything is caught, here only."""
    number = 0
    try:
        with _quiet():
            workbook = load_workbook(file, read_only=True, data_only=False, keep_links=False)
            sheet = workbook.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its own size is not believed
            rows = iter(sheet.iter_rows(max_row=_LAST_ROW))
    except Exception:
        raise Unreadable(1, DAMAGED) from None
    try:
        while True:
            number += 1
            try:
                with _quiet():
                    row = next(rows)
            except StopIteration:
                return
            except Exception:
                raise Unreadable(number, DAMAGED) from None
            yield number, row
    finally:
        workbook.close()


def _quiet() -> warnings.catch_warnings:
    """openpyxl warns of styles and extensions that mean nothing to us."""
    return warnings.catch_warnings(action="ignore")


def _text(cell: Any) -> str:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return Cell("=", Origin.FORMULA)
    if kind == "e":
        return Cell(str(value), Origin.ERROR)
    if isinstance(value, bool):
        return Cell("yes" if value else "no", Origin.YES_NO)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (datetime, date)):
        return Cell(_moment(value), Origin.DATE)
    if isinstance(value, str):
        return value
    return Cell(str(value), Origin.ERROR)  # a time of day or a span, which no column asks for


def _number(value: int | float) -> Cell:
    """The number as Excel shows it: at most fifteen digits, no exponent."""
    if not -_EXACT < value < _EXACT:  # infinite and NaN too
        return Cell(str(value), Origin.LONG_NUMBER)
    return Cell(format(Decimal(format(value, ".15g")), "f"), Origin.NUMBER)


def _moment(value: datetime | date) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00"
    return value.replace(tzinfo=None).isoformat()
