"""Becomes one of the three processes of the Procfile: web, worker or beat.

Environment: PORT and HOST (web listens there; default 8000 and 127.0.0.1), WEB_WORKERS, WEB_THREADS,
WORKER_PROCESSES.
"""

import ctypes
import os
import signal
import sys

from marketplace.config import embedded, environment

PR_SET_PDEATHSIG = 1


# Celery warns root about itself on every start; root here is a person trying the site, or a container.
QUIET = ["-W", "ignore:You're running the worker"]


def web_threads() -> str:
    return os.environ.get("WEB_THREADS") or str(min(8, 2 * (os.cpu_count() or 1) + 1))


def commands() -> dict[str, list[str]]:
    threads = web_threads()
    celery = ["celery", "--app", "marketplace.config.celery", "--quiet"]
    state = environment.data_dir() / "run"
    return {
        "web": [
            *["granian", "--interface", "wsgi", "marketplace.config.wsgi:application"],
            *["--host", os.environ.get("HOST", "127.0.0.1"), "--port", os.environ.get("PORT", "8000")],
            *["--workers", os.environ.get("WEB_WORKERS", "2"), "--blocking-threads", threads],
            *["--respawn-failed-workers", "--workers-kill-timeout", "8", "--no-ws", "--http", "1"],
            *["--log-level", "warning", "--respawn-interval", "0.5"],
        ],
        "worker": [
            *[*celery, "worker", "--concurrency", os.environ.get("WORKER_PROCESSES", "2")],
            *["--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
        ],
        # Beat keeps what is due in the database, not in a file.
        "beat": [
            *celery,
            "beat",
            "--loglevel",
            "WARNING",
            "--pidfile",
            "",
            "--schedule",
            str(state / "beat"),
        ],
    }


def main() -> None:
    name = sys.argv[1]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.config.settings")
    os.environ["YIQUAN_PROCESS"] = f"yiquan-{name}"
    if name == "web":
        os.environ["YIQUAN_POOL"] = "1"
        os.environ.setdefault("YIQUAN_POOL_SIZE", str(int(web_threads()) + 2))
    environment.keys()  # refuse in one sentence here, not in a traceback of each worker
    # Beat can miss a SIGTERM while it starts, and of two beats each would give out every task; what it keeps
    # is in the database, so it may as well be killed.
    end_with_parent(signal.SIGKILL if name == "beat" else signal.SIGTERM)
    supervisor = os.environ.get("YIQUAN_SUPERVISOR")
    if supervisor and embedded.is_gone(int(supervisor)):  # it died before the kernel was asked
        sys.exit(1)
    quiet = QUIET if name == "worker" else []
    os.execv(sys.executable, [sys.executable, *quiet, "-m", *commands()[name]])


def end_with_parent(number: int) -> None:
    """Have the kernel send this process `number` when its parent dies, however it dies. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


if __name__ == "__main__":
    main()
