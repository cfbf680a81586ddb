"""Bank files: what each line says, how it is known, and what is refused."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from ledger.banking.layouts import CCB, ICBC, LAYOUTS, BankRow, read_bank
from ledger.files.kinds import SHANGHAI
from ledger.files.problems import FileRefused
from tests.ledger.workbooks import workbook

OURS = "1903000000000000001"
HEADER = "凭证号,本方账号,对方账号,交易时间,借/贷,借方发生额,贷方发生额,对方行号,摘要,用途,对方单位名称,余额,个性化信息"
RENT = f"00000001,{OURS},6217000096292373,2026-08-09 10:06:00,贷,,3557.44,102552000000,转账,LS001 2026-07 房租,样例颐养服务中心1,533101.94,"
FEE = f"00000016,{OURS},6217000037495412,2026-08-20 10:53:00,借,15.00,,102552000000,手续费,网银手续费,,588395.01,"
CASH = f",{OURS},,2026-08-06 10:00:00,贷,,88.00,102552000000,转账,现金存入,,500088.00,"

CCB_HEADER = (
    "账号,交易时间,借方发生额,贷方发生额,余额,币种,对方户名,对方账号,对方开户机构,记账日期,摘要,备注,"
    "账户明细编号-交易流水号,企业流水号,凭证种类,凭证号,交易介质编号"
)
CCB_RENT = '43050000000000000001,20260809 10:06:00,0.00,"3,557.44","533,101.94",人民币元,样例颐养服务中心1,43050000000000000002,样例支行,20260809,转账,LS001 房租,81-43050001,Q1,,,'


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def csv_file(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def refusal(data: Any, layout: str = "icbc") -> str:
    with pytest.raises(FileRefused) as refused:
        read_bank(data, layout, name="bank.csv")
    return str(refused.value)


def known_by(lines: list[BankRow]) -> list[tuple[str, int]]:
    return [(line.fingerprint, line.occurrence) for line in lines]


def test_a_receipt_of_icbc() -> None:
    [line] = read_bank(csv_file(RENT), "icbc")
    assert line.line == 2
    assert (line.direction, line.amount, line.balance) == ("in", Decimal("3557.44"), Decimal("533101.94"))
    assert line.booked_at == datetime(2026, 8, 9, 10, 6, tzinfo=SHANGHAI)
    assert (line.account, line.counterparty_account) == (OURS, "6217000096292373")
    assert (line.counterparty_name, line.summary) == ("样例颐养服务中心1", "转账")
    assert line.purpose == "LS001 2026-07 房租"
    assert list(line.columns) == HEADER.split(",") == [column.name for column in ICBC.columns]
    assert line.columns["凭证号"] == "00000001" and line.columns["借方发生额"] == ""


def test_a_fee_goes_out_and_empty_columns_are_empty_text() -> None:
    [line] = read_bank(csv_file(FEE), "icbc")
    assert (line.direction, line.amount, line.counterparty_name) == ("out", Decimal("15.00"), "")
    [cash] = read_bank(csv_file(CASH), "icbc")
    assert (cash.counterparty_account, cash.columns["凭证号"]) == ("", "")


def test_a_receipt_of_ccb() -> None:
    [line] = read_bank(csv_file(CCB_RENT, header=CCB_HEADER), "ccb")
    assert CCB_HEADER.split(",") == [column.name for column in CCB.columns]
    assert (line.direction, line.amount, line.balance) == ("in", Decimal("3557.44"), Decimal("533101.94"))
    assert line.booked_at == datetime(2026, 8, 9, 10, 6, tzinfo=SHANGHAI)
    assert (line.summary, line.purpose, line.counterparty_name) == ("转账", "LS001 房租", "样例颐养服务中心1")


@pytest.mark.parametrize(
    "spelt", ["20260809", "20260809 10:06:00", "20260809100600", "2026-08-09", "2026/08/09 10:06:00"]
)
def test_banks_spell_times_in_their_own_ways(spelt: str) -> None:
    [line] = read_bank(csv_file(CCB_RENT.replace("20260809 10:06:00", spelt), header=CCB_HEADER), "ccb")
    assert line.booked_at.date().isoformat() == "2026-08-09"


# A line is known by all its columns


def test_equal_lines_are_counted_and_known_again_in_another_file() -> None:
    lines = read_bank(csv_file(CASH, RENT, CASH), "icbc")
    assert [line.occurrence for line in lines] == [1, 1, 2]
    assert lines[0].fingerprint == lines[2].fingerprint != lines[1].fingerprint
    assert known_by(read_bank(csv_file(CASH, CASH), "icbc")) == [known_by(lines)[0], known_by(lines)[2]]


@pytest.mark.parametrize("place", range(13))
def test_every_single_column_makes_another_line(place: int) -> None:
    cells = RENT.split(",")
    other = FEE.split(",")
    if place in (4, 5, 6):  # the way of the money changes together
        cells[4:7] = other[4:7]
    else:
        cells[place] = {1: "1903000000000000002", 12: "x", 7: "1", 10: "y"}.get(place, other[place])
    changed = ",".join(cells)
    assert changed != RENT
    assert known_by(read_bank(csv_file(changed), "icbc")) != known_by(read_bank(csv_file(RENT), "icbc"))


def test_the_same_lines_from_csv_gb18030_and_xlsx_are_the_same_lines() -> None:
    plain = known_by(read_bank(csv_file(RENT, FEE, CASH), "icbc"))
    chinese = csv_file(RENT, FEE, CASH).decode().encode("gb18030")
    assert known_by(read_bank(chinese, "icbc")) == plain
    rows = []
    for line in (RENT, FEE, CASH):
        cells: list[Any] = [cell or None for cell in line.split(",")]
        cells[3] = datetime.fromisoformat(cells[3])
        for place in (5, 6, 11):
            cells[place] = cells[place] and float(cells[place])
        rows.append(cells)
    assert known_by(read_bank(workbook(HEADER.split(","), *rows), "icbc")) == plain
    marked = b"\xef\xbb\xbf" + csv_file(RENT, FEE, CASH).replace(b"\n", b"\r\n").replace(b"88.00", b"88")
    assert known_by(read_bank(marked, "icbc")) == plain


def test_columns_in_another_order_are_the_same_line() -> None:
    names, cells = HEADER.split(",")[::-1], RENT.split(",")[::-1]
    again = read_bank(csv_file(",".join(cells), header=",".join(names)), "icbc")
    assert known_by(again) == known_by(read_bank(csv_file(RENT), "icbc"))


def test_a_formula_written_by_a_payer_is_just_his_words() -> None:
    [line] = read_bank(csv_file(RENT.replace("LS001 2026-07 房租", "=1+1 LS001")), "icbc")
    assert line.purpose == "=1+1 LS001"


# What is refused

WRONG = {
    "both filled": (
        RENT.replace(",,3557.44", ",1.00,3557.44"),
        r"2: 贷方发生额: 借方发生额 and 贷方发生额 are both filled",
    ),
    "none filled": (
        RENT.replace("3557.44", ""),
        r"2: 贷方发生额: neither 借方发生额 nor 贷方发生额 holds an amount above zero",
    ),
    "zero": (RENT.replace("3557.44", "0.00"), r"2: 贷方发生额: neither"),
    "negative": (RENT.replace("3557.44", "-1.00"), r"2: 贷方发生额: '-1.00' is less than 0"),
    "three decimals": (
        RENT.replace("3557.44", "3557.445"),
        r"2: 贷方发生额: '3557.445' has more than 2 decimals",
    ),
    "odd thousands": (
        RENT.replace("3557.44", '"35,57.44"'),
        r"2: 贷方发生额: '35,57.44' has a separator in it",
    ),
    "side against amount": (
        RENT.replace("贷", "借"),
        r"2: 借/贷: says 借, but the amount stands under 贷方发生额",
    ),
    "side unknown": (RENT.replace("贷", "收"), r"2: 借/贷: is neither 借 nor 贷"),
    "no account": (RENT.replace(OURS, ""), r"2: 本方账号: must be given"),
    "account shortened": (
        RENT.replace(OURS, "1.903E+18"),
        r"2: 本方账号: the spreadsheet has turned this into a number",
    ),
    "no time": (RENT.replace("2026-08-09 10:06:00", "soon"), r"2: 交易时间: 'soon' is not a date or time"),
    "no such day": (
        RENT.replace("2026-08-09", "2026-02-30"),
        r"2: 交易时间: '2026-02-30 10:06:00' is not a date or time",
    ),
    "purpose too long": (
        RENT.replace("房租", "租" * 500),
        r"2: 用途: is too long: 51\d characters, at most 500",
    ),
    "full-width amount": (RENT.replace("3557.44", "３５５７.44"), r"2: 贷方发生额: is written in full-width"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_line_that_cannot_be_is_refused_while_its_twin_is_read(name: str) -> None:
    line, sentence = WRONG[name]
    said = refusal(csv_file(line, FEE))
    assert re.match(rf"bank\.csv:{sentence}", said), said
    assert len(read_bank(csv_file(RENT, FEE), "icbc")) == 2


def test_one_bad_line_refuses_the_whole_file_and_all_are_listed() -> None:
    said = refusal(csv_file(WRONG["both filled"][0], RENT, WRONG["no time"][0]))
    assert said.split("\n")[0].startswith("bank.csv:2: ") and said.split("\n")[1].startswith("bank.csv:4: ")
    assert said.endswith("problems in all: 2")


def test_gb18030_is_taken_only_with_the_expected_header() -> None:
    chinese = csv_file(RENT).decode().encode("gb18030")
    assert read_bank(chinese, "icbc")
    assert "looks like GB18030" in refusal(chinese, "ccb")
    assert "looks like GB18030" in refusal(chinese.replace("用途".encode("gb18030"), b"Z"))


def test_another_banks_file_is_refused_by_its_header() -> None:
    said = refusal(csv_file(CCB_RENT, header=CCB_HEADER), "icbc")
    assert "bank.csv:1: 本方账号: this column is missing" in said
    with pytest.raises(KeyError):
        read_bank(csv_file(RENT), "boc")
    assert set(LAYOUTS) == {"icbc", "ccb"}


def test_an_account_number_that_excel_made_a_number_is_refused() -> None:
    cells: list[Any] = [cell or None for cell in RENT.split(",")]
    assert read_bank(workbook(HEADER.split(","), cells), "icbc")
    cells[1] = int(OURS)
    assert "2: 本方账号: the spreadsheet has turned this into a number" in refusal(
        workbook(HEADER.split(","), cells)
    )


def test_other_currencies_are_not_taken() -> None:
    said = refusal(csv_file(CCB_RENT.replace("人民币元", "美元"), header=CCB_HEADER), "ccb")
    assert "2: 币种: only lines in yuan can be taken" in said


def test_an_empty_statement_has_no_lines_and_an_empty_file_is_refused(tmp_path: Any) -> None:
    assert read_bank(csv_file(), "icbc") == []
    assert refusal(b"") == "bank.csv:1: -: the file is empty\nproblems in all: 1"
    assert "this is a directory" in refusal(tmp_path)
