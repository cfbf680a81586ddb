"""Two records of one person (Elder.same_as): what one day allows, it allows the person, under whichever record."""

import pytest

from tests import story
from tests.flight import Running, held_open, waiting
from tests.story import moment
from tests.threads import at_once
from vouchers.elders.changes import link_double, part_double
from vouchers.redemption.operations import Redeemed, quote
from vouchers.redemption.refusals import CannotRedeem

NOON = "11:30"


@pytest.fixture
def pair(fresh_db) -> None:
    """Old Zhang stands on the register twice: as ZHANG, and as LI, the record that counts. Three meals a day."""
    story.town()
    story.issue_on("2026-01-01")
    link(True)


def link(yes: bool) -> None:
    about = {"reason": "一人两户", "by": "clerk", "at": moment("2026-01-02")}
    zhang = story.elder_named("ZHANG")
    if yes:
        link_double(double=zhang, counts=story.elder_named("LI"), **about)
    else:
        part_double(double=zhang, **about)


def meals(key: str, who: str, on: str, quantity: int) -> Redeemed:
    return story.redeem(key, who, "MEAL", "PM01", f"{on} {NOON}", quantity=quantity)


def refused(call, *args) -> bool:
    with pytest.raises(CannotRedeem) as refusal:
        call(*args)
    return refusal.value.code == "daily_limit"


def test_what_one_day_allows_it_allows_a_person(pair):
    meals("a", "LI", "2026-01-05", 2)
    assert refused(meals, "b", "ZHANG", "2026-01-05", 2)
    assert refused(quote_of, "ZHANG", "2026-01-05", 2)
    assert meals("c", "ZHANG", "2026-01-05", 1).spent  # the double's own vouchers pay
    assert refused(meals, "d", "LI", "2026-01-05", 1)
    assert meals("e", "WANG", "2026-01-05", 3)  # somebody else
    story.reverse("a", "2026-01-05 12:00")
    assert meals("f", "ZHANG", "2026-01-05", 2)  # what was reversed does not count

    # what is ordered counts, under either record
    story.place("order", "ZHANG", "MEAL", "PM01", "2026-01-06", "2026-01-05 18:00", quantity=2)
    assert refused(meals, "g", "LI", "2026-01-06", 2)
    assert refused(
        lambda: story.place("o", "LI", "MEAL", "PM01", "2026-01-06", "2026-01-05 18:30", quantity=2)
    )
    assert meals("h", "LI", "2026-01-06", 1)
    assert story.deliver("order", f"2026-01-06 {NOON}", quantity=2).spent

    link(False)  # control: two people after all have two days' worth
    meals("i", "LI", "2026-01-07", 3)
    assert meals("j", "ZHANG", "2026-01-07", 3)


def quote_of(who: str, on: str, quantity: int) -> None:
    quote(order=story.order_of("q", who, "MEAL", "PM01", f"{on} {NOON}", quantity=quantity))


def test_under_both_records_at_once_one_waits_for_the_other(pair):
    meals("warm", "WANG", "2026-01-04", 1)  # reads the terms once
    with held_open(lambda: meals("first", "ZHANG", "2026-01-05", 2)):
        second = Running(lambda: meals("second", "LI", "2026-01-05", 2))
        assert waiting(1, kind="transactionid")
        assert meals("control", "WANG", "2026-01-05", 2)  # somebody else does not wait
    assert refused(second.result)
    # crosswise, many at once: no deadlock, and the day's three in all
    found = at_once(
        [lambda n=n: meals(f"many-{n}", ("LI", "ZHANG")[n % 2], "2026-01-06", 1) for n in range(10)]
    )
    assert sum(isinstance(one, Redeemed) for one in found) == 3
    assert {one.code for one in found if isinstance(one, CannotRedeem)} == {"daily_limit"}, found
