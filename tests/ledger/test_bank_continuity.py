"""Balances that break tell of a line that is missing, or there twice: in a file, between files, on record."""

import io
import itertools
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from ledger.banking.continuity import Break, breaks
from ledger.banking.layouts import BankRow, read_bank
from ledger.banking.neighbours import accounts, breaks_around
from ledger.models import BankLine
from marketplace.jobs import operations as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.operations import CannotStart, go_on, start
from providers.leases.receipts import import_bank
from tests import story
from tests.story import ICBC, moment

AT = moment("2026-08-20 09:00")
LINES = [
    ",6001,,2026-08-01 09:00:00,贷,,100.00,,,,,1100.00,",
    ",6001,,2026-08-02 09:00:00,借,30.00,,,,,,1070.00,",
    ",6001,,2026-08-03 09:00:00,贷,,0.05,,,,,1070.05,",
    ",6001,,2026-08-04 09:00:00,贷,,5.00,,,,,1075.05,",
    ",6001,,2026-08-05 09:00:00,贷,,6.00,,,,,1081.05,",
]
OTHER = [
    ",6002,,2026-08-01 10:00:00,贷,,7.00,,,,,7.00,",
    ",6002,,2026-08-02 10:00:00,贷,,1.00,,,,,8.00,",
]


def data(lines: list[str]) -> bytes:
    return "\n".join([ICBC, *lines, ""]).encode()


def rows(lines: list[str]) -> list[BankRow]:
    return read_bank(data(lines), "icbc", name="bank.csv")


def places(found: list[Break]) -> list[tuple[int, int, str]]:
    return [(one.before.line, one.after.line, str(one.missing)) for one in found]


def found(lines: list[str]) -> list[tuple[int, int, str]]:
    return places(breaks([rows(lines)]))


# One file


@pytest.mark.parametrize("lines", [LINES, LINES[::-1], LINES[:1], []])
def test_balances_that_follow_have_no_break(lines):
    """Oldest first or last."""
    assert found(lines) == []


def test_a_missing_line_a_line_twice_and_a_wrong_balance_are_found():
    assert found([LINES[0], *LINES[2:]]) == [(2, 3, "-30.00")]
    assert found([LINES[0], *LINES[2:]][::-1]) == [(5, 4, "-30.00")]  # newest first: the lines of the file
    assert found([*LINES[:2], LINES[1], *LINES[2:]]) == [(3, 4, "30.00")]
    mistyped = [*LINES[:2], LINES[2].replace("1070.05", "1070.50"), *LINES[3:]]
    assert found(mistyped) == [(3, 4, "0.45"), (4, 5, "-0.45")]


def test_lines_without_a_balance_tell_nothing():
    assert found([line.replace(line.split(",")[11], "") for line in LINES]) == []
    one = LINES[1].replace("1070.00", "")
    assert found([LINES[0], one, *LINES[2:]]) == []  # what it moved is not known, so nothing is said


def test_a_day_without_hours_is_right_in_any_order_that_follows():
    """Paid, bounced, paid again: 0 to 100, back to 0, to 100 again, then 50 more."""
    day = [
        f",6001,,2026-08-01 00:00:00,{side},{amounts},,{words},,,{balance},"
        for side, amounts, words, balance in (
            ("贷", ",100.00", "一", "100.00"),
            ("借", "100.00,", "退汇", "0.00"),
            ("贷", ",100.00", "二", "100.00"),
            ("贷", ",50.00", "三", "150.00"),
        )
    ]
    assert found(day) == found(day[::-1]) == []
    assert found([day[0], day[2], day[3]]) == [(2, 3, "-100.00")]  # the control: the bounced one left out


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(-9, 9).filter(bool)), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.booleans(),
)
def test_whatever_an_account_does_cut_into_files_it_follows(moves, cuts, newest_first):
    """Days that do not go back, any amounts; cut anywhere into files that overlap, each told either way round."""
    balance, day, lines = Decimal(500), 0, []
    for number, (step, amount) in enumerate(moves):
        balance, day = balance + amount, day + step
        sides = f"借,{-amount}," if amount < 0 else f"贷,,{amount}"
        time = f"2026-{1 + day // 28:02d}-{1 + day % 28:02d} 09:00:00"
        lines.append(f",6001,,{time},{sides},,{number},,,{balance},")
    edges = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    files = [rows(lines[a:b][:: -1 if newest_first else 1]) for a, b in itertools.pairwise(edges)]
    assert breaks(files) == breaks(files[::-1]) == []
    if len(lines) > 2:  # the control: one in the middle lost
        assert len(breaks([rows(lines[:1] + lines[2:])])) == 1


