"""`make run`: up, through every kill -9, and down without leaving anybody behind."""

import contextlib
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.config import processes


class Running:
    """The site on a DATA_DIR and PORT of its own."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, processes.free_port()
        self.log = data.with_name("said")
        with self.log.open("w") as log:
            self.process = processes.python(
                data,
                "-m",
                "marketplace.config.run",
                env={"PORT": str(self.port), "WEB_WORKERS": "1"},
                stdout=log,
            )

    def lives(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return True

    def ready(self) -> bool:
        return self.lives() and processes.status(f"http://127.0.0.1:{self.port}/readyz") == 200

    def wait(self) -> None:
        processes.wait_until(self.ready)


@pytest.fixture
def copy(tmp_path_factory):
    """copy(): a DATA_DIR with an up-to-date empty database, at rest."""

    def make() -> Path:
        data = tmp_path_factory.mktemp("copy") / "data"
        subprocess.run(["cp", "-a", str(processes.migrated()), str(data)], check=True)
        return data

    return make


@pytest.fixture
def site(copy):
    running = Running(copy())
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()
    for pid in processes.of(running.data):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself meanwhile
            processes.kill(pid)


def test_kill_9_of_each_part_is_survived_and_a_stop_leaves_nobody(site):
    site.wait()
    for words in (
        ["postgres", "-D"],
        ["valkey-server"],
        ["granian"],
        ["celery", "worker"],
        ["celery", "beat"],
    ):
        before = processes.matching(site.data, *words)
        processes.kill(processes.one(site.data, *words))
        processes.wait_until(
            lambda words=words, before=before: (
                site.lives() and processes.matching(site.data, *words) - before
            ),
            what=f"a new {' '.join(words)}",
        )
        site.wait()
    site.process.send_signal(signal.SIGTERM)
    site.process.wait(timeout=40)
    said = site.log.read_text()
    assert site.process.returncode == 0, said
    assert not processes.of(site.data)
    assert f"http://localhost:{site.port}/" in said


def test_kill_9_of_the_whole_leaves_only_servers_that_the_next_command_stops(site):
    site.wait()
    processes.kill(site.process.pid)
    processes.wait_until(
        lambda: not [line for line in processes.of(site.data).values() if "marketplace" in line]
    )
    assert processes.of(site.data)
    processes.ended(processes.python(site.data, "manage.py", "check", "--database", "default"))
    assert not processes.of(site.data)


def test_two_copies_side_by_side_and_one_per_directory(site, copy):
    other = Running(copy())
    try:
        site.wait()
        other.wait()
        third = processes.python(
            site.data, "-m", "marketplace.config.run", env={"PORT": str(processes.free_port())}
        )
        said, _ = third.communicate(timeout=30)
        assert third.returncode == 1
        assert said.startswith("This DATA_DIR is in use") and str(site.port) in said
        assert said.count("\n") == 1
        other.process.send_signal(signal.SIGINT)
        other.process.wait(timeout=40)
        assert not processes.of(other.data)
        assert site.ready()
    finally:
        other.process.kill()


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["make", "run"],
            env=processes.environment(tmp_path, PORT=str(port)),
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode
    assert done.stderr.splitlines()[0].startswith(f"Port {port} is taken by another program")
    assert not processes.of(tmp_path)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "TOKEN_KEYS"])
def test_with_a_database_of_its_own_no_key_is_invented(tmp_path, missing):
    keys = {
        "SECRET_KEY": "s" * 50,
        "FIELD_KEYS": "k1:" + "A" * 43 + "=",
        "LOOKUP_KEY": "A" * 43 + "=",
        "TOKEN_KEYS": "1:" + "A" * 43 + "=",
        "DATABASE_URL": "postgresql://app@/yiquan?host=/nowhere",
    }
    control = processes.python(tmp_path, "manage.py", "shell", "-c", "pass", env=keys)
    processes.ended(control)
    del keys[missing]
    for command in (["manage.py", "shell", "-c", "pass"], ["-m", "marketplace.config.run"]):
        done = processes.python(tmp_path, *command, env={**keys, "PORT": str(processes.free_port())})
        said, _ = done.communicate(timeout=30)
        assert done.returncode == 1
        assert said.strip().endswith(f"these must be set too: {missing}. Nothing was started.")
    assert not (tmp_path / "keys.json").exists()
