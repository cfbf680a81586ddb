"""The journal as Beancount files: one a month, each with its closing balances asserted to the fen.

    main.beancount                  accounts and every month
    accounts.beancount
    2026/2026-07.beancount          a month's transactions, then `balance` for each account
    2026/2026-07.alone.beancount    loads that month by itself: accounts, opening balances, the month
    SHA256SUMS                      `sha256sum -c SHA256SUMS` tells whether a file is as it was written

Everything is written from one moment of the database. Text is built by the database and streamed, so memory
does not grow with the books. Files whose bytes would be the same are left untouched. Nothing here imports
Beancount: the files are plain text.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from ledger.books import text
from ledger.journal.models import Account
from ledger.journal.queries import month_of, next_month
from ledger.money import ZERO

SUMS = "SHA256SUMS"
_READ = 1 << 20
_ROWS = 4096


@dataclass(slots=True)
class Month:
    """One month of the journal. `rows` changes with every row of it; balances are debits less credits, yuan."""

    month: date
    entries: int = 0
    transfers: int = 0
    rows: int = 0
    opening: dict[str, Decimal] = field(default_factory=dict)
    closing: dict[str, Decimal] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.month:%Y/%Y-%m}.beancount"

    @property
    def alone_path(self) -> str:
        return f"{self.month:%Y/%Y-%m}.alone.beancount"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `written` are the files whose bytes are new, as paths below the directory."""

    months: list[Month]
    accounts: int
    entries: int
    written: list[str]


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one moment, whatever is posted meanwhile. Nothing can be written."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            if cursor.fetchone()[0] != "repeatable read":
                raise RuntimeError("books are read from one moment: not inside a transaction of another kind")
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL work_mem = '64MB'")
        yield


def export(directory: Path, *, progress: Any = None) -> Exported:
    """This function will write the books of the whole journal to `directory`.

    1. Sum the journal by day and pair of accounts: balances and a fingerprint of each month.
    2. Write each month whose file is not there as it was written from the same rows.
    3. Write what is small: accounts, the months alone, main, the sums; take away months that are no more.

    `progress(done, total, what)` is told of each month. Raises OSError when the directory cannot be written.
    """
    with alone_in(directory):
        return export_alone(directory, progress=progress)


def export_alone(directory: Path, *, progress: Any = None) -> Exported:
    """The same, for a caller who is alone in the directory already."""
    with snapshot():
        recorded = _recorded(directory)
        accounts = list(Account.objects.order_by("name").values_list("name", "commodity"))
        months = _months()
        files = _Files(directory, recorded)
        for number, month in enumerate(months):
            if progress is not None:
                progress(number, len(months), f"{month.month:%Y-%m}")
            header = text.month_header(month)
            if not files.keep(month.path, header):
                files.write(month.path, _month_blocks(month, header))
            files.write(month.alone_path, [text.alone(month)])
        files.write("accounts.beancount", [text.accounts(accounts)])
        files.write("main.beancount", [text.main(months)])
        files.finish()
    return Exported(months, len(accounts), sum(month.entries for month in months), files.written)


# What the journal holds


# Sorted out by the days and pairs of accounts, which are few, in one pass. The sum of hashes changes with any
# change of any row; entries without transfers count with a pair of nulls.
SUMMARY = """
    SELECT e.dated_on, t.debit_id, t.credit_id, coalesce(sum(t.amount), 0.00), count(t.line),
        count(*) FILTER (WHERE t.line IS NULL OR t.line = 1),
        sum(hashint8extended(coalesce((t.amount * 100)::bigint, 0), hashtextextended(
            e.kind || e.link || coalesce('>' || e.reverses_id, ''),
            hashint8extended(e.id, coalesce(t.line, 0)))))
    FROM ledger_entry e LEFT JOIN ledger_transfer t ON t.entry_id = e.id
    GROUP BY 1, 2, 3
"""