# Between files


def test_late_early_and_overlapping_files_are_held_against_what_is_on_record(story_db):
    act = {"name": "august.csv", "layout": "icbc", "by": "story", "at": AT}
    assert breaks_around(rows(LINES[:2])) == []  # nothing is on record: nobody knows what stood before
    import_bank(rows=rows(LINES[:2]), **act)
    assert breaks_around(rows(LINES[2:])) == []  # the next file
    assert breaks_around(rows([*LINES, *OTHER])[2:]) == []  # one that overlaps, and another account
    ahead = breaks_around(rows(LINES[3:]))
    assert places(ahead) == [(3, 2, "0.05")] and isinstance(ahead[0].before, BankLine)
    import_bank(rows=rows(LINES[3:]), **act)  # out of order
    (account,) = [one for one in accounts(BankLine.objects.all()) if one.number == "6001"]
    assert places(account.breaks) == [(3, 2, "0.05")] and account.balance == Decimal("1081.05")
    assert breaks_around(rows(LINES[2:3])) == []  # the late one closes it
    wrong = rows([LINES[2].replace("0.05", "0.04").replace("1070.04", "1070.05")])
    assert [str(one.missing) for one in breaks_around(wrong)] == ["0.01"]  # and the control
    import_bank(rows=rows(LINES), **act)  # all of it again: only what is missing is taken
    assert not any(one.breaks for one in accounts(BankLine.objects.all()))
    assert BankLine.objects.filter(account="6001").count() == len(LINES)


def job(lines: list[str]) -> Job:
    made = start(
        kind="bank", args={"layout": "icbc"}, files=[("august.csv", [data(lines)])],
        by=story.user_named("clerk"), at=AT,
    )  # fmt: skip
    return worked(made)


def worked(made: Job) -> Job:
    """The stage that it waits for, done."""
    made.refresh_from_db()
    jobs.work({"job": made.pk, "stage": made.stage}, clock=lambda: AT)
    return Job.objects.get(pk=made.pk)


def test_a_break_is_shown_with_both_lines_and_taken_only_knowingly(story_db, tmp_path):
    clerk = Client(headers={"accept-language": "en"})
    clerk.force_login(story.user_named("clerk"))
    by = {"by": story.user_named("clerk"), "at": AT}
    worked(go_on(job=job(LINES[:2]), **by))
    checked = job(LINES[3:])
    page = reverse("job", args=[checked.pk])
    said = clerk.get(page).content.decode()
    assert all(
        words in said for words in ("Upload the file of those days first", "+0.05", "1,070.00", "august.csv")
    )
    with pytest.raises(CannotStart) as refusal:
        go_on(job=checked, **by)
    assert refusal.value.code == "gaps_unseen"
    assert clerk.post(page, {"do": "go"}).status_code == 409
    other = job([*LINES[3:4], LINES[4].replace("6.00", "6.10").replace("1081.05", "1081.15")])
    assert clerk.post(page, {"do": "go", "knowing": "on"}).status_code == 302
    assert worked(checked).state == Job.State.DONE
    assert "+0.05" in clerk.get(reverse("bureau:balances")).content.decode()
    # What was looked at is not what is there now.
    other.refresh_from_db()
    moved = worked(go_on(job=other, knowing=True, **by))
    assert moved.state == Job.State.REFUSED and "Upload the file again" in moved.result["refusal"]
    late = job(LINES[2:3])
    assert late.result["breaks"] == [] and worked(go_on(job=late, **by)).state == Job.State.DONE
    assert "breaks at" not in clerk.get(reverse("bureau:balances")).content.decode()
    # The command takes what the bank moved, and says what is missing.
    file, out, err = tmp_path / "c.csv", io.StringIO(), io.StringIO()
    file.write_bytes(data([",6001,,2026-08-09 09:00:00,贷,,1.00,,,,,2000.00,"]))
    call_command("import_bank", str(file), "--format", "icbc", stdout=out, stderr=err)
    assert out.getvalue() == "new 1, repeated 0, matched 0, proposed 0, unmatched 1\n"
    assert "917.95" in err.getvalue()
