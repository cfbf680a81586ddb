"""Elders who do not exist: names composed from lists, numbers that no real person can bear.

A resident ID here has a valid birth date and check digit and the area code 430298, which was never
given to any county. Phones lie in 199000xxxxx.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

IMPOSSIBLE_AREA = "430298"

SURNAMES = [
    *"李李李刘刘刘陈陈陈王王张张杨杨黄黄周周谭谭罗罗唐彭彭肖肖曾邓何胡贺",
    *"文龙易谢吴徐郭袁蒋廖汤钟尹颜凌殷沈旷晏宾",
    "欧阳",
]
MEN = "国建志德明光正树文福寿仁贵春生林海松荣忠良庭根保炳长运石满元和喜"
WOMEN = "秀桂玉兰英珍梅菊芳香莲凤淑素云翠娥月金桃爱细满连冬雪美巧惠春"

# Composed names that would be read as somebody.
SOMEBODY = {
    "胡志明",
    "王明",
    "李德生",
    "张国荣",
    "刘德明",
    "张志新",
    "唐群英",
    "李文亮",
    "曾志伟",
    "陈明仁",
    "王树国",
    "李春和",
    "周文元",
    "李光荣",
    "陈云",
    "李娥",
    "刘英",
    "何文德",
    "张春",
    "陈正",
    "李梅",
}

# (from age, to age, weight): the shape of a register of 60 and over.
AGES = [(60, 64, 27), (65, 69, 25), (70, 74, 19), (75, 79, 13), (80, 84, 9), (85, 89, 5), (90, 96, 2)]
CATEGORY_SHARES = {
    "low_income": 40,
    "destitute": 9,
    "disabled": 45,
    "living_alone": 120,
    "special_family": 10,
    "veteran": 18,
}


@dataclass
class Elder:
    code: str
    name: str
    id_number: str
    division: str
    phone: str
    born_on: date
    ability_level: int | None
    categories: tuple[str, ...]
    household: str
    regular: bool  # eats at the canteen on most days
    died_on: date | None = field(default=None)

    def age_on(self, day: date) -> int:
        before_birthday = (day.month, day.day) < (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - before_birthday

    def row(self, *, known_death: bool = False) -> dict[str, str]:
        return {
            "code": self.code,
            "name": self.name,
            "id_number": self.id_number,
            "division": self.division,
            "phone": self.phone,
            "ability_level": "" if self.ability_level is None else str(self.ability_level),
            "categories": ";".join(self.categories),
            "died_on": str(self.died_on) if known_death and self.died_on else "",
            "household": self.household,
        }


def resident_id_check(first_17: str) -> str:
    """The check character of a resident ID (GB 11643: ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first_17))
    return "10X98765432"[total % 11]


def resident_id(*, born_on: date, number: int) -> str:
    first = f"{IMPOSSIBLE_AREA}{born_on:%Y%m%d}{number:03d}"
    return first + resident_id_check(first)


def credit_code(number: int) -> str:
    """An operator's unified social credit code: valid check characters, an impossible area."""
    base = f"MJJ9{number:04d}"
    values = [int(char, 36) for char in base]
    rest = 11 - sum(v * w for v, w in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    body = f"52{IMPOSSIBLE_AREA}{base}" + {10: "X", 11: "0"}.get(rest, str(rest))
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(letters.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + letters[(31 - total % 31) % 31]


def compose_name(rng: random.Random, *, man: bool) -> str:
    letters = MEN if man else WOMEN
    while True:
        given = rng.choice(letters)
        if rng.random() < 0.88:
            given += rng.choice(letters)
        name = rng.choice(SURNAMES) + given
        if name not in SOMEBODY:
            return name


def ability(rng: random.Random, age: int) -> int | None:
    """Most of the younger are not assessed; the old are, and are frailer."""
    if rng.random() < (0.62 if age < 75 else 0.28):
        return None
    weights = [80, 12, 5, 2, 1] if age < 80 else [45, 28, 15, 8, 4]
    return rng.choices(range(5), weights)[0]


def make_elders(rng: random.Random, *, number: int, homes: list[tuple[str, int]], start: date) -> list[Elder]:
    """This function will make `number` elders, all of 60 or more on `start`.

    `homes` are (community code, weight). Every twelfth elder shares a household with the one before.
    """
    communities, weights = [home for home, _ in homes], [weight for _, weight in homes]
    elders: list[Elder] = []
    taken: dict[date, int] = {}
    for index in range(1, number + 1):
        low, high, _ = rng.choices(AGES, [weight for *_, weight in AGES])[0]
        age = rng.randint(low, high)
        born_on = date(start.year - age, start.month, 1) - timedelta(days=rng.randrange(365))
        man = rng.random() < (0.48 if age < 80 else 0.4)
        # The 17th digit is odd for men. A date's numbers are handed out upwards, so none is given twice.
        number_on_day = taken.get(born_on, 100 + rng.randrange(100)) + 1
        number_on_day += number_on_day % 2 != man
        taken[born_on] = number_on_day
        household, division = f"HH{index:05d}", rng.choices(communities, weights)[0]
        if index % 12 == 0 and elders:
            household, division = elders[-1].household, elders[-1].division
        categories = tuple(
            name
            for name, share in CATEGORY_SHARES.items()
            if rng.random() * 1000 < share * (2 if name == "living_alone" and age >= 80 else 1)
        )
        elders.append(
            Elder(
                code=f"EL{index:05d}",
                name=compose_name(rng, man=man),
                id_number=resident_id(born_on=born_on, number=number_on_day),
                division=division,
                phone=f"199000{index:05d}",
                born_on=born_on,
                ability_level=ability(rng, age),
                categories=categories,
                household=household,
                regular=rng.random() < 0.3,
            )
        )
    return elders
