"""Steps of the month: statements, approvals, locks; and the bank (rules.md sections 7 and 8)."""

from datetime import datetime, time, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from providers.leases.receipts import import_bank
from tests import story
from tests.reckoning.arithmetic import SHANGHAI, first_day, later, month_of
from tests.reckoning.bank import open_dues
from tests.rules import ground
from tests.rules.bureau import STEPS
from tests.rules.service import Service
from tests.rules.steps import people, requests, user_of, which
from vouchers.models import Statement
from vouchers.settlement.operations import close_month, lock_if_complete, take_step

LAST_MONTH = "2026-04"


class Months(Service):
    # The month

    @property
    def next_month(self):
        """The month to be drawn up next; before any was, the month in which the clock stands."""
        return later(self.town.locked, 1) if self.town.locked else month_of(self.today)

    @precondition(lambda self: self.next_month < LAST_MONTH)
    @rule(away=st.sampled_from([0, 0, 0, 0, 1, -1]), again=st.booleans())
    def close(self, away, again):
        month = later(self.next_month, away if self.town.locked else 0)
        for nth in range(1 + again):
            self._close(month, **({"repeated": True, "writes": ("ledger_record",)} if nth else {}))

    def _close(self, month, **otherwise):
        def program():
            return [s.lease.code for s in close_month(month=first_day(month), by="machine", at=self.clock)]

        self.both("close", lambda: self.town.close(month), program, **otherwise)

    @precondition(lambda self: self.town.papers)
    @rule(
        nth=which,
        step=st.sampled_from(["next", "next", "next", *STEPS]),
        by=people,
        right=st.integers(0, 3),
        times=st.sampled_from([1, 2, 3, 5]),
    )
    def take_steps(self, nth, step, by, right, times):
        """Statements of the newest month go on: each the next step by whom it is for, or something else."""
        month = max(month for month, _ in self.town.papers)
        codes = sorted(code for m, code in self.town.papers if m == month)
        for n in range(times):
            paper = self.town.papers[month, codes[(nth + n) % len(codes)]]
            wanted = step_for(paper) if step == "next" else step
            name = self._whose(paper, wanted) if right else by
            self._take_step(codes[(nth + n) % len(codes)], month, wanted, name)
            codes = sorted(code for m, code in self.town.papers if m == month)
            if not codes:
                return

    def _whose(self, paper, step):
        manager = "manager-a" if self.town.leases[paper.figures.lease].operator == "OPA" else "manager-b"
        return {"confirm": manager, "review": "officer", "approve": "approver"}[step]

    def _take_step(self, code, month, step, name):
        def program():
            statement = Statement.objects.get(lease__code=code, month=first_day(month))
            take_step(statement=statement, step=step, by=user_of(name), at=self.clock)

        return self.both(step, lambda: self.town.take_step(code, month, step, name), program)

    @precondition(lambda self: self.town.locked)
    @rule(away=st.sampled_from([0, 0, 0, 1, -1]))
    def lock(self, away):
        self._lock(later(self.next_month, away))

    def _lock(self, month):
        locked = self.both(
            "lock",
            lambda: self.town.lock(month),
            lambda: lock_if_complete(month=first_day(month), by=user_of("approver"), at=self.clock),
        )
        if locked:
            self._turn_to(later(month, 1))

    @precondition(lambda self: self.next_month < LAST_MONTH)
    @rule(
        upto=st.sampled_from([1, 2, 3, 3, 3, 3]),
        anew=st.sampled_from([True, True, False]),
        then_issue=st.booleans(),
    )
    def settle(self, upto, anew, then_issue):
        """A month drawn up and brought to its end by the right people, or `upto` some step of it."""
        self._settle(upto, anew)
        if then_issue:
            self._issue(first_day(self.next_month))

    @precondition(lambda self: self.next_month < LAST_MONTH)
    @rule(asked=st.lists(requests, min_size=3, max_size=6, unique=True))
    def month_passes(self, asked):
        self._serve(asked)
        self._settle()
        self._issue(first_day(self.next_month))

    @precondition(lambda self: self.next_month < LAST_MONTH)
    @rule(asked=st.lists(requests, min_size=1, max_size=3, unique=True), upto=st.sampled_from([1, 2]))
    def settle_with_news_between(self, asked, upto):
        """Figures change after somebody has looked at them."""
        self._settle(upto)
        self._serve(asked)
        self._settle(anew=False)

    def _settle(self, upto=3, anew=True):
        month = self.next_month
        if anew or not any(m == month for m, _ in self.town.papers):
            self._close(month)
        for code in sorted(code for m, code in self.town.papers if m == month):
            for step in list(STEPS)[:upto]:
                if (month, code) not in self.town.papers:
                    break  # it had nothing to say any more
                paper = self.town.papers[month, code]
                if paper.state == STEPS[step][0]:
                    self._take_step(code, month, step, self._whose(paper, step))
        self._lock(month)

    def _turn_to(self, month):
        self.clock = max(self.clock, datetime.combine(first_day(month), time(9), SHANGHAI))

    @precondition(lambda self: month_of(self.today) < LAST_MONTH)
    @rule(days=st.sampled_from([1, 4, 14, 15]))
    def wait(self, days):
        self.clock += timedelta(days=days)

    # The bank

    @precondition(lambda self: len(self.bank_told) < 3 * (1 + len(self.town.approved())))
    @rule(
        lines=st.lists(
            st.tuples(
                st.sampled_from(["code", "payer", "payer", "both codes", "stranger", "out", "again"]), which
            ),
            min_size=1,
            max_size=3,
        )
    )
    def bank(self, lines):
        """A bank file: some lines new, some of earlier files, the amounts often just what is owed."""
        told = [self.bank_told[nth % len(self.bank_told)] if kind == "again" and self.bank_told
                else self._bank_line(kind, nth) for kind, nth in lines]  # fmt: skip
        rows = story.bank_rows(*told)

        def rules():
            return self.town.import_bank([line.split(",") for line in told])

        def program():
            done = import_bank(rows=rows, name="machine.csv", layout="icbc", by="machine", at=self.clock)
            return {name: getattr(done, name) for name in done.__dataclass_fields__}

        self.both("bank", rules, program)
        self.bank_told += told

    def _bank_line(self, kind, nth):
        operator = ground.OPERATORS[nth % 2]
        owed = sorted(amount for amount in open_dues(self.town, operator).values() if amount > 0)
        amount = owed[nth // 2 % len(owed)] if owed else story.yuan("10.10")
        text = {"code": f"{ground.LEASES[nth % 3]}房租", "both codes": "LA LB", "out": "LA 退款"}.get(
            kind, "房租"
        )
        payer = self.town.operators[operator].name if kind in ("payer", "both codes") else "路人"
        when = f"{self.today} 09:0{nth % 2}"
        return story.bank_line(when, amount, payer=payer, summary=text, out=kind == "out")


def step_for(paper):
    return next((step for step, (before, _) in STEPS.items() if before == paper.state), "approve")
