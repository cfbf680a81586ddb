"""The broker down (strength.md 7): redemptions go on, and what was owed is done once it is back, once.

A worker and a beat of the site run all the while; the broker is not there when they start, comes, is killed
with -9 and comes again. Below that the outbox itself: what fails is put off, two at once do each thing once.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import pytest
from celery.schedules import crontab
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from ledger.models import Outbox
from ledger.outbox import operations as outbox
from ledger.outbox.operations import owe, settle_debts
from marketplace.config.celery import app
from marketplace.nightly.models import NightlyRun
from marketplace.nightly.operations import noted
from marketplace.tasks import BEAT
from tests import databases, story
from tests.config import processes
from tests.story import JANUARY, moment
from tests.strength import jobs
from tests.threads import at_once
from vouchers.models import Redemption
from vouchers.proof.queries import prove

NOON = moment("2026-01-05 12:00")


# The whole of it


@pytest.fixture(scope="module")
def site(database_template, django_db_blocker) -> Iterator[jobs.Jobs]:
    """A worker and a beat, started while there is no broker."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name), jobs.on(name) as site:
        story.town()
        story.issue_on("2026-01-01")
        site.start("worker")
        site.start("beat")
        yield site
    databases.drop(name)


def owed() -> int:
    return Outbox.objects.filter(done_at=None).count()


def exports() -> list[str]:
    return list(NightlyRun.objects.filter(task="export_books").values_list("outcome", flat=True))


def test_what_is_owed_while_the_broker_is_down_is_done_once_it_is_back_once(site):
    story.redeem("k1", "LI", "MEAL", "PM01", "2026-01-05 11:30")
    assert story.settle(JANUARY, at="2026-02-02 10:00")  # the books of December and January are owed
    for name, words in (("worker", "Cannot connect"), ("beat", "Connection error")):
        processes.wait_until(lambda name=name, words=words: words in site.said(name))
    assert (owed(), exports()) == (2, [])
    with site.broker():
        processes.wait_until(lambda: not owed())
        assert exports() == ["done", "done"]
        processes.kill(processes.one(site.home, "valkey-server"))
        story.redeem("k2", "LI", "MEAL", "PM01", "2026-02-03 11:30", at="2026-02-03")
        owe(key="export again", topic="export_books", payload={}, at=timezone.now())
        time.sleep(2)
        assert owed() == 1
    with site.broker():
        processes.wait_until(lambda: not owed())
        site.send("settle_debts", "settle_debts")
        site.send("verify_ledger")  # last in the queue: those before it are taken
        processes.wait_until(lambda: NightlyRun.objects.filter(task="verify_ledger", outcome="done").exists())
        assert exports() == ["done"] * 3
        assert all(process.poll() is None for process in site.started.values())  # nobody was started again
    assert set(Redemption.objects.values_list("key", flat=True)) == {"k1", "k2"}
    assert [one.name for one in prove() if one.violations] == []
    assert (Outbox.objects.count(), sum(Outbox.objects.values_list("tries", flat=True))) == (3, 0)


def test_beat_keeps_the_times_of_the_nightly_tasks_in_the_database(site):
    processes.wait_until(lambda: PeriodicTask.objects.filter(name__in=BEAT).count() == len(BEAT))
    for name, entry in BEAT.items():
        kept = PeriodicTask.objects.get(name=name)
        assert (kept.task, kept.enabled) == (entry["task"], True)
        assert kept.task in app.tasks
        if isinstance(entry["schedule"], crontab):
            asked = entry["schedule"]
            at = kept.crontab
            assert (at.hour, at.minute) == (str(asked._orig_hour), str(asked._orig_minute))
            assert str(at.timezone) == "Asia/Shanghai"
        else:
            assert (kept.interval.every, kept.interval.period) == (entry["schedule"], "seconds")


def test_control_a_task_that_nobody_wrote_is_not_there():
    assert "issue_behind" not in app.tasks


# The outbox by itself


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self):
        return self.now


