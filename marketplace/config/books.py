"""`make books MONTH=2026-01`: export the books and open them in Fava, in a process that has nothing of ours.

Without a month the whole of the books, as long as they are small enough to be read in a moment. BOOKS_PORT is
where Fava listens (5000).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from marketplace.config import environment
from marketplace.config.install import refuse_taken_port

HOST, PORT = "127.0.0.1", "5000"
SMALL_BYTES = 30_000_000  # about 100,000 entries: ten seconds, half a gigabyte


def main() -> None:
    month = sys.argv[1] if len(sys.argv) > 1 else ""
    if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        sys.exit(f"MONTH is written 2026-01, not {month!r}.")
    refuse_taken_port(
        "BOOKS_PORT", PORT, host=HOST, command=f"make books MONTH={month}" if month else "make books"
    )
    folder = environment.data_dir() / "books"
    exported = subprocess.run(
        [sys.executable, "manage.py", "export_books", str(folder)], cwd=environment.PROJECT
    )
    if exported.returncode:
        sys.exit(1)
    ledger = chosen(folder, month)
    port = os.environ.get("BOOKS_PORT") or PORT
    sys.stdout.write(f"{ledger.name}: http://{HOST}:{port}/ (Ctrl-C ends it)\n")
    sys.stdout.flush()
    fava = Path(sys.executable).with_name("fava")
    os.execv(fava, [str(fava), "--host", HOST, "--port", port, "--read-only", str(ledger)])


def chosen(folder: Path, month: str) -> Path:
    """The file to show: a month's that loads by itself, or all of the books."""
    if month:
        path = folder / month[:4] / f"{month}.alone.beancount"
        if not path.exists():
            known = sorted(found.name[:7] for found in folder.glob("*/*.alone.beancount"))
            sys.exit(f"There are no books of {month}. There are: {', '.join(known) or 'none'}.")
        return path
    size = sum(path.stat().st_size for path in folder.rglob("*.beancount") if ".alone." not in path.name)
    if size > SMALL_BYTES:
        sys.exit(
            f"All of the books are {size // 1_000_000} MB, too much to browse: say which, MONTH=2026-01."
        )
    return folder / "main.beancount"


if __name__ == "__main__":
    main()
