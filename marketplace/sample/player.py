"""Plays the generated files as a bureau would: through the commands of contracts.md, step by step.

What was done is kept beside the files, with the day they were made for. A run that was interrupted goes on
with the step it was in: each command can be repeated, so nothing is taken twice.
"""

import contextlib
import csv
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from datetime import time as clock
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command
from django.db import Error, connection
from django.utils import timezone

from ledger.models import Entry
from marketplace.accounts.models import User
from marketplace.sample.bank import OPENING, Due, receipts
from marketplace.sample.dates import Calendar, add_months, label
from marketplace.sample.demo_families import make_demo_families
from marketplace.sample.demo_homes import make_demo_homes
from marketplace.sample.demo_users import demo_user, make_demo_users
from marketplace.sample.generate import ELDERS, generate
from marketplace.sample.market import furnish, order
from marketplace.sample.payments import pay_operators, remind_late_payers, to_be_paid
from marketplace.sample.visits import visit
from providers.models import Division
from providers.ordering.times import instant
from vouchers.models import Statement
from vouchers.settlement.operations import take_step

SEED = 20260101
# A statement of a settled month is confirmed by its operator's manager where there is one, else by the clerk.
CONFIRMING = ("manager-op01", "manager-op05", "clerk")
# Who confirms and reviews the statements of the third month that are on their way.
MANAGER_OF = {"LS001": "manager-op01", "LS006": "manager-op05", "LS008": "manager-op05"}
REVIEWER_OF = {"LS008": "street-liyu"}


