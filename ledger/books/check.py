"""Loads exported books with Beancount and says what it found, as JSON on standard output.

    python -I check.py DIRECTORY [--cache DIRECTORY] [--processes N] [--piece-bytes N]

A process of its own: it imports Beancount and nothing of ours, reads files and answers with text. Beancount's own
parser, booking and validation see every line; they see it in pieces, so that a million entries take two processes
a few hundred megabytes instead of one process several gigabytes:

1. A month's transactions are cut between entries. Each piece is loaded with the accounts it names and answers with
   what it adds to each account.
2. The month's end is loaded as a small ledger: accounts, opening balances, one transaction that carries the sum of
   the pieces, and the balance assertions of the month's file.
3. Each month must open as the one before closed, and main must include exactly the months there are.

A piece or a month's end that was loaded without an error before is known by the SHA-256 of its bytes and of the
accounts it names; it is not loaded again. The answer, with the progress ("done total") on standard error:

    {"beancount": "3.2.3", "errors": ["2026/2026-07.beancount:12: …"], "error_count": 1, "entries": 1, "accounts": 2,
     "balances": {"Assets:Bank:Rent CNY": "1.00"},
     "months": {"2026-07": {"entries": 1, "read": true, "balances": {…}}}}
"""

import argparse
import ctypes
import fcntl
import gc
import hashlib
import json
import mmap
import multiprocessing
import os
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import beancount
from beancount import loader
from beancount.core import data, interpolate
from beancount.ops import validation
from beancount.parser import grammar

VERSION = f"1 {beancount.__version__}"  # of what is kept from one check to the next
PIECE_BYTES = 4 << 20  # some 16,000 entries: about 150 MB while they are loaded
ERRORS_TOLD = 100
DAYS_KEPT = 90

# What lines of the books begin with. Options, includes and plugins stand nowhere but where they are expected, so
# no file can make Beancount run or read something else.
STRANGE_LINE = re.compile(rb"(?m)^(?!\d{4}-\d\d-\d\d |  |;|$).*")
NEXT_ENTRY = re.compile(rb"\n(?=\d{4}-\d\d-\d\d )")
ACCOUNT = re.compile(rb"(?m)^(?:  |\d{4}-\d\d-\d\d balance )([A-Z][^\s:]*:\S+)")
OPTION = re.compile(rb'option "(title|operating_currency)" "[^"\\]*"')
INCLUDE = re.compile(rb'include "([^"]*)"')

Problem = tuple[int, str]  # line, what is wrong with it

opens: dict[str, str] = {}  # account -> the line that opens it
cache: Path | None = None


class Piece(NamedTuple):
    """Bytes [start, end) of a month's file."""

    month: str
    path: str
    start: int
    end: int


class Ending(NamedTuple):
    """The small ledger with which a month ends; its accounts are added when it is loaded."""

    month: str
    text: str


class Unreadable(Exception):
    """The books cannot be read at all; says why."""


# Loading


def load(text: str) -> tuple[list, list[Problem]]:
    """Directives and errors, as bean-check finds them."""
    entries, errors, options = loader.load_string(text)
    for validate in validation.HARDCORE_VALIDATIONS:
        errors = [*errors, *validate(entries, options)]
    return entries, [((error.source or {}).get("lineno") or 0, str(error.message)) for error in errors]


@contextmanager
def exactly() -> Iterator[None]:
    """Entries must balance to the last digit; what a piece has no use for is left out. A third of the time.

    Beancount infers a tolerance from each entry's digits, twice, and would let half a fen pass: here there is none.
    Plugins pad, compare balances and look for documents; whatever is no transaction is an error in a piece. The
    display context learns with how many decimals amounts would be printed.
    """
    builder: Any = grammar.Builder
    kept = loader.PLUGINS_PRE[:], loader.PLUGINS_POST[:], builder._dcupdate, interpolate.infer_tolerances
    loader.PLUGINS_PRE[:], loader.PLUGINS_POST[:] = [], []
    builder._dcupdate = lambda self, number, currency: None
    interpolate.infer_tolerances = lambda postings, options_map, use_cost=None, mode="max": {}
    try:
        yield
    finally:
        loader.PLUGINS_PRE[:], loader.PLUGINS_POST[:], builder._dcupdate, interpolate.infer_tolerances = kept


