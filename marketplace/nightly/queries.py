"""How the nightly tasks stand: the last run of each, when it last succeeded, and which proofs are not to be relied on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from marketplace.nightly.models import NightlyRun

Outcome = NightlyRun.Outcome
DAILY = timedelta(hours=26)
HOURLY = timedelta(hours=2)


@dataclass(frozen=True)
class Task:
    """`every`: after so long without a run it is late; None: it runs when something asks for it."""

    name: str
    label: Any
    every: timedelta | None = DAILY


TASKS = (
    Task("verify_ledger", _("Prove the ledger")),
    Task("check_books", _("Compare the books with the database")),
    Task("seal_entries", _("Seal the journal and publish its head")),
    Task("export_books", _("Write the books of a locked month"), None),
    Task("issue_ahead", _("Issue vouchers three days ahead")),
    Task("expire_reported", _("Expire what can no longer be reported")),
    Task("deem_silent_confirmed", _("Confirm what nobody objected to")),
    Task("lock_complete_months", _("Lock months that are complete")),
    Task("place_standing", _("Place what is ordered again and again")),
    Task("tidy_orders", _("Bring orders up to what happened"), HOURLY),
    Task("publish_catalogue", _("Publish the catalogue")),
    Task("tell_expiring", _("Tell elders what ends soon")),
    Task("clear_past_terms", _("Clear what is past its term")),
)
PROOFS = frozenset({"verify_ledger", "check_books", "seal_entries"})
"""What the bureau relies on when it approves: while one of these failed, its overview says so."""


@dataclass(frozen=True)
class Standing:
    """`last` is the newest run, `ended` the newest that came to an end, `done` the newest that succeeded."""

    task: Task
    last: NightlyRun | None
    ended: NightlyRun | None
    done: NightlyRun | None
    late: bool

    @property
    def failed(self) -> bool:
        return self.ended is not None and self.ended.outcome == Outcome.FAILED

    @property
    def state(self) -> str:
        """ "never", "failed", "late", "running" or "done": what is wrong before what is well."""
        if self.last is None:
            return "never"
        return "failed" if self.failed else "late" if self.late else str(self.last.outcome)


def standings(at: datetime, *, of: Iterable[Task] = TASKS) -> list[Standing]:
    """Each task with its last runs, in one query: the newest of each outcome."""
    tasks = list(of)
    newest: dict[str, dict[str, NightlyRun]] = {task.name: {} for task in tasks}
    runs = NightlyRun.objects.filter(task__in=newest).order_by("task", "outcome", "-started_at", "-id")
    for run in runs.distinct("task", "outcome"):
        newest[run.task][run.outcome] = run
    return [_standing(task, newest[task.name], at) for task in tasks]


def _standing(task: Task, newest: dict[str, NightlyRun], at: datetime) -> Standing:
    def latest(*outcomes: str) -> NightlyRun | None:
        found = [newest[one] for one in outcomes if one in newest]
        return max(found, key=lambda run: (run.started_at, run.pk), default=None)

    last = latest(*Outcome.values)
    return Standing(
        task,
        last=last,
        ended=latest(Outcome.DONE, Outcome.FAILED),
        done=latest(Outcome.DONE),
        late=bool(task.every and last and last.started_at < at - task.every),
    )


def unproved(at: datetime) -> list[Standing]:
    """The proofs that failed or have not been made for more than a day."""
    proofs = standings(at, of=[task for task in TASKS if task.name in PROOFS])
    return [one for one in proofs if one.failed or one.late]
