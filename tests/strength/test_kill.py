"""kill -9 (strength.md 6): nothing acknowledged is lost, telling it again gives the first answer, nobody helps.

On a cluster of its own, durable as in production (the tests' usual one does not wait for the disk). Processes
that redeem (driver.py) and import die at named points and under load, PostgreSQL under them too; the next one
to use the database brings it up again. Afterwards every key is told again and the whole ledger proved.
"""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections

from ledger.models import Entry
from marketplace.config import embedded
from tests import story
from tests.config import processes
from tests.story import moment
from tests.strength import driver
from vouchers.models import Redemption
from vouchers.proof.queries import prove
from vouchers.redemption.operations import Redeemed, redeem

ENOUGH = 20  # receipts, before anybody dies under load


@contextlib.contextmanager
def running(data: Path) -> Iterator[None]:
    """The cluster of `data` running, and both of Django's logins there, in every thread."""
    place = {"HOST": str(embedded.socket_dir(data)), "NAME": embedded.DATABASE}
    before = {alias: {name: connections.settings[alias][name] for name in place} for alias in connections}
    with embedded.servers(data):
        try:
            _point(dict.fromkeys(before, place))
            yield
        finally:
            _point(before)


def _point(places: dict[str, dict[str, str]]) -> None:
    for alias, place in places.items():
        connections[alias].close()
        connections.settings[alias].update(place)
        connections[alias].settings_dict.update(place)


@pytest.fixture(scope="module")
def data(django_db_setup, django_db_blocker) -> Iterator[Path]:
    """A durable cluster with a house where an hour of care costs 3 yuan and 3 elders can pay thousands."""
    # Not in pytest's own directory: every pytest that starts closes that to PostgreSQL's account.
    home = Path(tempfile.mkdtemp(prefix="yiquan-kill-", dir="/tmp"))
    data = home / "data"
    subprocess.run(["cp", "-a", str(processes.migrated()), str(data)], check=True)
    with django_db_blocker.unblock():
        with running(data):
            story.town()
            care = story.service("HOUR", "home_care", "hour")
            story.price(care, 3, government=1)
            place = story.premises("PM09", story.elder_named("LI").division)
            lease = story.lease("LS09", place, story.operator("OP09", "湖心服务社"))
            story.offer(place, care)
            story.programme("PX", "offset", lease, categories=["home_care"], face=20_000)
            story.issue_on("2026-01-01")
        yield data
    for pid in processes.of(data):
        with contextlib.suppress(ProcessLookupError):
            processes.kill(pid)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def keys() -> range:
    """Numbers of orders that no other test has."""
    first = next(_firsts)
    return range(first, first + driver.MOST)


_firsts = iter(range(0, 10**9, driver.MOST))


def env(data: Path) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATA_DIR": str(data)}


def start(data: Path, receipts: Path, first: int, *death: str) -> subprocess.Popen:
    arguments = ["-m", "tests.strength.driver", str(receipts), str(first), *death]
    return processes.python(data, *arguments, env=env(data))


def acknowledged(receipts: Path) -> dict[str, dict]:
    """The receipts given out, by key; a line that death cut short was not."""
    try:
        lines = receipts.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return {}
    return {given["key"]: given for given in map(json.loads, lines)}


def lost(given: dict[str, dict]) -> set[str]:
    """Keys of receipts that the database does not know, or knows otherwise."""
    kept = {f.key: f.number for f in Redemption.objects.filter(key_scope="files", key__in=given)}
    return {key for key, receipt in given.items() if kept.get(key) != receipt["number"]}


def tell_again(given: dict[str, dict], numbers: range) -> None:
    """All these orders once more: those acknowledged get their first receipt, every key is one redemption."""
    for number in numbers:
        order = driver.order(number)
        answer = redeem(order=order, by="again", at=moment("2026-01-06 12:00"))
        assert isinstance(answer, Redeemed)
        if order.key in given:
            assert answer.repeated
            assert driver.receipt(order.key, answer) == given[order.key]
    keys = [driver.order(number).key for number in numbers]
    assert Redemption.objects.filter(key__in=keys).count() == len(keys)
    assert Entry.objects.filter(kind="redemption").count() == Redemption.objects.count()


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


