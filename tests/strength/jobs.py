"""A worker and a beat of the site on a test's database, with a broker of their own that may come and go."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from celery import Celery
from django.conf import settings

from marketplace.config import embedded
from tests.config import processes

KEYS = ("SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "TOKEN_KEYS")


@dataclass
class Jobs:
    """`home` is the DATA_DIR of these processes: their broker is there, their database on the tests' cluster."""

    database: str
    home: Path
    started: dict[str, subprocess.Popen] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        return processes.environment(
            self.home,
            DJANGO_SETTINGS_MODULE="marketplace.config.settings",
            DATABASE_URL=self._url(embedded.APP),
            OWNER_DATABASE_URL=self._url(embedded.OWNER),
            WORKER_PROCESSES="2",
            **{key: os.environ[key] for key in KEYS},
        )

    def _url(self, user: str) -> str:
        return embedded.database_url(settings.DATA_DIR, user=user, database=self.database)

    def start(self, name: str) -> subprocess.Popen:
        """`worker` or `beat`, as the Procfile starts it; what it says goes to home/NAME.log."""
        with open(self.home / f"{name}.log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "marketplace.config.process", name],
                env=self.environment(),
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.started[name] = process
        return process

    def broker(self) -> contextlib.AbstractContextManager[None]:
        return embedded.servers(self.home, postgres=False, valkey=True)

    def send(self, *tasks: str) -> None:
        with Celery("tests", broker=embedded.broker_url(self.home), set_as_current=False) as sender:
            for task in tasks:
                sender.send_task(task)

    def said(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()


@contextlib.contextmanager
def on(database: str) -> Iterator[Jobs]:
    """Nothing runs yet; what was started is ended afterwards."""
    jobs = Jobs(database, Path(tempfile.mkdtemp(prefix="yiquan-jobs-", dir="/tmp")))
    try:
        yield jobs
    finally:
        for process in jobs.started.values():
            process.terminate()
        for process in jobs.started.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in processes.of(jobs.home):
            with contextlib.suppress(ProcessLookupError):
                processes.kill(pid)
        shutil.rmtree(jobs.home, ignore_errors=True)
