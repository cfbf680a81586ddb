"""`make run`: the whole site on one machine, until Ctrl-C.

1. Start the embedded servers, bring the database up to date, make the sample city where there is nothing.
2. Start the processes of the Procfile with honcho; when one dies, start them again.
3. Keep the embedded servers up: start again what dies.
4. On Ctrl-C, SIGTERM or a closed terminal stop the processes, then the servers. Nothing stays behind.
"""

import contextlib
import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import honcho.manager
import psycopg

from marketplace.config import embedded, environment
from marketplace.config.install import refuse_taken_port, step, stop
from marketplace.config.process import end_with_parent

SECONDS_TO_STOP = 12
RESTARTS_PER_MINUTE = 5


def main() -> None:
    data = environment.data_dir()
    own_database, own_broker = environment.uses_embedded_database(), environment.uses_embedded_broker()
    os.chdir(environment.PROJECT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.config.settings")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    # A copy of this process that waits for a child must not outlive it, however it ends.
    multiprocessing.set_start_method("fork")
    os.environ["YIQUAN_SUPERVISOR"] = str(os.getpid())
    os.register_at_fork(after_in_child=_end_with_the_site)

    refuse_taken_port()
    environment.keys()
    began = time.monotonic()
    try:
        with only_one(data), contextlib.ExitStack() as stack:
            with step("database and broker"):
                stack.enter_context(embedded.servers(data, postgres=own_database, valkey=own_broker))
            prepare(data, own_database)
            site = Site(data, postgres=own_database, valkey=own_broker, began=began)
            status = site.run()
            stack.callback(print, "Stopped.", flush=True)
    except embedded.CannotStart as refusal:
        stop(f"make run: {refusal}")
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    sys.exit(status)


def _interrupt(number: int, frame) -> None:
    raise KeyboardInterrupt


def _end_with_the_site() -> None:
    end_with_parent(signal.SIGKILL)
    if os.getppid() != int(os.environ["YIQUAN_SUPERVISOR"]):
        os._exit(1)


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Two sites on one DATA_DIR would give out every periodic task twice."""
    (data / "run").mkdir(parents=True, exist_ok=True)
    with open(data / "run" / "site", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            stop(
                f"This DATA_DIR is in use: the site runs at {file.read().strip()}. Stop that first, or choose another DATA_DIR and PORT."
            )
        file.truncate(0)
        file.write(address())
        file.flush()
        yield
        file.truncate(0)


def address() -> str:
    return f"http://{os.environ.get('HOST') or 'localhost'}:{os.environ.get('PORT') or '8000'}/"


# Before the site starts


def prepare(data: Path, own_database: bool) -> None:
    """Bring the database up to date; on the embedded one make the sample city where nothing is."""
    with step("migrations"):
        manage("migrate", "--verbosity", "0", "--if-needed")
    if own_database and os.environ.get("SAMPLE_CITY") != "no":
        make_sample_city(data)


def make_sample_city(data: Path) -> None:
    unfinished = data / "run" / "sample-unfinished"
    if unfinished.exists() or is_empty(data):
        print("  sample city (once; a minute or so):", flush=True)
        unfinished.touch()
        manage("sample_city", quiet=False)
        unfinished.unlink()


def is_empty(data: Path) -> bool:
    url = embedded.database_url(data, user=embedded.APP)
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT EXISTS (SELECT FROM accounts_user) OR EXISTS (SELECT FROM providers_division)"
        ).fetchone()
    return found == (False,)


def manage(*arguments: str, quiet: bool = True) -> None:
    command = [sys.executable, "manage.py", *arguments]
    # In a session of its own, so that Ctrl-C is ours to pass on, once.
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = child.communicate()
    except KeyboardInterrupt:
        child.terminate()
        child.wait(timeout=SECONDS_TO_STOP)
        raise
    if child.returncode:
        stop(f"failed\n{said or ''}manage.py {' '.join(arguments)} failed; nothing was started.")


# The site


class Site:
    def __init__(self, data: Path, *, postgres: bool, valkey: bool, began: float) -> None:
        self.data, self.postgres, self.valkey, self.began = data, postgres, valkey, began
        self.stopping = threading.Event()
        self.asked = threading.Event()  # to stop, while no manager listened

    def run(self) -> int:
        """Run until asked to stop: 0. Not to be kept running: 1."""
        for work in (self.keep_servers, self.greet):
            threading.Thread(target=work, daemon=True).start()
        starts: list[float] = []
        while True:
            starts = [moment for moment in starts if time.monotonic() - moment < 60] + [time.monotonic()]
            if len(starts) > RESTARTS_PER_MINUTE:
                self.stopping.set()
                print(
                    f"The site ended {RESTARTS_PER_MINUTE} times within a minute; see above.", file=sys.stderr
                )
                return 1
            if not self.run_once():
                print("A process died: starting again.", file=sys.stderr, flush=True)
                self.asked.wait(0.5)
                if not self.asked.is_set():
                    continue
            self.stopping.set()
            return 0

    def run_once(self) -> bool:
        """Run the Procfile's processes until all have ended; whether somebody asked for that."""
        honcho.manager.KILL_WAIT = SECONDS_TO_STOP
        manager = honcho.manager.Manager(QuietPrinter(sys.stdout))
        for line in Path("Procfile").read_text().splitlines():
            name, colon, command = line.partition(":")
            if colon:
                manager.add_process(name.strip(), f"exec {command.strip()}")
        signal.signal(signal.SIGHUP, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))
        try:
            manager.loop()
        finally:
            # The manager's handlers would tell it, and it has ended.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda number, frame: self.asked.set())
            # A process killed with -9 leaves children; they share its session.
            for process in manager._processes.values():
                _end_group(process.get("pid"))
        return manager.returncode in (130, 143)

    def keep_servers(self) -> None:
        while not self.stopping.wait(1):
            if self.asked.is_set():  # between two rounds, too late for the next one not to begin
                os.kill(os.getpid(), signal.SIGTERM)
            try:
                embedded.ensure(self.data, postgres=self.postgres, valkey=self.valkey)
            except (embedded.CannotStart, OSError) as error:
                print(f"Trying again: {error}", file=sys.stderr, flush=True)

    def greet(self) -> None:
        url = f"http://{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}/healthz"
        while not self.stopping.wait(0.2):
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(url, timeout=5).close()
                break
        if not self.stopping.is_set():
            print(greeting(self.data, time.monotonic() - self.began), flush=True)


