"""A process that redeems and acknowledges, made to be killed (test_kill.py).

    python -m tests.strength.driver RECEIPTS FIRST [POINT AT]

It redeems orders FIRST, FIRST + 1, ... on the embedded database of TEST_DATA_DIR, by two threads, and writes
each receipt to the file RECEIPTS once `redeem` has returned: that line is what the world was promised. With
POINT it has one thread and kills itself with -9 at its AT-th writing (from 1). A lost database ends it with 3.
"""

import itertools
import json
import os
import signal
import sys
import threading
from typing import Any, NoReturn

MOST = 5000  # orders; nobody lets it come that far
LOST_DATABASE = 3
POINTS = (
    "before the write",
    "before the commit",
    "before the answer",
    "before the acknowledgement",
    "acknowledged too soon",
)


def order(number: int) -> Any:
    """The order with this number: an hour of care for one of three elders."""
    from tests import story

    who = ("LI", "ZHANG", "WANG")[number % 3]
    return story.order_of(f"k{number}", who, "HOUR", "PM09", "2026-01-05 11:30")


def receipt(key: str, redeemed: Any) -> dict[str, Any]:
    """What a receipt says and will say for ever, as JSON has it."""
    return {
        "key": key,
        "number": redeemed.number,
        "split": {part: str(getattr(redeemed.split, part)) for part in redeemed.split.__dataclass_fields__},
        "spent": [[*voucher, str(amount), str(left)] for *voucher, amount, left in redeemed.spent],
    }


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


class Uncommitted:
    """A transaction that sends what it is given and keeps the COMMIT back."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def send(self, *commands: Any, last: bool = False) -> Any:
        return self._transaction.send(*commands)


def prepare(point: str, at: int, acknowledge: Any) -> None:
    """Put the death at its point."""
    from ledger import wire
    from vouchers.redemption import operations, statements

    write, under = statements.write, operations._redeem_under
    writings = itertools.count(1)
    written = 0

    def dying_write(transaction: Any, **given: Any) -> Any:
        nonlocal written
        written = next(writings)
        if written != at:
            return write(transaction, **given)
        if point == "before the write":
            die()
        if point == "before the commit":
            write(Uncommitted(transaction), **given)
            die()
        if point == "before the answer":
            wire._wait = deaf
        if point == "acknowledged too soon":
            transaction = Uncommitted(transaction)
        result = write(transaction, **given)
        if point == "before the acknowledgement":
            die()
        return result

    def deaf(pgconn: Any) -> Any:
        """All is sent, COMMIT too; the server may have done it or not."""
        while pgconn.flush():
            pass
        die()

    def hasty(*args: Any, **given: Any) -> Any:
        redeemed = under(*args, **given)
        if redeemed is not None:  # None: the terms were not read yet, it comes again
            acknowledge(given["order"].key, redeemed)
            if written == at:
                die()
        return redeemed

    statements.write = dying_write
    if point == "acknowledged too soon":
        operations._redeem_under = hasty


def main(receipts: str, first: str, point: str = "", at: str = "0") -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import InterfaceError, OperationalError

    from marketplace.config import embedded
    from tests.story import moment
    from vouchers.redemption import operations

    file = os.open(receipts, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acknowledge(key: str, redeemed: Any) -> None:
        os.write(file, json.dumps(receipt(key, redeemed)).encode() + b"\n")

    if point:
        assert point in POINTS
        prepare(point, int(at), acknowledge)
    threads = 1 if point else 2

    def work(lane: int) -> None:
        try:
            for number in range(int(first) + lane, int(first) + MOST, threads):
                wanted = order(number)
                redeemed = operations.redeem(order=wanted, by="driver", at=moment("2026-01-05 12:00"))
                if point != "acknowledged too soon":
                    acknowledge(wanted.key, redeemed)
        except (OperationalError, InterfaceError) as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(LOST_DATABASE)  # as a killed one, it tidies nothing up

    with embedded.servers(settings.DATA_DIR):
        lanes = [threading.Thread(target=work, args=(lane,)) for lane in range(threads)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
