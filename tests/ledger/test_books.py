"""The exported books: their text to the letter, what changes when, and what never stands in them."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction

from ledger import chart
from ledger.books.export import export
from ledger.journal.operations import Move, lock_month, mirror, post
from tests import databases

AT = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def move(debit: str, credit: str, amount: str) -> Move:
    return Move(debit, credit, Decimal(amount))


def enter(key: str, day: str, *moves: Move, kind: str = "bank", **other):
    return post(key=key, kind=kind, dated_on=date.fromisoformat(day), at=AT, moves=moves, **other)


def rent(key: str, day: str, amount: str = "100.00"):
    return enter(key, day, move(chart.BANK_RENT, chart.receivable_rent("LS01"), amount))


def texts(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def times(directory: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


def body(month_file: str) -> str:
    """A month's file without its first line, which tells of the rows behind it."""
    return month_file.partition("\n")[2]


ACCOUNTS = """\
2000-01-01 commodity CNY
  name: "人民币元"
2000-01-01 commodity VCY
  name: "券元（消费券面值，不是货币）"

2000-01-01 open Assets:Bank:Rent CNY
2000-01-01 open Assets:Receivable:Rent:LS01 CNY
2000-01-01 open Equity:Vouchers:PA:Issued VCY
2000-01-01 open Equity:Vouchers:PA:Redeemed VCY
2000-01-01 open Expenses:Subsidy:Government CNY
2000-01-01 open Liabilities:Payable:OP01 CNY
2000-01-01 open Liabilities:Vouchers:PA:Outstanding VCY
"""

MAIN = """\
option "title" "颐券"
option "operating_currency" "CNY"
option "operating_currency" "VCY"

include "accounts.beancount"
include "2026/2026-01.beancount"
include "2026/2026-02.beancount"
include "2026/2026-03.beancount"
"""

JANUARY = """\

2026-01-01 * "发放消费券" #issue ^IS-000001
  entry: "{0}"
  Equity:Vouchers:PA:Issued  50.00 VCY
  Liabilities:Vouchers:PA:Outstanding  -50.00 VCY

2026-01-05 * "核销" #redemption ^RD-000000001
  entry: "{1}"
  Liabilities:Vouchers:PA:Outstanding  12.00 VCY
  Equity:Vouchers:PA:Redeemed  -12.00 VCY
  Expenses:Subsidy:Government  4.00 CNY
  Liabilities:Payable:OP01  -4.00 CNY

2026-02-01 balance Equity:Vouchers:PA:Issued  50.00 ~ 0.00 VCY
2026-02-01 balance Equity:Vouchers:PA:Redeemed  -12.00 ~ 0.00 VCY
2026-02-01 balance Expenses:Subsidy:Government  4.00 ~ 0.00 CNY
2026-02-01 balance Liabilities:Payable:OP01  -4.00 ~ 0.00 CNY
2026-02-01 balance Liabilities:Vouchers:PA:Outstanding  -38.00 ~ 0.00 VCY
"""

FEBRUARY = """\

2026-03-01 balance Equity:Vouchers:PA:Issued  50.00 ~ 0.00 VCY
2026-03-01 balance Equity:Vouchers:PA:Redeemed  -12.00 ~ 0.00 VCY
2026-03-01 balance Expenses:Subsidy:Government  4.00 ~ 0.00 CNY
2026-03-01 balance Liabilities:Payable:OP01  -4.00 ~ 0.00 CNY
2026-03-01 balance Liabilities:Vouchers:PA:Outstanding  -38.00 ~ 0.00 VCY
"""

MARCH = """\

2026-03-02 * "核销冲正" #reversal ^RD-000000001
  entry: "{2}"
  reverses: "{1}"
  Equity:Vouchers:PA:Redeemed  12.00 VCY
  Liabilities:Vouchers:PA:Outstanding  -12.00 VCY
  Liabilities:Payable:OP01  4.00 CNY
  Expenses:Subsidy:Government  -4.00 CNY

2026-03-02 * "nothing_moved" #nothing_moved
  entry: "{3}"

2026-03-31 * "银行流水" #bank
  entry: "{4}"
  Assets:Bank:Rent  1234567.89 CNY
  Assets:Receivable:Rent:LS01  -1234567.89 CNY

2026-04-01 balance Assets:Bank:Rent  1234567.89 ~ 0.00 CNY
2026-04-01 balance Assets:Receivable:Rent:LS01  -1234567.89 ~ 0.00 CNY
2026-04-01 balance Equity:Vouchers:PA:Issued  50.00 ~ 0.00 VCY
2026-04-01 balance Equity:Vouchers:PA:Redeemed  0.00 ~ 0.00 VCY
2026-04-01 balance Expenses:Subsidy:Government  0.00 ~ 0.00 CNY
2026-04-01 balance Liabilities:Payable:OP01  0.00 ~ 0.00 CNY
2026-04-01 balance Liabilities:Vouchers:PA:Outstanding  -50.00 ~ 0.00 VCY
"""

