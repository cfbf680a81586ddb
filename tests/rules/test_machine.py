"""The rule machine (strength.md 4): random histories, in the program and in a plain model, always agree.

A history that disagrees is printed as the steps that lead there, with a line that plays it again.
"""

from collections import Counter

import pytest
from django.db import DatabaseError

from tests.rules.machine import play
from tests.rules.mutants import MUTANTS
from tests.rules.steps import Disagreement

MET = """
redeem MEAL, redeem WASH, redeem PLAY
""".replace("\n", " ").split(", ")  # fmt: skip


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_program_keeps_the_rules(town_db, number):
    met = Counter()
    try:
        play(number, 20, met=met)
    finally:
        print(", ".join(f"{k} {v}" for k, v in sorted(met.items())))


def test_the_program_keeps_the_rules_step_by_step_committed(town_template):
    """Each step's transaction ends with a commit, as in life, in a database of the history's own."""
    play(4, 4, committing=True, template=town_template)


# Broken rules that only a rare history meets: they need more histories than every run can play.
RARELY_MET = {
    "a lease that ended opens its operator's premises",
    "what was reversed counts towards the daily limit",
    "value given back twice over",
    "an order cancelled by a death dated by the death",
    "carry used newest first",
    "any officer may review any street",
    "an amount proposed twice",
}


def find(mutant, monkeypatch, *, number: int, histories: int) -> None:
    """Play histories with one rule broken until the machine disagrees."""
    mutant.break_it(monkeypatch)
    with pytest.raises((Disagreement, DatabaseError)):
        play(number, histories, shrink=False)


@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.what not in RARELY_MET], ids=lambda mutant: mutant.what
)
def test_the_machine_finds(town_db, monkeypatch, mutant):
    find(mutant, monkeypatch, number=6, histories=14)


@pytest.mark.long
@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.what in RARELY_MET], ids=lambda mutant: mutant.what
)
def test_the_machine_finds_in_the_long_run(town_db, monkeypatch, mutant):
    find(mutant, monkeypatch, number=6, histories=300)


@pytest.mark.long
@pytest.mark.parametrize("number", range(11, 19))
def test_the_program_keeps_the_rules_in_the_long_run(town_db, number):
    """512 histories in all."""
    play(number, 64)
