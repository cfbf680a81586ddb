"""Looking at real processes, for tests that start and kill them."""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from marketplace.config import embedded
from tests import databases


def environment(data: Path, **more: str) -> dict[str, str]:
    """Of a person at a terminal: none of the test run's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(data), "PYTHONPATH": str(settings.BASE_DIR), "SAMPLE_CITY": "no", **more}


def python(data: Path, *arguments: str, **options) -> subprocess.Popen:
    """A program of ours; what it says goes to a pipe, or where `stdout` says: a full pipe would hold it up."""
    env = environment(data, **options.pop("env", {}))
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=env,
        cwd=settings.BASE_DIR,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def ended(process: subprocess.Popen, seconds: float = 240) -> str:
    """What the process said; it must have ended by itself, with 0."""
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, said
    return said


def migrated() -> Path:
    """A DATA_DIR with an up-to-date empty database, durable and at rest, to be copied: migrating takes a while.
    It is made once for a state of the code, by the first who asks."""
    place = Path(settings.DATA_DIR) / "migrated"
    servers = hashlib.sha256(Path(embedded.__file__).read_bytes()).hexdigest()[:8]
    data = place / f"{databases.fingerprint()}-{servers}"
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            for other in place.iterdir():
                if other.is_dir():  # of an earlier state, or of a making that was interrupted
                    shutil.rmtree(other)
            draft = place / "draft"
            ended(python(draft, "manage.py", "migrate"))
            draft.rename(data)
    return data


def of(data: Path) -> dict[int, str]:
    """Living processes that were started with this DATA_DIR or work in it: number and command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
            inside = (entry / "cwd").resolve().is_relative_to(data)
            if inside or f"DATA_DIR={data}".encode() in environ:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def matching(data: Path, *words: str) -> set[int]:
    """The processes of this DATA_DIR whose command line has all the words."""
    return {pid for pid, line in of(data).items() if all(word in line for word in words)}


def one(data: Path, *words: str) -> int:
    """The oldest of them. Numbers do not tell: the kernel begins anew with them."""
    return min(matching(data, *words), key=_started)


def _started(pid: int) -> int:
    """When a process began, in ticks since the machine did."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status(url: str) -> int:
    """The HTTP status, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def wait_until(
    true: Callable[[], object], seconds: float = 240, pause: float = 0.1, what: str = "it"
) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(pause)
