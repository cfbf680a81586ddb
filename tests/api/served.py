"""The web server of the site itself, on a test's database: `granian`, as the Procfile starts it."""

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from docs.yiquan_client import Yiquan
from marketplace.config import embedded
from tests.config import processes
from tests.strength.jobs import KEYS

APPLICATION = "marketplace.config.wsgi:application"
# The same command with another application, for controls: a module beside it that breaks something first.
ANOTHER = """
import os, sys
from marketplace.config import process
command = process.commands()["web"]
command[command.index({application!r})] = {other!r}
os.environ["YIQUAN_POOL"] = "1"
os.execv(sys.executable, [sys.executable, "-m", *command])
"""


@contextlib.contextmanager
def served(
    database: str,
    *,
    threads: int = 8,
    workers: int = 1,
    another: Path | str | None = None,
    home: Path | None = None,
) -> Iterator[str]:
    """The address of a web server with so many threads in each of its workers.

    `another` is a module of ours, or a file of Python, that makes an `application` of its own. `home` becomes the server's DATA_DIR, by
    which its processes can be found.
    """
    home = home or Path(tempfile.mkdtemp(prefix="yiquan-web-", dir="/tmp"))
    home.mkdir(exist_ok=True)
    port = processes.free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "marketplace.config.settings",
        "DATABASE_URL": embedded.database_url(settings.DATA_DIR, user=embedded.APP, database=database),
        "BROKER_URL": embedded.broker_url(home),
        "PORT": str(port),
        "WEB_WORKERS": str(workers),
        "WEB_THREADS": str(threads),
        **{key: os.environ[key] for key in KEYS},
    }
    command = ["-m", "marketplace.config.process", "web"]
    if another is not None:
        module = another if isinstance(another, str) else another.stem
        if not isinstance(another, str):
            environment["PYTHONPATH"] = f"{settings.BASE_DIR}{os.pathsep}{another.parent}"
        command = ["-c", ANOTHER.format(application=APPLICATION, other=f"{module}:application")]
    process = processes.python(home, *command, env=environment)
    said: list[str] = []
    assert process.stdout is not None
    listening = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    listening.start()
    address = f"http://127.0.0.1:{port}"
    try:
        processes.wait_until(
            lambda: process.poll() is not None or processes.status(f"{address}/healthz") == 200, 60
        )
        assert process.poll() is None, "".join(said)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
        listening.join(10)
        process.stdout.close()
        shutil.rmtree(home, ignore_errors=True)
    assert not [line for line in said if "Traceback" in line or '"level": "error"' in line], "".join(said)


def in_threads(calls: Sequence[Callable[[], Any]], *, threads: int) -> list[Any]:
    """What each call returned or raised, in order; `threads` of them at a time, begun together. No database here."""
    answers: list[Any] = [None] * len(calls)
    ready = threading.Barrier(min(threads, len(calls)))

    def work(first: int) -> None:
        ready.wait(60)
        for place in range(first, len(calls), threads):
            try:
                answers[place] = calls[place]()
            except Exception as error:
                answers[place] = error

    workers = [threading.Thread(target=work, args=(first,)) for first in range(min(threads, len(calls)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)
    assert not any(worker.is_alive() for worker in workers)
    return answers


def client(address: str, token: str) -> Yiquan:
    return Yiquan(address, token=token, language="en", seconds=30)
