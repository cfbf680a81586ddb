"""Jobs: checked, looked at, done once whatever happens; their files are sealed and gone at the end."""

from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from ledger.audit.models import Record
from ledger.journal.operations import Busy
from ledger.models import Outbox
from ledger.outbox.operations import settle_debts
from marketplace.accounts.operations import create_user
from marketplace.jobs import kinds, operations, vault
from marketplace.jobs.models import FilePart, Job
from marketplace.jobs.operations import CannotStart, drop, drop_forgotten, go_on, start
from marketplace.web.work import words
from tests import small_city
from tests.story import moment
from vouchers.models import Elder, Redemption, Voucher

AT = moment("2026-07-01 09:00")
ROWS = """\
key,happened_at,premises,service,elder,quantity,channel
a,2026-07-02 11:30,PR01,SV01,EL01,1,qr
b,2026-07-02 11:40,PR01,SV01,NOBODY,1,qr
c,2026-07-02 11:50,PR01,SV01,EL01,2,qr
"""


@pytest.fixture
def clerk(db):
    return create_user(username="clerk", role="bureau_clerk", by="test", at=AT)[0]


def begin(kind: str, clerk, files: dict[str, str] | None = None, **args) -> Job:
    given = [(name, [text.encode()]) for name, text in (files or {}).items()]
    return start(kind=kind, args=args, by=clerk, at=AT, files=given)


def owed() -> int:
    handlers = {operations.TOPIC: lambda payload: operations.work(payload, clock=lambda: AT)}
    return settle_debts(handlers=handlers, clock=timezone.now)


def through(job: Job) -> Job:
    """Worked, gone on with, and worked again."""
    assert owed() == 1
    job.refresh_from_db()
    if job.state == Job.State.CHECKED:
        go_on(job=job, by=job.by, at=AT)
        assert owed() == 1
        job.refresh_from_db()
    return job


def city(clerk) -> Job:
    return begin("city", clerk, {f"{name}.csv": text for name, text in small_city.FILES.items()})


def test_register_files_are_checked_then_loaded(clerk):
    job = city(clerk)
    assert job.stage == "check" and owed() == 1
    job.refresh_from_db()
    assert job.state == Job.State.CHECKED and not Elder.objects.exists()  # a preview writes nothing
    assert ["elders.csv", 4, 0, 0] in job.result["rows"]
    go_on(job=job, by=clerk, at=AT)
    with pytest.raises(CannotStart) as refusal:
        go_on(job=job, by=clerk, at=AT)
    assert refusal.value.code == "moved_on"
    assert owed() == 1 and owed() == 0
    job.refresh_from_db()
    assert job.state == Job.State.DONE and Elder.objects.count() == 4
    assert through(city(clerk)).result["nothing"]  # the same files again change nothing
    assert set(Record.objects.filter(by="clerk").values_list("action", flat=True)) >= {
        "start_city",
        "do_city",
        "load_file",
    }


def test_what_is_wrong_is_listed_with_place_and_in_the_readers_language(clerk):
    text = small_city.changed("operators", "OP02,Canteen Two", "op2,Canteen Two")
    files = {"operators.csv": text}
    job = through(begin("city", clerk, files))
    assert job.state == Job.State.REFUSED and job.result["total"] >= 1
    one = next(one for one in job.result["problems"] if one["line"] == 3)
    assert (one["file"], one["column"]) == ("operators.csv", "code")
    from django.utils import translation

    with translation.override("zh-hans"):
        chinese = words.problem(one)
    with translation.override("en"):
        assert words.problem(one) != chinese
    assert not FilePart.objects.exists()


def test_a_month_of_files(clerk):
    """Issue, redeem, reverse, expire; each twice, and the second time changes nothing."""
    through(city(clerk))
    issued = through(begin("issue", clerk, on="2026-07-01"))
    assert [row[0] for row in issued.result["rows"]] == ["PG01", "PG02"] and Voucher.objects.count() == 4 + 8
    assert through(begin("issue", clerk, on="2026-07-01")).result["nothing"]
    job = through(begin("redemptions", clerk, {"july.csv": ROWS}))
    assert job.result["counts"] == {"accepted": 1, "repeated": 0, "refused": 2}
    assert list(job.lines.values_list("line", "word")) == [(3, "unknown_reference"), (4, "daily_limit")]
    again = through(begin("redemptions", clerk, {"july.csv": ROWS}))
    assert again.result["counts"] == {"accepted": 0, "repeated": 1, "refused": 2}
    back = {"back.csv": "key,reversed_at,reason\na,2026-07-03 10:00,wrong person\n"}
    assert through(begin("reversals", clerk, back)).result["counts"]["accepted"] == 1
    assert Redemption.objects.get().reversed_on
    expired = through(begin("expire", clerk, on="2026-08-04"))
    assert sum(row[1] for row in expired.result["rows"]) == 12
    assert through(begin("expire", clerk, on="2026-08-04")).result["nothing"]


