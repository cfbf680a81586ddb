"""The end of a month (rules.md sections 4 and 7; strength.md 17): postings in flight across a lock, two runs at
once, the last and the first instant, a clock set back."""

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import QuerySet

from ledger.journal.operations import lock_month
from ledger.models import BankLine, Entry, Period
from tests import databases, story
from tests.flight import Running, held_open, waiting
from tests.story import APRIL, FEBRUARY, JANUARY, MARCH, SHANGHAI, day, moment
from vouchers.models import Approval, Hold, IssueRun, Redemption, Statement, Voucher
from vouchers.programmes.operations import issue
from vouchers.proof.queries import prove
from vouchers.settlement import operations as settlement
from vouchers.settlement.operations import close_month

LAST = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=SHANGHAI)
FIRST = datetime(2026, 2, 1, 0, 0, tzinfo=SHANGHAI)


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


def ground() -> None:
    story.town()
    story.programme(
        "SHORT", "payout", None, scope="city", categories=["recreation"], cadence="once", valid_days=9
    )
    story.issue_on("2026-01-01")
    story.issue_on("2026-02-01", at="2026-01-29")
    story.elder("LATE", "晚来", "1950-01-01", story.elder_named("LI").division)
    story.redeem("before", "LI", "MEAL", "PM01", "2026-01-30 11:30")
    story.place("ordered", "ZHAO", "MEAL", "PM01", "2026-01-31", "2026-01-30")


def lock_january() -> bool:
    return lock_month(month=JANUARY, by="test", at=moment("2026-02-02 10:00"))


LATER = "2026-02-02 10:01"  # when the postings in flight say they are recorded: after the lock's own instant

POSTINGS: dict[str, Callable] = {
    "redemption": lambda: story.redeem("open", "ZHANG", "MEAL", "PM01", "2026-01-31 11:30", at=LATER),
    "reversal": lambda: story.reverse("before", "2026-01-31", at=LATER),
    "order": lambda: story.place("open", "WANG", "MEAL", "PM01", "2026-02-01", "2026-01-31 12:00"),
    "delivery": lambda: story.deliver("ordered", "2026-01-31 12:00"),
    "release": lambda: story.cancel("ordered", "2026-01-31 12:00"),
    "issue": lambda: story.issue_on("2026-01-01", at=LATER),
    "expiry": lambda: story.expire_on("2026-01-31", at=LATER),
    "death": lambda: story.dies("SUN", "2026-01-31", at=LATER),
    "bank": lambda: story.bank(story.bank_line("2026-01-31 09:00", 9), at=LATER),
}


@pytest.mark.parametrize("what", POSTINGS)
def test_a_lock_waits_for_postings_in_flight(fresh_db, what):
    ground()
    before = set(Entry.objects.values_list("id", flat=True))
    with held_open(POSTINGS[what]):
        locking = Running(lock_january)
        assert waiting(1)
        assert not Period.objects.exists(), "the month is locked under a posting in flight"
    assert locking.result() is True
    posted = Entry.objects.exclude(id__in=before)
    assert any(JANUARY <= entry.dated_on < FEBRUARY for entry in posted)
    assert violated() == set()


def test_control_without_the_lock_a_posting_lands_in_a_locked_month(fresh_db):
    ground()
    with databases.superuser(fresh_db) as server:
        (source,) = server.execute("SELECT pg_get_functiondef('ledger_first_open_day'::regproc)").fetchone()
        assert "PERFORM pg_advisory_xact_lock_shared" in source
        server.execute(source.replace("PERFORM pg_advisory_xact_lock_shared", "PERFORM"))
    with held_open(POSTINGS["redemption"]):
        assert lock_january() is True  # nobody waits
        assert not Entry.objects.filter(kind="redemption", dated_on=day("2026-01-31")).exists()
    assert Entry.objects.filter(kind="redemption", dated_on=day("2026-01-31")).exists()
    assert violated() == {"locked_month_closed"}


def test_what_comes_while_the_lock_waits_goes_to_the_next_month(fresh_db):
    ground()
    with held_open(POSTINGS["redemption"]):
        locking = Running(lock_january)
        assert waiting(1)
        coming = Running(lambda: story.redeem("next", "WANG", "MEAL", "PM01", "2026-01-31 11:30", at=LATER))
        assert waiting(2), "a posting that comes now must not overtake the lock"
    assert locking.result() is True
    coming.result()
    assert story.redeemed("open").entry.dated_on == day("2026-01-31")
    late = story.redeemed("next")
    assert (late.entry.dated_on, late.service_on) == (FEBRUARY, day("2026-01-31"))
    assert violated() == set()


@pytest.mark.parametrize("what", POSTINGS)
def test_what_comes_after_the_lock_is_dated_the_first_open_day(db, what):
    ground()
    lock_january()
    before = set(Entry.objects.values_list("id", flat=True))
    POSTINGS[what]()
    assert {entry.dated_on for entry in Entry.objects.exclude(id__in=before)} == {FEBRUARY}
    assert violated() == set()


