"""The site's own web server for 100,000 redemptions (strength.md 20): memory and connections stay flat, nothing fails.

Faster than the 20 a second that are asked for: as fast as eight counters get their answers.
"""

import http.client
import json
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from marketplace.config.process import web_threads
from tests import databases, story
from tests.api import ground
from tests.api.served import in_threads, served
from tests.config import processes
from vouchers.models import Redemption
from vouchers.proof.queries import prove

pytestmark = pytest.mark.long

REQUESTS, PARTS, COUNTERS = 100_000, 10, 8
TERMINALS = 12  # one that sends more than 10,000 at once is slowed down
ELDERS = 120
FLAT = 1.1
"""So many times what it was after the first tenth, a server's memory may be."""


@dataclass
class Lunches:
    """Elders with all that they will eat in vouchers, each at a counter of their own."""

    requests: int
    tokens: list[str] = field(init=False)
    numbers: list[int] = field(init=False)

    def __post_init__(self) -> None:
        ground.town(vouchers=1, face=12 * (self.requests // ELDERS + 1))
        lotus = story.elder_named("LI").division
        for n in range(ELDERS):
            story.elder(f"EL{n:03d}", "王秀兰", "1945-06-07", lotus)
        story.issue_on(str(story.Programme.objects.get(code="PX").starts_on))
        self.tokens = [ground.terminal(name=f"{n} 号窗口") for n in range(TERMINALS)]
        self.numbers = [ground.number_of(f"EL{n:03d}") for n in range(ELDERS)]

    def request(self, n: int) -> tuple[bytes, dict[str, str]]:
        elder = n % ELDERS
        shown = ground.shown_now(self.numbers[elder])
        body = {"premises": "PM01", "service": "LUNCH", "quantity": 1, "elder": {"token": shown}}
        return json.dumps(body).encode(), {
            "Authorization": f"Bearer {self.tokens[elder % TERMINALS]}",
            "Idempotency-Key": f"soak-{n}",
            "Content-Type": "application/json",
        }


@contextmanager
def counters(address: str) -> Iterator[threading.local]:
    """A connection for each thread that asks, kept open as a terminal keeps its own."""
    kept: list[http.client.HTTPConnection] = []

    class Mine(threading.local):
        def __init__(self) -> None:
            self.line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
            kept.append(self.line)

    yield Mine()
    for line in kept:
        line.close()


def serve(address: str, lunches: Lunches, numbers: range) -> Tally[int]:
    """How often each status was answered."""
    with counters(address) as mine:

        def one(n: int) -> int:
            body, headers = lunches.request(n)
            mine.line.request("POST", "/api/v1/redemptions", body, headers)
            with mine.line.getresponse() as answer:
                answer.read()
                return answer.status

        answers = in_threads([lambda n=n: one(n) for n in numbers], threads=COUNTERS)
    return Tally(answer if isinstance(answer, int) else repr(answer) for answer in answers)


@dataclass
class Seen:
    """After each part: MB of each of the server's processes together, its connections to the database."""

    memory: list[float] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)

    def look(self, home: Path, database: str) -> None:
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes.of(home)]
        self.memory.append(sum(pages) * 4096 / 2**20)
        with databases.superuser() as watch:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            own = connection.connection.info.backend_pid if connection.connection else 0
            self.connections.append(watch.execute(asked, [database, own]).fetchone()[0])

    @property
    def is_flat(self) -> bool:
        return max(self.memory[1:]) <= FLAT * self.memory[0]


def soak(database: str, home: Path, requests: int, **how) -> tuple[Seen, Tally[int]]:
    lunches, seen, answered = Lunches(requests), Seen(), Tally()
    each = requests // PARTS
    with served(database, workers=2, threads=int(web_threads()), home=home, **how) as address:
        for part in range(PARTS):
            began = time.monotonic()
            answered += serve(address, lunches, range(part * each, (part + 1) * each))
            seen.look(home, database)
            pace = each / (time.monotonic() - began)
            print(
                f"{(part + 1) * each:,}: {pace:.0f}/s, {seen.memory[-1]:.0f} MB, {seen.connections[-1]} connections"
            )
            assert pace > 20
    return seen, answered


def test_a_hundred_thousand_redemptions_leave_the_server_as_it_was(fresh_db, tmp_path):
    seen, answered = soak(fresh_db, tmp_path / "web", REQUESTS)
    assert answered == {201: REQUESTS}
    assert seen.is_flat, seen.memory
    assert max(seen.connections) <= 2 * (int(web_threads()) + 2), seen.connections
    assert Redemption.objects.count() == REQUESTS
    spent = sum(Redemption.objects.values_list("vouchers", flat=True), Decimal(0))
    assert spent == 12 * REQUESTS
    assert {one.name for one in prove() if one.violations} == set()


LEAKING = """
from marketplace.config.wsgi import application as whole
kept = []
def application(environ, start_response):
    kept.append(b"x" * 100_000 + environ.get("HTTP_IDEMPOTENCY_KEY", "").encode())
    return whole(environ, start_response)
"""


def test_control_a_server_that_keeps_something_of_each_request_is_noticed(fresh_db, tmp_path):
    leaking = tmp_path / "leaking.py"
    leaking.write_text(LEAKING)
    seen, answered = soak(fresh_db, tmp_path / "web", 2_000, another=leaking)
    assert answered == {201: 2_000}
    assert not seen.is_flat, seen.memory