@dataclass
class Progress:
    """How far the play is: kept in `state.json` beside the files."""

    today: str
    elders: int
    generated: bool = False
    done: int = 0
    finished: bool = False

    @classmethod
    def read(cls, folder: Path) -> "Progress | None":
        try:
            return cls(**json.loads((folder / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def keep(self, folder: Path) -> None:
        draft = folder / f".state.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.rename(folder / "state.json")


def database_is_empty() -> bool:
    return not any(model.objects.exists() for model in (Division, User, Entry))


@contextlib.contextmanager
def hurried_commits() -> Iterator[None]:
    """Commits inside the block do not wait for the disk one by one; leaving it waits for all of them.

    So a step noted as done is on disk, and a crash in the middle of one loses only rows that its
    repetition takes again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        try:
            yield
        finally:
            with contextlib.suppress(Error):  # a connection that broke has told why already
                cursor.execute("SET synchronous_commit = on")
        cursor.execute("SELECT pg_logical_emit_message(true, 'sample_city', 'step')")


class Player:
    """Makes the town's files in `folder` and plays them. `tell` is given one line for each step."""

    def __init__(self, *, folder: Path, passwords: Path, by: str, tell: Callable[[str], None]):
        self.folder, self.passwords, self.by, self.tell = folder, passwords, by, tell

    def play(self, *, today: date, elders: int = ELDERS) -> Progress:
        """This function will make the town as of `today`, or finish one that was begun (then as of its day)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        progress = Progress.read(self.folder)
        if progress is None:
            progress = Progress(today=str(today), elders=elders)
            progress.keep(self.folder)
        elif progress.done:
            self.tell(
                f"The sample city of {progress.today} was interrupted: going on at step {progress.done + 1}."
            )
        calendar = Calendar(date.fromisoformat(progress.today))
        if not progress.generated:
            began = time.monotonic()
            generate(today=calendar.today, into=self.folder, seed=SEED, elders=progress.elders)
            progress.generated = True
            progress.keep(self.folder)
            self.tell(f"{'files of a made-up town':<52} {time.monotonic() - began:5.1f} s")
        steps = (self.folder / "steps.txt").read_text(encoding="utf-8").split("\n")[:-1]
        for number, step in enumerate(steps[progress.done :], start=progress.done + 1):
            began = time.monotonic()
            with hurried_commits():
                said = self.step(step, calendar)
            progress.done = number
            progress.keep(self.folder)
            seconds = time.monotonic() - began
            self.tell(f"[{number:2}/{len(steps)}] {step:<44} {seconds:5.1f} s  {said}".rstrip())
        progress.finished = True
        progress.keep(self.folder)
        return progress

    def step(self, line: str, calendar: Calendar) -> str:
        """Do one step; answers the last line of what the command said."""
        word, *rest = line.split()
        if word == "demo_users":
            return f"{make_demo_users(kept_in=self.passwords, by=self.by, at=timezone.now())} people"
        if word == "demo_families":
            kept_in = self.passwords.with_name("demo-families.json")
            made = make_demo_families(kept_in=kept_in, today=calendar.today, by=self.by, at=timezone.now())
            return f"{made} people by phone"
        if word == "furnish":
            return furnish(by=self.by, at=instant(calendar.today, clock(0, 5)))
        if word == "orders":
            return order(today=calendar.today, by=self.by)
        if word == "visits":
            return visit(today=calendar.today, by=self.by)
        if word == "demo_homes":
            at = instant(calendar.today, clock(0, 5))
            return f"{make_demo_homes(by=self.by, at=at)} homes"
        if word == "payouts":
            month = date.fromisoformat(f"{rest[0]}-01")
            at = instant(calendar.today, clock(0, 5))
            return pay_operators(month=month, all_steps=month == calendar.start, at=at)
        if word == "reminders":
            return remind_late_payers(at=instant(calendar.today, clock(0, 5)))
        if word == "settle_month":
            return self._settle(rest[0])
        if word == "receipts":
            return self._receipts(date.fromisoformat(f"{rest[0]}-01"), calendar)
        if word in ("confirm", "review"):
            return self._take_step(word, date.fromisoformat(f"{rest[0]}-01"), rest[1])
        if word in ("load_city", "import_redemptions", "import_reversals"):
            rest = [str(self.folder / rest[0])]
        return self._command(word, *rest)

    def _command(self, *arguments: str) -> str:
        said = io.StringIO()
        call_command(*arguments, stdout=said)
        lines = [line.strip() for line in said.getvalue().splitlines() if line.strip()]
        if arguments[0] == "issue_vouchers":
            issued = [int(found[1]) for line in lines if (found := re.search(r"vouchers (\d+)", line))]
            return f"{sum(issued):,} vouchers of {len(issued)} programmes"
        return lines[-1] if lines else ""

    def _settle(self, month: str) -> str:
        """The operators' managers confirm their own; the clerk records the paper of the others."""
        said = ""
        for confirming in CONFIRMING:
            said = self._command(
                "settle_month", month,
                "--confirmed-by", confirming, "--reviewed-by", "street", "--approved-by", "approver",
            )  # fmt: skip
        return said

    def _take_step(self, step: str, month: date, lease: str) -> str:
        statement = Statement.objects.get(month=month, lease__code=lease)
        person = (MANAGER_OF if step == "confirm" else REVIEWER_OF)[lease]
        if statement.approvals.filter(round=statement.round, step=step).exists():
            return "done before"
        take_step(statement=statement, step=step, by=demo_user(person), at=timezone.now())
        return f"by {person}"

    def _receipts(self, month: date, calendar: Calendar) -> str:
        """Payers pay what approved statements ask: write the bank's file of this month and import it."""
        approved = Statement.objects.filter(state=Statement.State.APPROVED, month__lt=month)
        dues = [
            Due(lease=s.lease.code, operator=s.lease.operator.name, month=s.month, cash_due=s.cash_due)
            for s in approved.select_related("lease__operator").order_by("month", "lease__code")
        ]
        first = month == add_months(calendar.start, 1)
        rows = receipts(
            month=month,
            dues=dues,
            calendar=calendar,
            seed=SEED,
            first=first,
            opening=self._balance_before(month),
            payouts=to_be_paid(add_months(month, -2)),
        )
        if not rows:
            return "nothing yet"
        path = self.folder / f"bank-{label(month)}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return self._command("import_bank", str(path), "--format", "icbc")

    def _balance_before(self, month: date) -> Decimal:
        """What the account held at the end of the last bank file before `month`."""
        before = self.folder / f"bank-{label(add_months(month, -1))}.csv"
        if not before.exists():
            return OPENING
        with before.open(encoding="utf-8", newline="") as file:
            return Decimal(list(csv.DictReader(file))[-1]["余额"])
