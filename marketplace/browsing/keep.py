"""Keeps one Fava while somebody looks: python keep.py MARKER LEDGER PORT PREFIX

It imports nothing of ours. It ends, and Fava with it, when the marker is gone or was not touched for a quarter of an
hour, when Fava ends, or when the process that began it does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

IDLE_SECONDS = 15 * 60


def main(marker: Path, ledger: str, port: str, prefix: str) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    parent = os.getppid()
    fava = Path(sys.executable).with_name("fava")
    command = [str(fava), "--host", "127.0.0.1", "--port", port, "--prefix", prefix, "--read-only", ledger]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while child.poll() is None and os.getppid() == parent and _is_wanted(marker):
            time.sleep(1)
    except KeyboardInterrupt:
        pass
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)
        child.kill()


def _is_wanted(marker: Path) -> bool:
    try:
        return time.time() - marker.stat().st_mtime < IDLE_SECONDS
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5])
