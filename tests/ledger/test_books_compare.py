"""check_books against the database: a single fen changed behind the journal's back is found, its account named."""

import fcntl
import os
from decimal import Decimal

import pytest
from django.core.management import call_command

from ledger.books import operations
from ledger.books.export import export
from ledger.journal.queries import balances
from ledger.models import Entry
from marketplace.management.base import Refused
from tests import databases, story
from vouchers.proof.balances import domain_balances, witnesses

FEN = Decimal("0.01")


@pytest.fixture(scope="module")
def beancount_found(story_template, django_db_blocker, tmp_path_factory) -> operations.Checked:
    """What Beancount reads from the books of the story."""
    directory = tmp_path_factory.mktemp("books")
    with django_db_blocker.unblock(), databases.pointed_at(story_template):
        export(directory)
    return operations.check(directory, cache=tmp_path_factory.mktemp("cache"))


def outcome(found: operations.Checked) -> operations.Compared:
    return operations.compare(
        found, database=balances(), entries=Entry.objects.count(), witnesses=witnesses()
    )


def test_the_story_agrees_with_every_witness(story_db, beancount_found):
    done = outcome(beancount_found)
    assert done.agrees, done.differences
    assert done.checked.entries == Entry.objects.count()
    told = {name: amount for name, amount in domain_balances().items() if amount}
    assert told == {name: amount for name, amount in balances().items() if amount}
    assert len(told) > 20


def redemption(key: str) -> str:
    return f"(SELECT id FROM vouchers_redemption WHERE key = '{key}')"


def transfer_of(key: str, line: int) -> str:
    return f"entry_id = (SELECT entry_id FROM vouchers_redemption WHERE key = '{key}') AND line = {line}"


MOVEMENT = "id = (SELECT min(id) FROM vouchers_movement WHERE kind = '{}')"
OF_PA = "programme_id = (SELECT id FROM vouchers_programme WHERE code = 'PA')"
STATEMENT = "id = (SELECT min(s.id) FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id WHERE l.code = 'LS01')"
BANK_LINE = "id = (SELECT bank_line_id FROM providers_receipt r JOIN ledger_bankline b ON b.id = r.bank_line_id WHERE {})"

# (table, column, which row, an account that must be named, by whom)
FENS = [
    ("ledger_transfer", "amount", transfer_of("zhang-meal", 1), "Equity:Vouchers:PA:Redeemed", "journal"),
    ("ledger_transfer", "amount", transfer_of("zhang-meal", 2), "Liabilities:Payable:OP01", "journal"),
    ("vouchers_voucher", "remaining", f"id = (SELECT max(id) FROM vouchers_voucher WHERE {OF_PA})",
     "Liabilities:Vouchers:PA:Outstanding", "vouchers"),
    ("vouchers_voucher", "face_value", f"id = (SELECT max(id) FROM vouchers_voucher WHERE {OF_PA})",
     "Equity:Vouchers:PA:Issued", "vouchers"),
    ("vouchers_voucher", "held", "held > 0", "Liabilities:Vouchers:PB:Held", "vouchers"),
    ("vouchers_holdline", "amount", "hold_id = (SELECT id FROM vouchers_hold WHERE key = 'order-open')",
     "Liabilities:Vouchers:PB:Held", "open holds"),
    ("vouchers_issuerun", "value", f"id = (SELECT min(id) FROM vouchers_issuerun WHERE {OF_PA})",
     "Equity:Vouchers:PA:Issued", "issue runs"),
    *[("vouchers_movement", "amount", MOVEMENT.format(kind), account, "movements")
      for kind, account in (
          ("redeem", "Equity:Vouchers:PA:Redeemed"), ("redeem_held", "Equity:Vouchers:PA:Redeemed"),
          ("give_back", "Equity:Vouchers:PA:Redeemed"), ("hold", "Liabilities:Vouchers:PA:Held"),
          ("release", "Liabilities:Vouchers:PA:Held"), ("expire", "Equity:Vouchers:PA:Expired"))],
    ("vouchers_movement", "amount", MOVEMENT.format("void"), "Voided", "movements"),
    ("vouchers_movement", "amount", MOVEMENT.format("unvoid"), "Voided", "movements"),
    ("vouchers_movement", "amount", f"redemption_id = {redemption('sun-paid-out')} AND kind = 'redeem'",
     "Expenses:Vouchers:PC", "movements"),
    ("vouchers_redemption", "government", f"id = {redemption('zhang-meal')}", "Expenses:Subsidy:Government", "redemptions"),
    ("vouchers_redemption", "government", f"id = {redemption('wang-bare')}", "Liabilities:Payable:OP02", "redemptions"),
    ("vouchers_redemption", "charity", f"id = {redemption('zhang-meal')}", "Liabilities:Fund:Charity", "redemptions"),
    ("vouchers_redemption", "vouchers", f"id = {redemption('zhang-meal')}", "Equity:Vouchers:PA:Redeemed", "redemptions"),
    ("vouchers_claim", "amount", f"redemption_id = {redemption('zhang-meal')}", "Equity:Vouchers:PA:Redeemed", "redemptions"),
    ("vouchers_statement", "charge", STATEMENT, "Income:Rent:LS01", "statements"),
    ("vouchers_statement", "credit", STATEMENT, "Expenses:RentOffset:LS01", "statements"),
    ("vouchers_statement", "applied", STATEMENT, "Assets:Receivable:Rent:LS01", "statements"),
    ("vouchers_statement", "lapsed", STATEMENT, "Income:OffsetLapsed:LS01", "statements"),
    ("vouchers_statement", "carry_out", "id = (SELECT s.id FROM vouchers_statement s JOIN providers_lease l "
     "ON l.id = s.lease_id WHERE l.code = 'LS01' AND s.state = 'approved' ORDER BY s.month DESC LIMIT 1)",
     "Liabilities:OffsetCredit:LS01", "carry"),
    ("providers_rentcharge", "cash_due", "id = (SELECT min(c.id) FROM providers_rentcharge c "
     "JOIN providers_lease l ON l.id = c.lease_id WHERE l.code = 'LS01')",
     "Assets:Receivable:Rent:LS01", "rent charges"),
    ("ledger_bankline", "amount", BANK_LINE.format("r.state = 'matched'"), "Assets:Bank:Rent", "bank lines"),
    ("ledger_bankline", "amount", BANK_LINE.format("r.state = 'matched'"), "Assets:Receivable:Rent:LS01", "statements"),
    ("ledger_bankline", "amount", BANK_LINE.format("r.state = 'proposed'"), "Liabilities:Suspense:Receipts", "bank lines"),
    ("ledger_bankline", "amount", BANK_LINE.format("b.direction = 'out'"), "Assets:Suspense:Payments", "bank lines"),
]  # fmt: skip


