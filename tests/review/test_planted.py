"""One per cent of faults, of ten kinds, in a city of clean redemptions: all are found, hardly a clean one is flagged."""

import pytest

from tests import databases, story
from tests.review.planted import KINDS, Teller
from vouchers.models import ReviewCase
from vouchers.proof.queries import prove
from vouchers.review.operations import review_month, review_new
from vouchers.review.queries import months_of, undelivered

NOW = story.moment("2026-04-20 09:00")


def find(city) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Run every rule over every month; how many faults of each kind were found, and which clean ones were flagged."""
    for month in months_of():
        review_month(month=month, by="rules", at=NOW)
    by_rule: dict[str, set[str]] = {}
    for rule, key in ReviewCase.objects.values_list("reason", "redemption__key"):
        by_rule.setdefault(rule, set()).add(key)
    missing = {key.removeprefix("order ") for key in undelivered(NOW.date()).values_list("key", flat=True)}
    found = {
        kind: len(set(keys) & (by_rule.get(KINDS[kind], set()) if KINDS[kind] else missing))
        for kind, keys in city.faults.items()
    }
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
    assert reasons == {"after_death"}  # opened when the death was learnt


def cases() -> set[tuple[str, str]]:
    return set(ReviewCase.objects.values_list("redemption__key", "reason"))


def test_what_is_new_is_found_as_the_whole_is(told, city, django_db_blocker, monkeypatch):
    """In lots of any size the rules over new redemptions open the cases that a run over all months opens."""
    from vouchers.review import operations

    monkeypatch.setattr(operations, "BATCH", 83)
    opened = review_new(by="rules", clock=lambda: NOW)
    as_they_came = cases()
    assert opened.total() == len(as_they_came) - 1  # the death's own case stood before
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
