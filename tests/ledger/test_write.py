"""Files that we hand out: they open as what they are, and carry no formula into anybody's spreadsheet."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from ledger.files import write
from ledger.files.kinds import CODE, DATE, INSTANT, RESIDENT_ID, SIGNED_YUAN, integer, text
from ledger.files.problems import Wrong
from ledger.files.table import Column, read
from ledger.files.write import As, Field, write_csv, write_xlsx

FIELDS = [
    Field("code"),
    Field("name", width=24),
    Field("id_number"),
    Field("cash_due", As.AMOUNT),
    Field("count", As.NUMBER),
    Field("on", As.DATE),
    Field("at", As.TIME),
]
AT = datetime(2026, 7, 31, 16, 0, tzinfo=UTC)  # midnight of 1 August in Shanghai
ROW = ("LS001", "李奶奶", "43029819551026548X", Decimal("-3557.4"), 318, date(2026, 7, 1), AT)
DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
]
HARMLESS = ["LS001", "李奶奶", "1=1", "a-b", "a@b", "（x）", ""]

COLUMNS = [
    Column("code", CODE),
    Column("name", text()),
    Column("id_number", RESIDENT_ID),
    Column("cash_due", SIGNED_YUAN),
    Column("count", integer()),
    Column("on", DATE),
    Column("at", INSTANT),
]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def xlsx(fields: list[Field], rows: Any, **given: Any) -> bytes:
    out = io.BytesIO()
    write_xlsx(out, fields, rows, **given)
    return out.getvalue()


def sheet(data: bytes) -> Any:
    return load_workbook(io.BytesIO(data)).worksheets[0]


def names_in_csv(words: list[str]) -> list[str]:
    data = b"".join(write_csv([Field("name")], [[word] for word in words])).decode("utf-8-sig")
    return [row[0] if row else "" for row in csv.reader(io.StringIO(data, newline=""))][1:]


def test_csv_is_utf8_with_mark_amounts_with_two_decimals_times_of_shanghai() -> None:
    data = b"".join(write_csv(FIELDS, [ROW, (None,) * 7]))
    assert (
        data
        == (
            "\ufeffcode,name,id_number,cash_due,count,on,at\r\n"
            "LS001,李奶奶,43029819551026548X,-3557.40,318,2026-07-01,2026-08-01T00:00:00+08:00\r\n"
            ",,,,,,\r\n"
        ).encode()
    )


def test_what_we_write_we_read() -> None:
    from_csv = read(b"".join(write_csv(FIELDS, [ROW])), COLUMNS)[0].as_dict()
    from_xlsx = read(xlsx(FIELDS, [ROW]), COLUMNS)[0].as_dict()
    assert from_csv == from_xlsx
    assert tuple(from_csv.values()) == ROW


def test_an_xlsx_file_holds_text_numbers_and_days_under_a_frozen_filtered_heading() -> None:
    ours = sheet(xlsx(FIELDS, [ROW, ROW], title="2026-07: 抵租 [全部]"))
    assert ours.title == "2026-07- 抵租 -全部-"
    assert ours.freeze_panes == "A2" and ours.auto_filter.ref == "A1:G3"
    assert ours.column_dimensions["B"].width == 24
    code, name, number, due, count, on, at = ours[2]
    assert [cell.data_type for cell in ours[2]] == ["s", "s", "s", "n", "n", "d", "d"]
    assert (code.number_format, number.number_format, due.number_format) == ("@", "@", "0.00")
    assert (due.value, count.value) == (-3557.4, 318)
    assert (on.value, on.number_format) == (datetime(2026, 7, 1), "yyyy-mm-dd")
    assert at.value == datetime(2026, 8, 1)
    assert ours["A1"].font.bold and not name.font.bold


@pytest.mark.parametrize("word", DANGEROUS)
def test_text_that_looks_like_a_formula_is_disarmed(word: str) -> None:
    assert names_in_csv([word]) == [f"'{word}"]
    cell = sheet(xlsx([Field("name")], [[word]]))["A2"]
    assert cell.data_type == "s" and cell.quotePrefix
    assert cell.value.replace("\r", "\n") == word.replace("\r", "\n")


@pytest.mark.parametrize("word", HARMLESS)
def test_other_text_is_left_alone(word: str) -> None:
    assert names_in_csv([word]) == [word]
    cell = sheet(xlsx([Field("name")], [[word]]))["A2"]
    assert (cell.value or "") == word and not cell.quotePrefix


def test_without_disarming_openpyxl_would_have_made_a_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    def naive(sheet: Any, word: str) -> Any:
        return write.WriteOnlyCell(sheet, word)

    monkeypatch.setattr(write, "_text_cell", naive)
    assert sheet(xlsx([Field("name")], [["=1+1"]]))["A2"].data_type == "f"


def test_headings_are_text_too() -> None:
    assert sheet(xlsx([Field("=1+1")], []))["A1"].data_type == "s"
    assert b"".join(write_csv([Field("=1+1")], [])).decode("utf-8-sig") == "'=1+1\r\n"


@settings(max_examples=60)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_no_text_whatever_becomes_a_formula_or_breaks_the_file(words: list[str]) -> None:
    for cell in names_in_csv(words):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    rows = list(sheet(xlsx([Field("name")], [[word] for word in words])).iter_rows(min_row=2))
    assert all(cell.data_type in ("s", "n") for row in rows for cell in row)
    assert all(cell.value is None for row in rows for cell in row if cell.data_type == "n")


@pytest.mark.parametrize(
    ("kind", "value"),
    [(As.AMOUNT, 8.5), (As.AMOUNT, True), (As.NUMBER, "8"), (As.TIME, datetime(2026, 7, 1)), (As.DATE, AT)],
)
def test_floats_naive_times_and_other_mistakes_are_the_programmers(kind: As, value: Any) -> None:
    with pytest.raises(TypeError):
        list(write_csv([Field("x", kind)], [[value]]))
    right = {As.AMOUNT: Decimal("8.50"), As.NUMBER: 8, As.TIME: AT, As.DATE: AT.date()}[kind]
    assert list(write_csv([Field("x", kind)], [[right]]))


def test_a_row_of_the_wrong_width_is_not_written() -> None:
    with pytest.raises(ValueError, match="zip"):
        list(write_csv(FIELDS, [ROW[:-1]]))


def test_a_long_file_comes_in_pieces() -> None:
    pulled = 0

    def rows() -> Iterator[list[str]]:
        nonlocal pulled
        for number in range(20_000):
            pulled += 1
            yield [f"EL{number:06d}"]

    pieces = write_csv([Field("code")], rows())
    assert len(next(pieces)) < 70_000 and pulled < 10_000  # not gathered
    assert sum(map(len, pieces)) > 100_000 and pulled == 20_000


def test_a_sheet_that_is_too_long_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "XLSX_ROWS", 3)
    assert write_xlsx(io.BytesIO(), [Field("x")], [["a"]] * 3) == 3
    target = io.BytesIO()
    with pytest.raises(Wrong, match="at most"):
        write_xlsx(target, [Field("x")], [["a"]] * 4)
    assert not target.getvalue()


def test_amounts_are_exact_in_the_file_itself() -> None:
    data = xlsx([Field("x", As.AMOUNT)], [[Decimal("123456789012.34")]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<v>123456789012.34</v>" in archive.read("xl/worksheets/sheet1.xml")
