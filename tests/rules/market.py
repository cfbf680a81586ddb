"""Steps of the market: baskets ordered whole or not at all, places taken and freed, cancels, time-outs.

The model is that of rules.md section 5, with places beside it: of each sitting so many, and what became of each
service that was ordered. An order of several services is all of them or none.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from ledger.journal.queries import SHANGHAI, day_of
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.operations import Placer, cancel, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.fulfilment.tidying import tidy
from marketplace.offerings.baskets import new_basket, ready, want
from providers.models import Offer, Slot
from tests.reckoning.records import Refused
from tests.rules import ground
from tests.rules.lives import Lives
from tests.rules.service import Service
from tests.rules.steps import Disagreement, No, Steps, elder_of, elders, which

PLACER = Placer(by="machine", channel="web")
CUT_OFF = timedelta(minutes=ground.CUT_OFF_MINUTES)
UNDO, REPORTING = timedelta(minutes=10), timedelta(hours=72)

dishes = st.tuples(
    st.sampled_from([*[("PRA", "MEAL")] * 3, *[("PRB", "MEAL")] * 2, ("PRC", "PLAY")]),
    st.sampled_from([0, 0, 1, 1, 2, 2, 5, 14, 15]),  # days ahead
    st.sampled_from([1, 1, 1, 2]),
)


@dataclass
class Seat:
    """One service that was ordered, as the model knows it; `key` is its order in the town."""

    key: str
    where: tuple[str, str]
    starts_at: datetime
    quantity: int
    placed_at: datetime
    state: str = "placed"

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.starts_at, ground.SEATS[self.where].ends, SHANGHAI)

    @property
    def cancel_until(self) -> datetime:
        return max(self.starts_at - CUT_OFF, min(self.placed_at + UNDO, self.starts_at))


class Market(Steps):
    """Few of the other steps: only what meets an order. What is drawn meets the market often."""

    issue, _issue = Service.issue, Service._issue
    deliver, _deliver_new, _deliver = Service.deliver, Service._deliver_new, Service._deliver
    release, _nth_order = Service.cancel, Service._nth_order
    die, _die, _dead = Lives.die, Lives._die, Lives._dead

    def __init__(self):
        super().__init__()
        self.seats = {}  # by key
        self.taken = Counter()  # places by (where, when)
        self.offers = {
            where: Offer.objects.get(premises__code=where[0], service__code=where[1])
            for where in ground.SEATS
        }

    @initialize(
        asked=st.lists(st.tuples(elders, st.lists(dishes, min_size=1, max_size=3)), min_size=2, max_size=4),
        later=st.sampled_from(
            [0, 0, 3, 5, 50 * 24]
        ),  # past the cut-off of today; past the lease of one premises
    )
    def january(self, asked, later):
        self._issue(date(2026, 1, 1))
        for elder, wanted in asked:
            self._ask(elder, wanted)
        self.clock += timedelta(hours=later)

    @rule(hours=st.sampled_from([1, 3, 3, 24, 24, 80, 500]))
    def time_passes(self, hours):
        self.clock += timedelta(hours=hours)

    # Ordering

    @rule(elder=elders, wanted=st.lists(dishes, min_size=1, max_size=3), again=st.booleans())
    def order(self, elder, wanted, again):
        self._ask(elder, wanted, again)

    @rule(
        people=st.lists(elders, min_size=2, max_size=5),
        dish=st.sampled_from(sorted(ground.SEATS)),
        ahead=st.sampled_from([0, 1, 1]),
        quantity=st.sampled_from([1, 2]),
    )
    def all_want_the_same(self, people, dish, ahead, quantity):
        for elder in people:
            self._ask(elder, [(dish, ahead, quantity)])

    def _ask(self, elder, wanted, again=False):
        if elder not in self.town.elders:
            return
        care = new_basket(user=None, elder=elder_of(elder))
        for where, ahead, quantity in wanted:
            starts_at = datetime.combine(
                self.today + timedelta(days=ahead), ground.SEATS[where].begins, SHANGHAI
            )
            want(care=care, offer=self.offers[where], starts_at=starts_at, quantity=quantity)
        lines = [
            (f"order:{care.key}:{line.pk}", self._where(line.wish.offer), line.wish.starts_at, line.quantity)
            for line in ready(care)
        ]

        def program():
            placed = _refusing(lambda: place_order(care=care, placer=PLACER, at=self.clock))
            works = placed.work.order_by("line_id").select_related("hold")
            return [_held(work.hold) for work in works]

        answer = self.both("order", lambda: self._order(elder, lines), program)
        if again and not isinstance(answer, No):
            care.refresh_from_db()
            self.both("order", lambda: answer, program, repeated=True)

    @staticmethod
    def _where(offer):
        return offer.premises.code, offer.service.code

    def _order(self, elder, lines):
        """All lines in the town and their places, or none."""
        town, now = deepcopy(self.town), self.clock
        answers = []
        for key, (premises, service), starts_at, quantity in lines:
            placed = town.place(
                key=key,
                placed_on=self.today,
                service_on=day_of(starts_at),
                premises=premises,
                service=service,
                elder=elder,
                quantity=quantity,
            )
            answers.append([(line.voucher.programme, line.amount) for line in placed.lines])
        for _key, where, starts_at, quantity in sorted(
            lines, key=lambda line: (self.offers[line[1]].pk, line[2])
        ):
            if now > starts_at - CUT_OFF:
                raise Refused("too_late")
            if (day_of(starts_at) - day_of(now)).days > ground.DAYS_AHEAD:
                raise Refused("too_early")
            if self.taken[where, starts_at] + quantity > ground.SEATS[where].places:
                raise Refused("full")
        self.town = town
        for key, where, starts_at, quantity in lines:
            self.taken[where, starts_at] += quantity
            self.seats[key] = Seat(key, where, starts_at, quantity, now)
        return answers

    # Cancelling, and what becomes of orders by themselves

    @precondition(lambda self: self.seats)
    @rule(nth=which)
    def call_off(self, nth):
        seats = sorted(self.seats.values(), key=lambda seat: (seat.state != "placed", seat.key))
        still = sum(seat.state == "placed" for seat in seats)
        seat = seats[nth % min(len(seats), still + 1)]

        def rules():
            if seat.state != "placed" or self.town.orders[seat.key].state != "open":
                raise Refused("closed")
            if self.clock > seat.cancel_until:
                raise Refused("too_late_to_cancel")
            self.town.cancel(seat.key, on=self.today)
            self._free(seat, "cancelled")

        def program():
            work = WorkOrder.objects.get(hold__key=seat.key)
            _refusing(lambda: cancel(work=work, placer=PLACER, at=self.clock))

        self.both("call_off", rules, program)

    def _free(self, seat, state):
        seat.state = state
        self.taken[seat.where, seat.starts_at] -= seat.quantity

    @precondition(lambda self: self.seats)
    @rule(again=st.booleans())
    def tidy(self, again):
        def program():
            done = tidy(by="machine", at=self.clock)
            return done.delivered, done.cancelled, done.missed

        for nth in range(1 + again):
            self.both("tidy", self._tidy, program, repeated=nth > 0)

    def _tidy(self):
        done = Counter()
        for seat in [seat for seat in self.seats.values() if seat.state == "placed"]:
            state = self.town.orders[seat.key].state
            if state == "delivered":
                seat.state = "done"
            elif state == "released":
                self._free(seat, "cancelled")
            elif seat.ends_at < self.clock - REPORTING:
                self.town.cancel(seat.key, on=self.today)
                self._free(seat, "missed")
            done[seat.state] += 1
        return done["done"], done["cancelled"], done["missed"]

    @invariant()
    def places_agree(self):
        found = {
            (self._where(slot.offer), slot.starts_at): slot.taken
            for slot in Slot.objects.select_related("offer__premises", "offer__service")
            if slot.taken
        }
        expected = {seat: taken for seat, taken in self.taken.items() if taken}
        states = dict(WorkOrder.objects.values_list("hold__key", "state"))
        told = {seat.key: seat.state for seat in self.seats.values()}
        if (found, states) != (expected, told):
            self.failed = True
            raise Disagreement(f"places {found}, not {expected}; orders {states}, not {told}")


def _refusing(ask):
    try:
        return ask()
    except CannotOrder as refusal:
        raise Refused(refusal.code) from refusal


def _held(hold):
    lines = hold.lines.select_related("voucher__programme").order_by(
        "voucher__valid_until", "voucher__programme__code", "voucher_id"
    )
    return [(line.voucher.programme.code, line.amount) for line in lines]
