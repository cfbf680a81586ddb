"""The nightly tasks by a real worker on a real broker: what they do, twice at once, failing, and killed (rules 9.6).

The worker's day is today, so the ground lies around today: two months ago is locked, last month is approved by all
and waits to be locked, one programme is due in two days, the vouchers of another are past their time.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from ledger.journal.operations import exclusive
from ledger.journal.queries import previous_month
from ledger.models import Entry, Outbox, Period
from marketplace.nightly.models import NightlyRun
from tests import databases, story
from tests.config import processes
from tests.strength import jobs
from vouchers.models import Voucher
from vouchers.proof.queries import prove

DONE, FAILED = NightlyRun.Outcome.DONE, NightlyRun.Outcome.FAILED


def programme_once(code: str, on: date, **other: Any) -> None:
    """Two vouchers each for everybody, on this day."""
    story.programme(
        code, "payout", None, per_elder=2, cadence="once", scope="city",
        starts_on=str(on), ends_on=f"{on.year + 2}-12-31", **other,
    )  # fmt: skip


def ground(today: date) -> None:
    last = previous_month(today.replace(day=1))
    before = previous_month(last)
    year_end = f"{today.year + 1}-12-31"
    city = story.division("98", "湖城市", "city")
    district = story.division("9801", "滨湖区", "district", city)
    street = story.division("980101", "东湖街道", "street", district)
    here = story.division("98010101", "荷花社区", "community", street)
    crane = story.operator("OP01", "松鹤养老服务有限公司", checked_on=str(today))
    hall = story.premises("PM01", here)
    story.lease("LS01", hall, crane, starts_on=str(before), ends_on=year_end, rent=120)
    programme_once("PAST", today - timedelta(days=40), valid_days=10)
    programme_once("NEXT", today + timedelta(days=2))
    for code in ("LI", "ZHANG", "WANG"):
        story.elder(code, code, "1946-03-05", here)
    story.user("manager-op01", "operator_manager", operator=crane)
    story.user("officer", "street_officer")
    story.user("approver", "bureau_approver")

    past = str(today - timedelta(days=40))
    story.issue_on(past)
    story.settle(before, at=f"{last.replace(day=2)}")
    now = f"{today.replace(day=1)}"
    story.draw_up(last, at=now)
    for which, name in (("confirm", "manager-op01"), ("review", "officer"), ("approve", "approver")):
        story.step("LS01", last, which, name, at=now)


@pytest.fixture(scope="module")
def site(database_template, django_db_blocker) -> Iterator[jobs.Jobs]:
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name), jobs.on(name) as site:
        ground(timezone.localdate())
        with site.broker():
            site.start("worker")
            yield site
    databases.drop(name)


def runs(task: str) -> list[NightlyRun]:
    return list(NightlyRun.objects.filter(task=task).order_by("id"))


def ended(task: str) -> list[NightlyRun]:
    return [run for run in runs(task) if run.ended_at]


def tasks(site: jobs.Jobs, task: str, times: int) -> list[NightlyRun]:
    """Give the task out so many times at once, to two processes; how these runs ended."""
    before = len(ended(task))
    site.send(*[task] * times)
    processes.wait_until(lambda: len(ended(task)) == before + times)
    return ended(task)[before:]


@pytest.mark.parametrize(
    ("task", "count", "before", "after"),
    [
        ("issue_ahead", lambda: Voucher.objects.filter(programme__code="NEXT").count(), 0, 6),
        (
            "expire_reported",
            lambda: Voucher.objects.filter(programme__code="PAST", expired_on__isnull=False).count(),
            0,
            6,
        ),
        (
            "lock_complete_months",
            lambda: Period.objects.filter(month=previous_month(timezone.localdate().replace(day=1))).count(),
            0,
            1,
        ),
    ],
)
def test_a_nightly_task_does_its_work_once_however_often_it_runs(
    site, task: str, count: Callable[[], int], before: int, after: int
):
    assert count() == before
    assert {run.outcome for run in tasks(site, task, 2)} == {DONE}
    entries = Entry.objects.count()
    assert count() == after
    (third,) = tasks(site, task, 1)
    assert third.outcome == DONE and third.summary.startswith("nothing")
    assert (count(), Entry.objects.count()) == (after, entries)
    assert [one.name for one in prove() if one.violations] == []


def test_what_is_owed_is_done_once_however_often_it_is_looked_for(site):
    owed = Outbox.objects.count()
    assert owed
    site.send(*["settle_debts"] * 4)
    processes.wait_until(lambda: not Outbox.objects.filter(done_at=None, tries=0).exists())
    assert set(Outbox.objects.values_list("tries", "last_error")) == {(0, "")}
    tasks(site, "verify_ledger", 2)  # behind the others in the queue
    assert [run.outcome for run in runs("export_books")] == [DONE] * owed
    assert any((site.home / "books").rglob("*.beancount"))


def test_the_ledger_and_the_books_are_proved(site):
    for task in ("verify_ledger", "check_books"):
        assert [run.outcome for run in tasks(site, task, 2)] == [DONE, DONE], runs(task)[-1].summary
        assert runs(task)[-1].summary


def test_control_a_damaged_ledger_fails_the_task_with_its_reason(site):
    """As only a superuser can damage it; repaired afterwards."""
    today = timezone.localdate()
    programme_once("DAMAGED", today)
    story.issue_on(str(today))
    with databases.superuser(site.database) as root:
        root.execute("SET session_replication_role = replica")
        theirs = "programme_id = (SELECT id FROM vouchers_programme WHERE code = 'DAMAGED')"
        root.execute(f"UPDATE vouchers_voucher SET remaining = remaining - 1 WHERE {theirs}")
        try:
            (run,) = tasks(site, "verify_ledger", 1)
        finally:
            root.execute(f"UPDATE vouchers_voucher SET remaining = remaining + 1 WHERE {theirs}")
    assert run.outcome == FAILED
    assert run.summary.startswith("Refused: ")
    (run,) = tasks(site, "verify_ledger", 1)
    assert run.outcome == DONE


def pool(site: jobs.Jobs) -> set[int]:
    """The processes in which the worker runs tasks."""
    worker = site.started["worker"].pid
    return {int(child) for child in Path(f"/proc/{worker}/task/{worker}/children").read_text().split()}


def test_a_task_whose_process_is_killed_is_given_out_again(site):
    programme_once("KILLED", timezone.localdate() + timedelta(days=1))
    before = len(runs("issue_ahead"))
    with exclusive("test"):  # the task waits for this
        site.send("issue_ahead")
        processes.wait_until(lambda: len(runs("issue_ahead")) == before + 1)
        for pid in pool(site):
            processes.kill(pid)
        processes.wait_until(lambda: len(runs("issue_ahead")) == before + 2)
        assert Voucher.objects.filter(programme__code="KILLED").count() == 0
    processes.wait_until(lambda: runs("issue_ahead")[-1].ended_at is not None)
    killed, second = runs("issue_ahead")[before:]
    assert second.outcome == DONE
    tasks(site, "issue_ahead", 1)  # by now the killed one's session is gone for certain
    killed.refresh_from_db()
    assert killed.outcome == FAILED and "killed" in killed.summary and killed.ended_at
    assert Voucher.objects.filter(programme__code="KILLED").count() == 6
