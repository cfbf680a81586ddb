"""The desk's pages over a large city's month: the server's time of one page, from request to its last byte."""

import time
from datetime import datetime

from django.conf import settings
from django.test import Client
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.overview.operations import take_snapshot
from tests.bench import cities, ground, server
from tests.bench.measure import Bar, Series, count
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.settlement.operations import close_month

LIMIT_MS = 300
VIEWS = 15  # of each page, in turn
WARM = 2  # before them: templates are read, plans made


def run(size: Size) -> Result:
    result = Result("pages", "The desk's pages")
    with server.clone(cities.with_history(size.redemptions), "pages") as name:
        noon = ground.at_noon(ground.FEBRUARY)
        close_month(month=ground.JANUARY, by=ground.BY, at=noon)
        server.settle_down(name)
        counting = _counted(noon)
        taken = _views()
    bars = {"the month at a glance", "the month, lease by lease"}
    result.promise(
        *(
            Bar(f"{what}, ms", series.median, LIMIT_MS, least=False, form="{:.0f}")
            for what, series in taken.items()
            if what in bars
        )
    )
    result.show(
        f"Milliseconds, medians of {VIEWS} views, one at a time",
        ["", "ms", "spread"],
        [[what, f"{series.median:.0f}", series.spread] for what, series in taken.items()],
    )
    result.notes += [
        f"{ground.PREMISES} leases, {count(size.redemptions)} redemptions of one month.",
        f"What needs a pass over all vouchers is counted in the background: {counting:.1f} s.",
    ]
    return result


def _counted(at: datetime) -> float:
    began = time.monotonic()
    take_snapshot(today=at.date(), at=at)
    return time.monotonic() - began


def _views() -> dict[str, Series]:
    clerk = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    clerk.force_login(User.objects.get(username="clerk"), settings.AUTHENTICATION_BACKENDS[-1])
    january = ground.JANUARY
    lease = "LS00002"
    pages = {
        "the month at a glance": reverse("bureau:overview"),
        "the month, lease by lease": reverse("bureau:month", args=[january]),
        "beside the month before": reverse("bureau:compare", args=[january]),
        "one statement": reverse("statement", args=[lease, january]),
        "the lines of its earnings": reverse("lines", args=[lease, january, "credit"]),
        "arrears": reverse("bureau:arrears"),
    }
    taken = {what: Series() for what in pages}
    for turn in range(WARM + VIEWS):
        for what, address in pages.items():
            began = time.monotonic()
            answer = clerk.get(address)
            milliseconds = (time.monotonic() - began) * 1000
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code}")
            if turn >= WARM:
                taken[what].add(milliseconds)
    return taken
