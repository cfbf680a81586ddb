"""The desk's pages over the month of a city of a million elders, and over a tenth of it."""

import json
import os
import subprocess
import sys
from typing import Any

from marketplace.config.environment import PROJECT
from tests.bench import cities, ground, history, server
from tests.bench.desk import VIEWS
from tests.bench.measure import Bar, Series, count
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.settlement.operations import close_month

LIMIT_MS = 300
PROMISED = ("the month at a glance", "the month, lease by lease")


def run(size: Size) -> Result:
    result = Result("pages", "The desk's pages")
    small, whole = size.desk // 10, size.desk
    counted, viewed = {}, {}
    for redemptions in (small, whole):
        with server.clone(cities.with_history(redemptions), "pages") as name:
            close_month(month=ground.JANUARY, by=ground.BY, at=ground.at_noon(ground.FEBRUARY))
            server.settle_down(name)
            counted[redemptions] = _told(name, "count")
            viewed[redemptions] = _told(name, "view")
    taken = {
        redemptions: {what: Series(values) for what, values in told["milliseconds"].items()}
        for redemptions, told in viewed.items()
    }
    queries = viewed[whole]["queries"]
    result.promise(
        *(
            Bar(f"{what}, ms", taken[whole][what].median, LIMIT_MS, least=False, form="{:.0f}")
            for what in PROMISED
        ),
        Bar(
            "queries of all these pages, times those at a tenth",
            sum(queries.values()) / sum(viewed[small]["queries"].values()),
            1,
            least=False,
        ),
        *(
            Bar(
                f"memory of {who}, times that at a tenth",
                told[whole]["memory"] / told[small]["memory"],
                1.1,
                least=False,
            )
            for who, told in (("what serves them", viewed), ("what counts for them", counted))
        ),
    )
    result.show(
        f"Milliseconds, medians of {VIEWS} views, one at a time",
        ["", f"{count(small)} redemptions", f"{count(whole)}", "spread", "queries"],
        [
            [
                what,
                f"{taken[small][what].median:.0f}",
                f"{series.median:.0f}",
                series.spread,
                str(queries[what]),
            ]
            for what, series in taken[whole].items()
        ],
    )
    result.notes += [
        f"{ground.PREMISES} leases; {count(whole // history.MEALS_A_MONTH)} elders, each with vouchers of two months; "
        f"{count(whole)} redemptions of one month.",
        f"What needs a pass over all vouchers is counted by the worker: {counted[whole]['seconds']:.0f} s "
        f"({counted[small]['seconds']:.1f} s at a tenth).",
        f"Memory: {viewed[whole]['memory']:.0f} MB what serves them, {counted[whole]['memory']:.0f} MB what counts.",
    ]
    return result


def _told(name: str, what: str) -> dict[str, Any]:
    """What a process of its own says of database `name`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.desk", name, what],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
