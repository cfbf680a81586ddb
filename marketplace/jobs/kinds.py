"""What each kind of job checks and does: a call of the operation that a command calls, and what to show of it.

`check` writes nothing; `do` may be run again after a crash, so every operation here is idempotent. Results
are JSON: `counts` by name, tables under `rows` with their `columns`, and lines through `tell`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from ledger.banking.layouts import read_bank
from ledger.banking.mappings import find_layout
from ledger.files.table import Column, Table
from ledger.journal.operations import exclusive
from ledger.journal.queries import day_of
from ledger.models import BankLine
from marketplace.jobs.breaks import told
from marketplace.jobs.models import Job
from marketplace.jobs.progress import Reporter
from marketplace.offerings.operations import publish_loaded
from providers.leases.receipts import CannotImport, Imported, breaks_of, import_bank, preview_bank
from vouchers.city.operations import CannotLoad, Loaded, load_city
from vouchers.payments.operations import pay_what_bears_numbers
from vouchers.programmes.operations import Issued, issue, preview_issue
from vouchers.redemption import files
from vouchers.review.call_backs import CannotCall, draw_round
from vouchers.review.operations import review_month
from vouchers.settlement.operations import CannotSettle, close_month, take_steps
from vouchers.wallets.operations import expire, expiring

Result = dict[str, Any]
TOLD = 1_000  # differences of one file that are listed


@dataclass(frozen=True)
class Work:
    """One stage of one job: whose it is, where its files lie, and how it tells of lines."""

    job: Job
    directory: Path
    progress: Reporter
    tell: Callable[[int, str, str], None]  # line, about, word
    clock: Callable[[], datetime] = timezone.now

    @property
    def file(self) -> Path:
        return next(self.directory.iterdir())


@dataclass(frozen=True)
class Kind:
    """`check` is None where nothing can be told before it is done."""

    do: Callable[[Work], Result]
    check: Callable[[Work], Result] | None = None
    refusals: tuple[type[Exception], ...] = ()


# Register files


def _loaded(loaded: Loaded) -> Result:
    return {
        "columns": ["file", "new", "changed", "unchanged"],
        "rows": [[draft.file, draft.new, draft.changed, draft.unchanged] for draft in loaded.files],
        "left_out": loaded.left_out,
        "nothing": loaded.nothing_changed,
    }


def check_city(work: Work) -> Result:
    loaded = load_city(
        directory=work.directory, by=work.job.by, at=work.clock(), dry_run=True, progress=work.progress
    )
    for draft in loaded.files:
        for line, about, word in draft.told:
            work.tell(line, about, word)
        for code, fields in list(draft.differences.items())[:TOLD]:
            work.tell(0, " ".join([code, *fields]), "changed" if fields else "new")
    return _loaded(loaded)


def do_city(work: Work) -> Result:
    loaded = load_city(directory=work.directory, by=work.job.by, at=work.clock(), progress=work.progress)
    publish_loaded(loaded=loaded, by=work.job.by, at=work.clock())
    return _loaded(loaded)


# Issue and expiry


def _day(work: Work) -> date:
    return date.fromisoformat(work.job.args["on"])


def _issued(issued: list[Issued]) -> Result:
    return {
        "columns": ["programme", "elders", "vouchers", "value", "left_out"],
        "rows": [[one.programme, one.elders, one.vouchers, str(one.value), one.left_out] for one in issued],
        "nothing": not any(one.vouchers for one in issued),
    }


def check_issue(work: Work) -> Result:
    return _issued(preview_issue(on=_day(work)))


def do_issue(work: Work) -> Result:
    with exclusive("issue_vouchers"):
        return _issued(issue(on=_day(work), by=work.job.by, at=work.clock(), progress=work.progress))


def _expired(found: dict[str, tuple[int, Any]]) -> Result:
    return {
        "columns": ["programme", "vouchers", "value"],
        "rows": [[programme, count, str(value)] for programme, (count, value) in found.items()],
        "nothing": not found,
    }


def check_expire(work: Work) -> Result:
    return _expired(expiring(on=_day(work)))


def do_expire(work: Work) -> Result:
    with exclusive("expire_vouchers"):
        return _expired(expire(on=_day(work), by=work.job.by, at=work.clock()))


# Redemptions and reversals: row by row


def _checker(columns: tuple[Column, ...]) -> Callable[[Work], Result]:
    return lambda work: {"counts": {"rows": Table(work.file, columns).check()}}


def _importer(columns: tuple[Column, ...], run: Callable[..., Iterator[files.Outcome]]) -> Callable:
    def do(work: Work) -> Result:
        table = Table(work.file, columns)
        total = table.check()
        tally = Counter({"accepted": 0, "repeated": 0, "refused": 0})
        with exclusive(f"import_{work.job.kind}"):
            for done, outcome in enumerate(run(table=table, by=work.job.by, clock=work.clock), 1):
                tally["refused" if outcome.refused else outcome.word] += 1
                if outcome.refused:
                    work.tell(outcome.line, "", outcome.word)
                work.progress(done, total)
        return {"counts": dict(tally)}

    return do


# The bank


def _bank(done: Imported) -> Result:
    names = ("new", "repeated", "matched", "proposed", "unmatched")
    return {"counts": {name: getattr(done, name) for name in names}}


def check_bank(work: Work) -> Result:
    rows = read_bank(work.file, find_layout(work.job.args["layout"]))
    imported, verdicts = preview_bank(rows)
    broken = breaks_of(rows)
    for one in broken:
        if not isinstance(one.after, BankLine):
            work.tell(one.after.line, "", "balance_gap")
    for verdict in verdicts:
        row = verdict.row
        about = f"{day_of(row.booked_at)} {'-' if row.direction == 'out' else ''}{row.amount}"
        if verdict.lease:
            about += f" {verdict.lease}" + (f" {verdict.month:%Y-%m}" if verdict.month else "")
        work.tell(row.line, about, "repeated" if verdict.repeated else verdict.state)
    return {
        **_bank(imported),
        "breaks": [told(one) for one in broken[:TOLD]],
        "marks": [one.mark for one in broken],
    }


def do_bank(work: Work) -> Result:
    rows = read_bank(work.file, find_layout(work.job.args["layout"]))
    with exclusive("import_bank"):
        done = import_bank(
            rows=rows,
            name=work.file.name,
            layout=work.job.args["layout"],
            by=work.job.by,
            at=work.clock(),
            breaks_seen=work.job.result.get("marks", []),
        )
    paid = pay_what_bears_numbers(by=work.job.by, at=work.clock())
    result = _bank(done)
    return {**result, "counts": {**result["counts"], "paid": paid}} if paid else result


# The month


def do_close(work: Work) -> Result:
    drawn = close_month(month=date.fromisoformat(work.job.args["month"]), by=work.job.by, at=work.clock())
    waiting = sum(one.state != one.State.APPROVED for one in drawn)
    return {"counts": {"statements": len(drawn), "waiting": waiting}}


def do_steps(work: Work) -> Result:
    outcome = take_steps(
        seen={int(number): digest for number, digest in work.job.args["seen"].items()},
        step=work.job.args["step"],
        by=work.job.by,
        clock=work.clock,
        progress=work.progress,
    )
    for statement, refusal in outcome.refused:
        work.tell(0, str(statement), refusal.code)
    gone = {"gone": outcome.gone} if outcome.gone else {}
    return {
        "counts": {"taken": len(outcome.taken), "refused": len(outcome.refused), **gone},
        "locked": outcome.locked,
    }


# Review


def do_review(work: Work) -> Result:
    rule = work.job.args.get("rule")
    opened = review_month(
        month=date.fromisoformat(work.job.args["month"]),
        by=work.job.by,
        at=work.clock(),
        rules=[rule] if rule else None,
        progress=work.progress,
    )
    return {
        "columns": ["rule", "cases"],
        "rows": [[code, count] for code, count in sorted(opened.items())],
        "nothing": not opened,
    }


def do_draw(work: Work) -> Result:
    args = work.job.args
    drawn = draw_round(
        month=date.fromisoformat(args["month"]),
        confidence=Decimal(args["confidence"]),
        margin=Decimal(args["margin"]),
        seed=args["seed"],
        asked_at=work.job.created_at,
        by=work.job.by,
        at=work.clock(),
    )
    return {"counts": {"calls": drawn.calls.count()}, "round": drawn.pk}


KINDS: dict[str, Kind] = {
    Job.Kind.CITY: Kind(do_city, check_city, (CannotLoad,)),
    Job.Kind.ISSUE: Kind(do_issue, check_issue),
    Job.Kind.REDEMPTIONS: Kind(
        _importer(files.REDEMPTIONS, files.import_redemptions), _checker(files.REDEMPTIONS)
    ),
    Job.Kind.REVERSALS: Kind(_importer(files.REVERSALS, files.import_reversals), _checker(files.REVERSALS)),
    Job.Kind.EXPIRE: Kind(do_expire, check_expire),
    Job.Kind.CLOSE: Kind(do_close, None, (CannotSettle,)),
    Job.Kind.BANK: Kind(do_bank, check_bank, (CannotImport,)),
    Job.Kind.STEPS: Kind(do_steps),
    Job.Kind.REVIEW: Kind(do_review),
    Job.Kind.DRAW: Kind(do_draw, None, (CannotCall,)),
}
