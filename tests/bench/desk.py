"""One reader or one counter of the desk, in a process of its own: python -m tests.bench.desk DATABASE view|count.

Prints one JSON object: what it took, and the most memory the process held.
"""

import json
import os
import sys
import time
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from marketplace.accounts.models import User  # noqa: E402
from marketplace.overview.operations import take_snapshot  # noqa: E402
from tests import databases  # noqa: E402
from tests.bench import ground, memory  # noqa: E402

VIEWS = 15  # of each page, in turn
WARM = 2  # before them: templates are read, plans made
LEASE = "LS00002"


def view() -> dict[str, Any]:
    """The server's milliseconds of each view of each page, from request to its last byte, and a view's queries."""
    clerk = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    clerk.force_login(User.objects.get(username="clerk"), settings.AUTHENTICATION_BACKENDS[-1])
    january = ground.JANUARY
    pages = {
        "the month at a glance": reverse("bureau:overview"),
        "the month, lease by lease": reverse("bureau:month", args=[january]),
        "beside the month before": reverse("bureau:compare", args=[january]),
        "one statement": reverse("statement", args=[LEASE, january]),
        "the lines of its earnings": reverse("lines", args=[LEASE, january, "credit"]),
        "arrears": reverse("bureau:arrears"),
    }
    taken: dict[str, list[float]] = {what: [] for what in pages}
    for turn in range(WARM + VIEWS):
        for what, address in pages.items():
            began = time.monotonic()
            answer = clerk.get(address)
            milliseconds = (time.monotonic() - began) * 1000
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code}")
            if turn >= WARM:
                taken[what].append(milliseconds)
    queries = {}
    for what, address in pages.items():
        with CaptureQueriesContext(connection) as asked:
            clerk.get(address)
        queries[what] = len(asked)
    return {"milliseconds": taken, "queries": queries}


def count() -> dict[str, Any]:
    """The seconds of what the worker counts for the overview: one pass over all vouchers."""
    noon = ground.at_noon(ground.FEBRUARY)
    began = time.monotonic()
    if take_snapshot(today=noon.date(), at=noon) is None:
        raise SystemExit("it was counted before: nothing was measured")
    return {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    with databases.pointed_at(sys.argv[1]):
        found = {"view": view, "count": count}[sys.argv[2]]()
    print(json.dumps({**found, "memory": memory.held(os.getpid())}))
