"""A generated city in which a hundredth of what happens is false, each fault known by kind.

Eight canteens in two districts 30 km apart, each with its lease, operator, opening hours, cash prices and three
cashiers; carers who go from home to home by order; staff who are elders themselves. Everything is told through
the operations, orders as families place them, with instants given; nightly tasks are not run yet. The faults are of
ten kinds (KINDS), planted evenly; `city.clean` are the keys of all other redemptions.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from marketplace.fulfilment.operations import Placer, place_order
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.operations import publish
from providers.models import CashPrice, Offer, OpeningHours, Operator, Premises, StaffLink
from providers.ordering.operations import Places, set_order_terms, set_sittings
from tests import story
from vouchers.elders.models import Elder
from vouchers.redemption import operations as redemption
from vouchers.redemption import terms
from vouchers.wallets.models import Hold

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTH = date(2026, 3, 1)
DAYS = 31
KINDS = {
    # what is false -> the rule that must say so ("" : not a redemption but an order without one)
    "duplicate": "duplicate",
    "missing": "",
    "wrong amount": "order_differs",
    "wrong month": "wrong_month",
    "late": "late",
    "dead": "after_death",
    "too fast": "too_fast",
    "too far": "too_far",
    "too dear": "too_dear",
    "self-dealt": "kin",
}
CANTEENS = 8
CASHIERS = 3
OPEN = (10 * 60 + 30, 13 * 60 + 30)
LUNCH, LUNCH_SPREAD = 11 * 60 + 42, 21
FAIR = 20  # the day from which FOOT is cheaper in cash at the first canteen
SCOPE = "terminal {}"
PLACER = Placer(by="family", channel="web")
BEGINS, ENDS = time(7), time(22)  # when carers come, on the day that was ordered


@dataclass
class City:
    seed: int
    clean: set[str] = field(default_factory=set)
    faults: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    elders: list[tuple[str, int]] = field(default_factory=list)  # code, canteen
    spare: list[tuple[str, int]] = field(default_factory=list)  # who did nothing else
    orders: dict[int, str] = field(default_factory=dict)  # hold -> the key under which it was ordered

    @property
    def redemptions(self) -> int:
        return len(self.clean) + sum(map(len, self.faults.values()))


def at(day: int, minute: float, month: date = MONTH) -> datetime:
    return datetime(month.year, month.month, month.day, tzinfo=SHANGHAI) + timedelta(
        days=day - 1, minutes=minute
    )


class Teller:
    """Tells the city's month; each act remembers its key."""

    def __init__(self, *, clean: int, seed: int) -> None:
        self.city = City(seed)
        self.random = random.Random(seed)
        self.wanted = clean
        self.each = max(1, clean // 100 // len(KINDS))

    def tell(self) -> City:
        self.ground()
        self.clean_month()
        for kind in KINDS:
            for n in range(self.each):
                key = f"{kind} {n}"
                getattr(self, kind.replace(" ", "_").replace("-", "_"))(n, key)
                self.city.faults[kind].append(key)
        return self.city

    # The ground

    def ground(self) -> None:
        root = story.division("98", "湖城市", "city")
        streets = [story.division(f"980{n}", f"第{n}区", "district", root) for n in (1, 2)]
        lunch = story.service("LUNCH", "canteen", "meal", daily_limit=2)
        care = story.service("CARE", "home_care", "visit")
        foot = story.service("FOOT", "recreation", "visit")
        for service, price in ((lunch, 12), (care, 60), (foot, 30)):
            story.price(service, price, government=4)
        for n in range(CANTEENS):
            firm = story.operator(f"OP{n:02d}", f"运营机构{n}")
            place = story.premises(f"PM{n:02d}", streets[n // (CANTEENS // 2)])
            # Canteens of one district are 2 km apart, the districts 30.
            place.longitude = Decimal(f"{113 + 0.02 * (n % 4) + 0.3 * (n // 4):.4f}")
            place.latitude = Decimal("27.8000")
            place.save()
            lease = story.lease(f"LS{n:02d}", place, firm)
            story.offer(place, lunch, care, foot)
            story.programme(
                f"PG{n:02d}", "offset", lease, categories=["canteen", "home_care", "recreation"], face=9000,
                per_elder=1, cadence="once", starts_on="2026-02-01",
            ).divisions.set([place.division])  # fmt: skip
            OpeningHours.objects.bulk_create(
                OpeningHours(premises=place, weekday=weekday, opens_at=opens, closes_at=closes)
                for weekday in range(7)
                for opens, closes in ((time(10, 30), time(13, 30)), (time(14, 30), time(17)))
            )
            for service, price in ((lunch, 12), (care, 65), (foot, 30)):
                CashPrice.objects.create(
                    premises=place, service=service, valid_from=date(2026, 1, 1), price=price
                )
        first = Premises.objects.get(code="PM00")
        CashPrice.objects.create(premises=first, service=foot, valid_from=MONTH.replace(day=FAIR), price=25)
        self.people(streets)
        story.issue_on("2026-02-01")
        terms.current()
        self.market()

    def market(self) -> None:
        """Care at home can be ordered, some days before."""
        opened = at(1, 0, date(2026, 2, 1))
        for offer in Offer.objects.filter(service__code="CARE"):
            set_order_terms(
                offer=offer, where="home", manner="sitting", order_until_minutes=60, cancel_until_minutes=60,
                days_ahead=7, by="desk", at=opened,
            )  # fmt: skip
            week = [Places(weekday, BEGINS, ENDS, 10_000) for weekday in range(7)]
            set_sittings(offer=offer, sittings=week, by="desk", at=opened)
        publish(on=opened.date(), by="desk", at=opened)

    def people(self, streets) -> None:
        guests = max(CANTEENS, self.wanted // 22)
        spare = self.each * len(KINDS)
        for n in range(guests + spare):
            code, canteen = f"E{n:06d}", n % CANTEENS
            elder = story.elder(code, "老人", "1944-01-01", streets[canteen // (CANTEENS // 2)])
            (self.city.elders if n < guests else self.city.spare).append((code, canteen))
            if n % 50 == 3 or n >= guests:
                # Works, or has family, somewhere: the spare ones at their own canteen, others elsewhere.
                firm = canteen if n >= guests else (canteen + 1) % CANTEENS
                if n < guests or (n - guests) % len(KINDS) == list(KINDS).index("self-dealt"):
                    StaffLink.objects.create(
                        operator=Operator.objects.get(code=f"OP{firm:02d}"),
                        person=elder.id_number_lookup,
                        relation=self.random.choice(["staff", "relative"]),
                        starts_on=date(2025, 1, 1),
                    )

    def somebody(self, kind: str, n: int) -> tuple[str, int]:
        """An elder of whom nothing else is told, the n-th of a kind."""
        return self.city.spare[n * len(KINDS) + list(KINDS).index(kind)]

    # What happens

    def served(
        self, key: str, who: str, what: str, where: int, when: datetime, *, by: str = "", channel: str = "qr",
        quantity: int = 1, learnt: timedelta = timedelta(seconds=3),
    ) -> None:  # fmt: skip
        order = redemption.RedemptionOrder(key, when, f"PM{where:02d}", what, who, quantity, channel)
        by = by or f"cashier-{where}-{self.random.randrange(CASHIERS)}"
        redemption.redeem(order=order, by=by, at=when + learnt, key_scope=SCOPE.format(where))

    def ordered(self, key: str, who: str, where: int, for_when: datetime) -> Hold:
        """One visit at home, ordered two days before through basket and checkout's operation; `key` finds it."""
        care = new_basket(user=None, elder=story.elder_named(who))
        offer = Offer.objects.get(premises__code=f"PM{where:02d}", service__code="CARE")
        starts_at = datetime.combine(for_when.date(), BEGINS, SHANGHAI)
        want(care=care, offer=offer, starts_at=starts_at, address="湖滨路 8 号")
        placed = place_order(care=care, placer=PLACER, at=for_when - timedelta(days=2))
        hold = placed.work.select_related("hold").get().hold
        self.city.orders[hold.pk] = key
        return hold

    def delivered(
        self, key: str, hold: Hold, who: str, where: int, when: datetime, *, by: str, quantity: int = 1
    ) -> None:
        order = redemption.RedemptionOrder(key, when, f"PM{where:02d}", "CARE", who, quantity, "paper")
        redemption.deliver(
            hold=hold, order=order, by=by, at=when + timedelta(hours=3), key_scope=SCOPE.format(where)
        )

    def lunch_minute(self) -> float:
        return min(max(self.random.gauss(LUNCH, LUNCH_SPREAD), OPEN[0]), OPEN[1])

    def clean_month(self) -> None:
        """Lunch on most days, now and then a second one for the evening or at another canteen near by, a visit by
        a carer a week, a foot bath; some are reported a day or two late, some on paper."""
        carers_free: dict[int, float] = {}
        day = 1
        while len(self.city.clean) < self.wanted:
            if day > DAYS:
                raise ValueError("too few elders for so many redemptions")
            for who, home in self.city.elders:
                if len(self.city.clean) >= self.wanted:
                    break
                self.one_day(who, home, day, carers_free)
            day += 1
            carers_free.clear()

    def one_day(self, who: str, home: int, day: int, carers_free: dict[int, float]) -> None:
        chance = self.random.random()
        key = f"{who} {day}"
        if chance < 0.7:
            late = self.random.random() < 0.05
            self.served(
                key, who, "LUNCH", home, at(day, self.lunch_minute()),
                channel="paper" if late else "qr", learnt=timedelta(days=2) if late else timedelta(seconds=3),
            )  # fmt: skip
            self.city.clean.add(key)
        if 0.65 < chance < 0.69:  # takes the evening's meal along before the canteen closes
            self.served(f"{key} b", who, "LUNCH", home, at(day, OPEN[1] + 5 + 20 * self.random.random()))
            self.city.clean.add(f"{key} b")
        if 0.7 < chance < 0.75:  # eats at the next canteen of the district
            near = home // 4 * 4 + (home + 1) % 4
            self.served(key, who, "LUNCH", near, at(day, self.lunch_minute()))
            self.city.clean.add(key)
        if 0.60 < chance < 0.64 and carers_free.get(home, 0) < 15:
            carers_free[home] = carers_free.get(home, 0) + 1
            nth = int(carers_free[home]) - 1  # a carer's fifth visit a day is the last
            when = at(day, 8 * 60 + 100 * (nth % 5) + 30 * self.random.random())
            self.delivered(
                f"{key} c",
                self.ordered(f"{key} c", who, home, when),
                who,
                home,
                when,
                by=f"carer-{home}-{nth // 5}",
            )
            self.city.clean.add(f"{key} c")
        if 0.57 < chance < 0.59 and (home != 0 or day < FAIR):
            self.served(f"{key} f", who, "FOOT", home, at(day, 15 * 60 + 90 * self.random.random()))
            self.city.clean.add(f"{key} f")

    # Ten kinds of faults, each at somebody of whom nothing else is told, or beside something true

    def duplicate(self, n: int, key: str) -> None:
        who, home = self.somebody("duplicate", n)
        when = at(3 + n % 25, LUNCH)
        self.served(f"{key} first", who, "LUNCH", home, when)
        self.city.clean.add(f"{key} first")
        self.served(key, who, "LUNCH", home, when + timedelta(minutes=4), channel="paper")

    def missing(self, n: int, key: str) -> None:
        who, home = self.somebody("missing", n)
        self.ordered(key, who, home, at(3 + n % 20, 14 * 60))

    def wrong_amount(self, n: int, key: str) -> None:
        who, home = self.somebody("wrong amount", n)
        when = at(3 + n % 25, 18 * 60 + 3 * n % 60)
        self.delivered(
            key, self.ordered(key, who, home, when), who, home, when, by=f"evening-{home}-{n}", quantity=2
        )

    def wrong_month(self, n: int, key: str) -> None:
        who, home = self.somebody("wrong month", n)
        hold = self.ordered(key, who, home, at(2 + n % 5, 18 * 60))
        self.delivered(
            key, hold, who, home, at(20 + n % 8, 18 * 60, date(2026, 2, 1)), by=f"evening-{home}-{n}"
        )

    def late(self, n: int, key: str) -> None:
        who, home = self.somebody("late", n)
        self.served(
            key, who, "LUNCH", home, at(3 + n % 25, LUNCH), channel="paper", learnt=timedelta(days=50)
        )

    def dead(self, n: int, key: str) -> None:
        who, home = self.somebody("dead", n)
        when = at(10 + n % 15, LUNCH)
        self.served(key, who, "LUNCH", home, when)
        # Learnt with a day after it, which opens no case by itself; then the day on the register turns out wrong.
        story.dies(who, str((when + timedelta(days=1)).date()), at="2026-04-02 09:00")
        Elder.objects.filter(code=who).update(died_on=(when - timedelta(days=3)).date())

    def too_fast(self, n: int, key: str) -> None:
        who, home = self.somebody("too fast", n)
        other = [code for code, canteen in self.city.elders if canteen == home][n]
        when, carer = at(3 + n % 25, 19 * 60), f"hurried-{n}"
        self.served(f"{key} first", other, "CARE", home, when, by=carer, channel="pin")
        self.city.clean.add(f"{key} first")
        self.served(key, who, "CARE", home, when + timedelta(minutes=5), by=carer, channel="pin")

    def too_far(self, n: int, key: str) -> None:
        who, home = self.somebody("too far", n)
        when = at(3 + n % 25, LUNCH)
        self.served(f"{key} first", who, "LUNCH", home, when)
        self.city.clean.add(f"{key} first")
        self.served(key, who, "LUNCH", (home + 4) % CANTEENS, when + timedelta(minutes=12))

    def too_dear(self, n: int, key: str) -> None:
        who, _home = self.somebody("too dear", n)
        self.served(key, who, "FOOT", 0, at(FAIR + n % 10, 15 * 60 + n % 60))

    def self_dealt(self, n: int, key: str) -> None:
        who, home = self.somebody("self-dealt", n)
        self.served(key, who, "LUNCH", home, at(3 + n % 25, LUNCH + n % 30))
