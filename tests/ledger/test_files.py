"""Files as clerks send them, honest and hostile (strength.md 18).

Every hostile file has a twin that differs from it in the one thing that is wrong, and is read: that is
the control. A refusal names file, line and column, and says in a sentence what to do.
"""

import csv
import io
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from ledger.files.kinds import (
    CODE,
    DATE,
    DIVISION,
    INSTANT,
    RESIDENT_ID,
    SIGNED_YUAN,
    YES_NO,
    YUAN,
    choice,
    integer,
    listed,
    ratio,
    text,
)
from ledger.files.problems import FileRefused, Problems
from ledger.files.resident_ids import check_character
from ledger.files.source import Limits
from ledger.files.table import Column, Row, Table, read
from tests.ledger.workbooks import workbook

LI = "43029819551026548X"  # Grandma Li's number: real form, no real person

ELDERS = [
    Column("code", CODE),
    Column("name", text(20)),
    Column("id_number", RESIDENT_ID, required=False),
    Column("born_on", DATE, required=False),
    Column("income", YUAN, required=False),
    Column("level", integer(0, 4), required=False),
    Column("alone", YES_NO, required=False),
    Column("categories", listed(choice("disabled", "veteran")), required=False),
    Column("household", text(), required=False, optional=True),
]
HEADER = "code,name,id_number,born_on,income,level,alone,categories"
GOOD = f"EL01,李奶奶,{LI},1955-10-26,8.50,2,yes,disabled;veteran"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def csv_file(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def with_cell(column: str, cell: str) -> str:
    """Grandma Li's line with one cell changed."""
    cells = GOOD.split(",")
    cells[HEADER.split(",").index(column)] = cell
    return ",".join(cells)


def refusal(data: Any, **given: Any) -> str:
    """What is said of a file; fails when nothing is wrong with it."""
    with pytest.raises(FileRefused) as refused:
        read(data, ELDERS, name="elders.csv", **given)
    return str(refused.value)


# What is read


def test_grandma_lis_line_is_read_with_its_types() -> None:
    [row] = read(csv_file(GOOD), ELDERS)
    assert row.line == 2
    assert row.as_dict() == {
        "code": "EL01",
        "name": "李奶奶",
        "id_number": LI,
        "born_on": date(1955, 10, 26),
        "income": Decimal("8.50"),
        "level": 2,
        "alone": True,
        "categories": ("disabled", "veteran"),
        "household": None,
    }
    assert "household" not in row and "level" in row
    assert "李" not in repr(row)


def test_an_empty_cell_is_not_given_and_a_required_one_must_be() -> None:
    [row] = read(csv_file("EL01,李奶奶,,,,,,"), ELDERS)
    assert row["born_on"] is None and row["alone"] is None and row["categories"] == ()
    assert refusal(csv_file("EL01, ,,,,,,")) == "elders.csv:2: name: must be given\nproblems in all: 1"


def test_columns_may_stand_in_any_order_and_an_optional_one_is_seen() -> None:
    data = csv_file("李奶奶,HH9,EL01", header="name,household,code")
    columns = [column for column in ELDERS if column.name in ("code", "name", "household")]
    [row] = read(data, columns)
    assert (row["code"], row["household"]) == ("EL01", "HH9")
    assert "household" in row


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with BOM"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_utf8_with_or_without_mark_and_either_line_end(mark: bytes, newline: bytes) -> None:
    data = mark + csv_file(GOOD, GOOD).replace(b"\n", newline)
    assert [(row.line, row["name"]) for row in read(data, ELDERS)] == [(2, "李奶奶"), (3, "李奶奶")]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    data = csv_file('EL01,"李\n奶\n奶",,,,,,', "", ",,,,,,,", "EL02,王爷爷,,,,,,")
    rows = read(data, ELDERS)
    assert [(row.line, row["code"]) for row in rows] == [(2, "EL01"), (7, "EL02")]
    assert refusal(data.replace(b"EL02", b"el02")).startswith("elders.csv:7: code: ")


def test_a_workbook_with_the_same_columns_reads_the_same() -> None:
    data = workbook(
        HEADER.split(","),
        ["EL01", "李奶奶", LI, datetime(1955, 10, 26), 8.5, 2, True, "disabled;veteran"],
        [],
        ["EL02", "王爷爷"],
    )
    rows = read(data, ELDERS, name="elders.xlsx")
    [plain] = read(csv_file(GOOD), ELDERS)
    assert rows[0].as_dict() == plain.as_dict()
    assert [(row.line, row["code"]) for row in rows] == [(2, "EL01"), (4, "EL02")]
    assert rows[1]["categories"] == ()


def test_excel_hands_over_amounts_with_its_own_rounding_noise() -> None:
    columns = [Column("amount", YUAN)]
    assert [row["amount"] for row in read(workbook(["amount"], [0.1 + 0.2], [88]), columns)] == [
        Decimal("0.30"),
        Decimal("88.00"),
    ]
    with pytest.raises(FileRefused, match=r"2: amount: '0\.305' has more than 2 decimals"):
        read(workbook(["amount"], [0.305]), columns)


def test_excel_dates_and_times_are_taken_as_shanghai() -> None:
    columns = [Column("on", DATE), Column("at", INSTANT)]
    data = workbook(
        ["on", "at"], [date(2026, 7, 1), datetime(2026, 7, 1, 8, 30)], ["2026-07-01", "2026-07-01T00:30Z"]
    )
    first, second = read(data, columns)
    assert first["on"] == second["on"] == date(2026, 7, 1)
    assert first["at"] == second["at"] == datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    with pytest.raises(FileRefused, match="2: on: '2026-07-01T08:30:00' is not a date written YYYY-MM-DD"):
        read(workbook(["on", "at"], [datetime(2026, 7, 1, 8, 30), datetime(2026, 7, 1)]), columns)


def test_paths_bytes_and_uploads_are_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "elders.csv"
    path.write_bytes(csv_file(GOOD, "el,,,,,,,"))
    said = refusal(path.read_bytes())
    for source in (path, str(path), io.BytesIO(path.read_bytes())):
        with pytest.raises(FileRefused) as refused:
            read(source, ELDERS, name="elders.csv")
        assert str(refused.value) == said
    with path.open("rb") as upload, pytest.raises(FileRefused, match=r"^elders\.csv:3: code: "):
        read(upload, ELDERS)


# Problems are gathered


def test_a_file_is_checked_whole_and_the_first_hundred_are_listed() -> None:
    data = csv_file(*["el,李奶奶,,1955-02-30,,,,"] * 75)
    with pytest.raises(FileRefused) as refused:
        read(data, ELDERS, name="elders.csv")
    lines = str(refused.value).split("\n")
    assert lines[0].startswith("elders.csv:2: code: 'el' is not a code")
    assert lines[1] == "elders.csv:2: born_on: there is no day '1955-02-30'"
    assert len(lines) == 101
    assert lines[-1] == "problems in all: 150; the first 100 are listed"
    assert refused.value.total == 150 and len(refused.value.problems) == 100


def test_one_list_for_several_files_and_the_loaders_own_checks() -> None:
    problems = Problems()
    rows = read(csv_file(GOOD, "el,李奶奶,,,,,,"), ELDERS, name="elders.csv", problems=problems)
    assert [row.line for row in rows] == [2]
    Table(csv_file(header="code"), [Column("code", CODE)], name="leases.csv").check(problems)
    problems.add("elders.csv", 2, "division", "unknown division '%(code)s'", code="430211")
    with pytest.raises(FileRefused) as refused:
        problems.refuse()
    assert [str(problem).split(" ")[0] for problem in refused.value.problems] == [
        "elders.csv:2:",
        "elders.csv:3:",
    ]
    Problems().refuse()  # the control: nothing found, nothing refused


def test_sentences_follow_the_reader_not_the_moment() -> None:
    with pytest.raises(FileRefused) as refused:
        read(csv_file("el,李奶奶,,,,,,"), ELDERS)
    problem = refused.value.problems[0]
    assert problem.sentence.startswith("'el' is not a code")
    assert problem.values == {"value": "el"}


def test_a_table_is_checked_and_then_streamed(tmp_path: Path) -> None:
    path = tmp_path / "elders.csv"
    path.write_bytes(csv_file(GOOD, GOOD))
    table = Table(path, ELDERS)
    assert table.check() == 2
    assert [row.line for row in table.rows()] == [2, 3]
    path.write_bytes(csv_file(GOOD, GOOD, GOOD))
    with pytest.raises(FileRefused, match="has changed since it was checked"):
        list(table.rows())


def test_rows_of_an_unchecked_table_stop_at_the_first_that_is_wrong() -> None:
    rows = Table(csv_file(GOOD, "el,李奶奶,,,,,,", GOOD), ELDERS).rows()
    assert next(rows).line == 2
    with pytest.raises(FileRefused, match=":3: code"):
        next(rows)


# Hostile files, each beside its honest twin

HOSTILE: dict[str, tuple[bytes, bytes, str]] = {
    "GBK": (
        csv_file(GOOD).decode().encode("gb18030"),
        csv_file(GOOD),
        r":2: name: this file is not UTF-8; it looks like GB18030: save it as UTF-8",
    ),
    "GBK in the header": (
        csv_file(GOOD, header=HEADER.replace("name", "姓名")).decode().encode("gb18030"),
        csv_file(GOOD),
        r":1: -: this file is not UTF-8; it looks like GB18030",
    ),
    "Latin-1": (
        csv_file("EL01,José,,,,,,").decode().encode("latin-1"),
        csv_file("EL01,José,,,,,,"),
        r":2: name: this file is not UTF-8: save it as UTF-8",
    ),
    "one damaged byte after good lines": (
        csv_file(GOOD, GOOD)[:-30] + b"\xff" + csv_file(GOOD, GOOD)[-30:],
        csv_file(GOOD, GOOD),
        r":3: \w+: this line is damaged: its bytes are not UTF-8",
    ),
    "a GBK line after UTF-8 lines": (
        csv_file(GOOD) + GOOD.encode("gb18030"),
        csv_file(GOOD) + GOOD.encode(),
        r":3: name: this line is damaged: its bytes are not UTF-8",
    ),
    "UTF-16 with mark": (
        csv_file(GOOD).decode().encode("utf-16"),
        csv_file(GOOD),
        r":1: -: .*looks like UTF-16",
    ),
    "UTF-16 without": (
        csv_file(GOOD).decode().encode("utf-16-le"),
        csv_file(GOOD),
        r":1: -: .*looks like UTF-16",
    ),
    "NUL": (csv_file(GOOD.replace("李", "李\0")), csv_file(GOOD), r":2: name: contains a NUL byte"),
    "NUL in a number": (
        csv_file(with_cell("income", "8\0.50")),
        csv_file(GOOD),
        r":2: income: contains a NUL byte",
    ),
    "empty": (b"", csv_file(), r":1: -: the file is empty"),
    "blank lines only": (b"\n\r\n\n", csv_file(), r":1: -: the file has no header row"),
    "twice the same column": (
        csv_file(GOOD + ",x", header=HEADER + ",name"),
        csv_file(GOOD + ",x", header=HEADER + ",household"),
        r":1: name: this column is there twice",
    ),
    "unknown column": (
        csv_file(GOOD + ",x", header=HEADER + ",shoe_size"),
        csv_file(GOOD + ",x", header=HEADER + ",household"),
        r":1: shoe_size: this column is unknown; known are: code, name, ",
    ),
    "missing column": (
        csv_file("EL01", header="code"),
        csv_file(GOOD),
        r":1: name: this column is missing\n(.*\n)*.*:1: categories: this column is missing\nproblems in all: 7",
    ),
    "column without a name": (
        csv_file("EL01,x" + GOOD[4:], header=HEADER.replace("code,", "code,,")),
        csv_file(GOOD),
        r":1: 2: this column has no name",
    ),
    "semicolons": (
        csv_file(GOOD).replace(b",", b";"),
        csv_file(GOOD),
        r":1: -: the cells are separated by ;: use commas",
    ),
    "tabs": (csv_file(GOOD).replace(b",", b"\t"), csv_file(GOOD), r":1: -: the cells are separated by Tab"),
    "old Mac": (csv_file(GOOD).replace(b"\n", b"\r"), csv_file(GOOD), r":1: -: the lines of this file end"),
    "too many cells": (
        csv_file(GOOD + ",x"),
        csv_file(GOOD + ","),
        r":2: 9: this row has 9 cells, the header 8",
    ),
    "too few cells": (
        csv_file("EL01,李奶奶"),
        csv_file("EL01,李奶奶,,,,,,"),
        r":2: id_number: this row has only 2 cells",
    ),
    "quote never closed": (
        csv_file('EL01,"李奶奶,,,,,,', GOOD),
        csv_file('EL01,"李奶奶",,,,,,', GOOD),
        r":2: -: a quotation mark opens in this row and is never closed",
    ),
    "quote in a quote": (
        csv_file('EL01,"李"奶奶",,,,,,'),
        csv_file('EL01,"李""奶奶",,,,,,'),
        r":2: -: the quotation marks of this row do not match",
    ),
    "overlong text": (
        csv_file(with_cell("name", "李" * 21)),
        csv_file(with_cell("name", "李" * 20)),
        r":2: name: is too long: 21 characters, at most 20",
    ),
    "overlong cell": (
        csv_file(with_cell("name", "x" * 140_000)),
        csv_file(GOOD),
        r":2: -: a cell is longer than 131072 characters",
    ),
    "overlong line": (
        csv_file("x" * 1_100_000),
        csv_file(GOOD),
        r":2: -: this line is longer than 1048576 bytes",
    ),
    "overlong row in quotes": (
        csv_file('EL01,"' + '\n","' * 300_000),
        csv_file(GOOD),
        r":2: -: a quotation mark opens in this row and is never closed",
    ),
    "control character": (
        csv_file(with_cell("name", "李\x07")),
        csv_file(GOOD),
        r":2: name: contains a control character",
    ),
    "formula": (
        csv_file(with_cell("name", "=1+1")),
        csv_file(with_cell("name", "1+1")),
        r":2: name: begins like a formula",
    ),
    "full-width digits": (
        csv_file(with_cell("income", "８.50")),
        csv_file(GOOD),
        r":2: income: is written in full-width characters: use the half-width 0-9",
    ),
    "full-width code": (
        csv_file(with_cell("code", "ＥＬ01")),
        csv_file(GOOD),
        r":2: code: is written in full-width",
    ),
    "Arabic digits": (
        csv_file(with_cell("level", "٢")),
        csv_file(GOOD),
        r":2: level: '…' is not a whole number",
    ),
    "lower-case code": (
        csv_file(with_cell("code", "el01")),
        csv_file(GOOD),
        r":2: code: 'el01' is not a code: a capital",
    ),
    "long code": (
        csv_file(with_cell("code", "E" * 13)),
        csv_file(with_cell("code", "E" * 12)),
        r":2: code: .* is not a code",
    ),
    "three decimals": (
        csv_file(with_cell("income", "8.505")),
        csv_file(with_cell("income", "8.5")),
        r":2: income: '8.505' has more than 2 decimals",
    ),
    "negative amount": (
        csv_file(with_cell("income", "-1")),
        csv_file(with_cell("income", "0")),
        r":2: income: '-1' is less than 0",
    ),
    "thousands": (
        csv_file(with_cell("income", '"1,234.00"')),
        csv_file(with_cell("income", "1234.00")),
        r":2: income: '1,234.00' has a separator in it",
    ),
    "exponent": (
        csv_file(with_cell("income", "1e3")),
        csv_file(with_cell("income", "1000")),
        r":2: income: '1e3' is not an amount",
    ),
    "not a number": (
        csv_file(with_cell("income", "NaN")),
        csv_file(GOOD),
        r":2: income: 'NaN' is not an amount",
    ),
    "level out of bounds": (
        csv_file(with_cell("level", "5")),
        csv_file(with_cell("level", "4")),
        r":2: level: '5' is more than 4",
    ),
    "date spelt otherwise": (
        csv_file(with_cell("born_on", "1955/10/26")),
        csv_file(GOOD),
        r":2: born_on: '1955/10/26' is not a date written YYYY-MM-DD",
    ),
    "no such day": (
        csv_file(with_cell("born_on", "2026-02-29")),
        csv_file(with_cell("born_on", "2028-02-29")),
        r":2: born_on: there is no day '2026-02-29'",
    ),
    "year out of bounds": (
        csv_file(with_cell("born_on", "0955-10-26")),
        csv_file(GOOD),
        r":2: born_on: .* between the years",
    ),
    "neither yes nor no": (
        csv_file(with_cell("alone", "maybe")),
        csv_file(GOOD),
        r":2: alone: 'maybe' is neither yes nor no",
    ),
    "unknown choice": (
        csv_file(with_cell("categories", "disabled;rich")),
        csv_file(with_cell("categories", "disabled; veteran")),
        r":2: categories: 'rich' is not one of: disabled, veteran",
    ),
    "empty place in a list": (
        csv_file(with_cell("categories", "disabled;")),
        csv_file(GOOD),
        r":2: categories: has an empty place",
    ),
    "twice in a list": (
        csv_file(with_cell("categories", "veteran;veteran")),
        csv_file(GOOD),
        r":2: categories: names the same part twice",
    ),
    "15-digit ID": (
        csv_file(with_cell("id_number", "430298551026548")),
        csv_file(GOOD),
        r":2: id_number: 15 digits is a first-generation ID number: convert it to the 18-digit number",
    ),
    "ID with a wrong check digit": (
        csv_file(with_cell("id_number", LI[:-1] + "1")),
        csv_file(with_cell("id_number", LI.lower())),
        r":2: id_number: the check digit of this ID number is wrong",
    ),
    "ID with an impossible birthday": (
        csv_file(with_cell("id_number", "43029819550230548" + check_character("43029819550230548"))),
        csv_file(GOOD),
        r":2: id_number: the birth date inside this ID number does not exist",
    ),
    "ID of 17 places": (
        csv_file(with_cell("id_number", LI[:-1])),
        csv_file(GOOD),
        r":2: id_number: is not an ID number: 17 digits",
    ),
    "ID that Excel has shortened": (
        csv_file(with_cell("id_number", "4.30298E+17")),
        csv_file(GOOD),
        r":2: id_number: the spreadsheet has turned this into a number and lost its last digits",
    ),
    "old Excel": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, csv_file(GOOD), r":1: -: this is an old Excel file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence_and_its_twin_is_read(name: str) -> None:
    hostile, honest, sentence = HOSTILE[name]
    said = refusal(hostile)
    assert re.search(rf"(?m)^elders\.csv{sentence}", said), said
    assert re.fullmatch(r"(elders\.csv:\d+: [^:]+: .+\n)+problems in all: \d+", said), said
    read(honest, ELDERS)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_sentence_repeats_a_name_or_an_id_number(name: str) -> None:
    said = refusal(HOSTILE[name][0])
    assert "李" not in said and not re.search(r"\d{11}", said)


def test_without_a_header_the_first_row_is_people_and_is_not_quoted() -> None:
    said = refusal(GOOD.encode())
    assert ":1: 2: this column is unknown" in said
    assert "李" not in said and LI not in said


def test_directories_devices_and_missing_files_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path, sentence in [
        (tmp_path, "this is a directory, not a file"),
        (tmp_path / "none.csv", "there is no such file"),
        (pipe, "this is not an ordinary file"),
        (Path("/dev/zero"), "this is not an ordinary file"),
    ]:
        with pytest.raises(FileRefused) as refused:
            read(path, ELDERS)
        assert str(refused.value).startswith(f"{path.name}:1: -: {sentence}")
    (tmp_path / "elders.csv").write_bytes(csv_file(GOOD))
    assert read(tmp_path / "elders.csv", ELDERS)


def test_a_gigabyte_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "elders.csv"
    path.write_bytes(csv_file(GOOD))
    assert Table(path, ELDERS).check() == 1
    os.truncate(path, 1024**3)  # a sparse file
    with pytest.raises(FileRefused, match=r"elders.csv:1: -: the file has 1024 MB; at most 512 MB are read"):
        Table(path, ELDERS).check()


def test_read_keeps_at_most_so_many_rows_and_a_table_streams_the_rest() -> None:
    data = csv_file(*[GOOD] * 11)
    limits = Limits(listed_rows=10)
    assert refusal(data, limits=limits).startswith(
        "elders.csv:12: -: the file has more than 10 rows: split it"
    )
    assert len(read(csv_file(*[GOOD] * 10), ELDERS, limits=limits)) == 10
    assert Table(data, ELDERS, limits=limits).check() == 11


# Properties


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_of_the_eleven_check_characters_exactly_one_is_right(first17: str) -> None:
    number = "4" + first17[1:6] + "19551026" + first17[14:17]
    accepted = [last for last in "0123456789X" if _reads(RESIDENT_ID, number + last)]
    assert accepted == [check_character(number)]


@given(st.integers(0, 17), st.integers(0, 9))
def test_one_digit_misread_is_always_noticed(place: int, digit: int) -> None:
    misread = LI[:place] + str(digit) + LI[place + 1 :]
    assert _reads(RESIDENT_ID, misread) == (misread == LI)


@given(st.decimals(-999_999, 999_999, places=2, allow_nan=False))
def test_an_amount_reads_back_to_the_fen(amount: Decimal) -> None:
    for spelt in (f"{amount:.2f}", f"{amount.normalize():f}"):
        value = SIGNED_YUAN.read(spelt)
        assert value == amount and value.as_tuple().exponent == -2
    assert not SIGNED_YUAN.read("-0.00").is_signed()


@given(
    st.datetimes(datetime(1901, 1, 1), datetime(2198, 1, 1)),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from(["T", " "]),
)
def test_an_instant_is_the_same_in_every_offset(naive: datetime, minutes: int, between: str) -> None:
    moment = naive.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    if 1900 <= moment.year <= 2199:
        assert INSTANT.read(moment.isoformat(between)) == moment


def test_an_instant_without_an_offset_is_shanghai() -> None:
    expected = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    for spelt in (
        "2026-07-01T08:30",
        "2026-07-01 08:30:00",
        "2026-07-01T08:30:00+08:00",
        "2026-07-01T00:30:00Z",
    ):
        assert INSTANT.read(spelt) == expected
    for wrong in (
        "2026-07-01",
        "2026-07-01T24:00",
        "2026-07-01T08:30+8",
        "20260701T083000",
        "2026-07-01T08:30+25:00",
    ):
        assert not _reads(INSTANT, wrong)


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_read_or_refused(data: bytes) -> None:
    for start in (b"", csv_file()):
        try:
            read(start + data, ELDERS)
        except FileRefused as refused:
            assert str(refused)


_WORDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=20,
).filter(lambda word: word[0] not in "=@" and not re.fullmatch(r"[+-]?\d(\.\d+)?[eE]\+?\d{1,3}", word))


@given(st.lists(st.tuples(_WORDS, st.sampled_from(["", "\n", ",", '"'])), min_size=1, max_size=8))
def test_whatever_text_a_csv_writer_writes_is_read_back(parts: list[tuple[str, str]]) -> None:
    names = [word + between + word for word, between in parts]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["name"], *([name] for name in names)])
    rows = read(out.getvalue().encode(), [Column("name", text(100))])
    assert [row["name"] for row in rows] == names
    assert rows[0].line == 2


def _reads(kind: Any, cell: str) -> bool:
    try:
        read(f"x\n{cell}\n".encode(), [Column("x", kind)])
    except FileRefused:
        return False
    return True


def test_ratios_and_division_codes() -> None:
    assert [_reads(ratio(), spelt) for spelt in ("0.333", "1.20", "0", "-0.1", "80%", ".5")] == [True] * 3 + [
        False
    ] * 3
    assert [_reads(DIVISION, spelt) for spelt in ("430211002003", "43", "4", "43021A")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_row_does_not_answer_for_columns_that_no_one_knows() -> None:
    row: Row = read(csv_file(GOOD), ELDERS)[0]
    with pytest.raises(KeyError):
        row["shoe_size"]
