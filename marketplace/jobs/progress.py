"""How far a job is, told to those who look while it runs.

An operation may hold one transaction for minutes, so its progress goes by another connection: a thread
that writes the last figures once a second. It is also the worker's sign of life.
"""

import threading
from types import TracebackType

from django.db import DatabaseError, connection
from django.utils import timezone

from marketplace.jobs.models import Job

SECONDS = 1.0


class Reporter:
    """`with Reporter(job) as progress: ... progress(done, total)`. The thread starts once that lasts a second."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._done, self._total = 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, name=f"progress of job {job.pk}", daemon=True)

    def __call__(self, done: int, total: int | None = None, what: str = "") -> None:
        self._done, self._total = done, total or 0

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _report(self) -> None:
        try:
            while not self._over.wait(SECONDS):
                try:
                    Job.objects.filter(pk=self._job.pk).update(
                        done=self._done, total=self._total, alive_at=timezone.now()
                    )
                except DatabaseError:
                    connection.close()  # the work itself will say what is wrong; this only tells of it
        finally:
            connection.close()