def load_piece(piece: Piece) -> dict[str, Any]:
    """What a piece adds to each account: {"entries": n, "sums": {"account commodity": text}, "errors": …}."""
    with open(piece.path, "rb") as file:
        file.seek(piece.start)
        raw = file.read(piece.end - piece.start)
    accounts = opened(raw)
    key = hashlib.sha256(f"{VERSION} {piece.month}\n{accounts}\n".encode() + raw).hexdigest()
    return remembered(key) or remember(key, _load_piece(piece.month, raw, accounts))


def _load_piece(month: str, raw: bytes, accounts: str) -> dict[str, Any]:
    errors = strange_lines(raw)
    entries: list = []
    if not errors:
        # The accounts stand behind, so that line numbers are the piece's own.
        with exactly():
            entries, errors = load(f"{raw.decode()}\n{accounts}")
    sums: dict[str, Decimal] = defaultdict(Decimal)
    count = 0
    for entry in entries:
        if isinstance(entry, data.Transaction):
            count += 1
            if f"{entry.date:%Y-%m}" != month:
                errors.append((entry.meta["lineno"], f"{entry.date} is not of this month"))
            add(sums, entry)
        elif not isinstance(entry, data.Open):
            errors.append((entry.meta["lineno"], "only transactions are expected here"))
    return {"entries": count, "sums": as_text(sums), "errors": errors}


def load_ending(ending: Ending) -> dict[str, Any]:
    """How a month begins and ends: {"opening": {"account commodity": text}, "balances": {…}, "errors": …}."""
    text = f"{ending.text}\n{opened(ending.text.encode())}"
    key = hashlib.sha256(f"{VERSION} {ending.month}\n{text}".encode()).hexdigest()
    return remembered(key) or remember(key, _load_ending(ending.month, text))


def _load_ending(month: str, text: str) -> dict[str, Any]:
    first, after = first_day(month), next_month(month)
    entries, errors = load(text)
    opening: dict[str, Decimal] = defaultdict(Decimal)
    balances: dict[str, Decimal] = defaultdict(Decimal)
    asserted = set()
    for entry in entries:
        if isinstance(entry, data.Transaction):
            add(balances, entry)
            if entry.date < first:
                add(opening, entry)
        elif isinstance(entry, data.Balance):
            asserted.add(f"{entry.account} {entry.amount.currency}")
            if entry.date != after or entry.tolerance != 0:
                errors.append((0, f"the balance of {entry.account} is not asserted for {after} to the fen"))
    errors += [(0, f"no balance is asserted for {name}") for name in sorted(balances.keys() - asserted)]
    return {"opening": as_text(opening), "balances": as_text(balances), "errors": errors}


def add(sums: dict[str, Decimal], entry: data.Transaction) -> None:
    for posting in entry.postings:
        units = posting.units
        if units is not None and units.number is not None:
            sums[f"{posting.account} {units.currency}"] += units.number


def as_text(sums: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in sorted(sums.items())}


def opened(raw: bytes) -> str:
    """The lines that open the accounts named here; one that is never opened is left for Beancount to find."""
    names = {name.decode(errors="replace") for name in set(ACCOUNT.findall(raw))}
    return "\n".join(opens[name] for name in sorted(names) if name in opens)


def strange_lines(raw: bytes) -> list[Problem]:
    strange = STRANGE_LINE.search(raw)
    if strange is None:
        return []
    line = raw.count(b"\n", 0, strange.start()) + 1
    return [(line, f"this is no line of the books: {strange[0][:80].decode(errors='replace')}")]


# What is kept from one check to the next


def remembered(key: str) -> dict[str, Any] | None:
    if cache is None:
        return None
    path = cache / f"{key}.json"
    try:
        found = json.loads(path.read_text())
        os.utime(path)
    except (OSError, ValueError):
        return None
    return found | {"read": False}


def remember(key: str, found: dict[str, Any]) -> dict[str, Any]:
    """Keep what had no error; what had one is loaded again the next time."""
    if cache is not None and not found["errors"]:
        draft = cache / f".{key}.{os.getpid()}"
        draft.write_text(json.dumps(found))
        draft.replace(cache / f"{key}.json")
    return found | {"read": True}


