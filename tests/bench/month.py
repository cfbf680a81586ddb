"""Part 3: the month of a large city, from its redemptions to statements approved and locked."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from ledger.journal.queries import is_locked
from marketplace.accounts.models import User
from tests import databases
from tests.bench import cities, ground, history, server
from tests.bench.measure import Bar, Series, count
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.settlement.models import Approval, Statement
from vouchers.settlement.operations import close_month, lock_if_complete, settle

LATE_SHARE = 100  # one in a hundred is learnt a month late
TRIES = 15  # of what takes moments: what late ones add is less than one try differs from the next
STEPS = ("drawn up", "nothing new", "approved", "next month", "next month with late ones")


def run(size: Size) -> Result:
    result = Result("month", "The month of a large city")
    rows, found = [], {}
    for redemptions in size.both:
        source = cities.with_history(redemptions)
        series = {step: Series() for step in STEPS}
        for turn in range(size.slow_rounds):
            with server.clone(source, "month") as name:
                server.settle_down(name)
                _one_round(name, redemptions, series)
                if turn == 0:
                    history.prove_sound()
            server.say(f"  {count(redemptions)}: round {turn + 1} of {size.slow_rounds}")
        found[redemptions] = series
        labels = {
            "drawn up": f"{count(redemptions)} redemptions drawn up for {ground.PREMISES} leases",
            "nothing new": "the same again, nothing new",
            "approved": f"{3 * ground.PREMISES} approvals, {count(redemptions)} claims standing, posted, locked",
            "next month": "the next month drawn up, nothing in it",
            "next month with late ones": f"the same with {count(redemptions // LATE_SHARE)} late ones",
        }
        rows += [[labels[step], f"{series[step].median:.2f}", series[step].spread] for step in STEPS]
    small, large = (found[redemptions]["drawn up"].median for redemptions in size.both)
    late = found[size.redemptions]["next month with late ones"].median
    bare = found[size.redemptions]["next month"].median
    whole = count(size.redemptions)
    result.promise(
        Bar(f"a month of {whole} drawn up, seconds", large, 60, least=False, form="{:.1f}"),
        Bar(
            f"{count(size.redemptions // LATE_SHARE)} late ones, share of that",
            max(late - bare, 0) / large,
            0.05,
            least=False,
            form="{:.1%}",
        ),
        Bar(
            f"cost of one redemption at {whole}, times that at {count(size.both[0])}",
            large / small / 10,
            1.2,
            least=False,
        ),
    )
    result.show(f"Seconds, medians of {size.slow_rounds} rounds", ["", "seconds", "spread"], rows)
    result.notes += [
        "Late ones are learnt of once their month is locked and count in the next; what they cost is what they add to "
        "the drawing up of that month.",
        "`verify_ledger` passes on the database before and after.",
    ]
    return result


def _one_round(name: str, redemptions: int, series: dict[str, Series]) -> None:
    def timed(step: str, work: Callable[[], Any]) -> None:
        server.checkpoint()
        connection.ensure_connection()
        began = time.monotonic()
        work()
        series[step].add(time.monotonic() - began)

    timed("drawn up", lambda: _draw_up(ground.JANUARY))
    standing = sum(Statement.objects.values_list("redemptions", flat=True))
    if standing != redemptions:
        raise SystemExit(f"{standing} redemptions stand on the statements where {redemptions} were made")
    timed("nothing new", lambda: _draw_up(ground.JANUARY))
    timed("approved", _approve)
    with databases.superuser(name) as admin:
        admin.execute(
            "VACUUM (ANALYZE) vouchers_claim"
        )  # as autovacuum does long before the next month's end
    for _ in range(TRIES):
        timed("next month", lambda: _draft(ground.FEBRUARY, 0))
    late = redemptions // LATE_SHARE
    history.load(name, ground.JANUARY, at_most=late)
    for _ in range(TRIES):
        timed("next month with late ones", lambda: _draft(ground.FEBRUARY, late))


def _draw_up(month: Any) -> None:
    close_month(month=month, by=ground.BY, at=ground.at_noon(month))


def _draft(month: Any, redemptions: int) -> None:
    """Draw up and take back, so that the same can be done again."""
    with transaction.atomic():
        _draw_up(month)
        found = Statement.objects.filter(month=month).aggregate(sum=Sum("redemptions"))["sum"]
        if found != redemptions:
            raise SystemExit(f"{found} redemptions counted where {redemptions} are late")
        transaction.set_rollback(True)


def _approve() -> None:
    names = {
        Approval.Step.CONFIRM: "clerk",
        Approval.Step.REVIEW: "officer",
        Approval.Step.APPROVE: "approver",
    }
    people = {step: User.objects.get(username=name) for step, name in names.items()}
    at = ground.at_noon(ground.FEBRUARY)
    refused = [
        refusal for _, refusal in settle(month=ground.JANUARY, people=people, clock=lambda: at) if refusal
    ]
    lock_if_complete(month=ground.JANUARY, by=people[Approval.Step.APPROVE], at=at)
    if refused or not is_locked(ground.JANUARY):
        raise SystemExit(f"January was not approved: {refused[:1]}")