def told_so_far(given: dict[str, dict], keys: range) -> range:
    """The numbers up to the last acknowledged and those under way beside it."""
    return range(keys.start, max([keys.start, *(int(key[1:]) for key in given)]) + 3)


# At a named point


@pytest.mark.parametrize(
    ("point", "kept"),
    [
        ("before the write", {2}),
        ("before the commit", {2}),
        ("before the answer", {2, 3}),
        ("before the acknowledgement", {3}),
    ],
)
def test_a_process_dead_at_a_named_point_promised_nothing_that_is_not_kept(data, keys, tmp_path, point, kept):
    process = start(data, tmp_path / "receipts", keys.start, point, "3")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    given = acknowledged(tmp_path / "receipts")
    assert len(given) == 2
    with running(data):
        written = [driver.order(number).key for number in range(keys.start, keys.start + 3)]
        assert Redemption.objects.filter(key__in=written).count() in kept
        assert lost(given) == set()
        tell_again(given, told_so_far(given, keys))
        assert violated() == set()


def test_control_a_promise_made_before_the_commit_is_seen_to_be_broken(data, keys, tmp_path):
    process = start(data, tmp_path / "receipts", keys.start, "acknowledged too soon", "3")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    given = acknowledged(tmp_path / "receipts")
    assert len(given) == 3
    with running(data):
        assert lost(given) == {driver.order(keys.start + 2).key}
        with pytest.raises(AssertionError):
            tell_again(given, told_so_far(given, keys))


# Under load


def backend(data: Path) -> int:
    """A session of the application's, as the server sees it."""
    return processes.one(data, "postgres:", embedded.APP)


VICTIMS = {
    "the process": lambda data, process: [process.pid],
    "PostgreSQL": lambda data, process: [embedded._postgres_pid(data / "postgres")],
    "a session of PostgreSQL": lambda data, process: [backend(data)],
    "all": lambda data, process: [process.pid, *processes.of(data)],
}


@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.long)])
def test_whoever_dies_under_load_nothing_promised_is_lost(data, tmp_path, rounds):
    rng = random.Random(rounds)
    for turn in range(rounds):
        keys = range(first := next(_firsts), first + driver.MOST)
        victim = list(VICTIMS)[turn % len(VICTIMS)]
        receipts = tmp_path / f"receipts-{turn}"
        process = start(data, receipts, keys.start)
        wanted = ENOUGH + rng.randrange(40)
        processes.wait_until(
            lambda process=process, receipts=receipts, wanted=wanted: (
                process.poll() is not None or len(acknowledged(receipts)) >= wanted
            )
        )
        time.sleep(rng.random() / 50)
        for pid in VICTIMS[victim](data, process):
            with contextlib.suppress(ProcessLookupError):
                processes.kill(pid)
        said, _ = process.communicate(timeout=60)
        died = -signal.SIGKILL if victim in ("the process", "all") else driver.LOST_DATABASE
        assert process.returncode == died, (victim, said)
        given = acknowledged(receipts)
        assert len(given) >= wanted
        with running(data):  # the next use, and nobody else, brings the server up again
            assert lost(given) == set(), victim
            tell_again(given, told_so_far(given, keys))
            assert violated() == set(), victim


def test_the_cluster_of_these_tests_waits_for_the_disk(data):
    """Control: on the tests' usual cluster, kill -9 of a process would prove as much, a lost disk nothing."""
    with running(data), connection.cursor() as cursor:
        found = []
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            found.append(cursor.fetchone()[0])
    assert found == ["on", "on", "on"]


