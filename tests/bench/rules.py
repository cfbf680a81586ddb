"""Part 5: every review rule over the month of a large city, and over what is new."""

import sys
import time
from datetime import datetime

from django.db import connection

from tests import databases
from tests.bench import cities, ground, history, server
from tests.bench.measure import Bar, Series, count, paired
from tests.bench.memory import peak_memory
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.models import Redemption, ReviewProgress
from vouchers.review.catalogue import RULES
from vouchers.review.operations import review_month, review_new

FAULTY = 100  # one in so many is told twice
NEW = 400  # twenty seconds of a busy noon


def run(size: Size) -> Result:
    result = Result("rules", "Review rules")
    half, whole = size.redemptions // 2, size.redemptions
    seconds = {redemptions: Series() for redemptions in (half, whole)}
    new, peak = Series(), Series()
    for redemptions in (half, whole):
        with server.clone(cities.with_history(redemptions), f"rules_{redemptions}") as name:
            history.load(name, ground.JANUARY, at_most=redemptions // FAULTY)
            server.settle_down(name)
            for turn in range(size.slow_rounds):
                _forget(name)
                seconds[redemptions].add(_month(redemptions))
                server.say(f"  {count(redemptions)}: round {turn + 1} of {size.slow_rounds}")
            if redemptions == whole:
                new.add(_new())
                _forget(name)
                command = [sys.executable, "-m", "tests.bench.command", name, "review_redemptions"]
                peak.add(peak_memory([*command, "--month", "2026-01"]))
    result.promise(
        Bar(
            f"{len(RULES)} rules over a month of {count(whole)} redemptions, seconds",
            seconds[whole].median,
            180,
            least=False,
            form="{:.1f}",
        ),
        Bar(
            f"twice the redemptions ({count(half)} to {count(whole)}), times the time",
            paired(seconds[whole], seconds[half]),
            2.1,
            least=False,
        ),
        Bar("memory of its process, MB", peak.median, 500, least=False, form="{:.0f}"),
        Bar(f"{NEW} new redemptions looked at, seconds", new.median, 20, least=False, form="{:.2f}"),
    )
    result.show(
        f"Seconds, medians of {size.slow_rounds} rounds",
        ["", "seconds", "spread"],
        [
            [f"{count(redemptions)} redemptions", f"{series.median:.1f}", series.spread]
            for redemptions, series in seconds.items()
        ],
    )
    result.notes += [
        f"One in {FAULTY} redemptions is told a second time within the quarter of an hour, and found.",
        "Read twice through server-side cursors, by elder and by lease; cases are written as they are found.",
    ]
    return result


def _month(redemptions: int) -> float:
    connection.ensure_connection()
    began = time.monotonic()
    opened = review_month(month=ground.JANUARY, by=ground.BY, at=ground.at_noon(ground.FEBRUARY))
    took = time.monotonic() - began
    if opened["duplicate"] < redemptions // FAULTY:
        raise SystemExit(f"{opened} were found where {redemptions // FAULTY} were told twice")
    return took


def _new() -> float:
    """The last few, looked at as if they had just come."""
    top = Redemption.objects.order_by("-id").values_list("id", flat=True)[NEW]
    ReviewProgress.objects.update_or_create(id=1, defaults={"through": top, "seen": top, "seen_in": 0})
    began = time.monotonic()
    review_new(by=ground.BY, clock=lambda: datetime.now(ground.SHANGHAI))
    return time.monotonic() - began


def _forget(name: str) -> None:
    with databases.superuser(name) as admin:
        admin.execute("ALTER TABLE vouchers_reviewcase DISABLE TRIGGER ALL")
        admin.execute("DELETE FROM vouchers_reviewcase")
        admin.execute("ALTER TABLE vouchers_reviewcase ENABLE TRIGGER ALL")
        admin.execute("VACUUM (ANALYZE) vouchers_reviewcase")
