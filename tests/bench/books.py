"""Part 4: the books of a million redemptions, exported and checked, beside COPY and a bare bean-check."""

import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from ledger.books.export import export
from ledger.books.operations import check
from marketplace.config.environment import PROJECT
from tests.bench import cities, ground, server
from tests.bench.measure import Bar, Series, count, paired
from tests.bench.memory import peak_memory
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.redemption.operations import RedemptionOrder, redeem

ROWS = ("ledger_account", "ledger_entry", "ledger_transfer")
SECONDS = {
    "export": "export_books",
    "COPY": "COPY of the rows",
    "check": "check_books, every month read, every balance compared",
    "bean-check": "bean-check -C, the same content in one file",
    "export again": "export_books after one new redemption",
    "check again": "the Beancount check after it: one month read",
}
MEGABYTES = {"check": "check_books, its largest process", "bean-check": "bean-check -C"}


def run(size: Size) -> Result:
    result = Result("books", "The books")
    rows, memory, found = [], [], {}
    for redemptions in size.both:
        seconds = {name: Series() for name in SECONDS}
        peaks = {name: Series() for name in MEGABYTES}
        with server.clone(cities.with_history(redemptions), f"books_{redemptions}") as name:
            for turn in range(size.slow_rounds):
                _one_round(name, turn, seconds, peaks)
                server.say(f"  {count(redemptions)}: round {turn + 1} of {size.slow_rounds}")
        found[redemptions] = seconds, peaks
        at = f"{count(redemptions)} redemptions"
        rows += [
            [f"{label}, {at}", f"{seconds[name].median:.1f}", seconds[name].spread]
            for name, label in SECONDS.items()
        ]
        memory += [
            [f"{label}, {at}", count(peaks[name].median), peaks[name].spread]
            for name, label in MEGABYTES.items()
        ]
    seconds, peaks = found[size.redemptions]
    whole = count(size.redemptions)
    result.promise(
        Bar(f"export of {whole}, times COPY", paired(seconds["export"], seconds["COPY"]), 5, least=False),
        Bar(
            f"full check of {whole}, share of bean-check's time",
            paired(seconds["check"], seconds["bean-check"]),
            0.4,
            least=False,
        ),
        Bar(f"full check of {whole}, MB a process", peaks["check"].median, 500, least=False, form="{:.0f}"),
    )
    result.show(f"Seconds, medians of {size.slow_rounds} interleaved rounds", ["", "seconds", "spread"], rows)
    result.show("Memory, peak of one process", ["", "MB", "spread"], memory)
    result.notes += [
        "COPY streams accounts, entries and transfers to files, as the export streams its own.",
        "bean-check gets accounts, months and balance assertions in one file. check_books also compares every balance "
        "with the journal and with what vouchers, redemptions, statements and bank lines say.",
        "The clock includes the start of the programs on both sides.",
    ]
    return result


def _one_round(name: str, turn: int, seconds: dict[str, Series], peaks: dict[str, Series]) -> None:
    books, work = settings.DATA_DIR / "books", settings.DATA_DIR / "work"
    for path in (books, work, settings.DATA_DIR / "books-cache"):
        shutil.rmtree(path, ignore_errors=True)
    work.mkdir()

    def timed(step: str, what: Callable[[], Any]) -> Any:
        server.checkpoint()
        connection.ensure_connection()
        began = time.monotonic()
        answer = what()
        seconds[step].add(time.monotonic() - began)
        return answer

    def watched(step: str, command: list[Any]) -> None:
        peak = timed(step, lambda: peak_memory(command))
        peaks[step].add(peak)

    timed("export", lambda: export(books))
    timed("COPY", lambda: _copy(work))
    one_file = _in_one_file(books, work / "one.beancount")
    watched("check", [sys.executable, "-m", "tests.bench.command", name, "check_books", books])
    watched("bean-check", [PROJECT / ".venv" / "bin" / "bean-check", "-C", one_file])

    _redeem_once(turn)
    written = timed("export again", lambda: export(books)).written
    again = timed("check again", lambda: check(books, cache=settings.DATA_DIR / "books-cache"))
    if again.errors or again.months_read != ["2026-02"] or "2026/2026-01.beancount" in written:
        raise SystemExit(
            f"one month changed, but {written} were written and {again.months_read} read: {again.errors}"
        )
    for path in (books, work):
        shutil.rmtree(path)


def _copy(directory: Path) -> None:
    for table in ROWS:
        with (
            connection.cursor() as cursor,
            open(directory / table, "wb") as file,
            cursor.cursor.copy(f"COPY {table} TO STDOUT") as rows,
        ):
            for block in rows:
                file.write(block)


def _in_one_file(books: Path, path: Path) -> Path:
    """main with every file that it includes in its place."""
    with open(path, "wb") as file:
        for line in (books / "main.beancount").read_text().splitlines():
            include = re.fullmatch(r'include "(.*)"', line)
            file.write((books / include[1]).read_bytes() if include else f"{line}\n".encode())
    return path


def _redeem_once(turn: int) -> None:
    order = RedemptionOrder(
        key=f"books-{turn}",
        happened_at=ground.at_noon(ground.FEBRUARY),
        premises=ground.premises_code(turn + 1),
        service=ground.SERVICE,
        elder=ground.elder_code(turn),
        quantity=1,
    )
    redeem(order=order, by=ground.BY, at=ground.at_noon(ground.FEBRUARY))
