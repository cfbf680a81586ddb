"""Part 1: redemptions a second through the operation, beside bare SQL and beside django-hordak."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from psycopg import sql

from marketplace.config import embedded
from marketplace.config.environment import PROJECT
from tests import databases
from tests.bench import bare, cities, clients, ground, history, server
from tests.bench.measure import Bar, Series, count, paired
from tests.bench.results import Result
from tests.bench.sizes import Size

PROCESSES = (1, 2, 4)
MANY = 16
HORDAK = Path(__file__).parent / "hordak_bench"
WRITTEN = (
    "vouchers_redemption", "vouchers_claim", "vouchers_movement", "vouchers_voucher",
    "ledger_entry", "ledger_transfer", "ledger_record",
)  # by one redemption  # fmt: skip


def run(size: Size) -> Result:
    elders = size.redemptions // history.MEALS_A_MONTH
    empty, old = cities.without_history(size.redemptions), cities.with_history(size.redemptions)
    hordak_python = environment_of_hordak()
    bare_name, hordak_name = "run_bare", "run_hordak"
    script = bare.make(bare_name, vouchers=elders, premises=ground.PREMISES)
    hordak = hordak_environment(hordak_name)
    server.create(hordak_name)
    hordak_command = [str(hordak_python), "-m", "tests.bench.hordak_bench.client"]
    subprocess.run([*hordak_command, "setup", str(elders), str(ground.PREMISES)], env=hordak, check=True)

    series: dict[tuple[str, int], Series] = {}
    times: dict[tuple[str, int], tuple[Series, Series]] = {}
    ours = [sys.executable, "-m", "tests.bench.client"]
    with (
        server.clone(empty, "empty") as empty_name,
        server.clone(old, "old") as old_name,
        server.clone(empty, "unguarded") as unguarded_name,
        clients.crew(ours, dict(os.environ)) as our_crew,
        clients.crew(hordak_command, hordak) as hordak_crew,
    ):
        take_guards_away(unguarded_name)
        server.settle_down(empty_name, old_name, unguarded_name, bare_name, hordak_name)

        def redeem(label: str, database: str, processes: int, *, one_premises: bool = False) -> None:
            what = {"database": database, "elders": elders, "one_premises": one_premises}
            note(label, processes, our_crew.run(processes, size.seconds, what))

        def note(label: str, processes: int, found: dict[str, float]) -> None:
            series.setdefault((label, processes), Series()).add(found["rate"])
            if "ms" in found:
                middle, tail = times.setdefault((label, processes), (Series(), Series()))
                middle.add(found["ms"])
                tail.add(found["p99"])

        for turn in range(size.rounds):
            for processes in PROCESSES:
                redeem("empty", empty_name, processes)
                note("pgbench", processes, {"rate": bare.run(bare_name, script, processes, size.seconds)})
                what = {"vouchers": elders, "premises": ground.PREMISES}
                note("hordak", processes, hordak_crew.run(processes, size.seconds, what))
                redeem("old", old_name, processes)
            redeem("unguarded", unguarded_name, 1)
            redeem("spread", empty_name, MANY)
            redeem("one premises", empty_name, MANY, one_premises=True)
            server.say(f"  round {turn + 1} of {size.rounds}")
    for name in (bare_name, hordak_name):
        server.drop(name)
    return report(size, series, times)


def take_guards_away(name: str) -> None:
    """What the database's own guards cost: the tables a redemption writes, without foreign keys, checks and triggers."""
    with databases.superuser(name) as connection:
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
            "WHERE contype IN ('f', 'c') AND conrelid::regclass::text = ANY(%s)",
            [list(WRITTEN)],
        ).fetchall()
        for table, constraint in constraints:
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.SQL(constraint))
            )
        for table in WRITTEN:
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))


def environment_of_hordak() -> Path:
    """The Python of a virtual environment of its own, made once: its libraries are none of ours."""
    home = settings.DATA_DIR / "bench-venv"
    python = home / "bin" / "python"
    wanted = (HORDAK / "requirements.txt").read_text()
    stamp = home / "made-from"
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = PROJECT / ".venv" / "bin" / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", python, "-r", HORDAK / "requirements.txt"],
            check=True,
        )
        stamp.write_text(wanted)
    return python


def hordak_environment(database: str) -> dict[str, str]:
    return {
        **os.environ,
        "HORDAK_DATABASE": database,
        "HORDAK_HOST": str(embedded.socket_dir(settings.DATA_DIR)),
        "PYTHONPATH": str(PROJECT),
        "DJANGO_SETTINGS_MODULE": "tests.bench.hordak_bench.settings",
    }


def report(size: Size, series: dict, times: dict) -> Result:
    result = Result("redemptions", "Redemptions through the operation, all rules")
    for processes in (1, 2):
        at = f"at {processes} process{'es' if processes > 1 else ''}"
        empty = series["empty", processes]
        result.promise(
            Bar(f"times django-hordak {at}", paired(empty, series["hordak", processes]), 1.3),
            Bar(f"share of bare SQL {at}", paired(empty, series["pgbench", processes]), 0.15, form="{:.0%}"),
            Bar(
                f"with {count(size.redemptions)} old rows, share of its own speed {at}",
                paired(series["old", processes], empty),
                0.75,
                form="{:.0%}",
            ),
        )
    result.promise(
        Bar(
            f"all on one premises, share of its own speed at {MANY} clients",
            paired(series["one premises", MANY], series["spread", MANY]),
            0.75,
            form="{:.0%}",
        )
    )
    names = {
        "empty": "our operation, empty history",
        "unguarded": "our operation, empty history, without the database's guards",
        "old": f"our operation, {count(size.redemptions)} old redemptions",
        "pgbench": "bare SQL (pgbench)",
        "hordak": "django-hordak, lock and key",
        "spread": "our operation, spread over the city",
        "one premises": "our operation, all on one premises",
    }
    rows = []
    for (label, processes), rates in sorted(series.items(), key=lambda item: (item[0][1], -item[1].median)):
        middle, tail = times.get((label, processes), (None, None))
        rows.append(
            [
                names[label],
                str(processes),
                count(rates.median),
                rates.spread,
                f"{middle.median:.2f}" if middle else "",
                f"{tail.median:.2f}" if tail else "",
            ]
        )
    result.show(
        f"A second, medians of {size.rounds} interleaved rounds of {size.seconds} s",
        ["", "processes", "a second", "spread", "ms, median", "ms, 99th"],
        rows,
    )
    result.notes += [
        "Every redemption of the bench locks elder and vouchers, checks all rules of section 4, spends one voucher and "
        "writes redemption, claim, movement, entry, two transfers and an audit record.",
        "Bare SQL is one statement on bare tables: lock the voucher, lower it, insert the redemption under a unique key, "
        "the entry and two transfers; no rules, foreign keys, triggers or audit.",
        "Without the database's guards: the same on tables whose foreign keys, checks and triggers were taken away. It is "
        "no way to run it; it shows what they cost.",
        "django-hordak 2.0 does `transfer_to` behind a voucher row locked by `select_for_update` and a row with a unique "
        "key, on the same server with the same driver options; it checks no other rule.",
    ]
    return result
