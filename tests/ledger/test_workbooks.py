"""Workbooks built to deceive, each beside the honest one that it was made from (strength.md 18)."""

import io
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.files import workbook_guard, workbook_rows
from ledger.files.kinds import CODE, DATE, DIVISION, RESIDENT_ID, YES_NO, YUAN, integer, text
from ledger.files.problems import FileRefused
from ledger.files.source import MB, Limits
from ledger.files.table import Column, read
from tests.ledger.workbooks import MAIN, SHEET, exchanged, part, sheet_xml, workbook

LI = "43029819551026548X"
COLUMNS = [
    Column("code", CODE),
    Column("name", text()),
    Column("id_number", RESIDENT_ID, required=False),
    Column("division", DIVISION, required=False),
    Column("amount", YUAN, required=False),
    Column("on", DATE, required=False),
    Column("alone", YES_NO, required=False),
    Column("level", integer(), required=False),
]
HEADER = [column.name for column in COLUMNS]
HONEST = workbook(HEADER, ["EL01", "李奶奶", LI, "430211", 8.5, date(2026, 7, 1), True, 2])


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def refusal(data: bytes, **given: Any) -> str:
    with pytest.raises(FileRefused) as refused:
        read(data, COLUMNS, name="elders.xlsx", **given)
    return str(refused.value)


def with_cell(column: str, value: Any, **given: Any) -> bytes:
    cells: list[Any] = ["EL01", "李奶奶", None, None, None, None, None, None]
    cells[HEADER.index(column)] = value
    return workbook(HEADER, cells, **given)


def test_the_honest_workbook_is_read() -> None:
    [row] = read(HONEST, COLUMNS)
    assert row["id_number"] == LI and row["alone"] is True and row["level"] == 2


# Cells

