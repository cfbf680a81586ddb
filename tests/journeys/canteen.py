"""A canteen with a real server process on a database of its own, and elders whose codes can be shown."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from marketplace.config import embedded
from providers.models import Premises
from tests import databases, story
from tests.api import ground
from tests.config import processes
from vouchers.codes.operations import card_code, elder_token, set_pin
from vouchers.elders.models import Elder
from vouchers.terminals.operations import give_code

KEYS = ("SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "TOKEN_KEYS")
QUEUE = [f"EL{n:02d}" for n in range(1, 26)]
PIN = ground.PIN


@dataclass
class Canteen:
    database: str
    home: Path
    port: int
    running: list[subprocess.Popen] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """The web process as the Procfile starts it, with one worker; answers when it is ready."""

        def url(user: str) -> str:
            return embedded.database_url(settings.DATA_DIR, user=user, database=self.database)

        environment = processes.environment(
            self.home,
            DJANGO_SETTINGS_MODULE="tests.journeys.server_settings",
            DATABASE_URL=url(embedded.APP),
            OWNER_DATABASE_URL=url(embedded.OWNER),
            BROKER_URL="redis://127.0.0.1:1/0",
            PORT=str(self.port),
            WEB_WORKERS="1",
            LONG=os.environ.get("LONG", ""),
            **{key: os.environ[key] for key in KEYS},
        )
        with open(self.home / "web.log", "a") as log:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "marketplace.config.process", "web"],
                    env=environment,
                    cwd=settings.BASE_DIR,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        until = time.monotonic() + 90
        while processes.status(f"{self.address}/healthz") != 200:
            assert time.monotonic() < until, (self.home / "web.log").read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """The server is gone in the middle of whatever it did."""
        for pid in processes.of(self.home):
            try:
                processes.kill(pid)
            except ProcessLookupError:
                continue
        for process in self.running:
            process.wait()
        self.running.clear()

    def code_for_a_tablet(self) -> str:
        place = Premises.objects.get(code="PM01")
        return give_code(premises=place, name="一号窗口", by="manager-op01", at=timezone.now())

    def shown_by(self, elder: str) -> str:
        """What the phone of this elder shows now."""
        return elder_token(elder=Elder.objects.get(code=elder), at=timezone.now())

    def card_of(self, elder: str) -> str:
        who = Elder.objects.get(code=elder)
        set_pin(elder=who, pin=PIN, by="test", at=timezone.now())
        return card_code(elder=who).text


@contextmanager
def canteen() -> Iterator[Canteen]:
    """Lunch (SOUP too) at PM01 for the town's three elders and 25 more, each with five vouchers of 10 yuan."""
    name = databases.clone(databases.template())
    home = Path(tempfile.mkdtemp(prefix="yiquan-canteen-", dir="/tmp"))
    with databases.pointed_at(name):
        ground.town()
        lotus = Elder.objects.get(code="LI").division
        for code in QUEUE:
            story.elder(code, "王秀兰", "1945-06-07", lotus)
        story.issue_on(str(story.Programme.objects.get(code="PX").starts_on))
        made = Canteen(name, home, processes.free_port())
        try:
            made.open()
            yield made
        finally:
            made.kill()
            shutil.rmtree(home, ignore_errors=True)
    databases.drop(name)
