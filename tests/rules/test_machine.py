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


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_the_machine_finds(town_db, monkeypatch, mutant):
    mutant.break_it(monkeypatch)
    met = Counter()
    try:
        with pytest.raises((Disagreement, DatabaseError)) as found:
            play(6, 14, shrink=False, met=met)
        print("FOUND", mutant.what, met["histories"], str(found.value)[:300])
    except BaseException:
        print("NOT", mutant.what, met["histories"])
        raise
