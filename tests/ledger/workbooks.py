"""Workbooks for the tests: honest ones by openpyxl, and the same with one part exchanged for a hostile one."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: Sequence[Any], formats: dict[str, str] | None = None) -> bytes:
    """An XLSX file with these rows on its first sheet; `formats`: number formats by cell."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    book.create_sheet("another").append(["not", "ours"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def exchanged(data: bytes, part: str, content: bytes | Iterable[bytes]) -> bytes:
    """The same archive with one part replaced, or added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            if info.filename != part:
                new.writestr(info, old.read(info))
        with new.open(part, "w", force_zip64=True) as target:
            for piece in [content] if isinstance(content, bytes) else content:
                target.write(piece)
    return out.getvalue()


def sheet_xml(body: str) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'.encode()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)
