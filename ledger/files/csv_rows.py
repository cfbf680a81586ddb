"""CSV bytes to rows of text, in bounded memory: one row is held at a time, and a row has a limit.

UTF-8 with or without byte order mark, comma, quotes as in RFC 4180. Everything else is refused with the
line it stands on: lines are physical, as an editor counts them, also inside quoted cells.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from ledger.files.problems import Unreadable, Wrong
from ledger.files.source import Limits

Row = tuple[int, list[str] | Wrong]

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NOT_UTF8 = _("this file is not UTF-8: save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
_UTF16 = _("this file is not UTF-8; it looks like UTF-16: save it as UTF-8")
_GB18030 = _("this file is not UTF-8; it looks like GB18030: save it as UTF-8")
_OPEN_QUOTE = _("a quotation mark opens in this row and is never closed")


def csv_rows(file: BinaryIO, limits: Limits) -> Iterator[Row]:
    """This function will yield (line, cells) for each row that is not blank, header first.

    A row whose quotes are wrong comes as (line, Wrong) and reading goes on behind it.
    Raises Unreadable where reading cannot go on.
    """
    _look_at_start(file)
    lines = _Lines(file, limits)
    reader = csv.reader(lines, strict=True)
    while True:
        start = lines.number + 1
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, _explain(error)
            continue
        if len(cells) > limits.columns:
            raise Unreadable(start, _("this row has more than %(limit)s cells"), limit=limits.columns)
        if any(cells):
            yield start, cells


def _look_at_start(file: BinaryIO) -> None:
    """Refuse what is certainly not UTF-8 text, and step over a byte order mark."""
    start = file.read(4096)
    if start.startswith(_UTF16_MARKS):
        raise Unreadable(1, _UTF16)
    zeros = max(start[::2].count(0), start[1::2].count(0))
    if len(start) >= 4 and zeros * 5 > len(start) and start.strip(b"\0"):
        raise Unreadable(1, _UTF16)
    if b"\r" in start and b"\n" not in start:
        raise Unreadable(
            1, _("the lines of this file end in the way of old Macs: save it again as CSV UTF-8")
        )
    file.seek(len(_UTF8_MARK) if start.startswith(_UTF8_MARK) else 0)


def _explain(error: csv.Error) -> Wrong:
    reason = str(error)
    if "field larger" in reason:
        return Wrong(
            _("a cell is longer than %(limit)s characters; is a quotation mark not closed?"),
            limit=csv.field_size_limit(),
        )
    if "unexpected end" in reason:
        return Wrong(_OPEN_QUOTE)
    if "new-line" in reason:
        return Wrong(_("a line break stands inside a cell without quotation marks"))
    return Wrong(_('the quotation marks of this row do not match: write " inside a cell as ""'))


class _Lines:
    """Physical lines as text. Counts them, and the bytes of the row being read."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.number = 0
        self._file = file
        self._limit = limits.row
        self._row_bytes = 0
        self._row_start = 1
        self._beyond_ascii = False  # UTF-8 beyond ASCII has been seen

    def begin_row(self) -> None:
        self._row_bytes = 0
        self._row_start = self.number + 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._file.readline(self._limit + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        self._row_bytes += len(raw)
        if self._row_bytes > self._limit:
            message = (
                _OPEN_QUOTE
                if self.number > self._row_start
                else _("this line is longer than %(limit)s bytes")
            )
            raise Unreadable(self._row_start, message, limit=self._limit)
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._not_utf8(raw, error) from None
        if len(line) < len(raw):
            self._beyond_ascii = True
        return line

    def _not_utf8(self, raw: bytes, error: UnicodeDecodeError) -> Unreadable:
        message = _NOT_UTF8
        if not self._beyond_ascii and _is_gb18030(raw):
            message = _GB18030
        elif self._beyond_ascii:
            message = _("this line is damaged: its bytes are not UTF-8")
        return Unreadable(self.number, message, position=raw[: error.start].count(b","))


def _is_gb18030(raw: bytes) -> bool:
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
