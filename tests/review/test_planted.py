"""One per cent of faults, of ten kinds, in a city of clean redemptions: all are found, hardly a clean one is flagged."""

from datetime import timedelta

import pytest

from marketplace.fulfilment.queries import undelivered
from marketplace.fulfilment.tidying import tidy
from marketplace.models import WorkOrder
from tests import databases, story
from tests.review.planted import KINDS, Teller
from vouchers.models import Hold, ReviewCase
from vouchers.proof.queries import prove
from vouchers.review.operations import review_month, review_new
from vouchers.review.queries import months_of

NOW = story.moment("2026-04-20 09:00")


def find(city) -> tuple[dict[str, int], dict[str, set[str]]]:
    """What the nights do, then every rule over every month; how many faults of each kind were found, and which clean
    ones were flagged."""
    tidy(by="nightly", at=NOW)
    assert not WorkOrder.objects.filter(state__in=WorkOrder.OPEN).exists()
    for month in months_of():
        review_month(month=month, by="rules", at=NOW)
    by_rule: dict[str, set[str]] = {}
    for rule, key in ReviewCase.objects.values_list("reason", "redemption__key"):
        by_rule.setdefault(rule, set()).add(key)
    by_rule[""] = {city.orders[hold] for hold in undelivered(NOW).values_list("pk", flat=True)}
    found = {kind: len(set(keys) & by_rule.get(KINDS[kind], set())) for kind, keys in city.faults.items()}
    return found, {rule: keys & city.clean for rule, keys in by_rule.items() if keys & city.clean}


def check(city) -> None:
    found, flagged = find(city)
    planted = {kind: len(keys) for kind, keys in city.faults.items()}
    clean_flagged = set().union(*flagged.values()) if flagged else set()
    share = len(clean_flagged) / len(city.clean)
    print(
        f"\nfaults found {sum(found.values())} of {sum(planted.values())} planted in {city.redemptions}; "
        f"clean ones flagged {len(clean_flagged)} of {len(city.clean)} ({share:.2%}): "
        f"{ {rule: len(keys) for rule, keys in flagged.items()} }"
    )
    assert found == planted
    assert share < 0.01
    assert not [one.name for one in prove() if one.violations]


@pytest.fixture(scope="module")
def told(database_template, django_db_blocker):
    """A small city with its faults, not looked at yet, to be cloned; and what was planted."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        city = Teller(clean=1000, seed=5).tell()
    yield name, city
    databases.drop(name)


@pytest.fixture
def city(told, django_db_blocker):
    source, city = told
    name = databases.clone(source)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        yield city
    databases.drop(name)


def test_all_planted_faults_are_found_and_clean_ones_left_alone(city):
    assert all(len(keys) == 1 for keys in city.faults.values())
    check(city)


def test_control_without_its_rule_a_fault_is_not_found(city):
    for month in months_of():
        review_month(month=month, by="rules", at=NOW, rules=["closed", "burst"])
    reasons = set(ReviewCase.objects.values_list("reason", flat=True))
    assert not reasons


def test_control_an_order_that_nobody_closes_is_not_missed_yet(city):
    """Until its time to report is over, or tidied and released, the list is about others."""
    [key] = city.faults["missing"]
    hold = next(pk for pk, ordered in city.orders.items() if ordered == key)
    ends = Hold.objects.get(pk=hold).work.ends_at
    early = ends + timedelta(hours=71)
    assert not tidy(by="nightly", at=early).missed and hold not in set(
        undelivered(early).values_list("pk", flat=True)
    )
    assert tidy(by="nightly", at=ends + timedelta(hours=73)).missed == 1
    assert Hold.objects.get(pk=hold).state == Hold.State.RELEASED
    assert list(undelivered(NOW).values_list("pk", flat=True)) == [hold]


def cases() -> set[tuple[str, str]]:
    return set(ReviewCase.objects.values_list("redemption__key", "reason"))


def test_what_is_new_is_found_as_the_whole_is(told, city, django_db_blocker, monkeypatch):
    """In lots of any size the rules over new redemptions open the cases that a run over all months opens."""
    from vouchers.review import operations

    monkeypatch.setattr(operations, "BATCH", 83)
    opened = review_new(by="rules", clock=lambda: NOW)
    as_they_came = cases()
    assert opened.total() == len(as_they_came)
    for month in months_of():
        assert not review_month(month=month, by="rules", at=NOW)
    assert cases() == as_they_came
    assert not review_new(by="rules", clock=lambda: NOW)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_larger_city(fresh_db, seed):
    city = Teller(clean=20_000, seed=seed).tell()
    assert all(len(keys) == 20 for keys in city.faults.values())
    check(city)
