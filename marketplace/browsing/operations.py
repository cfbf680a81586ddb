"""Opening a month's books in Fava, and asking it for a page."""

import contextlib
import fcntl
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

KEEPER = Path(__file__).with_name("keep.py")
MOST_OPEN = 2  # months at a time; each takes some hundred MB
MOST_BYTES = 30_000_000  # of a month's file: about 100,000 entries, ten seconds, half a gigabyte
ANSWER_SECONDS = 60
PASSED_ON = ("Content-Type", "ETag", "Last-Modified")

_begun: list[subprocess.Popen] = []  # by this process; looked at, so that none stays a zombie


class TooLarge(Exception):
    """The month's file is more than can be read in a moment."""


class NotYet(Exception):
    """Fava still reads the books: ask again in a moment."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ledger_of(books: Path, month: date) -> Path | None:
    """The month's file that loads by itself, where one is written."""
    path = books / f"{month:%Y/%Y-%m}.alone.beancount"
    return path if path.exists() else None


def is_small(ledger: Path) -> bool:
    return ledger.stat().st_size + _month_of(ledger).stat().st_size <= MOST_BYTES


def _month_of(ledger: Path) -> Path:
    return ledger.with_name(ledger.name.replace(".alone.", "."))


def open_books(*, ledger: Path, prefix: str, run: Path) -> tuple[int, bool]:
    """This function will see to it that a Fava reads this file; its port, and whether it was begun now.

    `prefix`: the path under which it is shown. `run`: a folder for the markers of those open. Of more than
    MOST_OPEN the one longest not looked at is closed. Raises TooLarge.
    """
    if not is_small(ledger):
        raise TooLarge
    run.mkdir(parents=True, exist_ok=True)
    marker = run / f"fava-{ledger.name.partition('.')[0]}.json"
    with _alone(run):
        _begun[:] = [child for child in _begun if child.poll() is None]
        if (port := _open_at(marker)) is not None:
            os.utime(marker)
            return port, False
        others = sorted(run.glob("fava-*.json"), key=lambda path: path.stat().st_mtime)
        for path in [path for path in others if path != marker][: len(others) + 1 - MOST_OPEN]:
            path.unlink()  # its keeper sees that and ends
        port = _free_port()
        marker.touch()
        command = [sys.executable, str(KEEPER), str(marker), str(ledger), str(port), prefix]
        # None of our keys go with it.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
        _begun.append(child)
        marker.write_text(json.dumps({"pid": child.pid, "port": port}))
    return port, True


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    with open(run / "fava.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _open_at(marker: Path) -> int | None:
    """The port of the Fava that this marker names, while its keeper lives."""
    try:
        told = json.loads(marker.read_text())
        command = Path(f"/proc/{told['pid']}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    return int(told["port"]) if str(marker).encode() in command else None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ask(*, port: int, path: str, language: str) -> Answer:
    """What Fava answers to a GET of this path with its query. Raises NotYet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept-Language": language})
        answer = connection.getresponse()
        headers = {name: value for name in PASSED_ON if (value := answer.getheader(name))}
        if where := answer.getheader("Location"):
            headers["Location"] = where
        return Answer(answer.status, headers, answer.read())
    except ConnectionRefusedError as error:
        raise NotYet from error
    finally:
        connection.close()