CELLS = {
    "a formula": ("amount", "=1+1", 2, "is a formula: paste its value instead"),
    "a formula for a name": ("name", '=HYPERLINK("http://x")', "x", "is a formula"),
    "an error": ("amount", "#DIV/0!", 2, "holds an error of the spreadsheet"),
    "an ID as a number": (
        "id_number",
        430298195510265480,
        LI,
        "lost its last digits: format the column as text",
    ),
    "a 15-digit ID as a number": ("id_number", 430298551026548, LI, "is a number in the spreadsheet: format"),
    "a phone that is too long": ("name", 1.99e18, 19900000001, "lost its last digits"),
    "a code that became a date": ("name", datetime(2026, 2, 1), "2-1", "has turned this into a date"),
    "a number for a date": ("on", 46204, date(2026, 7, 1), "is a number in the spreadsheet"),
    "a time of day": ("on", time(8, 30), date(2026, 7, 1), "holds an error of the spreadsheet"),
    "TRUE for an amount": ("amount", True, 1, "is TRUE or FALSE in the spreadsheet"),
    "half a level": ("level", 2.5, 2.0, "'2.5' is not a whole number"),
    "a text of full-width digits": ("amount", "８.50", 8.5, "is written in full-width characters"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_that_excel_has_changed_is_refused_and_its_twin_is_read(name: str) -> None:
    column, wrong, right, sentence = CELLS[name]
    said = refusal(with_cell(column, wrong))
    assert said.startswith(f"elders.xlsx:2: {column}: ") and sentence in said
    assert read(with_cell(column, right), COLUMNS)


def test_a_formula_is_refused_even_where_excel_has_kept_its_value() -> None:
    body = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>amount</t></is></c></row>'
        '<row r="2"><c r="A2">{}<v>2</v></c></row>'
    )
    amount = [Column("amount", YUAN)]
    with pytest.raises(FileRefused, match="2: amount: is a formula"):
        read(exchanged(HONEST, SHEET, sheet_xml(body.format("<f>1+1</f>"))), amount)
    assert read(exchanged(HONEST, SHEET, sheet_xml(body.format(""))), amount)[0]["amount"] == 2


def test_headers_are_checked_as_in_csv() -> None:
    assert "elders.xlsx:1: name: this column is there twice" in refusal(
        workbook([*HEADER, "name"], ["EL01", "x"])
    )
    assert "elders.xlsx:3: 9: this row has 9 cells" in refusal(
        workbook(HEADER, ["EL01", "x"], ["EL02", "y", None, None, None, None, None, None, "z"])
    )
    assert "elders.xlsx:1: -: the file has no header row" in refusal(workbook([]))


def test_empty_cells_below_the_table_cost_nothing_and_mean_nothing() -> None:
    data = workbook(HEADER, ["EL01", "x"], formats={"Z900": "0.00"})
    assert len(read(data, COLUMNS)) == 1


# Archives


def pieces(piece: bytes, times: int, start: bytes = b"", end: bytes = b"") -> Iterator[bytes]:
    yield start
    for _ in range(times):
        yield piece
    yield end


SHEET_START = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
SHEET_END = b"</sheetData></worksheet>"
STRINGS = "xl/sharedStrings.xml"


def zeros_bomb() -> bytes:
    """300 MB of blanks in a sheet, in 300 KB."""
    return exchanged(HONEST, SHEET, pieces(b" " * MB, 300, SHEET_START, SHEET_END))


def elements_bomb() -> bytes:
    """Elements outside any row: openpyxl keeps each of them until the end."""
    return exchanged(
        HONEST, SHEET, pieces(b"<a/>" * 1000, 60, SHEET_START[:-11], b"<sheetData/></worksheet>")
    )


def varied(count: int, form: str) -> Iterator[bytes]:
    """Pieces that do not compress beyond suspicion."""
    for start in range(0, count, 1000):
        yield "".join(
            form.format(n=n, noise=(n * 2654435761) % 2**32) for n in range(start, start + 1000)
        ).encode()


def wide_row() -> bytes:
    def content() -> Iterator[bytes]:
        yield SHEET_START + b'<row r="1">'
        yield from varied(60_000, "<c><v>{noise}</v></c>")
        yield b"</row>" + SHEET_END

    return exchanged(HONEST, SHEET, content())


STRINGS_TYPE = (
    '<Override PartName="/{}" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)


def with_strings(content: bytes | Iterator[bytes], at: str = STRINGS) -> bytes:
    """The honest workbook with a table of shared strings, as Excel itself writes them."""
    listed = STRINGS_TYPE.format(at).encode()
    manifest = part(HONEST, "[Content_Types].xml").replace(b"</Types>", listed)
    return exchanged(exchanged(HONEST, "[Content_Types].xml", manifest), at, content)


def many_strings() -> bytes:
    def content() -> Iterator[bytes]:
        yield f'<sst xmlns="{MAIN}">'.encode()
        yield from varied(20_000, "<si><t>{noise}</t></si>")
        yield b"</sst>"

    return with_strings(content())


def some_strings(at: str = STRINGS) -> bytes:
    return with_strings(
        f'<sst xmlns="{MAIN}"><si><t>name</t></si><si><r><t>李</t></r><r><t>奶奶</t></r></si></sst>'.encode(),
        at,
    )


def laughs(entities: bool = True) -> bytes:
    doctype = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' if entities else ""
    body = '<row r="1"><c t="inlineStr"><is><t>{}</t></is></c></row>'.format("&b;" if entities else "ha")
    return exchanged(HONEST, SHEET, doctype.encode() + sheet_xml(body))


def declared_smaller() -> bytes:
    """The archive says that its sheet has ten bytes."""
    data = bytearray(exchanged(HONEST, SHEET, part(HONEST, SHEET)))
    at = data.rindex(SHEET.encode(), 0, data.rindex(b"PK\x05\x06")) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", data, at + 24, 10)
    return bytes(data)


def rows_of(*numbers: int) -> bytes:
    return exchanged(
        HONEST, SHEET, sheet_xml("".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in numbers))
    )


def other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return out.getvalue()


BOMBS = {
    "blanks": (zeros_bomb, "unpacks to far more than it should"),
    "elements outside rows": (elements_bomb, "is damaged"),
    "one endless row": (wide_row, "is damaged"),
    "strings behind a sheet": (lambda: some_strings("xl/worksheets/sheet9.xml"), "is damaged"),
    "billion laughs": (laughs, "is damaged"),
    "deep nesting": (lambda: exchanged(HONEST, SHEET, sheet_xml("<a>" * 500 + "</a>" * 500)), "is damaged"),
    "an attribute of 3 MB": (
        lambda: exchanged(HONEST, SHEET, sheet_xml(f'<row r="1" s="{"".join(map(str, range(500_000)))}"/>')),
        "is damaged",
    ),
    "a false size": (declared_smaller, "is damaged"),
    "row number beyond Excel": (lambda: rows_of(1, 10**9), "is damaged"),
    "row numbers going back": (lambda: rows_of(2, 1), "is damaged"),
    "row number twice": (lambda: rows_of(1, 1), "is damaged"),
    "cut off": (lambda: HONEST[: len(HONEST) // 2], "is damaged"),
    "another kind of archive": (other_zip, "is damaged or not an Excel workbook"),
    "a string that is not there": (
        lambda: exchanged(HONEST, SHEET, sheet_xml('<row r="1"><c t="s"><v>99</v></c></row>')),
        "is damaged",
    ),
    "XML that ends early": (lambda: exchanged(HONEST, SHEET, b"<worksheet>"), "is damaged"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_a_sentence(name: str) -> None:
    make, sentence = BOMBS[name]
    said = refusal(make())
    assert re.fullmatch(rf"elders\.xlsx:1: -: .*{sentence}.*\nproblems in all: 1", said), said


def guarded(data: bytes, limits: Limits) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            workbook_guard.guard(archive, limits)
        except workbook_guard.Unreadable:
            return False
    return True


def test_what_the_guard_lets_pass_is_the_same_with_room_enough() -> None:
    """The control of the bombs: it is their size that is refused, not their build."""
    assert guarded(rows_of(1, 2), Limits()) and guarded(laughs(entities=False), Limits())
    assert not guarded(zeros_bomb(), Limits())
    assert guarded(elements_small := exchanged(HONEST, SHEET, sheet_xml('<row r="1"/>' * 1)), Limits())
    assert not guarded(elements_small, Limits(workbook_unpacked=1000))
    assert not guarded(elements_small, Limits(parts=3))
    assert not guarded(elements_small, Limits(part_elements=10))
    assert not guarded(many_strings(), Limits(string_elements=30_000))
    assert guarded(many_strings(), Limits(string_elements=50_000))
    assert guarded(some_strings(), Limits())


def test_shared_strings_are_read_as_excel_writes_them() -> None:
    rows = "".join(f'<row r="{n + 1}"><c t="s"><v>{n}</v></c></row>' for n in range(2))
    [row] = read(exchanged(some_strings(), SHEET, sheet_xml(rows)), [Column("name", text())])
    assert row["name"] == "李奶奶"


def test_without_the_guard_rows_in_disorder_are_lost_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(
        f'<row r="{n}"><c t="inlineStr"><is><t>{word}</t></is></c></row>'
        for n, word in [(1, "name"), (3, "b"), (2, "a")]
    )
    data = exchanged(HONEST, SHEET, sheet_xml(rows))
    with pytest.raises(FileRefused, match="is damaged"):
        read(data, [Column("name", text())])
    monkeypatch.setattr(workbook_rows, "guard", lambda archive, limits: None)
    assert [row["name"] for row in read(data, [Column("name", text())])] == ["b"]


def test_an_encrypted_archive_is_refused() -> None:
    data = bytearray(HONEST)
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "is encrypted: save it without a password" in refusal(bytes(data))


def test_a_large_workbook_is_refused_by_its_size() -> None:
    assert ":1: -: the file has 1 MB; at most 0 MB are read" in refusal(
        HONEST, limits=Limits(workbook_file=1000)
    )


def test_a_workbook_called_csv_and_a_csv_called_xlsx_are_read_by_what_they_are() -> None:
    assert read(HONEST, COLUMNS, name="elders.csv")[0]["code"] == "EL01"
    plain = (",".join(HEADER) + "\nEL01,x,,,,,,\n").encode()
    assert read(plain, COLUMNS, name="elders.xlsx")[0]["code"] == "EL01"


def test_no_warning_of_openpyxl_reaches_anybody() -> None:
    extension = part(HONEST, SHEET).replace(
        b"</worksheet>", b'<extLst><ext uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"/></extLst></worksheet>'
    )
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert read(exchanged(HONEST, SHEET, extension), COLUMNS)
    assert not heard


@settings(max_examples=150)
@given(st.data())
def test_a_workbook_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(HONEST)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(HONEST) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(damaged), COLUMNS)
    except FileRefused as refused:
        assert str(refused)


_XML = [b"<", b">", b'"', b"/", b"c", b"r", b"v", b"1", b"A", b"9", b"-", b" ", b"s", b"\xe6"]


@settings(max_examples=150)
@given(st.data())
def test_a_sheet_with_damaged_xml_is_read_or_refused(data: st.DataObject) -> None:
    sheet = bytearray(part(HONEST, SHEET))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(sheet) - 1))
        sheet[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(_XML))
    try:
        read(exchanged(HONEST, SHEET, bytes(sheet)), COLUMNS)
    except FileRefused as refused:
        assert str(refused)
