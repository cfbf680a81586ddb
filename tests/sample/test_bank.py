"""What the bank's files say: rent as it is paid, in the bank's own columns, up to yesterday."""

from datetime import date
from decimal import Decimal

from ledger.banking.layouts import read_bank
from marketplace.sample.bank import ACCOUNT, COLUMNS, Due, receipts
from marketplace.sample.dates import Calendar

CALENDAR = Calendar(date(2026, 11, 22))
SEPTEMBER, OCTOBER, NOVEMBER = CALENDAR.months[1:]


def due(lease, amount, month=date(2026, 8, 1)):
    return Due(lease, f"付款人{lease}", month, Decimal(amount))


def paid(rows, lease):
    return [
        (row["用途"], Decimal(row["贷方发生额"])) for row in rows if row["对方单位名称"] == f"付款人{lease}"
    ]


def made(dues, month=SEPTEMBER, *, first=True):
    return receipts(month=month, dues=dues, calendar=CALENDAR, seed=1, first=first)


def test_each_pays_what_the_statement_asks_in_its_own_way():
    rows = made(
        [due("LS001", "2110.00"), due("LS005", "2619.00"), due("LS002", "1080.01"), due("LS014", "0.00")]
    )
    assert paid(rows, "LS001") == [("LS001 2026-08 房租", Decimal("2110.00"))]
    assert paid(rows, "LS005") == [("房租", Decimal("2619.00"))], "no code: found by payer and amount"
    assert sum(amount for _, amount in paid(rows, "LS002")) == Decimal("1080.01")
    assert len(paid(rows, "LS002")) == 2
    assert paid(rows, "LS014") == []


def test_a_month_skipped_is_paid_with_the_next():
    august, september = due("LS011", "1185.00"), due("LS011", "1200.00", SEPTEMBER)
    assert paid(made([august]), "LS011") == []
    assert paid(made([august, september], OCTOBER, first=False), "LS011")[0][1] == Decimal("2385.00")


def test_nothing_is_dated_today_or_later_and_the_balance_runs_on(tmp_path):
    rows = made([], NOVEMBER, first=False)
    assert rows and all(row["交易时间"] < "2026-11-22" for row in rows)
    assert made([], NOVEMBER, first=False) == rows
    balance = Decimal("186200.00")
    for row in rows:
        balance += Decimal(row["贷方发生额"] or 0) - Decimal(row["借方发生额"] or 0)
        assert Decimal(row["余额"]) == balance


def test_the_program_reads_it_as_the_banks_layout(tmp_path):
    rows = made([due("LS001", "2110.00")])
    path = tmp_path / "bank.csv"
    lines = [",".join(COLUMNS), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    read = list(read_bank(path, "icbc"))
    assert len(read) == len(rows) and {row["本方账号"] for row in rows} == {ACCOUNT}
