"""The rule machine (strength.md 4): random histories, in the program and in a plain model, always agree.

64 histories here, 512 with the long ones. What is drawn is fixed by numbers, so the same code meets the same
histories everywhere; RULES_SEED=n draws others. A history that disagrees is printed as the steps that lead to the
disagreement, with a line that plays it again.

That the machine can fail is shown by breaking rules, one at a time, in the program that runs.
"""

import os
from collections import Counter

import pytest
from django.db import DatabaseError

from marketplace.fulfilment import operations as fulfilment
from tests.rules.machine import Histories, Rare, play
from tests.rules.market import Market
from tests.rules.mutants import MUTANTS, SOON_FOUND
from tests.rules.steps import Disagreement

SEED = int(os.environ.get("RULES_SEED", "0"))

# What each twenty of the histories below meet, or their agreement would prove little. A change of what is drawn may
# lose one of these: then draw other numbers, or make it likelier.
MUST_MEET = {
    *("issue", "quote", "redeem MEAL", "redeem WASH", "redeem PLAY", "tell_again", "tell_again key_reused"),
    *(
        "reverse",
        "reverse repeated",
        "place",
        "deliver",
        "expire",
        "die",
        "live",
        "newcomer",
        "bank",
        "suspend",
    ),
    *("decide release", "decide reject", "close", "confirm", "review", "approve", "lock"),
    *(
        "approve statement_changed",
        "redeem unknown_reference",
        "redeem no_lease",
        "redeem operator_suspended",
    ),
    *("redeem service_not_offered", "redeem elder_deceased", "redeem no_price", "redeem daily_limit"),
    *("redeem nothing_spendable", "statement with earned", "statement with late", "statement with lapsed"),
    *("statement with carry_in", "statement with carry_out", "statement with more than the cap"),
    "statement with no charge",
}


def keep_the_rules(number, histories, of=Histories):
    met = Counter()
    play(1000 * SEED + number, histories, met=met, of=of)
    return met


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_program_keeps_the_rules(town_db, number):
    met = keep_the_rules(number, 20)
    if SEED == 0:
        assert MUST_MEET - met.keys() == set()


def test_the_program_keeps_the_rules_with_each_step_committed(town_template):
    """As in life: the transaction of a step ends with a commit, in a database of the history's own."""
    play(1000 * SEED + 4, 4, committing=True, template=town_template)


@pytest.mark.long
@pytest.mark.parametrize("number", range(11, 27))
def test_the_program_keeps_the_rules_for_long(town_db, number):
    keep_the_rules(number, 27, of=(Histories, Rare)[number % 2])


@pytest.mark.long
def test_the_program_keeps_the_rules_for_long_with_each_step_committed(town_template):
    play(1000 * SEED + 27, 16, committing=True, template=town_template)


# The market: baskets, places, cancels, time-outs. A machine of its own, so that it meets what it is there for.
MUST_ORDER = {
    *("order", "order full", "order too_late", "order too_early", "order daily_limit", "order no_lease"),
    *("call_off", "call_off closed", "call_off too_late_to_cancel", "tidy", "deliver", "cancel", "die"),
}


def keep_the_market(number, histories):
    met = Counter()
    play(1000 * SEED + number, histories, steps=20, met=met, of=Market)
    return met


def test_the_market_keeps_the_rules(town_db):
    met = keep_the_market(31, 4)
    if SEED == 0:
        assert {"order", "order full", "call_off", "tidy"} - met.keys() == set()


@pytest.mark.long
def test_the_market_keeps_the_rules_for_long(town_db):
    """What is rare is met in one of the six or another, not in each."""
    met = sum((keep_the_market(number, 40) for number in range(32, 38)), Counter())
    if SEED == 0:
        assert MUST_ORDER - met.keys() == set()


@pytest.mark.parametrize(
    "what",
    [
        "a place is not freed",
        pytest.param("the cut-off is not kept", marks=pytest.mark.long),
        pytest.param("a hold is kept", marks=pytest.mark.long),
    ],
)
def test_the_market_machine_finds_a_broken_rule(town_db, monkeypatch, what):
    def nothing(*args, **kwargs):
        return 0

    name = {
        "a place is not freed": "free_places",
        "the cut-off is not kept": "check_cancel",
        "a hold is kept": "release",
    }
    monkeypatch.setattr(fulfilment, name[what], nothing)
    with pytest.raises((Disagreement, DatabaseError)):
        play(5, 30, shrink=False, of=Market)


def find(mutant, monkeypatch, *, histories, machines=(Histories,)):
    """By one of the machines or the next: found is found."""
    mutant.break_it(monkeypatch)
    # A constraint of the database may see it first.
    with pytest.raises((Disagreement, DatabaseError)):
        for number, machine in enumerate(machines, 5):
            play(number, histories, shrink=False, of=machine)


def test_every_mutant_still_says_what_it_breaks(monkeypatch):
    for mutant in MUTANTS.values():
        with monkeypatch.context() as patch:
            mutant.break_it(patch)


@pytest.mark.parametrize("what", sorted(SOON_FOUND))
def test_the_machine_finds_a_broken_rule(town_db, monkeypatch, what):
    find(MUTANTS[what], monkeypatch, histories=20)


@pytest.mark.long
@pytest.mark.parametrize("what", sorted(MUTANTS.keys() - SOON_FOUND))
def test_the_machine_finds_a_broken_rule_in_the_long_run(town_db, monkeypatch, what):
    find(MUTANTS[what], monkeypatch, histories=200, machines=(Histories, Rare))
