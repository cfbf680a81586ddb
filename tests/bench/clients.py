"""Client processes that stay alive between rounds: told what to run, warmed up, then let go all at once.

The protocol is one JSON object a line. To a client: what to run, then `go`. From a client: `ready` once it has
warmed up, then its result: {"count": how many, "seconds": how long, "ms": [median, 99th percentile]}.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

WARM_UP_SECONDS = 0.4


# In the client


def serve(prepare: Callable[[dict[str, Any]], Callable[[], None]]) -> None:
    """Answer the protocol; `prepare` is given what to run and answers the function that does it once."""
    for line in sys.stdin:
        once = prepare(json.loads(line))
        _repeat(once, WARM_UP_SECONDS)
        _say("ready")
        wanted = json.loads(sys.stdin.readline())
        _say(_repeat(once, wanted["seconds"]))


def _repeat(once: Callable[[], None], seconds: float) -> dict[str, Any]:
    clock = time.perf_counter
    took = []
    began = now = clock()
    while now - began < seconds:
        once()
        later = clock()
        took.append(later - now)
        now = later
    took.sort()
    middle, tail = took[len(took) // 2], took[len(took) * 99 // 100]
    return {"count": len(took), "seconds": now - began, "ms": [middle * 1000, tail * 1000]}


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


# In the bench


class Crew:
    """Processes of one kind of client, started as they are needed."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._processes: list[subprocess.Popen[str]] = []

    def run(self, clients: int, seconds: float, what: dict[str, Any]) -> dict[str, float]:
        """Let so many clients run side by side: together a second, and the times of one in milliseconds."""
        while len(self._processes) < clients:
            self._processes.append(
                subprocess.Popen(
                    [*self._command, str(len(self._processes))],
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        chosen = self._processes[:clients]
        for process in chosen:
            _send(process, what)
        for process in chosen:
            _answer(process)
        for process in chosen:
            _send(process, {"seconds": seconds})
        results = [_answer(process) for process in chosen]
        return {
            "rate": sum(result["count"] / result["seconds"] for result in results),
            "ms": sum(result["ms"][0] for result in results) / clients,
            "p99": max(result["ms"][1] for result in results),
        }

    def stop(self) -> None:
        for process in self._processes:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
        for process in self._processes:
            process.wait(timeout=30)


@contextlib.contextmanager
def crew(command: list[str], environment: dict[str, str]) -> Iterator[Crew]:
    made = Crew(command, environment)
    try:
        yield made
    finally:
        made.stop()


def _send(process: subprocess.Popen[str], what: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a client stopped ({process.wait()}); what it said stands above.")
    return json.loads(line)