def test_what_fails_is_put_off_with_its_reason_and_done_later(fresh_db):
    clock, served, broken = Clock(), [], [True]

    def serve(payload):
        assert not connection.in_atomic_block  # some handlers need a transaction of their own kind
        if broken and payload["n"] == 1:
            raise OSError("disk full")
        served.append(payload["n"])

    for n in (1, 2):
        owe(key=f"books {n}", topic="serve", payload={"n": n}, at=NOON)
    owe(key="books 1", topic="serve", payload={"n": 9}, at=NOON)  # the same key is owed once
    assert settle_debts(handlers={"serve": serve}, clock=clock) == 1
    late = Outbox.objects.get(key="books 1")
    assert served == [2]  # the one behind it did not have to wait
    assert (late.tries, late.last_error, late.done_at) == (1, "OSError: disk full", None)
    pauses = []
    for _again in range(12):
        assert settle_debts(handlers={"serve": serve}, clock=clock) == 0  # not due yet
        late.refresh_from_db()
        pauses.append(late.due_at - clock.now)
        clock.now = late.due_at
        settle_debts(handlers={"serve": serve}, clock=clock)
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (10, 20, 40, 80)]
    assert pauses[-1] == timedelta(hours=1)
    broken.clear()
    late.refresh_from_db()
    clock.now = late.due_at
    assert settle_debts(handlers={"serve": serve}, clock=clock) == 1
    late.refresh_from_db()
    assert served == [2, 1]
    assert (late.tries, late.last_error, late.done_at) == (13, "", clock.now)


def test_a_run_whose_worker_was_killed_is_closed_by_the_next_one(fresh_db):
    """A run that another process is at stays open: its session holds a lock."""
    dead = NightlyRun.objects.create(task="verify_ledger", started_at=timezone.now())
    other = NightlyRun.objects.create(task="export_books", started_at=timezone.now())
    seen: list[str] = []

    def work() -> str:
        at_once([lambda: noted("verify_ledger", lambda: "the second")])  # begun by another meanwhile
        seen.extend(NightlyRun.objects.order_by("id").values_list("outcome", flat=True))
        return "the first"

    noted("verify_ledger", work)
    assert seen == ["failed", "running", "running", "done"]
    dead.refresh_from_db()
    other.refresh_from_db()
    assert "killed" in dead.summary and dead.ended_at and other.outcome == "running"


@pytest.mark.parametrize("transaction_open", [False, True])
def test_a_failing_run_is_noted_with_its_reason_and_the_reason_goes_up(fresh_db, transaction_open):
    """In a transaction that is broken it cannot be noted: that must not hide the reason."""

    def fail():
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    around = transaction.atomic() if transaction_open else nullcontext()
    with pytest.raises(ProgrammingError, match="no_such_column"), around:
        noted("export_books", fail)
    kept = list(NightlyRun.objects.values_list("outcome", flat=True))
    assert kept == ([] if transaction_open else ["failed"])
    assert all("no_such_column" in run.summary for run in NightlyRun.objects.all())


def test_a_topic_that_nobody_handles_stays_owed_and_hinders_nobody(fresh_db):
    served = []
    owe(key="a", topic="of another version", payload={}, at=NOON)
    owe(key="b", topic="serve", payload={}, at=NOON)
    assert settle_debts(handlers={"serve": served.append}, clock=Clock()) == 1
    assert [row.key for row in Outbox.objects.filter(done_at=None)] == ["a"]


def two_dispatchers(many: int) -> list[int]:
    """Two at once over `many` debts; what was served, in any order."""
    for n in range(many):
        owe(key=f"d{n}", topic="serve", payload={"n": n}, at=NOON)
    served: list[int] = []

    def serve(payload):
        time.sleep(0.02)  # so that the other one is looking for work meanwhile
        served.append(payload["n"])

    answers = at_once([lambda: settle_debts(handlers={"serve": serve}, clock=Clock())] * 2)
    assert all(isinstance(answer, int) for answer in answers), answers
    assert min(answers) > 0  # both had work: nobody waited for the other one's rows
    return served


def test_two_dispatchers_at_once_do_each_debt_once(fresh_db):
    assert sorted(two_dispatchers(30)) == list(range(30))


def test_control_without_the_lock_something_is_done_twice(fresh_db, monkeypatch):
    monkeypatch.setattr(outbox, "_alone", lambda number: nullcontext(True))
    served = two_dispatchers(30)
    assert len(served) > len(set(served)) == 30


def test_a_dispatcher_dead_in_the_middle_leaves_the_debt_to_the_next(fresh_db):
    owe(key="books", topic="serve", payload={}, at=NOON)
    die = """
import django, os, signal; django.setup()
from django.utils import timezone
from ledger.outbox.operations import settle_debts
settle_debts(handlers={"serve": lambda payload: os.kill(os.getpid(), signal.SIGKILL)}, clock=timezone.now)
"""
    with jobs.on(fresh_db) as here:
        process = processes.python(here.home, "-c", die, env=here.environment())
        said, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said
    assert owed() == 1
    served: list[dict] = []
    processes.wait_until(lambda: settle_debts(handlers={"serve": served.append}, clock=timezone.now) == 1)
    assert served == [{}]
