"""A bank file whose balances break lacks a line, or has one twice."""

import pytest

from ledger.banking.continuity import gaps
from ledger.banking.layouts import read_bank

HEADER = "凭证号,本方账号,对方账号,交易时间,借/贷,借方发生额,贷方发生额,对方行号,摘要,用途,对方单位名称,余额,个性化信息"
LINES = [
    ",6001,,2026-08-01 09:00:00,贷,,100.00,,,,,1100.00,",
    ",6001,,2026-08-02 09:00:00,借,30.00,,,,,,1070.00,",
    ",6001,,2026-08-03 09:00:00,贷,,0.05,,,,,1070.05,",
    ",6001,,2026-08-04 09:00:00,贷,,5.00,,,,,1075.05,",
]
OTHER = [
    ",6002,,2026-08-01 10:00:00,贷,,7.00,,,,,7.00,",
    ",6002,,2026-08-02 10:00:00,贷,,1.00,,,,,8.00,",
]


def found(lines: list[str]) -> list[int]:
    return gaps(read_bank("\n".join([HEADER, *lines, ""]).encode(), "icbc", name="bank.csv"))


@pytest.mark.parametrize("lines", [LINES, LINES[::-1], LINES[:1], [], [LINES[0], *OTHER, *LINES[1:]]])
def test_balances_that_follow_have_no_gap(lines):
    """Oldest first or last, and the lines of two accounts between one another."""
    assert found(lines) == []


def test_a_missing_line_a_line_twice_and_a_wrong_balance_are_found():
    assert found([LINES[0], *LINES[2:]]) == [3]
    assert found([*LINES[:2], LINES[1], *LINES[2:]]) == [4]
    assert found([*LINES[:2], LINES[2].replace("1070.05", "1070.50"), LINES[3]]) == [4, 5]
    assert found([*LINES[:2], *OTHER[:1], OTHER[1].replace("8.00", "9.00"), *LINES[2:]]) == [5]


def test_lines_without_a_balance_tell_nothing():
    assert found([line.replace(line.split(",")[11], "") for line in LINES]) == []