@pytest.mark.parametrize("step", ["+", "-"])
@pytest.mark.parametrize(("table", "column", "where", "account", "source"), FENS)
def test_one_fen_is_found_and_its_account_named(
    bare, beancount_found, table, column, where, account, source, step
):
    assert outcome(beancount_found).agrees
    bare.execute(f"UPDATE {table} SET {column} = {column} {step} 0.01 WHERE {where}")
    assert bare.rowcount == 1
    named = {(one.account, one.source): one.told - one.books for one in outcome(beancount_found).differences}
    found = {abs(off) for (name, by), off in named.items() if account in name and by == source}
    assert found == {FEN}, named


@pytest.mark.parametrize(
    ("damage", "account"),
    [
        ("UPDATE vouchers_redemption SET reversed_on = NULL WHERE key = 'wang-meal'", "Liabilities:Payable:OP01"),
        ("UPDATE vouchers_redemption SET reversed_on = '2026-03-01' WHERE key = 'zhang-meal'", "Expenses:Subsidy:Government"),
        ("DELETE FROM vouchers_claim WHERE redemption_id = " + redemption("zhang-meal"), "Equity:Vouchers:PA:Redeemed"),
        ("DELETE FROM vouchers_voucher WHERE remaining = 10 AND " + OF_PA, "Liabilities:Vouchers:PA:Outstanding"),
        ("UPDATE vouchers_hold SET state = 'released' WHERE key = 'order-open'", "Liabilities:Vouchers:PB:Held"),
        ("UPDATE providers_receipt SET state = 'suspense' WHERE state = 'matched'", "Liabilities:Suspense:Receipts"),
        ("UPDATE providers_receipt r SET state = 'fee' FROM ledger_bankline b WHERE b.id = r.bank_line_id "
         "AND b.direction = 'out'", "Expenses:Bank:Fees"),
        ("UPDATE providers_receipt r SET state = 'interest' FROM ledger_bankline b WHERE b.id = r.bank_line_id "
         "AND b.direction = 'in' AND r.state = 'suspense'", "Income:Bank:Interest"),
        ("UPDATE vouchers_statement SET state = 'draft' WHERE state = 'approved'", "Income:Rent:LS01"),
    ],
)  # fmt: skip
def test_what_stands_otherwise_than_it_was_posted_is_found(bare, beancount_found, damage, account):
    bare.execute(damage)
    assert bare.rowcount
    assert account in {one.account for one in outcome(beancount_found).differences}


