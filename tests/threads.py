"""Calls at once, each in a thread with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections


def at_once(calls: Sequence[Callable[[], Any]], *, seconds: float = 60) -> list[Any]:
    """Run all calls, released together; what each returned or the exception that it raised, in order.

    Fails when one has not ended in time: it would hang for ever.
    """
    ready = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connections["default"].ensure_connection()
            ready.wait(seconds)
            answers[place] = call()
        except BaseException as error:
            answers[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    assert not any(thread.is_alive() for thread in threads), "a call still waits"
    return answers


def shared_out(calls: Sequence[Callable[[], Any]], *, threads: int, seconds: float = 600) -> list[Any]:
    """The same with a few threads that take the calls one after another."""
    answers: list[Any] = [None] * len(calls)

    def worker(first: int) -> Callable[[], None]:
        def run() -> None:
            for place in range(first, len(calls), threads):
                try:
                    answers[place] = calls[place]()
                except Exception as error:
                    answers[place] = error

        return run

    for failed in at_once([worker(first) for first in range(threads)], seconds=seconds):
        if failed is not None:
            raise failed
    return answers
