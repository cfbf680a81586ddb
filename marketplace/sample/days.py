"""The rhythm of a day: who comes where, when. Lunch at a quarter to twelve, baths in the morning."""

import math
import random
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from marketplace.sample.people import Elder
from marketplace.sample.terms import CATCHMENT, DIARIES, Diary
from marketplace.sample.town import Service, Town
from marketplace.sample.wallets import Spending, Visit, Wallets

# Share of a weekday's visits that also come on a Saturday or Sunday.
WEEKEND = {
    "canteen": 0.72,
    "delivery": 0.85,
    "home_care": 0.35,
    "rehabilitation": 0.2,
    "day_care": 0.1,
    "recreation": 0.9,
    "adaptation": 0.0,
}

# (minute of the day around which visits fall, spread in minutes, earliest, latest), by service or category.
HOURS = {
    "SV01": [(11 * 60 + 42, 21, 10 * 60 + 45, 13 * 60 + 10)],
    "SV02": [(17 * 60 + 28, 18, 16 * 60 + 45, 18 * 60 + 40)],
    "delivery": [(11 * 60 + 20, 18, 10 * 60 + 40, 12 * 60 + 20), (17 * 60 + 15, 15, 16 * 60 + 40, 18 * 60)],
    "home_care": [
        (9 * 60 + 40, 45, 8 * 60 + 10, 11 * 60 + 40),
        (15 * 60 + 10, 50, 13 * 60 + 40, 17 * 60 + 20),
    ],
    "rehabilitation": [(9 * 60 + 50, 50, 8 * 60 + 20, 11 * 60 + 40), (15 * 60, 45, 14 * 60, 17 * 60)],
    "day_care": [(8 * 60 + 20, 18, 7 * 60 + 30, 9 * 60 + 20)],
    "recreation": [(14 * 60 + 35, 14, 14 * 60, 15 * 60 + 30)],
    "adaptation": [(10 * 60 + 30, 60, 8 * 60 + 40, 16 * 60 + 30)],
}

CHANNELS = {
    "canteen": (("qr", 74), ("pin", 15), ("offline", 6), ("paper", 5)),
    "delivery": (("hotline", 46), ("qr", 48), ("paper", 6)),
    "home_care": (("qr", 58), ("pin", 22), ("hotline", 12), ("paper", 8)),
}


@dataclass(frozen=True)
class Slot:
    """A visit that will take place; who it is, is found when its turn comes."""

    second: int  # of the day
    diary: Diary

    def at(self, day: date) -> str:
        hours, rest = divmod(self.second, 3600)
        return f"{day}T{hours:02d}:{rest // 60:02d}:{rest % 60:02d}+08:00"


def poisson(rng: random.Random, mean: float) -> int:
    limit, number, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        number += 1
        product *= rng.random()
    return number


class DayPlanner:
    """Makes up the visits of one day after another, as many as the town's diaries say times `pace`."""

    def __init__(self, town: Town, wallets: Wallets, rng: random.Random, *, pace: float):
        self.town, self.wallets, self.rng, self.pace = town, wallets, rng, pace
        self._crowds: dict[tuple[str, str], tuple[list[Elder], list[float]]] = {}

    def slots(self, day: date, growth: float) -> list[Slot]:
        """The day's visits in the order in which they happen."""
        found = []
        for diary in DIARIES:
            if not self.town.lease_by_code[diary.lease].in_force_on(day):
                continue
            service = self.town.services[diary.service]
            mean = diary.a_weekday * growth * self.pace
            if day.weekday() >= 5:
                mean *= WEEKEND[service.category]
            found += [Slot(self._second(service), diary) for _ in range(poisson(self.rng, mean))]
        return sorted(found, key=lambda slot: (slot.second, slot.diary.lease, slot.diary.service))

    def visit(
        self, slot: Slot, day: date, *, key: str, gone: Container[str]
    ) -> tuple[Visit, Spending] | None:
        """Somebody for the slot whose vouchers pay a part; now and then somebody who has none left.

        `gone` are the elders who do not come any more. None when nobody is found in ten tries.
        """
        service = self.town.services[slot.diary.service]
        elders, weights = self._crowd(slot.diary, service)
        premises = self.town.lease_by_code[slot.diary.lease].premises
        channels, shares = zip(*CHANNELS.get(service.category, CHANNELS["home_care"]), strict=True)
        channel = self.rng.choices(channels, shares)[0]
        quantity = self._quantity(service)
        without_vouchers: tuple[Visit, Spending] | None = None
        for elder in self.rng.choices(elders, cum_weights=weights, k=10):
            if elder.code in gone:
                continue
            visit = Visit(key, slot.at(day), day, premises, service.code, elder.code, quantity, channel)
            _, spending = self.wallets.judge(visit)
            if spending and spending.lines:
                return visit, spending
            if spending and without_vouchers is None:
                without_vouchers = visit, spending
        return without_vouchers if self.rng.random() < 0.35 else None

    def _second(self, service: Service) -> int:
        hours = HOURS.get(service.code) or HOURS[service.category]
        middle, spread, earliest, latest = self.rng.choice(hours)
        minute = min(max(self.rng.gauss(middle, spread), earliest), latest)
        return int(minute * 60) + self.rng.randrange(60)

    def _quantity(self, service: Service) -> int:
        if service.unit == "hour":
            return self.rng.choices((1, 2, 3), (25, 60, 15))[0] if service.category == "home_care" else 1
        if service.category == "adaptation":
            return self.rng.choice((1, 2))
        return 1

    def _crowd(self, diary: Diary, service: Service) -> tuple[list[Elder], list[float]]:
        """Who may come, with cumulative weights: neighbours first, regulars at table, the frail at home."""
        key = diary.lease, diary.service
        if key not in self._crowds:
            weights = [self._likely(elder, diary, service) for elder in self.town.elders]
            crowd = [(e, w) for e, w in zip(self.town.elders, weights, strict=True) if w]
            self._crowds[key] = [e for e, _ in crowd], list(accumulate(w for _, w in crowd))
        return self._crowds[key]

    def _likely(self, elder: Elder, diary: Diary, service: Service) -> float:
        near = any(elder.division.startswith(street) for street in CATCHMENT[diary.lease])
        weight = 1.0 if near else 0.02
        frail = (elder.ability_level or 0) >= 2
        age = elder.age_on(self.town.calendar.start)
        if service.category in ("canteen", "recreation"):
            return 0.0 if frail else weight * (6 if elder.regular else 1) * (1.6 if age >= 80 else 1)
        if service.category == "adaptation":
            return float(bool({"low_income", "destitute", "disabled"} & set(elder.categories)))
        if service.code == "SV04":
            return weight * (9 if frail else 1) if age >= 72 or frail else 0.0
        return weight * (8 if frail else 1) * (2 if age >= 75 else 1)
