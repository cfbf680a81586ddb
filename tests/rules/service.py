"""Steps of issue, redemption, reversal and orders (rules.md sections 3, 4 and 5)."""

from copy import deepcopy
from datetime import date, datetime, time, timedelta, timezone

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from ledger.journal.queries import day_of
from tests.reckoning.arithmetic import SHANGHAI
from tests.reckoning.records import Refused
from tests.rules import ground
from tests.rules.steps import No, Steps, elders, hours, quantities, requests, spots, which, wishes
from vouchers.city.operations import load_city
from vouchers.models import Hold, Redemption
from vouchers.programmes.operations import issue
from vouchers.redemption import operations as redemption
from vouchers.redemption.refusals import CannotRedeem
from vouchers.wallets.operations import release


class Service(Steps):
    # Issue

    @initialize(asked=st.lists(requests, min_size=2, max_size=6, unique=True))
    def january(self, asked):
        self._issue(date(2026, 1, 1))
        self._serve(asked)

    @rule(spot=st.sampled_from([(0, 1), (0, 1), (1, 1), (-1, 1), (0, 2)]), again=st.booleans())
    def issue(self, spot, again):
        self._issue(self.day(spot))
        if again:
            self._issue(self.day(spot), repeated=True)

    def _issue(self, on, **otherwise):
        def rules():
            return {code: done for code, done in self.town.issue(on=on).items() if done[0]}

        def program():
            done = issue(on=on, by="machine", at=self.clock)
            return {one.programme: (one.elders, one.vouchers, one.value) for one in done if one.elders}

        self.both("issue", rules, program, **otherwise)

    @precondition(lambda self: "EE" not in self.town.elders)
    @rule()
    def newcomer(self):
        def program():
            load_city(directory=ground.NEWCOMERS, by="machine", at=self.clock)

        self.both("newcomer", lambda: self.town.load(ground.NEWCOMERS), program)

    # Redemption

    @rule(asked=st.lists(requests, min_size=1, max_size=4, unique=True))
    def serve(self, asked):
        self._serve(asked)

    # Of all steps the likeliest: each of these is drawn as often as any other rule.
    @rule(asked=st.lists(requests, min_size=3, max_size=6, unique=True))
    def serve_a_busy_day(self, asked):
        self._serve(asked)

    @rule(
        elder=elders,
        asked=st.lists(st.tuples(wishes, spots, hours, quantities), min_size=2, max_size=5, unique=True),
    )
    def serve_one_elder(self, elder, asked):
        """Until nothing is left."""
        self._serve([(elder, *rest) for rest in asked])

    @rule(
        elder=elders,
        asked=st.lists(st.tuples(wishes, spots, hours, quantities), min_size=2, max_size=4, unique=True),
        spot=spots,
    )
    def serve_and_take_back(self, elder, asked, spot):
        """The first of several services was a mistake; it is served anew."""
        asked = [(elder, *rest) for rest in asked]
        served = [key for key in self._serve(asked) if key in self.answers]
        if served:
            self._reverse(served[0], self.day(spot))
        self._serve(asked[:1])

    def _serve(self, asked):
        keys = []
        for elder, (premises, service), spot, hour, quantity in asked:
            at = datetime.combine(self.day(spot), hour, SHANGHAI)
            keys.append(self.key("K"))
            self._redeem(redemption.RedemptionOrder(keys[-1], at, premises, service, elder, quantity))
        return keys

    @rule(asked=requests)
    def ask_the_price(self, asked):
        """A quote says what a redemption would, and spends nothing."""
        elder, (premises, service), spot, hour, quantity = asked
        at = datetime.combine(self.day(spot), hour, SHANGHAI)
        order = redemption.RedemptionOrder("", at, premises, service, elder, quantity)

        def rules():
            made, _ = deepcopy(self.town).redeem(
                key="",
                happened_at=at,
                premises=premises,
                service=service,
                elder=elder,
                quantity=quantity,
            )
            price, lines = _receipt(made)
            return price, [line[:2] for line in lines]

        def program():
            judged = redemption.quote(order=order)
            return _price(judged.split), [(line.programme, line.amount) for line in judged.lines]

        self.both("quote", rules, program, repeated=True)

    @precondition(lambda self: self.answers)
    @rule(
        nth=which,
        change=st.sampled_from(
            [
                {},
                {"spelling": True},
                {"quantity": 2},
                {"channel": "paper"},
                {"service": "PLAY"},
                {"later": True},
            ]
        ),
    )
    def tell_again(self, nth, change):
        """A key that was answered before, with the same content or another."""
        key = sorted(self.answers)[nth % len(self.answers)]
        order, _ = self.answers[key]
        self._redeem(_changed(order, **change))

    def _redeem(self, order):
        first = self.answers.get(order.key)
        otherwise = {} if first is None else {"repeated": True}

        def rules():
            made, repeated = self.town.redeem(
                key=order.key,
                happened_at=order.happened_at,
                premises=order.premises,
                service=order.service,
                elder=order.elder,
                quantity=order.quantity,
                channel=order.channel,
            )
            return first[1] if repeated else _receipt(made)

        def program():
            return _told(redemption.redeem(order=order, by="machine", at=self.clock))

        step = "tell_again" if first else f"redeem {order.service}"
        answer = self.both(step, rules, program, **otherwise)
        if not isinstance(answer, No):
            self.answers[order.key] = (order, answer)

    @precondition(lambda self: self.town.redemptions)
    @rule(nth=which, spot=spots, again=st.booleans())
    def reverse(self, nth, spot, again):
        keys = sorted(key for _, key in self.town.redemptions)
        for _ in range(1 + again):
            self._reverse(keys[nth % len(keys)], self.day(spot))

    @precondition(lambda self: any(self._standing()))
    @rule(nth=st.lists(which, min_size=1, max_size=3), spot=spots)
    def reverse_what_stands(self, nth, spot):
        """What stood on a statement is taken back by a later one."""
        for n in nth:
            if keys := sorted(self._standing()):
                self._reverse(keys[n % len(keys)], self.day(spot))

    def _standing(self):
        return [
            key for (_, key), made in self.town.redemptions.items() if made.stands and not made.reversed_on
        ]

    def _reverse(self, key, on):
        def rules():
            if self.town.reverse(key, on=on):
                raise Refused("repeated")

        def program():
            redemption.reverse(
                redemption=Redemption.objects.get(key=key),
                reversed_at=datetime.combine(on, time(23, 59), SHANGHAI),
                reason="machine",
                by="machine",
                at=self.clock,
            )

        self.both("reverse", rules, program)

    # Orders

    @rule(asked=requests, again=st.sampled_from([None, None, "same", "other"]))
    def place(self, asked, again):
        self._place_new(asked, again)

    @rule(asked=st.lists(requests, min_size=2, max_size=4), more=st.sampled_from([0, -1, 1]))
    def place_and_deliver(self, asked, more):
        for one in asked:
            key = self._place_new(one)
            if key in self.town.orders:
                self._deliver_new(self.town.orders[key], more=more)

    def _place_new(self, asked, again=None):
        elder, (premises, service), spot, hour, quantity = asked
        at = datetime.combine(self.day(spot), hour, SHANGHAI)
        order = redemption.RedemptionOrder(self.key("O"), at, premises, service, elder, quantity)
        self._place(order)
        if again and order.key in self.town.orders:
            self._place(_changed(order, **({} if again == "same" else {"quantity": 1})), repeated=True)
        return order.key

    def _place(self, order, **otherwise):
        def rules():
            placed = self.town.place(
                key=order.key,
                placed_on=self.today,
                service_on=day_of(order.happened_at),
                premises=order.premises,
                service=order.service,
                elder=order.elder,
                quantity=order.quantity,
            )
            return [(line.voucher.programme, line.amount) for line in placed.lines]

        def program():
            hold = redemption.place(order=order, by="machine", at=self.clock)
            # Vouchers count up in the order of their serials; validity goes before.
            lines = hold.lines.select_related("voucher__programme").order_by(
                "voucher__valid_until", "voucher__programme__code", "voucher_id"
            )
            return [(line.voucher.programme.code, line.amount) for line in lines]

        self.both("place", rules, program, **otherwise)

    @precondition(lambda self: self.town.orders)
    @rule(
        nth=which,
        days=st.sampled_from([0, 0, 0, 1, -1, 31]),
        more=st.sampled_from([0, 0, -1, 1]),
        key=st.sampled_from(["new", "new", "new", "used"]),
        again=st.booleans(),
    )
    def deliver(self, nth, days, more, key, again):
        used = sorted(self.answers)
        key = used[nth % len(used)] if used and key == "used" else None
        self._deliver_new(self._nth_order(nth), days=days, more=more, key=key, again=again)

    def _deliver_new(self, order, *, days=0, more=0, key=None, again=False):
        asked = redemption.RedemptionOrder(
            key or self.key("D"),
            datetime.combine(order.service_on + timedelta(days=days), time(12), SHANGHAI),
            order.premises,
            order.service,
            order.elder,
            max(1, order.quantity + more),
        )
        self._deliver(order, asked)
        if again and asked.key in self.answers:
            self._deliver(order, asked)

    def _deliver(self, order, asked):
        first = self.answers.get(asked.key)

        def rules():
            made = self.town.deliver(
                order.key,
                key=asked.key,
                happened_at=asked.happened_at,
                quantity=asked.quantity,
                on=self.today,
            )
            return first[1] if first else _receipt(made)

        def program():
            hold = Hold.objects.get(key=order.key)
            return _told(redemption.deliver(hold=hold, order=asked, by="machine", at=self.clock))

        answer = self.both("deliver", rules, program, repeated=first is not None)
        if not isinstance(answer, No):
            self.answers[asked.key] = (asked, answer)

    @precondition(lambda self: self.town.orders)
    @rule(nth=which)
    def cancel(self, nth):
        order = self._nth_order(nth)

        def program():
            hold = Hold.objects.get(key=order.key)
            if not release(hold=hold, by="machine", at=self.clock, reason="machine"):
                raise CannotRedeem("not_held")

        self.both("cancel", lambda: self.town.cancel(order.key, on=self.today), program)

    def _nth_order(self, nth):
        """Open ones first."""
        orders = sorted(self.town.orders.values(), key=lambda order: (order.state != "open", order.key))
        still_open = sum(order.state == "open" for order in orders) or len(orders)
        return orders[nth % (still_open + (nth % 5 == 0 and still_open < len(orders)))]


PARTS = {"list": "list_price"} | {
    part: part for part in ("government", "concession", "charity", "vouchers", "self_pay")
}


def _receipt(made):
    """The model's redemption as the program tells it: the price's parts, and each voucher's share and rest."""
    price = {ours: made.price[theirs] for theirs, ours in PARTS.items()}
    return price, [(line.voucher.programme, line.amount, line.voucher.left) for line in made.lines]


def _price(split):
    return {name: getattr(split, name) for name in PARTS.values()}


def _told(receipt):
    return _price(receipt.split), [
        (programme, amount, remaining) for _, programme, amount, remaining in receipt.spent
    ]


def _changed(order, *, spelling=False, later=False, **fields):
    at = order.happened_at
    if spelling:
        at = at.astimezone(timezone(timedelta(hours=-3)))
    if later:
        at += timedelta(seconds=1)
    known = {name: getattr(order, name) for name in order.__dataclass_fields__}
    return redemption.RedemptionOrder(**(known | {"happened_at": at} | fields))
