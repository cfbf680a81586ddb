"""Tables to files that open well in a spreadsheet and carry nothing dangerous into it.

Text that a spreadsheet would take for a formula (beginning with = + - @, a tab or a line break) is
disarmed: in CSV by an apostrophe before it, in XLSX by writing it as text with the "quoted" mark, which
leaves the text as it is. Numbers keep their sign. Codes and ID numbers are text, amounts numbers with
two decimals, days and times real ones. Rows are written as they come and never gathered.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from ledger.files.problems import Wrong

SHANGHAI = ZoneInfo("Asia/Shanghai")
XLSX_ROWS = 1_048_575  # below the heading
_XLSX_CELL = 32_767
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNWRITABLE = dict.fromkeys(
    [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "�"
)
_CSV_CHUNK = 64 * 1024


class As(Enum):
    """How the values of a column are written."""

    TEXT = "text"  # also codes, ID numbers, phone numbers: whatever must keep its zeros
    AMOUNT = "amount"  # Decimal, yuan
    NUMBER = "number"  # int or Decimal
    DATE = "date"
    TIME = "time"  # an aware datetime, shown as of Asia/Shanghai


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a file to write. `heading` may be lazily translated; `width` in characters is for XLSX."""

    heading: Any
    kind: As = As.TEXT
    width: int = 16


def write_csv(fields: Sequence[Field], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """This function will yield a CSV file piece by piece: UTF-8 with byte order mark, comma, CRLF.

    The values of a row stand in the order of `fields`; None is an empty cell.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([_disarmed(str(field.heading)) for field in fields])
    for row in rows:
        writer.writerow([_csv_cell(field.kind, value) for field, value in zip(fields, row, strict=True)])
        if buffer.tell() >= _CSV_CHUNK:
            yield _drained(buffer)
    yield _drained(buffer)


def as_file(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows of text by column as the CSV file that would say the same, for `ledger/files/table.py` to read."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def _drained(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece


def _disarmed(text: str) -> str:
    text = text.translate(_UNWRITABLE)
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _csv_cell(kind: As, value: Any) -> str:
    if value is None:
        return ""
    if kind is As.TEXT:
        return _disarmed(str(value))
    if kind is As.AMOUNT:
        return f"{_decimal(value):.2f}"
    if kind is As.NUMBER:
        return f"{_decimal(value):f}"
    if kind is As.TIME:
        return _shanghai(value).isoformat(timespec="seconds")
    return _day(value).isoformat()


def write_xlsx(
    target: str | BinaryIO, fields: Sequence[Field], rows: Iterable[Sequence[Any]], *, title: str = "Sheet1"
) -> int:
    """This function will write an XLSX file row by row, heading frozen and filterable, and give the number
    of rows. Only one row is in memory at a time; what openpyxl gathers lies in a temporary file.

    Raises Wrong when there are more rows than a sheet can hold; `target` is then untouched, as it is when
    `rows` itself raises.
    """
    book = Workbook(write_only=True)
    try:
        count = _fill(book.create_sheet(_sheet_title(title)), fields, rows)
    except BaseException:
        with tempfile.TemporaryFile() as nowhere:
            book.save(nowhere)  # the one way to make openpyxl drop its own temporary file now
        raise
    book.save(target)
    return count


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart of a sheet: its `title`, which column names the bars (from 1) and which ones hold figures."""

    title: str
    names: int
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class SheetOf:
    """One sheet of a book of several."""

    title: str
    fields: Sequence[Field]
    rows: Sequence[Sequence[Any]]
    bars: Bars | None = None


def write_book(target: str | BinaryIO, sheets: Sequence[SheetOf]) -> None:
    """This function will write a workbook of several sheets, each with its bars to the right of it."""
    book = Workbook(write_only=True)
    for one in sheets:
        sheet = book.create_sheet(_sheet_title(one.title))
        if one.bars and one.rows:
            sheet.add_chart(
                _chart(sheet, one.bars, len(one.rows)), f"{get_column_letter(len(one.fields) + 2)}2"
            )
        _fill(sheet, one.fields, one.rows)
    book.save(target)


def _chart(sheet: Any, bars: Bars, rows: int) -> BarChart:
    chart = BarChart()
    chart.type, chart.title, chart.width, chart.height = "bar", bars.title, 22, max(8, min(rows, 40) * 0.6)
    for column in bars.values:
        chart.add_data(Reference(sheet, min_col=column, min_row=1, max_row=rows + 1), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=bars.names, min_row=2, max_row=rows + 1))
    return chart


def _fill(sheet: Any, fields: Sequence[Field], rows: Iterable[Sequence[Any]]) -> int:
    sheet.freeze_panes = "A2"
    for place, field in enumerate(fields, 1):
        sheet.column_dimensions[get_column_letter(place)].width = field.width
    sheet.append([_heading(sheet, field) for field in fields])
    count = 0
    for row in rows:
        if count == XLSX_ROWS:
            raise Wrong(
                _("a sheet holds at most %(limit)s rows: choose CSV or a shorter period"), limit=XLSX_ROWS
            )
        sheet.append([_cell(sheet, field.kind, value) for field, value in zip(fields, row, strict=True)])
        count += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(fields))}{count + 1}"
    return count


def _sheet_title(title: str) -> str:
    """A title that Excel allows: at most 31 characters, none of : \\ / ? * [ ]."""
    return "".join("-" if letter in ":\\/?*[]" else letter for letter in title)[:31] or "Sheet1"


def _heading(sheet: Any, field: Field) -> Cell:
    cell = _text_cell(sheet, str(field.heading))
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, kind: As, value: Any) -> Cell | None:
    if value is None or value == "":
        return None
    if kind is As.TEXT:
        return _text_cell(sheet, str(value))
    if kind is As.AMOUNT:
        return _formatted(sheet, _decimal(value), "0.00")
    if kind is As.NUMBER:
        return _formatted(sheet, _decimal(value), "General")
    if kind is As.TIME:
        return _formatted(sheet, _shanghai(value).replace(tzinfo=None), "yyyy-mm-dd hh:mm:ss")
    return _formatted(sheet, _day(value), "yyyy-mm-dd")


def _formatted(sheet: Any, value: Any, number_format: str) -> Cell:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text_cell(sheet: Any, text: str) -> Cell:
    """A cell that stays text whatever it says: openpyxl would make a formula of a leading =."""
    text = text.translate(_UNWRITABLE)[:_XLSX_CELL]
    cell = WriteOnlyCell(sheet)
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
    if text.startswith(_DANGEROUS):
        cell.quotePrefix = 1
    return cell


def _decimal(value: Any) -> Decimal:
    """Decimal or int as Decimal. A float would be somebody's rounding error: TypeError."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"a number to write must be int or Decimal, not {type(value).__name__}")
    return Decimal(value)


def _shanghai(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("a time to write must be a datetime with a time zone")
    return value.astimezone(SHANGHAI)


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"a day to write must be a date, not {type(value).__name__}")
    return value