def forget_old() -> None:
    if cache is not None:
        for path in cache.iterdir():
            if path.stat().st_mtime < time.time() - DAYS_KEPT * 86400:
                path.unlink(missing_ok=True)


# The files


def month_path(month: str, kind: str = "") -> str:
    return f"{month[:4]}/{month}{kind}.beancount"


def first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def next_month(month: str) -> date:
    return (first_day(month) + timedelta(days=31)).replace(day=1)


def find_months(directory: Path) -> list[str]:
    if not (directory / "main.beancount").is_file():
        raise Unreadable(f"there are no books in {directory}: main.beancount is missing")
    stems = (path.stem for path in directory.glob("*/*.beancount"))
    return sorted(stem for stem in stems if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", stem, re.ASCII))


def check_sums(directory: Path) -> list[str]:
    """Files that are not as they were written, are missing, or were never written."""
    sums = {}
    for line in (directory / "SHA256SUMS").read_text().splitlines():
        digest, _space, name = line.partition("  ")
        sums[name] = digest
    there = {path.relative_to(directory).as_posix() for path in directory.rglob("*.beancount")}
    errors = [f"{name}: this file is no part of the books" for name in sorted(there - sums.keys())]
    for name, digest in sorted(sums.items()):
        if name not in there:
            errors.append(f"{name}: this file is missing")
        elif sha256(directory / name) != digest:
            errors.append(f"{name}: this file has changed since it was written")
    return errors


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_main(directory: Path, months: list[str]) -> list[str]:
    """main includes the accounts and exactly the months there are, and nothing else; no month is left out."""
    errors, rest = without_includes(
        directory, "main.beancount", ["accounts.beancount", *map(month_path, months)]
    )
    if rest.strip():
        errors.append("main.beancount: holds more than options and includes")
    for month, following in pairwise(months):
        if f"{next_month(month):%Y-%m}" != following:
            errors.append(f"main.beancount: a month is missing between {month} and {following}")
    return errors


def without_includes(directory: Path, name: str, wanted: list[str]) -> tuple[list[str], bytes]:
    """What is wrong with the includes of a file, and the file with options and includes left empty."""
    found, rest = [], []
    path = directory / name
    if not path.is_file():
        return [f"{name}: this file is missing"], b""
    for line in path.read_bytes().split(b"\n"):
        include = INCLUDE.fullmatch(line)
        if include:
            found.append(include[1].decode(errors="replace"))
        rest.append(b"" if include or OPTION.fullmatch(line) else line)
    if found == wanted:
        return [], b"\n".join(rest)
    odd = ", ".join(sorted(set(found) ^ set(wanted))[:5]) or "their order"
    return [f"{name}: does not include what it should: {odd}"], b"\n".join(rest)


def read_accounts(directory: Path) -> list[str]:
    """Load the accounts and fill `opens`."""
    raw = (directory / "accounts.beancount").read_bytes()
    errors = strange_lines(raw)
    if not errors:
        entries, errors = load(raw.decode())
        lines = raw.decode().split("\n")
        for entry in entries:
            if isinstance(entry, data.Open):
                opens[entry.account] = lines[entry.meta["lineno"] - 1]
            elif not isinstance(entry, data.Commodity):
                errors.append((entry.meta["lineno"], "only accounts and commodities are expected here"))
    return [f"accounts.beancount:{line}: {message}" for line, message in errors]


def cut(directory: Path, month: str, piece_bytes: int) -> tuple[list[Piece], bytes]:
    """A month's transactions in pieces, and its balance assertions."""
    path = directory / month_path(month)
    if not path.stat().st_size:
        return [], b""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        end = raw.find(f"\n{next_month(month)} balance ".encode()) + 1 or len(raw)
        cuts = [0]
        while found := NEXT_ENTRY.search(raw, cuts[-1] + piece_bytes, end):
            cuts.append(found.end())
        cuts.append(end)
        pieces = [Piece(month, str(path), *ends) for ends in pairwise(cuts)]
        return pieces, raw[end:]


def compose(
    directory: Path, month: str, pieces: list[dict[str, Any]], tail: bytes
) -> tuple[list[str], Ending]:
    """Opening balances, the sum of the pieces as one transaction and the month's assertions, as one ledger."""
    name = month_path(month, ".alone")
    errors, opening = without_includes(directory, name, ["../accounts.beancount", f"{month}.beancount"])
    errors += [f"{name}:{line}: {message}" for line, message in strange_lines(opening)]
    errors += [f"{month_path(month)}: {message}" for _line, message in strange_lines(tail)]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for piece in pieces:
        for account, amount in piece["sums"].items():
            sums[account] += Decimal(amount)
    moved = [f'{next_month(month) - timedelta(days=1)} * "the sum of the month"']
    for key in sorted(sums):
        account, commodity = key.split(" ")
        moved.append(f"  {account}  {sums[key]} {commodity}")
    text = [opening.decode(errors="replace"), *moved, "", tail.decode(errors="replace")]
    return errors, Ending(month, "\n".join(text))


# The whole


def check(directory: Path, processes: int, piece_bytes: int) -> dict[str, Any]:
    months = find_months(directory)
    errors = check_main(directory, months) + read_accounts(directory)
    cuts = {month: cut(directory, month, piece_bytes) for month in months}
    told: dict[str, dict[str, Any]] = {}
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), prepare) as pool:
        changed = pool.submit(check_sums, directory)
        all_pieces = [piece for pieces, _tail in cuts.values() for piece in pieces]
        found = dict(zip(all_pieces, shown(pool.map(load_piece, all_pieces), len(all_pieces)), strict=True))
        endings = []
        for month, (pieces, tail) in cuts.items():
            for piece in pieces:
                errors += located(piece, found[piece]["errors"])
            wrong, ending = compose(directory, month, [found[piece] for piece in pieces], tail)
            errors += wrong
            endings.append(ending)
            told[month] = {
                "entries": sum(found[piece]["entries"] for piece in pieces),
                "read": any(found[piece]["read"] for piece in pieces),
            }
        before: dict[str, str] = {}
        for ending, result in zip(endings, pool.map(load_ending, endings), strict=True):
            month = ending.month
            errors += [f"{month_path(month)}: {message}" for _line, message in result["errors"]]
            errors += [
                f"{month_path(month, '.alone')}: opens {name} otherwise than the month before closed it"
                for name in differing(before, result["opening"])
            ]
            before = result["balances"]
            told[month]["balances"] = before
            told[month]["read"] |= result["read"]
        errors = changed.result() + errors
    return {
        "beancount": beancount.__version__,
        "error_count": len(errors),
        "errors": errors[:ERRORS_TOLD],
        "entries": sum(month["entries"] for month in told.values()),
        "accounts": len(opens),
        "balances": before,
        "months": told,
    }


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return [
        name
        for name in sorted(one.keys() | other.keys())
        if Decimal(one.get(name, 0)) != Decimal(other.get(name, 0))
    ]


