"""Transactions in flight: calls in threads of their own, some held open, some waiting for others."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction


class Running:
    """A call in a thread of its own; `result()` waits for it and raises what it raised."""

    def __init__(self, call: Callable) -> None:
        self.error: BaseException | None = None
        self.value = None
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call: Callable) -> None:
        try:
            self.value = call()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def result(self):
        self._thread.join(30)
        assert not self._thread.is_alive(), "it still waits"
        if self.error:
            raise self.error
        return self.value


@contextmanager
def held_open(posting: Callable) -> Iterator[None]:
    """`posting` is done and not committed inside the block; it commits when the block ends."""
    done, go = threading.Event(), threading.Event()

    def in_one_transaction():
        try:
            with transaction.atomic():
                posting()
                done.set()
                assert go.wait(20)
        finally:
            done.set()

    running = Running(in_one_transaction)
    try:
        assert done.wait(20)
        yield
    finally:
        go.set()
        running.result()


def waiting(many: int, *, kind: str = "advisory", within: float = 10) -> bool:
    """Whether that many sessions come to wait in time, for a lock of this kind (pg_stat_activity's wait_event) in this database."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND wait_event = %s",
                [kind],
            )
            if cursor.fetchone()[0] >= many:
                return True
        time.sleep(0.02)
    return False