def _months() -> list[Month]:
    """From the first to the last month that has entries, those between without entries too."""
    names = dict(Account.objects.values_list("id", "name"))
    found: dict[date, Month] = {}
    moved: dict[date, dict[str, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(SUMMARY)
        for day, debit, credit, amount, transfers, entries, rows in cursor.fetchall():
            first = month_of(day)
            month = found.setdefault(first, Month(first))
            month.entries += entries
            month.transfers += transfers
            mark = hashlib.sha256(f"{day} {debit} {credit} {rows}".encode()).digest()
            month.rows ^= int.from_bytes(mark[:8])
            if debit is not None:
                sums = moved.setdefault(first, {})
                sums[names[debit]] = sums.get(names[debit], ZERO) + amount
                sums[names[credit]] = sums.get(names[credit], ZERO) - amount
    months = []
    balances: dict[str, Decimal] = {}
    at = min(found, default=None)
    while at is not None and at <= max(found):
        month = found.get(at, Month(at))
        month.opening = dict(balances)
        for name, amount in moved.get(at, {}).items():
            balances[name] = balances.get(name, ZERO) + amount
        month.closing = dict(sorted(balances.items()))
        months.append(month)
        at = next_month(at)
    return months


# An entry is one row, put together by the database; \x1f stands for the ends of its lines until they are written.
TRANSACTIONS = """
    SELECT
        chr(31) || e.dated_on || ' * "' || coalesce(n.narration, e.kind) || '" #' || e.kind
        || CASE WHEN e.link = '' THEN '' ELSE ' ^' || e.link END || chr(31) || '  entry: "' || e.id || '"' || chr(31)
        || coalesce('  reverses: "' || e.reverses_id || '"' || chr(31), '')
        || coalesce(string_agg(
            '  ' || debit.name || '  ' || t.amount || ' ' || t.commodity || chr(31)
            || '  ' || credit.name || '  -' || t.amount || ' ' || t.commodity || chr(31), '' ORDER BY t.line), '')
    FROM ledger_entry e
    LEFT JOIN ledger_transfer t ON t.entry_id = e.id
    LEFT JOIN ledger_account debit ON debit.id = t.debit_id
    LEFT JOIN ledger_account credit ON credit.id = t.credit_id
    LEFT JOIN (VALUES {narrations}) AS n(kind, narration) ON n.kind = e.kind
    WHERE e.dated_on >= '{start}' AND e.dated_on < '{end}'
    GROUP BY e.dated_on, e.id, n.narration
    ORDER BY e.dated_on, e.id
"""


def _month_blocks(month: Month, header: bytes) -> Iterator[bytes]:
    yield header
    if month.entries:
        sql = TRANSACTIONS.format(
            narrations=", ".join(f"('{kind}', '{words}')" for kind, words in text.NARRATIONS.items()),
            start=month.month,
            end=next_month(month.month),
        )
        with connection.cursor() as cursor, cursor.cursor.copy(f"COPY ({sql}) TO STDOUT") as copy:
            rows_of = iter(copy)
            while rows := list(islice(rows_of, _ROWS)):
                # The end of a row is not a line's end.
                yield b"".join(rows).replace(b"\n", b"").replace(b"\x1f", b"\n")
    yield text.closing(month)


# Files


class _Files:
    """Writes files below a directory, each whole or not at all, and keeps account of their sums."""

    def __init__(self, directory: Path, recorded: dict[str, str]) -> None:
        self.directory = directory
        self.recorded = recorded
        self.sums: dict[str, str] = {}
        self.written: list[str] = []

    def keep(self, name: str, header: bytes) -> bool:
        """Whether the file is there, begins with this header, and is byte for byte as it was written."""
        if name not in self.recorded:
            return False
        try:
            with open(self.directory / name, "rb") as file:
                if file.read(len(header)) != header or _sha256(file, header) != self.recorded[name]:
                    return False
        except OSError:
            return False
        self.sums[name] = self.recorded[name]
        return True

    def write(self, name: str, blocks: Iterable[bytes]) -> None:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        digest = hashlib.sha256()
        with open(draft, "wb", buffering=_READ) as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if name != SUMS:
            self.sums[name] = digest.hexdigest()
        if _same(path, digest.hexdigest(), draft.stat().st_size):
            draft.unlink()
        else:
            draft.replace(path)
            self.written.append(name)

    def finish(self) -> None:
        """Take away what an earlier export wrote and this one did not; write the sums."""
        for name in self.recorded.keys() - self.sums.keys():
            (self.directory / name).unlink(missing_ok=True)
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))
        self.write(SUMS, [lines.encode()])


def _same(path: Path, digest: str, size: int) -> bool:
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size == size and _sha256(file) == digest
    except OSError:
        return False


def _sha256(file: Any, begun: bytes = b"") -> str:
    digest = hashlib.sha256(begun)
    while block := file.read(_READ):
        digest.update(block)
    return digest.hexdigest()


def _recorded(directory: Path) -> dict[str, str]:
    """Path to sum, from the last export; only paths that an export writes."""
    try:
        lines = (directory / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = {}
    for line in lines:
        digest, _space, name = line.partition("  ")
        if text.is_file_of_books(name):
            found[name] = digest
    return found


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """One export or check at a time in a directory, made if missing. The lock is gone with the process."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
