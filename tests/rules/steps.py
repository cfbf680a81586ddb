"""The two sides of every step: what is drawn, how both are asked, and that they must agree.

A history is one transaction, rolled back at its end; each step is a savepoint, and constraints that wait for the
commit are asked after each step. With `committing` each history has a database of its own and really commits.
"""

from collections import Counter
from contextlib import ExitStack
from copy import deepcopy
from datetime import time, timedelta

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from ledger.journal.queries import day_of
from marketplace.accounts.models import User
from tests import databases
from tests.reckoning.arithmetic import first_day, last_day, later, month_of
from tests.reckoning.records import Refused
from tests.rules import ground, sides
from vouchers.elders.deaths import NoSuchDeath
from vouchers.models import Elder
from vouchers.proof.queries import prove
from vouchers.redemption.operations import AlreadyReversed
from vouchers.redemption.refusals import CannotRedeem
from vouchers.settlement.operations import CannotSettle


class Disagreement(AssertionError):
    """The program and the rules do not say the same."""


# What is drawn

# A day as (months from now, day of that month; from the end where negative). The borders of everything that
# happens in the town: months, validities, birthdays, prices, a lease's end, a check too old.
SPOTS = [
    (0, 1),
    (0, 5),
    (0, 10),
    (0, 15),
    (0, 16),
    (0, 20),
    (0, 21),
    (0, -1),
    (-1, 9),
    (-1, -1),
    (1, 1),
    (1, 6),
]
spots = st.sampled_from(SPOTS)
hours = st.sampled_from([time(11, 30), time(0, 0), time(23, 59, 59)])
elders = st.sampled_from(["EA", "EA", "EB", "EB", "EC", "ED", "ED", "EE"])
# A lunch at PRA is what most people want; the rest is what the rules differ about.
wishes = st.sampled_from(
    [("PRA", "MEAL")] * 4
    + [("PRB", "WASH")] * 3
    + [("PRB", "MEAL"), ("PRC", "MEAL"), ("PRA", "WASH"), ("PRC", "PLAY"), ("PRB", "PLAY")] * 2
    + [("PRA", "PLAY"), ("PRC", "WASH"), ("PRB", "READ"), ("PRZ", "MEAL")]
)
quantities = st.sampled_from([1, 1, 2, 3])
requests = st.tuples(elders, wishes, spots, hours, quantities)
which = st.integers(0, 30)
people = st.sampled_from(sorted(ground.PEOPLE))


class Steps(RuleBasedStateMachine):
    committing = False
    template = ""  # name of a database with the town in it, where `committing`
    start = None  # the town in the model, copied for each history
    met: Counter | None = None  # what the histories met, by name, for who asks

    def __init__(self):
        super().__init__()
        self.town = deepcopy(self.start)
        self.journal = sides.Journal()
        self.clock = ground.START
        self.answers = {}  # key -> (what was asked, what was answered)
        self.numbers = Counter()
        self.failed = False
        self.standing = None  # every table's fingerprint, while nothing was written since
        if self.met is not None:
            self.met["histories"] += 1
        self.bank_told = []  # lines of the bank files taken so far
        self.stack = ExitStack()
        if self.committing:
            name = databases.clone(self.template)
            self.stack.callback(databases.drop, name)
            self.stack.enter_context(databases.pointed_at(name))
        else:
            self.stack.enter_context(transaction.atomic())
            self.stack.callback(transaction.set_rollback, True)

    def teardown(self):
        with self.stack:
            if not self.failed:
                self._remember()
                self._prove()

    def _remember(self):
        """Which figures the statements of this history showed."""
        for _, _, paper in self.town.approved():
            for name in sides.FIGURES:
                if value := getattr(paper, name):
                    self._meet("statement with", No(f"{name} below zero" if value < 0 else name))
            if paper.lapsed and paper.credit < 0:
                self._meet("statement with", No("lapsed and credit below zero"))
            if paper.applied == paper.cap < paper.available:
                self._meet("statement with", No("more than the cap"))
            if not paper.charge:
                self._meet("statement with", No("no charge"))

    def _prove(self):
        violated = {one.name: one.examples for one in prove() if one.violations}
        if violated:
            raise Disagreement(f"verify_ledger: {violated}")

    # Both sides

    def both(self, step, rules, program, *, repeated=False, writes=()):
        """Ask the rules, do it, compare. `repeated`: nothing may change but tables in `writes`."""
        self.clock += timedelta(minutes=1)
        expected = _answer(rules)
        drawn_anew = (No("statement_changed"), No("nothing_left"))
        still = repeated or (isinstance(expected, No) and expected not in drawn_anew)
        # Between two steps nothing is written: what stood after one that changed nothing stands before the next.
        before, self.standing = (self.standing or sides.fingerprint()) if still else None, None
        self.failed = True  # unless we come to the end of this
        got = _answer(program)
        self._meet(step, expected)
        if got != expected:
            raise Disagreement(f"{step}: the program answers {got}, the rules say {expected}")
        if before is not None:
            after = sides.fingerprint()
            touched = [name for name in after if after[name] != before[name] and name not in writes]
            if touched:
                raise Disagreement(f"{step}: {expected}, and yet {', '.join(touched)} changed")
            self.standing = after
        self.failed = False
        return expected

    def _meet(self, step, answer):
        if self.met is not None:
            self.met[f"{step} {answer.code}" if isinstance(answer, No) else step] += 1
            if isinstance(answer, No) and step.startswith("redeem "):
                self.met[f"redeem {answer.code}"] += 1

    @invariant()
    def both_sides_agree(self):
        self.failed = True
        found = sides.differences(sides.database(), sides.model(self.town, self.journal))
        if found:
            raise Disagreement("\n".join(found[:10]))
        if broken := self.town.broken():
            raise Disagreement("\n".join(broken))
        self.failed = False

    # Days and keys

    @property
    def today(self):
        return day_of(self.clock)

    def day(self, spot):
        months, nth = spot
        month = later(month_of(self.today), months)
        return first_day(month) + timedelta(days=nth - 1) if nth > 0 else last_day(month)

    def key(self, letter):
        self.numbers[letter] += 1
        return f"{letter}{self.numbers[letter]}"


# Answers


class No(str):
    """A refusal, by its code."""

    __slots__ = ()

    @property
    def code(self):
        return str(self)

    def __repr__(self):
        return f"no ({self!s})"


def _answer(ask):
    try:
        return ask()
    except (Refused, CannotRedeem, CannotSettle) as refused:
        return No(refused.code)
    except AlreadyReversed:
        return No("repeated")
    except NoSuchDeath:
        return No("not_dead")


def elder_of(code):
    return Elder.objects.get(code=code)


def user_of(name):
    return User.objects.get(username=name)
