"""Looks through a workbook before openpyxl may: a small XLSX can unpack to terabytes or to a tree of
millions of elements, and openpyxl would build it.

1. The directory of the archive: number of parts, declared sizes, their ratio, encryption.
2. Every part is really unpacked, piece by piece, and what comes out is counted, not believed.
3. XML parts run through expat without building anything: no document type, bounded depth, bounded
   elements in what openpyxl keeps whole, bounded rows and rising row numbers in sheets, which it streams.
"""

import re
import zlib
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext_lazy as _

from ledger.files.problems import Unreadable
from ledger.files.source import MB, Limits

BOMB = _("this workbook unpacks to far more than it should (%(size)s MB or more): it is not read")
DAMAGED = _("this workbook is damaged or not an Excel workbook: open it, save it as .xlsx and try again")
_ENCRYPTED = _("this workbook is encrypted: save it without a password")

_CHUNK = 64 * 1024
_SMALL = 4 * MB
_DEPTH = 64
_STRETCH = 1 * MB  # longest piece of XML between two elements
_ROW_ELEMENTS = 50_000  # elements in one row; also all that stands outside the rows of a sheet
_LAST_ROW = 1_048_576
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_NOT_XML = re.compile(
    r"xl/(media|embeddings|printerSettings)/.*|.*\.(bin|vml|jpe?g|png|gif|emf|wmf)", re.IGNORECASE
)
_DAMAGE = (BadZipFile, EOFError, zlib.error, NotImplementedError, OSError, expat.ExpatError, ValueError)


def guard(archive: ZipFile, limits: Limits) -> None:
    """This function will raise Unreadable unless the workbook can be read in bounded memory."""
    parts = archive.infolist()
    _check_directory(parts, limits)
    unpacked = 0
    for part in parts:
        sheet = bool(_SHEET.fullmatch(part.filename))
        allowed = limits.workbook_unpacked - unpacked
        if not sheet:
            allowed = min(allowed, limits.part_unpacked)
        try:
            unpacked += _run_through(archive, part, _look(part.filename, limits), allowed)
        except _DAMAGE:
            raise Unreadable(1, DAMAGED) from None


def _check_directory(parts: list[ZipInfo], limits: Limits) -> None:
    names = {part.filename for part in parts}
    if len(names) < len(parts) or not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise Unreadable(1, DAMAGED)
    declared = sum(part.file_size for part in parts)
    if len(parts) > limits.parts or declared > limits.workbook_unpacked:
        raise Unreadable(1, BOMB, size=declared // MB)
    for part in parts:
        if part.flag_bits & 1:
            raise Unreadable(1, _ENCRYPTED)
        _check_ratio(part.file_size, part.compress_size, limits)


def _check_ratio(unpacked: int, packed: int, limits: Limits) -> None:
    if unpacked > _SMALL and unpacked > limits.ratio * max(packed, 1):
        raise Unreadable(1, BOMB, size=unpacked // MB)


def _look(name: str, limits: Limits) -> "_Look | None":
    if _NOT_XML.fullmatch(name):
        return None
    if _SHEET.fullmatch(name):
        return _SheetLook()
    elements = limits.string_elements if name == "xl/sharedStrings.xml" else limits.part_elements
    return _Look(elements, manifest=name == "[Content_Types].xml")


def _run_through(archive: ZipFile, part: ZipInfo, look: "_Look | None", allowed: int) -> int:
    """Unpack one part piece by piece, and give the bytes that really came out."""
    size = 0
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > allowed:
                raise Unreadable(1, BOMB, size=size // MB)
            if look:
                look.feed(chunk)
    if look and size:
        look.finish()
    return size


class _Look:
    """Runs XML through expat and builds nothing. Raises Unreadable, or ExpatError when malformed."""

    def __init__(self, elements: int, manifest: bool = False) -> None:
        self._left = elements
        self._manifest = manifest
        self._depth = 0
        self._fed = self._at = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)
        self._fed += len(chunk)
        if self._fed - self._at > _STRETCH + _CHUNK:
            raise Unreadable(1, DAMAGED)

    def finish(self) -> None:
        self._parser.Parse(b"", True)

    def _doctype(self, *_: object) -> None:
        raise Unreadable(1, DAMAGED)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._left -= 1
        self._at = self._parser.CurrentByteIndex
        if self._left < 0 or self._depth > _DEPTH:
            raise Unreadable(1, DAMAGED)
        if self._manifest and _hides_behind_sheets(attributes):
            raise Unreadable(1, DAMAGED)

    def _end(self, name: str) -> None:
        self._depth -= 1


def _hides_behind_sheets(part: dict[str, str]) -> bool:
    """Whether the manifest calls something a sheet by its place, and so by its generous limits, alone."""
    at_sheets = part.get("PartName", "").lower().startswith("/xl/worksheets/")
    return at_sheets and not part.get("ContentType", "").endswith("worksheet+xml")


class _SheetLook(_Look):
    """Likewise for a sheet, which openpyxl forgets row by row: only a row, and all outside, is bounded."""

    def __init__(self) -> None:
        super().__init__(_ROW_ELEMENTS)
        self._row = 0
        self._outside = _ROW_ELEMENTS

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.endswith("}row"):
            if self._depth != 2:
                raise Unreadable(1, DAMAGED)
            row = int(attributes.get("r", self._row + 1))
            if not self._row < row <= _LAST_ROW:
                raise Unreadable(1, DAMAGED)
            self._row = row
            self._outside, self._left = self._left, _ROW_ELEMENTS
        super()._start(name, attributes)

    def _end(self, name: str) -> None:
        super()._end(name)
        if self._depth == 2 and name.endswith("}row"):
            self._left = self._outside