def greeting(data: Path, seconds: float) -> str:
    lines = ["", f"Yiquan is ready at {address()} ({seconds:.0f} s). Ctrl-C stops it.", ""]
    with contextlib.suppress(FileNotFoundError):
        people = json.loads((data / "demo-users.json").read_text())
        lines += [
            "Demo sign-ins:",
            *(f"  {p['role']:<18} {p['username']:<20} {p['password']}" for p in people),
            "",
        ]
    with contextlib.suppress(FileNotFoundError):
        families = json.loads((data / "demo-families.json").read_text(encoding="utf-8"))
        lines += [
            f"By phone, at {address()}my/ (the code appears here in the terminal):",
            *(f"  {p['role']:<18} {p['phone']:<20} {p['about']}" for p in families),
            "",
        ]
    return "\n".join(lines)


class QuietPrinter(honcho.manager.Printer):
    """What the processes say; not honcho's own news of starting and stopping."""

    def write(self, message) -> None:
        if message.name != honcho.manager.SYSTEM_PRINTER_NAME:
            super().write(message)


def _end_group(group: int | None) -> None:
    if group is None:
        return
    deadline = time.monotonic() + SECONDS_TO_STOP
    number = signal.SIGTERM
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while True:
            os.killpg(group, number)
            time.sleep(0.1)
            if time.monotonic() > deadline:
                number = signal.SIGKILL


if __name__ == "__main__":
    main()