# Two at once


def statements() -> list[tuple]:
    return list(
        Statement.objects.order_by("month", "lease__code").values_list(
            "lease__code", "month", "state", "round"
        )
    )


def test_two_closings_at_once_draw_up_one_statement_each(fresh_db):
    ground()
    outs = [StringIO() for _ in range(3)]
    for run in [Running(lambda out=out: call_command("close_month", "2026-01", stdout=out)) for out in outs]:
        run.result()
    assert statements() == [(f"LS0{n}", JANUARY, "draft", 1) for n in (1, 2, 3)]
    assert len({out.getvalue() for out in outs}) == 1 and violated() == set()


def test_control_closings_that_do_not_exclude_one_another(fresh_db, monkeypatch):
    """The run lock gone, the table's key refuses the second; the key gone too, each lease has two statements."""
    ground()
    lock_month(month=day("2025-12-01"), by="test", at=moment("2026-02-01"))
    monkeypatch.setattr(settlement, "exclusive", lambda name: nullcontext())

    def close() -> None:
        close_month(month=JANUARY, by="test", at=moment("2026-02-02"))

    with held_open(close):
        second = Running(lambda: call_command("close_month", "2026-01", stdout=StringIO()))
        time.sleep(0.5)
    with pytest.raises(Exception, match="one_statement_a_lease_and_month"):
        second.result()
    Statement.objects.all().delete()
    databases.unprotect(fresh_db)
    with held_open(close):
        Running(lambda: call_command("close_month", "2026-01", stdout=StringIO())).result()
    assert len(statements()) == 6 and "statement_once" in violated()


def test_two_settlements_at_once_settle_once(fresh_db):
    ground()
    story.draw_up(JANUARY, at="2026-02-02")
    people = ["--confirmed-by", "clerk", "--reviewed-by", "officer", "--approved-by", "approver"]
    runs = [
        Running(lambda: call_command("settle_month", "2026-01", *people, stdout=StringIO())) for _ in range(3)
    ]
    for run in runs:
        run.result()
    assert statements() == [(f"LS0{n}", JANUARY, "approved", 1) for n in (1, 2, 3)]
    assert Approval.objects.count() == 9 and Entry.objects.filter(kind="statement").count() == 3
    assert Period.objects.filter(month=JANUARY).count() == 1 and violated() == set()


def test_two_beats_issue_once(fresh_db):
    """The operation by itself, without the commands' exclusion."""
    story.town()

    def beat():
        return sum(one.vouchers for one in issue(on=JANUARY, by="beat", at=moment("2025-12-30")))

    counts = [run.result() for run in [Running(beat) for _ in range(3)]]
    # One beat may issue one programme and another the next; each programme issues once.
    assert sum(counts) == Voucher.objects.count() > 0
    assert IssueRun.objects.count() == 4 and violated() == set()


def test_control_beats_without_the_programmes_lock_are_stopped_by_the_key(fresh_db, monkeypatch):
    story.town()
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)

    def beat():
        return issue(on=JANUARY, by="beat", at=moment("2025-12-30"))

    with held_open(beat):
        second = Running(beat)
        time.sleep(0.5)
    with pytest.raises((RuntimeError, IntegrityError), match=r"nothing is kept|voucher_issued_once"):
        second.result()
    assert IssueRun.objects.count() == 4 and violated() == set()


def test_two_locks_at_once_lock_once(fresh_db):
    ground()
    assert sorted(run.result() for run in [Running(lock_january) for _ in range(4)]) == [
        False,
        False,
        False,
        True,
    ]


# The last and the first instant


@pytest.mark.parametrize("zone", [SHANGHAI, UTC], ids=["as Shanghai", "as UTC"])
def test_the_last_instant_and_the_first(db, zone):
    ground()
    for key, who, at in (("last", "ZHANG", LAST), ("first", "WANG", FIRST)):
        order = story.order_of(key, who, "MEAL", "PM01", "2026-01-01")
        story.redemption.redeem(
            order=type(order)(**{**vars_of(order), "happened_at": at.astimezone(zone)}), by="test", at=FIRST
        )
    assert story.redeemed("last").service_on == day("2026-01-31")
    assert story.redeemed("first").service_on == FEBRUARY
    story.cancel("ordered", "2026-01-31")
    story.settle(JANUARY, at="2026-02-02")
    story.settle(FEBRUARY, at="2026-03-02")
    earned = {one.month: one.earned for one in Statement.objects.filter(lease__code="LS01")}
    assert earned == {JANUARY: 24, FEBRUARY: 12}  # 12 of "before", 12 each of these two
    assert violated() == set()


def vars_of(order) -> dict:
    return {name: getattr(order, name) for name in order.__dataclass_fields__}


