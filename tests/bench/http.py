"""Part 5: redemptions over HTTP, with all that belongs to them, beside a bare view that makes the same two statements.

Server, database and load on the same cores; 16 connections that each wait for their answer.
"""

import tempfile
from pathlib import Path

from django.utils import timezone

from providers.models import Premises
from tests.api.served import served
from tests.bench import ground, http_client, server
from tests.bench.measure import Bar, Series, count, paired
from tests.bench.results import Result
from tests.bench.sizes import Size
from tests.config import processes
from vouchers.codes import digits
from vouchers.models import Elder, ElderCode
from vouchers.redemption import terms
from vouchers.terminals.operations import add_terminal

CONNECTIONS = 16
WORKERS, THREADS = 2, 5
BARE = "tests.bench.http_bare"


def run(size: Size) -> Result:
    elders = max(2_000, size.redemptions // 20)
    month = timezone.localdate().replace(day=1)

    def fill(name: str) -> None:
        ground.build(name, elders=elders)
        ground.issue_month(month)
        terms.current()
        people = Elder.objects.order_by("id").values_list("id", flat=True)
        ElderCode.objects.bulk_create(
            (
                ElderCode(elder_id=id_, number=number, typed=digits.fresh())
                for number, id_ in enumerate(people, 1)
            ),
            batch_size=10_000,
        )

    kept = server.kept(f"http_{elders}_{month:%Y%m}", fill)
    series: dict[str, Series] = {}
    with server.clone(kept, "http") as ours, tempfile.TemporaryDirectory(prefix="yiquan-bench-") as folder:
        tokens = [
            add_terminal(premises=place, name="bench", by=ground.BY, at=timezone.now()).token
            for place in Premises.objects.order_by("code")
        ]
        load = http_client.Load(elders=elders, tokens=tokens, month=month)
        home = Path(folder)
        server.settle_down(ours)
        with (
            served(ours, workers=WORKERS, threads=THREADS, home=home / "ours") as address,
            served(ours, workers=WORKERS, threads=THREADS, another=BARE, home=home / "bare") as bare,
        ):

            def measure(label: str, at: str, kind: str, seconds: float) -> None:
                found = load.run(at, kind, connections=CONNECTIONS, seconds=seconds)
                for what in ("rate", "ms", "p99"):
                    series.setdefault(f"{label} {what}", Series()).add(found[what])

            for kind, at in (("spread", address), ("bare", bare)):  # warm: terms, plans, pools
                load.run(at, kind, connections=CONNECTIONS, seconds=1)
            for turn in range(size.rounds):
                measure("bare", bare, "bare", size.seconds)
                measure("spread", address, "spread", size.seconds)
                measure("one", address, "one premises", size.seconds)
                rates = ", ".join(
                    f"{label} {series[f'{label} rate'].values[-1]:.0f}/s"
                    for label in ("bare", "spread", "one")
                )
                server.say(f"  round {turn + 1} of {size.rounds}: {rates}")
            requests = size.redemptions // 10
            before, after = memory_of(load, address, home / "ours", requests)
    return report(size, series, requests, before, after)


def memory_of(load: "http_client.Load", address: str, home: Path, requests: int) -> tuple[float, float]:
    """MB of the server's processes after a tenth of so many requests, and after all of them."""
    done, before = 0, 0.0
    while done < requests:
        found = load.run(address, "quotes", connections=CONNECTIONS, seconds=60, most=requests // 10)
        done += int(found["count"])
        before = before or resident(home)
    return before, resident(home)


def resident(home: Path) -> float:
    pages = 0
    for pid in processes.of(home):
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def report(size: Size, series: dict[str, Series], requests: int, before: float, after: float) -> Result:
    result = Result("http", "Redemptions over HTTP")
    result.promise(
        Bar(
            "share of the bare view's throughput",
            paired(series["spread rate"], series["bare rate"]),
            0.5,
            form="{:.0%}",
        ),
        Bar(
            "times the bare view's 99th percentile",
            paired(series["spread p99"], series["bare p99"]),
            3,
            least=False,
        ),
        Bar(
            "all on one premises, share of the spread load's throughput",
            paired(series["one rate"], series["spread rate"]),
            0.75,
            form="{:.0%}",
        ),
        Bar(
            f"memory after {count(requests)} requests, times that after a tenth",
            after / before,
            1.1,
            least=False,
        ),
    )
    names = {
        "bare": "bare view: the two statements, nothing else",
        "spread": "POST redemptions, spread over the city",
        "one": "POST redemptions, all at one counter",
    }
    result.show(
        f"A second, medians of {size.rounds} interleaved rounds of {size.seconds} s, {CONNECTIONS} connections",
        ["", "a second", "spread", "ms, median", "ms, 99th"],
        [
            [
                name,
                count(series[f"{label} rate"].median),
                series[f"{label} rate"].spread,
                f"{series[f'{label} ms'].median:.1f}",
                f"{series[f'{label} p99'].median:.1f}",
            ]
            for label, name in names.items()
        ],
    )
    result.notes += [
        f"granian with {WORKERS} workers of {THREADS} threads, as the site runs; fsync and synchronous_commit on; load, "
        "server and database share the cores.",
        "A request of ours: the terminal's token and key looked up, the elder's signed code verified and its use "
        "noted, all rules, then the two statements and the audit record, in the middle of all else that guards the API.",
        "The bare view has no middleware, asks nobody who he is, judges nothing, and makes the redemption's own two "
        "statements (lock and read; write) with what it is told.",
        f"Memory: the server's processes, {before:.0f} MB after a tenth of the requests and {after:.0f} MB after all "
        "(quotes, which read and judge the same).",
    ]
    return result
