"""A death learnt while vouchers are being issued: no voucher slips between the two (rules.md sections 3 and 6)."""

import pytest
from django.db import connection

from tests import story
from tests.flight import Running, held_open, waiting
from tests.story import day
from vouchers.elders import deaths
from vouchers.models import Voucher
from vouchers.proof.queries import prove


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


def issue() -> None:
    story.issue_on("2026-01-01", at="2025-12-30")


@pytest.mark.parametrize("died_on", ["2025-12-29", "2026-01-01", "2026-01-02"])
def test_a_death_waits_for_an_issue_in_flight_and_voids_what_it_issued(fresh_db, died_on):
    story.town()
    with held_open(issue):
        dying = Running(lambda: story.dies("LI", died_on, at="2025-12-30"))
        assert waiting(1, kind="transactionid") or waiting(1, kind="tuple")
    dying.result()
    of_li = Voucher.objects.filter(elder__code="LI")
    assert of_li.exists() and not of_li.filter(remaining__gt=0).exists()
    assert violated() == set()


@pytest.mark.parametrize(
    ("died_on", "issued"), [("2025-12-29", False), ("2026-01-01", False), ("2026-01-02", True)]
)
def test_an_issue_waits_for_a_death_in_flight(fresh_db, died_on, issued):
    story.town()
    with held_open(lambda: story.dies("LI", died_on, at="2025-12-30")):
        issuing = Running(issue)
        assert waiting(1, kind="transactionid") or waiting(1, kind="tuple")
    issuing.result()
    of_li = Voucher.objects.filter(elder__code="LI")
    assert of_li.exists() == issued and not of_li.filter(remaining__gt=0).exists()
    assert violated() == set()


def test_control_a_death_that_does_not_wait_leaves_value_to_the_dead(fresh_db, monkeypatch):
    class Blind:
        """Every statement but the one that waits for programmes."""

        def __init__(self, real):
            self.real = real

        def cursor(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *failed):
            return None

        def execute(self, sql, params=None):
            assert "FOR SHARE" in sql

    story.town()
    monkeypatch.setattr(deaths, "connection", Blind(connection))
    with held_open(issue):
        Running(lambda: story.dies("LI", "2025-12-29", at="2025-12-30")).result()
    assert Voucher.objects.filter(elder__code="LI", remaining__gt=0).exists()
    assert violated() == {"closed_voucher_empty"}


def test_a_death_does_not_wait_for_redemptions_of_others(fresh_db):
    story.town()
    issue()
    with held_open(lambda: story.redeem("zhang", "ZHANG", "MEAL", "PM01", "2026-01-05 11:30")):
        Running(lambda: story.dies("LI", "2026-01-04", at="2026-01-05")).result()
    assert story.elder_named("LI").died_on == day("2026-01-04")
    assert violated() == set()