MARCH_ALONE = """\
option "title" "颐券 2026-03"
option "operating_currency" "CNY"
option "operating_currency" "VCY"

include "../accounts.beancount"
include "2026-03.beancount"

2026-02-28 * "期初余额" #opening
  Equity:Vouchers:PA:Issued  50.00 VCY
  Equity:Vouchers:PA:Redeemed  -12.00 VCY
  Expenses:Subsidy:Government  4.00 CNY
  Liabilities:Payable:OP01  -4.00 CNY
  Liabilities:Vouchers:PA:Outstanding  -38.00 VCY
"""


def test_the_books_to_the_letter(fresh_db, tmp_path):
    """Three months, the middle one empty; an entry that moves nothing; entries posted out of order."""
    issued = enter(
        "issue",
        "2026-01-01",
        move(chart.vouchers_issued("PA"), chart.vouchers_outstanding("PA"), "50.00"),
        kind="issue",
        link="IS-000001",
    )
    late = rent("bank", "2026-03-31", "1234567.89")
    redeemed = enter(
        "redeem",
        "2026-01-05",
        move(chart.vouchers_outstanding("PA"), chart.vouchers_redeemed("PA"), "12.00"),
        move(chart.SUBSIDY_GOVERNMENT, chart.payable("OP01"), "4.00"),
        kind="redemption",
        link="RD-000000001",
    )
    reversed_ = enter(
        "reverse", "2026-03-02", *mirror(redeemed), kind="reversal", link="RD-000000001", reverses=redeemed
    )
    nothing = enter("nothing", "2026-03-02", kind="nothing_moved")
    numbers = [entry.id for entry in (issued, redeemed, reversed_, nothing, late)]

    export(tmp_path / "books")
    found = texts(tmp_path / "books")

    assert found["accounts.beancount"] == ACCOUNTS
    assert found["main.beancount"] == MAIN
    assert body(found["2026/2026-01.beancount"]) == JANUARY.format(*numbers)
    assert body(found["2026/2026-02.beancount"]) == FEBRUARY
    assert body(found["2026/2026-03.beancount"]) == MARCH.format(*numbers)
    assert found["2026/2026-03.alone.beancount"] == MARCH_ALONE
    assert "opening" not in found["2026/2026-01.alone.beancount"]
    summed = {line.split("  ")[1] for line in found.pop("SHA256SUMS").splitlines()}
    assert summed == found.keys()


def test_books_of_nothing(fresh_db, tmp_path):
    assert export(tmp_path).months == []
    assert sorted(texts(tmp_path)) == ["SHA256SUMS", "accounts.beancount", "main.beancount"]


def test_again_with_nothing_new_no_file_is_touched(story_db, tmp_path):
    first = export(tmp_path / "one")
    before = times(tmp_path / "one")
    assert export(tmp_path / "one").written == []
    assert times(tmp_path / "one") == before
    export(tmp_path / "two")
    assert texts(tmp_path / "one") == texts(tmp_path / "two")
    assert len(first.written) == len(before)


def test_a_late_entry_changes_only_its_month(story_db, tmp_path):
    export(tmp_path)
    rent("late", "2026-01-20")  # January is locked: it goes to the first open month
    assert export(tmp_path).written == ["2026/2026-03.beancount", "SHA256SUMS"]
    rent("next", "2026-04-02")
    assert export(tmp_path).written == [
        "2026/2026-04.beancount",
        "2026/2026-04.alone.beancount",
        "main.beancount",
        "SHA256SUMS",
    ]


def test_an_entry_before_the_last_month_moves_the_balances_after_it(fresh_db, tmp_path):
    rent("one", "2026-01-05")
    rent("two", "2026-02-05")
    export(tmp_path)
    february = texts(tmp_path)["2026/2026-02.beancount"]
    rent("three", "2026-01-06", "0.01")
    assert "2026/2026-02.beancount" in export(tmp_path).written
    assert body(texts(tmp_path)["2026/2026-02.beancount"]) == body(february).replace("200.00", "200.01")


def test_a_locked_month_is_not_written_again_but_an_altered_file_is(fresh_db, tmp_path, monkeypatch):
    rent("one", "2026-01-05")
    rent("two", "2026-02-05")
    lock_month(month=date(2026, 1, 1), by="test", at=AT)
    export(tmp_path)
    intact = texts(tmp_path)
    asked = watch_copies(monkeypatch)

    export(tmp_path)
    assert asked == []

    january = tmp_path / "2026/2026-01.beancount"
    january.write_text(january.read_text().replace("100.00 CNY", "100.01 CNY", 1))
    assert export(tmp_path).written == ["2026/2026-01.beancount"]
    assert texts(tmp_path) == intact
    assert asked == [date(2026, 1, 1)]

    (tmp_path / "accounts.beancount").unlink()
    (tmp_path / "2026/2026-02.beancount").unlink()
    assert export(tmp_path).written == ["2026/2026-02.beancount", "accounts.beancount"]
    assert texts(tmp_path) == intact