def located(piece: Piece, problems: list[Problem]) -> list[str]:
    """The problems of a piece, with the lines of its month's file."""
    if not problems:
        return []
    with open(piece.path, "rb") as file:
        before = file.read(piece.start).count(b"\n")
    return [f"{month_path(piece.month)}:{before + line}: {message}" for line, message in problems]


def shown(results: Iterable[dict], total: int) -> Iterable[dict]:
    """The same, with a line of progress for each."""
    for number, result in enumerate(results, 1):
        sys.stderr.write(f"{number} {total}\n")
        sys.stderr.flush()
        yield result


def prepare() -> None:
    """In each process: no garbage collector (what is loaded has no cycles to speak of), no life without a parent."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()


def die_with_parent() -> None:
    prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main() -> None:
    global cache
    parser = argparse.ArgumentParser(description="Check exported books with Beancount.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--cache", type=Path, help="where to keep what needs no second look")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--piece-bytes", type=int, default=PIECE_BYTES, help="how much is loaded at a time")
    parser.add_argument("--alone", action="store_true", help="nobody writes there: do not wait for the lock")
    given = parser.parse_args()
    cache = given.cache
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(given.directory, os.O_RDONLY)
        if not given.alone:
            fcntl.flock(handle, fcntl.LOCK_SH)  # an export under way ends first
        told = check(given.directory, given.processes, given.piece_bytes)
        forget_old()
    except (Unreadable, OSError) as error:
        sys.exit(str(error))
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
