"""Reading stays small however large the file (strength.md 18): measured from outside, in a process of its own.

Each measurement has its control, which does the same without the protection and must be seen to be large.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.test_workbooks import HONEST, elements_bomb, pieces
from tests.ledger.workbooks import MAIN, SHEET, exchanged

ROOT = Path(__file__).resolve().parents[2]
MB = 1024 * 1024

_CHILD = """
import sys
from django.conf import settings
settings.configure(USE_I18N=False)
from ledger.files import workbook_rows
from ledger.files.kinds import CODE, INSTANT, text
from ledger.files.problems import FileRefused
from ledger.files.table import Column, Table
COLUMNS = [Column("key", CODE), Column("reversed_at", INSTANT), Column("reason", text(4000))]
path = sys.argv[1]
def peak():
    # of this process alone: ru_maxrss would start with what the parent had
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
before = peak()
{work}
print(said, peak() - before)
"""

CHECK = """
try:
    said = Table(path, COLUMNS).check()
except FileRefused as refused:
    said = str(refused.total)
"""
NO_GUARD = "workbook_rows.guard = lambda archive, limits: None" + CHECK
LIST_OF_ROWS = "said = len(list(Table(path, COLUMNS).rows()))"


def measured(path: Path, work: str) -> tuple[int, int]:
    """What the child said (rows or problems), and by how many MB its memory grew."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(work=work), str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, grown = done.stdout.split()
    print(work.strip().splitlines()[-1], said, grown)
    return int(said), int(grown)


def test_200_mb_of_csv_are_checked_in_a_few_mb(tmp_path: Path) -> None:
    path = tmp_path / "reversals.csv"
    block = "".join(
        f"K{n:05d},2026-08-02T10:00:00+08:00,{'老人未到店' * 200}\n" for n in range(1000)
    ).encode()
    times = 200 * MB // len(block) + 1
    with path.open("wb") as file:
        file.write(b"key,reversed_at,reason\n")
        for _ in range(times):
            file.write(block)
    assert path.stat().st_size > 200 * MB
    rows, grown = measured(path, CHECK)
    assert rows == times * 1000
    assert grown < 20, f"{grown} MB"
    rows, kept = measured(path, LIST_OF_ROWS)
    assert rows == times * 1000 and kept > 100, f"{kept} MB"


def test_a_csv_file_full_of_problems_is_as_small(tmp_path: Path) -> None:
    path = tmp_path / "reversals.csv"
    path.write_bytes(b"key,reversed_at,reason\n" + b"x,x,\n" * 150_000)
    problems, grown = measured(path, CHECK)
    assert problems == 450_000
    assert grown < 20, f"{grown} MB"


@pytest.mark.parametrize("piece", [b"x", b'\n","'], ids=["one endless line", "one endless row"])
def test_an_endless_row_is_given_up(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "reversals.csv"
    path.write_bytes(b'key,reversed_at,reason\n"' + piece * (60 * MB // len(piece)))
    problems, grown = measured(path, CHECK)
    assert problems == 1
    assert grown < 30, f"{grown} MB"


def test_a_workbook_bomb_is_defused_before_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    start, end = f'<worksheet xmlns="{MAIN}"><a>'.encode(), b"</a><sheetData/></worksheet>"
    path.write_bytes(exchanged(HONEST, SHEET, pieces(b"<b/>" * 250_000, 6, start, end)))
    assert path.stat().st_size < MB
    problems, grown = measured(path, CHECK)
    assert problems == 1 and grown < 20, f"{grown} MB"
    problems, grown = measured(path, NO_GUARD)
    assert problems == 1 and grown > 100, f"the bomb is none: {grown} MB"


def test_the_rows_of_a_workbook_are_not_gathered(tmp_path: Path) -> None:
    def content():
        yield f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">'.encode()
        for name in ("key", "reversed_at", "reason"):
            yield f'<c t="inlineStr"><is><t>{name}</t></is></c>'.encode()
        yield b"</row>"
        cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
        for n in range(8_000):
            reason = "".join(f"样例{n * k}" for k in range(60))
            cells = (f"K{n:05d}", "2026-08-02T10:00:00+08:00", reason)
            yield f"<row>{''.join(map(cell.format, cells))}</row>".encode()
        yield b"</sheetData></worksheet>"

    path = tmp_path / "reversals.xlsx"
    path.write_bytes(exchanged(HONEST, SHEET, content()))
    rows, grown = measured(path, CHECK)
    assert rows == 8_000 and grown < 30, f"{grown} MB"
    rows, kept = measured(path, LIST_OF_ROWS)
    assert rows == 8_000 and kept > grown + 5, f"{kept} MB, {grown} MB"


def test_the_small_bomb_of_the_other_tests_is_one() -> None:
    assert len(elements_bomb()) < 20_000