def watch_copies(monkeypatch) -> list[date]:
    """The months whose rows are read from the database from now on."""
    from ledger.books import export as module

    asked: list[date] = []
    real = module._month_blocks

    def noted(month, header):
        asked.append(month.month)
        return real(month, header)

    monkeypatch.setattr(module, "_month_blocks", noted)
    return asked


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_transfer SET amount = amount + 0.01 WHERE entry_id = (SELECT min(id) FROM ledger_entry)",
        # Two that leave every sum as it was.
        "UPDATE ledger_transfer SET amount = CASE entry_id WHEN (SELECT min(id) FROM ledger_entry) THEN 90 ELSE 110 END",
        "UPDATE ledger_entry SET link = 'RD-000000009' WHERE id = (SELECT min(id) FROM ledger_entry)",
    ],
)
def test_a_changed_row_is_never_hidden_by_the_file_of_before(fresh_db, tmp_path, damage):
    rent("one", "2026-01-05")
    rent("two", "2026-01-05")
    export(tmp_path)
    databases.unprotect(fresh_db)
    with databases.superuser(fresh_db) as superuser:
        superuser.execute(damage)
    assert "2026/2026-01.beancount" in export(tmp_path).written


def test_what_another_database_left_is_taken_away(fresh_db, tmp_path):
    rent("one", "2026-01-05")
    export(tmp_path)
    (tmp_path / "notes.txt").write_text("an auditor's own")
    databases.unprotect(fresh_db)
    with databases.superuser(fresh_db) as superuser:
        superuser.execute("UPDATE ledger_entry SET dated_on = '2026-02-05'")
    export(tmp_path)
    assert sorted(texts(tmp_path)) == [
        "2026/2026-02.alone.beancount",
        "2026/2026-02.beancount",
        "SHA256SUMS",
        "accounts.beancount",
        "main.beancount",
        "notes.txt",
    ]


def test_the_books_are_of_one_moment(fresh_db, tmp_path):
    """Entries posted while the export runs stand in none of its months; the next one has them."""
    rent("one", "2026-01-05")
    rent("two", "2026-02-05")

    def post_elsewhere(*_progress) -> None:
        def work() -> None:
            rent(f"meanwhile {_progress}", "2026-01-06")
            rent(f"meanwhile too {_progress}", "2026-02-06")
            connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    done = export(tmp_path, progress=post_elsewhere)
    assert done.entries == 2
    books = texts(tmp_path)
    assert sum(text.count("entry:") for text in books.values()) == 2
    assert "2026-03-01 balance Assets:Bank:Rent  200.00 ~ 0.00 CNY" in books["2026/2026-02.beancount"]
    assert export(tmp_path).entries == 6


def test_not_inside_another_transaction(db, tmp_path):
    with transaction.atomic(), pytest.raises(RuntimeError, match="one moment"):
        export(tmp_path)


def test_no_personal_data(story_db, tmp_path):
    """No name, ID number, phone or address of anybody; not the bank's texts, not the keys callers made."""
    from ledger.models import BankLine
    from providers.models import Operator, Premises
    from vouchers.elders import sealing
    from vouchers.models import Elder, Hold

    secrets = set(Elder.objects.values_list("name", flat=True)) | set(
        Hold.objects.values_list("key", flat=True)
    )
    for elder in Elder.objects.all():
        secrets.add(sealing.open_sealed(elder.id_number_sealed, field="id_number", row=elder.code))
        secrets.add(sealing.open_sealed(elder.phone_sealed, field="phone", row=elder.code))
    for line in BankLine.objects.all():
        secrets |= {line.counterparty, line.summary, line.purpose, line.account, line.counterparty_account}
    secrets |= set(Operator.objects.values_list("name", flat=True))
    secrets |= set(Premises.objects.values_list("address", flat=True))
    secrets -= {""}
    assert {"李桂兰", "order-open", "路人"} <= secrets
    assert any(len(secret) == 18 for secret in secrets)

    export(tmp_path)
    books = texts(tmp_path)
    assert sum(text.count("entry:") for text in books.values()) > 30
    assert {secret for secret in secrets for text in books.values() if secret in text} == set()
    spoilt = books["2026/2026-02.beancount"].replace("核销", "核销 李桂兰", 1)
    assert {secret for secret in secrets if secret in spoilt} == {"李桂兰"}  # the search can find


def test_every_kind_of_entry_has_its_words(story_db):
    from ledger.books.text import NARRATIONS
    from ledger.models import Entry

    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert kinds <= NARRATIONS.keys()
    assert len(kinds) >= 8
