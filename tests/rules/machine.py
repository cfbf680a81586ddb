"""Random histories of a town, played by the program and by the plain model at once.

Each rule is one step of the town's life: it asks the model what must come of it, does it, and compares the
answers, refusals by their code. After each step everything that both sides know is compared, account by account
and day by day, and section 9 of the rules is asked of the model's figures; a refused or repeated step must leave
every table as it was. At the end of a history the program's own proof runs over the database.
"""

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.rules import ground
from tests.rules.lives import Lives
from tests.rules.months import Months


class Histories(Lives, Months):
    """All steps; see steps.py for what holds them together."""


def play(number, histories, *, steps=26, shrink=True, of=Histories, **attributes):
    """Play that many histories from the seed `number`; `attributes` as in Steps. Raises what the first one found."""
    machine = type("Histories", (of,), {"start": ground.reckoned(), **attributes})
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