@pytest.mark.parametrize("state", ["recovering", "stopping"])
def test_the_next_to_come_finds_a_server_that_answers(data, state, monkeypatch):
    """Whoever killed a session, or asked the server to stop and died: the next use has not to know."""
    monkeypatch.setattr(embedded, "SECONDS_TO_STOP", 1)
    url = embedded.database_url(data, user=embedded.APP)
    with embedded.servers(data):
        server = embedded._postgres_pid(data / "postgres")
        session = psycopg.connect(url)
        if state == "recovering":
            processes.kill(session.info.backend_pid)
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT pg_sleep(60)")  # until the server has noticed
        else:
            processes.kill(server, signal.SIGTERM)  # it waits for the session to leave, and lets nobody in
            processes.wait_until(lambda: embedded._status(data / "postgres") == "stopping")
        with pytest.raises(psycopg.OperationalError):  # control: without the wait this is what one meets
            psycopg.connect(url).close()
        with embedded.servers(data), psycopg.connect(url) as asked:
            assert asked.execute("SELECT 1").fetchone() == (1,)
            assert (embedded._postgres_pid(data / "postgres") == server) is (state == "recovering")
        session.close()
    assert not processes.of(data)


# A file


def test_a_file_whose_import_died_is_imported_by_importing_it_again(data, keys, tmp_path):
    rows = 400
    file = tmp_path / "redemptions.csv"
    orders = [driver.order(number) for number in keys[:rows]]
    lines = [
        f"{order.key},{order.happened_at.isoformat()},{order.premises},{order.service},{order.elder},1,"
        for order in orders
    ]
    file.write_text("\n".join(["key,happened_at,premises,service,elder,quantity,channel", *lines, ""]))

    def run() -> subprocess.Popen:
        return processes.python(data, "manage.py", "import_redemptions", str(file), env=env(data))

    def imported() -> int:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(embedded.database_url(data, user=embedded.OWNER)) as watching,
        ):
            asked = watching.execute(
                "SELECT count(*) FROM vouchers_redemption WHERE key = ANY (%s)", [[o.key for o in orders]]
            )
            return asked.fetchone()[0]
        return 0

    process = run()
    processes.wait_until(lambda: process.poll() is not None or imported() >= 50)
    processes.kill(process.pid)
    assert process.wait(timeout=30) == -signal.SIGKILL
    process.stdout.close()
    with running(data):
        done = Redemption.objects.filter(key__in=[order.key for order in orders]).count()
        assert 50 <= done < rows
        assert violated() == set()
    assert processes.ended(run()).splitlines()[-1] == f"accepted {rows - done}, repeated {done}, refused 0"
    assert processes.ended(run()).splitlines()[-1] == f"accepted 0, repeated {rows}, refused 0"
    with running(data):
        assert violated() == set()


# The site


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_of_the_site_dead_is_replaced_and_a_dead_part_is_said(data):
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}/readyz"
    log = data / "site.log"
    with open(log, "w") as out:
        site = subprocess.Popen(
            [sys.executable, "-m", "marketplace.config.run"],
            env=processes.environment(data, PORT=str(port), WEB_WORKERS="1", WORKER_PROCESSES="1"),
            cwd=settings.BASE_DIR,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        processes.wait_until(lambda: site.poll() is not None or processes.status(url) == 200)
        web = processes.one(data, "granian")
        (worker,) = children(web)
        processes.kill(worker)
        processes.wait_until(lambda: children(web) not in ([], [worker]))
        processes.wait_until(lambda: processes.status(url) == 200)
        assert processes.one(data, "granian") == web
        assert "starting again" not in log.read_text()  # the web server did it by itself
        for turn in (1, 2):
            processes.kill(processes.one(data, "granian"))
            processes.wait_until(
                lambda turn=turn: log.read_text().count("A process died: starting again.") == turn
            )
            if turn == 1:
                processes.wait_until(lambda: processes.status(url) == 200)
        site.send_signal(signal.SIGTERM)  # just while it starts again
        assert site.wait(timeout=40) == 0
    finally:
        site.kill()
        site.wait()
    assert not processes.of(data)
