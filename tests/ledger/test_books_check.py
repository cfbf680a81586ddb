"""The check of the books: a process of its own that finds whatever is wrong with the files, and what it skips."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.books import operations
from ledger.books.export import export
from ledger.journal.queries import balances
from ledger.models import Entry
from tests import databases, story

JANUARY, FEBRUARY, MARCH = (f"2026/2026-0{n}.beancount" for n in (1, 2, 3))
MARCH_ALONE = "2026/2026-03.alone.beancount"


@pytest.fixture(scope="module")
def story_books(story_template: str, django_db_blocker, tmp_path_factory) -> Iterator[dict[str, str]]:
    """The books of the story: path to text."""
    directory = tmp_path_factory.mktemp("books")
    with django_db_blocker.unblock(), databases.pointed_at(story_template):
        export(directory)
    return {
        path.relative_to(directory).as_posix(): path.read_text()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def books(story_books: dict[str, str], tmp_path: Path) -> Path:
    directory = tmp_path / "books"
    for name, text in story_books.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def check(directory: Path, *options: str) -> dict:
    command = [sys.executable, "-I", str(operations.SCRIPT), str(directory), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def sum_anew(directory: Path) -> None:
    """What somebody would do who changes a file and covers it up."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(directory).as_posix()}\n"
        for path in sorted(directory.rglob("*.beancount"))
    ]
    (directory / "SHA256SUMS").write_text("".join(lines))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"nothing to damage: {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_sound_books_have_no_error(story_db, tmp_path):
    export(tmp_path)
    found = check(tmp_path)
    assert found["errors"] == []
    assert found["entries"] == Entry.objects.count()
    assert list(found["months"]) == ["2026-01", "2026-02", "2026-03"]
    wanted = {name: amount for name, amount in balances().items() if amount}
    assert {name.split(" ")[0]: amount for name, amount in found["balances"].items() if float(amount)} == {
        name: str(amount) for name, amount in wanted.items()
    }