def test_money_that_nothing_accounts_for(bare, beancount_found):
    bare.execute(
        "INSERT INTO ledger_account (name, commodity) VALUES ('Assets:Bank:Elsewhere', 'CNY') RETURNING id"
    )
    other = bare.fetchone()[0]
    bare.execute(
        "UPDATE ledger_transfer SET debit_id = %s WHERE debit_id = (SELECT id FROM ledger_account WHERE name = %s)",
        [other, "Assets:Bank:Rent"],
    )
    sources = {
        one.source for one in outcome(beancount_found).differences if one.account == "Assets:Bank:Elsewhere"
    }
    assert sources == {"journal", ""}


def test_an_entry_more_or_less_is_told(story_db, beancount_found):
    story.issue_on("2026-04-01", at="2026-03-29")
    done = outcome(beancount_found)
    assert done.error_count == 1
    assert done.errors[0].startswith(f"the books hold {beancount_found.entries} entries, the database ")


# The commands


def test_check_books_with_and_without_a_directory(story_db, tmp_path, capsys):
    call_command("export_books", str(tmp_path / "books"))
    call_command("check_books", str(tmp_path / "books"))
    call_command("check_books")
    printed = capsys.readouterr().out.splitlines()
    entries = Entry.objects.count()
    assert len(printed) == 3
    assert f" {entries}," in printed[0]
    assert printed[1] == printed[2]
    assert f" {entries}," in printed[1]


def test_check_books_writes_them_first_when_asked(story_db, tmp_path):
    call_command("check_books", str(tmp_path / "books"), "--export")
    story.issue_on("2026-04-01", at="2026-03-29")
    with pytest.raises(Refused):  # control: the books are older than the database
        call_command("check_books", str(tmp_path / "books"))
    call_command("check_books", str(tmp_path / "books"), "--export")


def test_check_books_refuses_and_names_the_account(story_db, tmp_path, capsys):
    """A fen added to one transfer after the books were written, one to a voucher before they are written anew."""
    call_command("export_books", str(tmp_path / "books"))
    databases.unprotect(story_db)
    with databases.superuser(story_db) as superuser:
        superuser.execute(
            f"UPDATE ledger_transfer SET amount = amount + 0.01 WHERE {transfer_of('zhang-meal', 2)}"
        )
    with pytest.raises(Refused):
        call_command("check_books", str(tmp_path / "books"))
    assert "Expenses:Subsidy:Government" in capsys.readouterr().out

    with databases.superuser(story_db) as superuser:
        superuser.execute(
            f"UPDATE ledger_transfer SET amount = amount - 0.01 WHERE {transfer_of('zhang-meal', 2)}"
        )
    call_command("check_books", str(tmp_path / "books"))
    capsys.readouterr()
    with databases.superuser(story_db) as superuser:
        superuser.execute("UPDATE vouchers_voucher SET held = held + 0.01 WHERE held > 0")
    with pytest.raises(Refused):
        call_command("check_books")
    assert "Liabilities:Vouchers:PB:Held" in capsys.readouterr().out


def test_no_books_is_a_sentence(story_db, tmp_path):
    with pytest.raises(Refused, match="no books in"):
        call_command("check_books", str(tmp_path))


def test_a_month_is_read_once(story_db, tmp_path):
    books, cache = tmp_path / "books", tmp_path / "cache"
    export(books)
    first = operations.check_books(directory=books, cache=cache, witnesses=witnesses)
    assert first.checked.months_read == first.checked.months == ["2026-01", "2026-02", "2026-03"]
    story.redeem("late", "ZHANG", "MEAL", "PM01", "2026-02-11 11:30", at="2026-03-25 09:00")
    export(books)
    second = operations.check_books(directory=books, cache=cache, witnesses=witnesses)
    assert (second.checked.months_read, second.agrees) == (["2026-03"], True)


@pytest.mark.parametrize("write", [True, False])
def test_nobody_writes_between_export_and_check(story_db, tmp_path, monkeypatch, write):
    """Who writes the books to check them keeps others out until they are read; a mere check (the control) waits
    only for an export under way."""
    books, free = tmp_path / "books", []
    export(books)
    real = operations.check

    def check(directory, **options):
        handle = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free.append(True)
        except BlockingIOError:
            free.append(False)
        finally:
            os.close(handle)
        return real(directory, **options)

    monkeypatch.setattr(operations, "check", check)
    found = operations.check_books(
        directory=books, write=write, cache=tmp_path / "cache", witnesses=witnesses
    )
    assert found.agrees
    assert free == [not write]