def test_control_in_utc_both_instants_lie_in_one_day():
    """A program that took the day in UTC would put both into January."""
    assert LAST.astimezone(UTC).date() == FIRST.astimezone(UTC).date() == day("2026-01-31")
    assert LAST.date() < FIRST.date()


def test_the_last_instant_of_reversals_orders_and_bank_lines(db):
    ground()
    story.redeem("two", "ZHANG", "MEAL", "PM01", "2026-01-30 11:30")
    for key, at in (("before", LAST), ("two", FIRST)):
        story.redemption.reverse(
            redemption=story.redeemed(key), reversed_at=at.astimezone(UTC), reason="", by="test", at=FIRST
        )
    days = dict(Redemption.objects.values_list("key", "reversed_on"))
    assert days == {"before": day("2026-01-31"), "two": FEBRUARY}
    story.bank(
        story.bank_line("2026-01-31 23:59:59", 1), story.bank_line("2026-02-01 00:00:00", 2), at="2026-02-01"
    )
    days = dict(BankLine.objects.values_list("amount", "entry__dated_on"))
    assert days == {1: day("2026-01-31"), 2: FEBRUARY}
    for key, at in (("last", LAST), ("first", FIRST)):
        order = story.order_of(key, "WANG", "MEAL", "PM01", "2026-02-01 11:30")
        story.redemption.place(order=order, by="test", at=at.astimezone(UTC))
    days = dict(Hold.objects.exclude(key="ordered").values_list("key", "entry__dated_on"))
    assert days == {"last": day("2026-01-31"), "first": FEBRUARY}


# A clock set back


def test_a_clock_set_back_changes_no_date(db):
    """`at` is when the program learns of something; no date in the books comes from it where a date is given."""
    ground()
    story.cancel("ordered", "2026-01-31")
    story.settle(JANUARY, at="2026-02-02 10:00")
    locked_at = Period.objects.get(month=JANUARY).locked_at
    back = "2026-01-20 08:00"
    story.redeem("old", "ZHANG", "MEAL", "PM01", "2026-01-31 11:30", at=back)
    story.redeem("new", "ZHANG", "MEAL", "PM01", "2026-02-01 11:30", at=back)
    story.reverse("before", back)  # its day is the one given; its entry goes where the books are open
    assert story.redeemed("old").entry.dated_on == story.redeemed("new").entry.dated_on == FEBRUARY
    reversed_ = story.redeemed("before")
    assert (reversed_.reversed_on, reversed_.reversal.entry.dated_on) == (day("2026-01-20"), FEBRUARY)
    assert lock_month(month=JANUARY, by="test", at=moment(back)) is False
    assert Period.objects.get(month=JANUARY).locked_at == locked_at
    story.settle(FEBRUARY, at=back)
    assert {
        one.month: (one.earned, one.late, one.reversed)
        for one in Statement.objects.filter(lease__code="LS01")
    } == {
        JANUARY: (12, 0, 0),
        FEBRUARY: (12, 12, 12),
    }
    assert [period.month for period in Period.objects.order_by("month")] == [
        day("2025-12-01"),
        JANUARY,
        FEBRUARY,
    ]
    assert violated() == set()


def test_a_lock_says_it_came_after_what_it_locks(db):
    """A long run may have begun before the last postings that it let through, or the clock was set back."""
    ground()
    story.redeem("ahead", "ZHANG", "MEAL", "PM01", "2026-01-31 11:30", at="2026-02-03 08:00")
    lock_january()
    assert Period.objects.get(month=JANUARY).locked_at == moment("2026-02-03 08:00")
    assert violated() == set()


CLOCK = re.compile(
    r"timezone\.now|\.today\(|datetime\.now|utcnow|\bnow\(\)|CURRENT_(DATE|TIME)|LOCALTIME|(clock|statement)_timestamp"
    r"|time\.time\(|auto_now"
)


def readers_of_the_clock(package: str) -> set[str]:
    root = Path(settings.BASE_DIR)
    return {
        str(path.relative_to(root))
        for path in (root / package).rglob("*.py")
        if CLOCK.search(path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("package", ["ledger", "providers", "vouchers"])
def test_no_rule_reads_the_clock(package):
    # The check of the books throws away what it kept for days: no rule, no date in the books.
    assert readers_of_the_clock(package) <= {"ledger/books/check.py"}


def test_control_faces_do_read_it():
    assert "marketplace/management/commands/close_month.py" in readers_of_the_clock("marketplace")


@pytest.mark.parametrize(("month", "wrong"), [(MARCH, "month_not_next"), (APRIL, "month_not_next")])
def test_months_are_closed_one_after_the_other(db, month, wrong):
    ground()
    story.cancel("ordered", "2026-01-31")
    story.settle(JANUARY, at="2026-02-02")
    for refused, code in ((month, wrong), (JANUARY, "month_locked")):
        with pytest.raises(Exception) as refusal:
            story.draw_up(refused, at="2026-05-01")
        assert refusal.value.code == code
    assert story.draw_up(FEBRUARY, at="2026-05-01")  # the control
