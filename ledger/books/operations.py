"""The books against the database: every balance, account by account, to the fen.

What Beancount read from the files is set against the sums of the journal, and against what the domain's own rows
say each account must hold (`witnesses`, given by the packages above), so that a fen changed behind the journal's
back is found and its account named.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ledger import chart
from ledger.books.export import alone_in, export_alone, snapshot
from ledger.journal.models import Entry
from ledger.journal.queries import balances
from ledger.money import ZERO

Balances = Mapping[str, Decimal]
Witnesses = Callable[[], Mapping[str, Balances]]

SCRIPT = Path(__file__).with_name("check.py")
JOURNAL = "journal"


class CannotCheck(Exception):
    """The books could not be read at all; its text says why."""


class Difference(NamedTuple):
    """The books hold `books` yuan in `account`, `source` says `told`. No witness at all: source is empty."""

    account: str
    source: str
    books: Decimal
    told: Decimal


@dataclass(frozen=True, slots=True)
class Checked:
    """What Beancount found in the books alone. `balances` are by account and commodity, in yuan.

    `errors` are Beancount's and those of the files, the first 100 of `error_count`; `months_read` are the months
    ("2026-07") that had to be loaded again.
    """

    accounts: int
    entries: int
    months: list[str]
    months_read: list[str]
    error_count: int
    errors: list[str]
    balances: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Compared:
    """The books as `checked`, set against the database; `errors` are those of both."""

    checked: Checked
    error_count: int
    errors: list[str]
    differences: list[Difference]

    @property
    def agrees(self) -> bool:
        return not self.error_count and not self.differences


def check_books(
    *,
    directory: Path | None = None,
    write: bool = False,
    cache: Path,
    witnesses: Witnesses | None = None,
    progress: Any = None,
) -> Compared:
    """This function will load the books with Beancount and compare every balance with the database.

    1. Read journal and witnesses at one moment. With `write`, and without a `directory`, write the books of that
       moment first: whatever is posted meanwhile makes no difference.
    2. Load the books in a process of its own, before anybody else writes there. `cache` keeps what needs no second look.
    3. Compare account by account.

    `progress(done, total, what)` is told how far it is. Raises CannotCheck.
    """
    with tempfile.TemporaryDirectory(prefix="books-") as made:
        books = directory or Path(made)
        write = write or directory is None
        with alone_in(books) if write else nullcontext():
            with snapshot():
                if write:
                    export_alone(books, progress=progress)
                database = balances()
                entries = Entry.objects.count()
                told = {} if witnesses is None else witnesses()
            found = check(books, cache=cache, alone=write, progress=progress)
    return compare(found, database=database, entries=entries, witnesses=told)


def check(directory: Path, *, cache: Path, alone: bool = False, progress: Any = None) -> Checked:
    """What check.py answers, run as a process that imports nothing of ours. Raises CannotCheck.

    `alone`: the caller keeps others from writing; otherwise an export under way is waited for.
    """
    # Without asserts (-O): Beancount asserts the types of what it just made; its validation looks at them anyway.
    command = [sys.executable, "-I", "-O", str(SCRIPT), str(directory.absolute())]
    command += ["--cache", str(cache.absolute())]
    if alone:
        command.append("--alone")
    with tempfile.TemporaryFile("w+") as answer:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=answer, stderr=subprocess.PIPE, text=True
        ) as process:
            said = ""
            assert process.stderr is not None
            for line in process.stderr:
                done, _space, total = line.strip().partition(" ")
                if done.isdecimal() and total.isdecimal():
                    if progress is not None:
                        progress(int(done), int(total), "Beancount")
                else:
                    said = line.strip() or said
        if process.returncode:
            raise CannotCheck(said or f"the check of the books ended with status {process.returncode}")
        answer.seek(0)
        told = json.load(answer)
    return Checked(
        accounts=told["accounts"],
        entries=told["entries"],
        months=list(told["months"]),
        months_read=[month for month, of_it in told["months"].items() if of_it["read"]],
        error_count=told["error_count"],
        errors=told["errors"],
        balances={name: Decimal(amount) for name, amount in told["balances"].items()},
    )


def compare(
    found: Checked, *, database: Balances, entries: int, witnesses: Mapping[str, Balances]
) -> Compared:
    """Set what check.py answered against the journal's sums and each witness. Pure."""
    books = found.balances
    differences = _against(books, JOURNAL, database, everywhere=True)
    for source, told in witnesses.items():
        differences += _against(books, source, told)
    if witnesses:
        spoken_for = {account for told in witnesses.values() for account in told}
        differences += [
            Difference(account, "", books.get(_key(account), ZERO), ZERO)
            for account in sorted(database.keys() - spoken_for)
        ]
    errors, count = list(found.errors), found.error_count
    if found.entries != entries:
        errors.append(f"the books hold {found.entries} entries, the database {entries}")
        count += 1
    return Compared(found, count, errors, differences)


def _key(account: str) -> str:
    return f"{account} {chart.commodity(account)}"


def _against(books: Balances, source: str, told: Balances, *, everywhere: bool = False) -> list[Difference]:
    """Where books and source differ, for the accounts of the source (`everywhere`: those of the books too)."""
    wanted = {_key(account): amount for account, amount in told.items()}
    names = wanted.keys() | books.keys() if everywhere else wanted.keys()
    return [
        Difference(name.partition(" ")[0], source, books.get(name, ZERO), wanted.get(name, ZERO))
        for name in sorted(names)
        if books.get(name, ZERO) != wanted.get(name, ZERO)
    ]
