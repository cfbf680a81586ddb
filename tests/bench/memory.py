"""How much memory processes hold: the high-water mark of what is resident, as Linux counts it."""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from marketplace.config.environment import PROJECT


def peak_memory(command: list[Any]) -> float:
    """Run a command to its end; the most memory, in MB, that any one of its processes held at once."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.PIPE, text=True
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, *(held(pid) for pid in [process.pid, *_descendants(process.pid)]))
        time.sleep(0.05)
    said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{command[-3:]} ended with {process.returncode}: {said[-2000:]}")
    return peak


def held(pid: int) -> float:
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1000 if found else 0.0
    return 0.0


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        waiting = [child for parent in waiting for child in children.get(parent, [])]
        found += waiting
    return found
