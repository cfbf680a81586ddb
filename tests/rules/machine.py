"""Random histories of a town, played by the program and by the plain model at once.

Each rule is one step of the town's life: it asks the model what must come of it, does it, and compares the
answers, refusals by their code. After each step everything that both sides know is compared, account by account
and day by day, and section 9 of the rules is asked of the model's figures; a refused or repeated step must leave
every table as it was. At the end of a history the program's own proof runs over the database.
"""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from tests.rules import ground
from tests.rules.lives import Lives
from tests.rules.months import LAST_MONTH, Months, step_for
from tests.rules.steps import requests

# Of the same role for another place; the officer's is at work in the east alone.
COLLEAGUES = {"manager-a": "manager-b", "manager-b": "manager-a", "officer": "officer-east"}


class Histories(Lives, Months):
    """All steps; see steps.py for what holds them together."""


class Rare(Histories):
    """With more of what those seldom meet."""

    @precondition(lambda self: self._dead() < 2)
    @rule(asked=st.lists(requests, min_size=2, max_size=4), days=st.sampled_from([0, 1, 1, 3]))
    def die_before_ordering(self, asked, days):
        """Learnt late: somebody ordered for this person since."""
        placed = [self._place_new(one) for one in asked]
        if ordered := [self.town.orders[key] for key in placed if key in self.town.orders]:
            self._die(ordered[0].elder, ordered[0].placed_on - timedelta(days=days))

    @precondition(lambda self: self.next_month < LAST_MONTH)
    @rule(upto=st.sampled_from([0, 1, 2]))
    def a_colleague_steps_in(self, upto):
        """Somebody of the right role for another place."""
        self._settle(upto)
        for month, code in sorted(self.town.papers):
            if month == self.next_month and (month, code) in self.town.papers:
                paper = self.town.papers[month, code]
                step = step_for(paper)
                name = self._whose(paper, step)
                self._take_step(code, month, step, COLLEAGUES.get(name, name))


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
