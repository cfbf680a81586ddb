"""One client that redeems, again and again, by the operation and nothing else: python -m tests.bench.client N."""

import contextlib
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from tests import databases  # noqa: E402
from tests.bench import clients, ground  # noqa: E402
from vouchers.redemption.operations import RedemptionOrder, redeem  # noqa: E402

MOST_CLIENTS = 16  # each has its own share of the elders
STRIDE = 7919  # from one elder to another far away, so that neighbours do not share pages


class Round:
    """Orders without end: each elder of this client's share once a day, day after day, in scattered order."""

    def __init__(self, client: int, database: str, elders: int, month: datetime) -> None:
        self._mark, self._database, self._done = f"{client}-{os.getpid()}", database, 0
        self._client, self._share, self._month = client, elders // MOST_CLIENTS, month

    def order(self, *, one_premises: bool) -> RedemptionOrder:
        day, place = divmod(self._done, self._share)
        elder = self._client * self._share + place * STRIDE % self._share
        self._done += 1
        return RedemptionOrder(
            key=f"{self._mark}-{self._done}",
            happened_at=self._month + timedelta(days=day % 28),
            premises=ground.premises_code(1 if one_premises else elder % ground.PREMISES + 1),
            service=ground.SERVICE,
            elder=ground.elder_code(elder),
            quantity=1,
            channel="qr",
        )


def main() -> None:
    client = int(sys.argv[1])
    rounds: dict[str, Round] = {}
    pointed = contextlib.ExitStack()

    def prepare(what: dict[str, Any]) -> Callable[[], None]:
        name, one_premises = what["database"], what["one_premises"]
        nonlocal pointed
        pointed.close()
        pointed = contextlib.ExitStack()
        pointed.enter_context(databases.pointed_at(name))
        if name not in rounds:
            rounds[name] = Round(client, name, what["elders"], ground.at_noon(ground.FEBRUARY))

        def once() -> None:
            redeem(order=rounds[name].order(one_premises=one_premises), by="bench", at=datetime.now(UTC))

        return once

    clients.serve(prepare)


if __name__ == "__main__":
    main()
