"""The plain model of the rules with the bureau's paperwork: statements that three people take step by step."""

from dataclasses import dataclass, field

from tests.reckoning import closing
from tests.reckoning.arithmetic import later, month_of
from tests.reckoning.closing import Statement
from tests.reckoning.model import City
from tests.reckoning.records import Refused

STEPS = {  # step -> (state before, state after)
    "confirm": ("draft", "confirmed"),
    "review": ("confirmed", "reviewed"),
    "approve": ("reviewed", "approved"),
}


@dataclass
class Paper:
    """One statement on its way: its figures, which redemptions stand behind them, and who has acted."""

    figures: Statement
    behind: tuple
    state: str = "draft"
    round: int = 1
    people: set = field(default_factory=set)  # who acted in this round
    touched: bool = False  # somebody acted in some round: it is kept, whatever becomes of its figures


class Town(City):
    def __init__(self, *, people, places):
        super().__init__()
        self.people, self.places = people, places  # name -> Person, premises -> street
        self.papers = {}  # (month, lease) -> Paper
        self.voucher_names = {}  # serial -> (programme, elder, issue date, n)

    def _new_voucher(self, programme, elder, on, n):
        """Serials count up as vouchers are issued."""
        voucher = super()._new_voucher(programme, elder, on, n)
        voucher.serial = f"{programme.code}-{len(self.voucher_names):09d}"
        self.voucher_names[voucher.serial] = (programme.code, elder, on, n + 1)
        return voucher

    # The month, step by step (section 7)

    def close(self, month):
        if self.locked and month <= self.locked:
            raise Refused("month_locked")
        if self.locked is None:
            self.locked = later(month, -1)
        elif month != later(self.locked, 1):
            raise Refused("month_not_next")
        for code in sorted(self.leases):
            paper = self.papers.get((month, code))
            if paper is None or paper.state != "approved":
                self._draw_up(code, month)
        return [code for m, code in sorted(self.papers) if m == month]

    def _behind(self, code, month):
        some = closing.counted(self.of_lease[code], code, month)
        return tuple(frozenset(made.key for made in each) for each in some)

    def _draw_up(self, code, month):
        paper, figures = self.papers.get((month, code)), self.statement(code, month)
        if figures is None:
            if paper is None:
                return
            if not paper.touched:
                del self.papers[month, code]
                return
            figures = closing.reckon(
                self.leases[code], self.of_lease[code], self.credit[code], month, always=True
            )
        behind = self._behind(code, month)
        if paper is None:
            self.papers[month, code] = Paper(figures, behind)
            return
        if (figures, behind) == (paper.figures, paper.behind):
            return
        if paper.state != "draft":
            paper.state, paper.round, paper.people = "draft", paper.round + 1, set()
        paper.figures, paper.behind = figures, behind

    def take_step(self, code, month, step, name):
        """Refused as `statement_changed`, the paper bears the new figures; as `nothing_left`, it is gone."""
        paper = self.papers[month, code]
        before, after = STEPS[step]
        if paper.state != before:
            raise Refused("wrong_step")
        if not self._may(step, code, self.people[name]):
            raise Refused("wrong_role")
        if name in paper.people:
            raise Refused("same_person")
        now = closing.reckon(self.leases[code], self.of_lease[code], self.credit[code], month, always=True)
        if (now, self._behind(code, month)) != (paper.figures, paper.behind):
            self._draw_up(code, month)
            raise Refused("statement_changed" if (month, code) in self.papers else "nothing_left")
        paper.people.add(name)
        paper.touched = True
        if step == "approve":
            self._approve(code, month, paper.figures)
        paper.state = after

    def _may(self, step, code, person):
        if step == "confirm":
            own = person.role == "operator_manager" and person.operator == self.leases[code].operator
            return own or person.role == "bureau_clerk"
        if step == "review":
            street = self.places[self.leases[code].premises]
            within = person.division is None or person.division in self._above(street)
            return person.role == "street_officer" and within
        return person.role == "bureau_approver"

    def lock(self, month):
        """Lock the month when every lease of it is approved; whether it is locked."""
        if self.locked and month <= self.locked:
            return True
        papers = {code: paper for (m, code), paper in self.papers.items() if m == month}
        due = {
            code
            for code, lease in self.leases.items()
            if month_of(lease.starts_on) <= month <= month_of(lease.ends_on)
        }
        if due - papers.keys() or any(paper.state != "approved" for paper in papers.values()):
            return False
        if not papers or self.locked != later(month, -1):
            return False
        self.locked = month
        return True

    def approved(self):
        return [
            (code, month, paper.figures)
            for (month, code), paper in sorted(self.papers.items())
            if paper.state == "approved"
        ]

    # Reviews (section 6), by the bureau's people only

    def decide(self, key, decision, *, by, on):
        if self.people[by].role not in ("bureau_clerk", "bureau_approver"):
            raise Refused("wrong_role")
        self.decide_review(key, decision, on=on)