@pytest.mark.parametrize("name", ["main.beancount", JANUARY.replace(".", ".alone."), MARCH_ALONE])
def test_bean_check_itself_agrees(books, name):
    """main and each month alone load by the standard tool; a fen less and they do not."""
    bean_check = [str(Path(sys.executable).with_name("bean-check")), "-C", str(books / name)]
    assert subprocess.run(bean_check, capture_output=True, text=True).stderr == ""
    month = MARCH if name == MARCH_ALONE else JANUARY
    edit(books / month, "-04-01 balance" if month == MARCH else "-02-01 balance", "-04-02 balance")
    text = (books / month).read_text()
    last = text.rstrip().rsplit("\n", 1)[1]
    account, amount = re.fullmatch(r"\S+ balance (\S+)  (\S+) ~ 0.00 \w+", last).groups()
    fen_off = last.replace(amount, f"{float(amount) + 0.01:.2f}", 1)
    (books / month).write_text(text.replace(last, fen_off))
    done = subprocess.run(bean_check, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Balance failed for '{account}'" in done.stderr


def test_nothing_of_ours_is_imported(books):
    command = [sys.executable, "-I", "-X", "importtime", str(operations.SCRIPT), str(books)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in said.splitlines() if "|" in line}
    assert not imported & {"ledger", "providers", "vouchers", "marketplace", "django", "psycopg"}
    assert "beancount" in imported


@pytest.mark.parametrize("size", ["1", "300", "5000"])
def test_pieces_of_any_size_say_the_same(books, size):
    assert check(books, "--piece-bytes", size) == check(books)


# (file, what stands there, what is put there instead, what is to be found where)
DAMAGES = [
    (JANUARY, "12.00 VCY", "12.01 VCY", rf"{JANUARY}:\d+: Transaction does not balance"),
    # Less than half a fen, which Beancount alone would let pass.
    (JANUARY, "12.00 VCY", "12.004 VCY", rf"{JANUARY}:\d+: Transaction does not balance"),
    (FEBRUARY, "12.00 VCY\n", "11.99 VCY\n", rf"{FEBRUARY}:\d+: Transaction does not balance"),
    (JANUARY, "~ 0.00 CNY", "~ 0.01 CNY", rf"{JANUARY}: the balance of \S+ is not asserted for 2026-02-01 to the fen"),
    (JANUARY, "2026-01-05 *", "2026-02-05 *", rf"{JANUARY}:\d+: 2026-02-05 is not of this month"),
    (JANUARY, "  entry: ", " entry; ", rf"{JANUARY}:\d+: this is no line of the books"),
    (MARCH, "Assets:Bank:Rent  ", "Assets:Bank:Else  ", rf"{MARCH}:\d+: Invalid reference to unknown account"),
    (MARCH, "\n2026-03", '\nplugin "os"\n2026-03', rf"{MARCH}:\d+: this is no line of the books: plugin"),
    (MARCH, "\n2026-03", "\n2026-03-01 pad Assets:Bank:Rent Expenses:Subsidy:Government\n2026-03",
     rf"{MARCH}:\d+: "),
    (MARCH, "2026-04-01 balance Assets:Bank:Rent", "; 2026-04-01 balance Assets:Bank:Rent",
     rf"{MARCH}: no balance is asserted for Assets:Bank:Rent CNY"),
    ("accounts.beancount", "2000-01-01 open Assets:Bank:Rent CNY\n", "", rf"{MARCH}:\d+: Invalid reference to unknown account"),
    ("accounts.beancount", "Assets:Bank:Rent CNY", "Assets:Bank:Rent VCY", rf"{MARCH}:\d+: "),
    ("accounts.beancount", "2000-01-01 open", "2000-01-01 close", r"accounts.beancount:\d+: "),
    ("main.beancount", f'include "{FEBRUARY}"\n', "", rf"main.beancount: does not include what it should: {FEBRUARY}"),
    ("main.beancount", "\ninclude", '\ninclude "/etc/passwd"\ninclude', "main.beancount: does not include what it should: /etc/passwd"),
    ("main.beancount", "\ninclude", "\n2026-01-01 open Assets:Else\ninclude", "main.beancount: holds more than"),
    (MARCH_ALONE, 'include "2026-03', 'include "2026-02', f"{MARCH_ALONE}: does not include what it should"),
    (MARCH_ALONE, "\n2026-02-28", "\n; 2026-02-28", f"{MARCH_ALONE}:"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "wanted"), DAMAGES)
def test_damage_to_the_files_is_found(books, name, old, new, wanted):
    """Also where the sums were made anew, so that no file seems to have changed."""
    edit(books / name, old, new)
    assert f"{name}: this file has changed since it was written" in check(books)["errors"]
    sum_anew(books)
    errors = check(books)["errors"]
    assert any(re.match(wanted, error) for error in errors), errors


def test_opening_otherwise_than_the_month_before_closed(books):
    """A fen moved from one opening balance to another and carried through: only the chain can tell."""
    alone, month = books / MARCH_ALONE, books / MARCH
    for path, pattern in ((alone, r"  {}  (\S+) VCY"), (month, r"2026-04-01 balance {}  (\S+) ~")):
        for account, step in (("Equity:Vouchers:PA:Issued", 1), ("Equity:Vouchers:PB:Issued", -1)):
            text = path.read_text()
            found = re.search(pattern.format(account), text)
            line = found[0].replace(found[1], f"{(int(found[1].replace('.', '')) + step) / 100:.2f}")
            path.write_text(text.replace(found[0], line, 1))
    sum_anew(books)
    assert check(books)["errors"] == [
        f"{MARCH_ALONE}: opens Equity:Vouchers:{code}:Issued VCY otherwise than the month before closed it"
        for code in ("PA", "PB")
    ]


def test_any_changed_byte_is_found(books):
    """A tag or a link means nothing to Beancount; the sums know it all the same."""
    edit(books / FEBRUARY, "#redemption", "#redemptiom")
    assert check(books)["errors"] == [f"{FEBRUARY}: this file has changed since it was written"]


def test_missing_and_foreign_files_are_found(books):
    (books / FEBRUARY).rename(books / "2026/2026-12.beancount")
    errors = check(books)["errors"]
    assert f"{FEBRUARY}: this file is missing" in errors
    assert "2026/2026-12.beancount: this file is no part of the books" in errors


def test_no_books_at_all(tmp_path):
    with pytest.raises(operations.CannotCheck, match="no books in"):
        operations.check(tmp_path, cache=tmp_path / "cache")
    with pytest.raises(operations.CannotCheck, match="nowhere"):
        operations.check(tmp_path / "nowhere", cache=tmp_path / "cache")


# What is not read again


def read_months(directory: Path, cache: Path) -> list[str]:
    found = check(directory, "--cache", str(cache))
    return [month for month, told in found["months"].items() if told["read"]]


def test_what_is_as_it_was_is_not_loaded_again(story_db, tmp_path):
    books, cache = tmp_path / "books", tmp_path / "cache"
    export(books)
    first = check(books, "--cache", str(cache))
    assert read_months(books, cache) == []
    again = check(books, "--cache", str(cache))
    assert [told.pop("read") for told in first["months"].values()] == [True] * 3
    assert [told.pop("read") for told in again["months"].values()] == [False] * 3
    assert again == first  # what is remembered says the same as what was loaded

    story.redeem("late", "ZHANG", "MEAL", "PM01", "2026-02-11 11:30", at="2026-03-25 09:00")
    export(books)
    assert read_months(books, cache) == ["2026-03"]
    assert read_months(books, cache) == []


def test_one_byte_in_a_locked_month_and_it_is_loaded_again(books, tmp_path):
    cache = tmp_path / "cache"
    assert read_months(books, cache) == ["2026-01", "2026-02", "2026-03"]
    edit(books / JANUARY, "12.00 VCY", "12.01 VCY")
    sum_anew(books)
    for _again in range(2):  # what had an error is never taken for known
        found = check(books, "--cache", str(cache))
        assert [month for month, told in found["months"].items() if told["read"]] == ["2026-01"]
        assert any("does not balance" in error for error in found["errors"])


def test_an_account_that_is_no_longer_open_is_noticed_though_nothing_else_changed(books, tmp_path):
    cache = tmp_path / "cache"
    read_months(books, cache)
    edit(books / "accounts.beancount", "2000-01-01 open Assets:Bank:Rent CNY\n", "")
    sum_anew(books)
    found = check(books, "--cache", str(cache))
    assert [month for month, told in found["months"].items() if told["read"]] == ["2026-03"]
    assert found["error_count"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("SELECT sum(position) WHERE account = 'Assets:Bank:Rent'", "85.00 CNY"),
        ("SELECT date, account, position WHERE '{number}' IN links", "Equity:Vouchers:PA:Redeemed"),
        ("SELECT count(*) WHERE 'redemption' IN tags AND account = 'Equity:Vouchers:PC:Redeemed'", "1"),
    ],
)
def test_questions_of_the_handbook(books, query, wanted):
    """docs/books.md promises these to auditors."""
    number = re.search(r"#redemption \^(RD-\d+)", (books / JANUARY).read_text())[1]
    bean_query = str(Path(sys.executable).with_name("bean-query"))
    command = [bean_query, str(books / "main.beancount"), query.format(number=number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert wanted in done.stdout