def test_a_worker_that_died_half_way_leaves_the_job_owed_and_it_ends_as_once(clerk, monkeypatch):
    through(city(clerk))
    through(begin("issue", clerk, on="2026-07-01"))
    job = begin("redemptions", clerk, {"july.csv": ROWS})
    owed()
    go_on(job=Job.objects.get(pk=job.pk), by=clerk, at=AT)
    whole = kinds.KINDS["redemptions"].do

    def dies(work):
        whole(work)
        raise OperationalError("the server closed the connection")

    monkeypatch.setitem(kinds.KINDS, "redemptions", kinds.Kind(dies, None))
    assert owed() == 0  # put off, with its error kept
    row = Outbox.objects.get(key=f"job:{job.pk}:do")
    assert row.tries == 1 and "closed the connection" in row.last_error
    monkeypatch.undo()
    Outbox.objects.update(due_at=AT)
    assert owed() == 1
    job.refresh_from_db()
    assert job.state == Job.State.DONE and Redemption.objects.count() == 1
    assert job.result["counts"] == {"accepted": 0, "repeated": 1, "refused": 2}
    assert job.lines.filter(stage="do").count() == 2  # not four


def test_another_run_under_way_puts_it_off(clerk, monkeypatch):
    job = begin("expire", clerk, on="2026-07-01")
    owed()
    go_on(job=Job.objects.get(pk=job.pk), by=clerk, at=AT)

    def busy(work):
        raise Busy("load_city")

    monkeypatch.setitem(kinds.KINDS, "expire", kinds.Kind(busy, None))
    assert owed() == 0 and Job.objects.get(pk=job.pk).state == Job.State.WAITING


@pytest.mark.error_logs("marketplace.jobs.operations")
def test_a_defect_of_ours_is_said_and_ends_the_job(clerk, monkeypatch):
    job = begin("expire", clerk, on="2026-07-01")

    def broken(work):
        raise ZeroDivisionError

    monkeypatch.setitem(kinds.KINDS, "expire", kinds.Kind(broken, broken))
    assert owed() == 1
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and job.result == {"error": "ZeroDivisionError"}


def test_a_job_that_was_done_is_not_done_again(clerk):
    job = through(begin("issue", clerk, on="2026-07-01"))
    ended = job.ended_at
    operations.work({"job": job.pk, "stage": "do"}, clock=timezone.now)
    operations.work({"job": job.pk, "stage": "check"}, clock=timezone.now)
    job.refresh_from_db()
    assert job.ended_at == ended


def test_uploads_are_sealed_and_gone_at_the_end(clerk):
    job = begin("city", clerk, {"elders.csv": small_city.FILES["elders"] * 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM marketplace_filepart")
        sealed = b"".join(bytes(row[0]) for row in cursor.fetchall())
    assert sealed and small_city.LI.encode() not in sealed and "李桂兰".encode() not in sealed
    with vault.unpacked(job) as directory:  # control: opened, it is there
        text = (directory / "elders.csv").read_text()
        assert small_city.LI in text
    assert not Path(directory).exists()
    owed()
    job.refresh_from_db()
    assert job.state == Job.State.REFUSED and not FilePart.objects.exists()  # unknown divisions
    assert "430298" not in str(job.result)  # problems quote no ID number


def test_a_part_put_in_another_place_does_not_open(clerk):
    from vouchers.elders.sealing import CannotOpen

    one, two = begin("redemptions", clerk, {"a.csv": ROWS}), begin("redemptions", clerk, {"b.csv": "key\n"})
    theirs = FilePart.objects.get(file__job=two)
    FilePart.objects.filter(file__job=one).update(sealed=theirs.sealed)
    with pytest.raises(CannotOpen), vault.unpacked(one):
        pass


def test_large_files_travel_in_parts(clerk):
    data = b"key,reversed_at,reason\n" + b"k,2026-07-03,r\n" * 200_000
    job = start(
        kind="reversals", args={}, by=clerk, at=AT,
        files=[("big.csv", (data[n : n + 70_000] for n in range(0, len(data), 70_000)))],
    )  # fmt: skip
    assert FilePart.objects.filter(file__job=job).count() == 3 and job.files.get().size == len(data)
    with vault.unpacked(job) as directory:
        assert (directory / "big.csv").read_bytes() == data


def test_what_cannot_be_started_keeps_nothing(clerk, monkeypatch):
    from dataclasses import replace

    with pytest.raises(CannotStart) as refusal:
        start(kind="city", args={}, by=clerk, at=AT, files=[("a.csv", []), ("a.csv", [])])
    assert refusal.value.code == "file_twice"
    monkeypatch.setattr(vault, "LIMITS", replace(vault.LIMITS, file=10))
    with pytest.raises(CannotStart) as refusal:
        begin("city", clerk, {"elders.csv": "more than ten bytes"})
    assert refusal.value.code == "too_large"
    assert not Job.objects.exists() and not Outbox.objects.filter(topic="job").exists()


def test_what_nobody_goes_on_with_is_forgotten(clerk):
    old, young = begin("redemptions", clerk, {"a.csv": ROWS}), begin("redemptions", clerk, {"b.csv": ROWS})
    assert owed() == 2
    Job.objects.filter(pk=old.pk).update(ended_at=moment("2026-06-20"))
    assert drop_forgotten(by="nightly", at=AT) == 1
    old.refresh_from_db()
    assert old.state == Job.State.DROPPED and FilePart.objects.filter(file__job=young).exists()
    assert not FilePart.objects.filter(file__job=old).exists()
    drop(job=Job.objects.get(pk=young.pk), by=clerk, at=AT)
    assert not FilePart.objects.exists()


def test_every_state_has_its_moves():
    assert set(Job.MOVES) == set(Job.State)
    assert set(kinds.KINDS) == set(Job.Kind) == set(words.ABOUT) and set(words.MARKS) == set(Job.State)
