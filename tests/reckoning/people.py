"""Made-up people and firms whose numbers are well-formed: check digits are right, nobody is meant."""

from datetime import date, timedelta

_SURNAMES = "湖荷苇汀鸥舟月露溪杨柳梅竹兰松柏"
_GIVEN = "样例甲乙丙丁戊己庚辛壬癸子丑寅卯"
_BASE31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class Dice:
    """Chance that is the same on every Python: only `random.random`, whose sequence is promised, is used."""

    def __init__(self, random):
        self.random = random

    def below(self, n):
        return int(self.random.random() * n)

    def one(self, some):
        return some[self.below(len(some))]

    def some(self, many, n):
        """n different ones, in the order drawn."""
        many = list(many)
        return [many.pop(self.below(len(many))) for _ in range(min(n, len(many)))]

    def chance(self, share):
        return self.random.random() < share


def id_number(born_on, sequence):
    """18 digits: area, birth date, a sequence, and the check digit of GB 11643."""
    body = f"360403{born_on:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * (2 ** (17 - n) % 11) for n, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def uscc(n):
    """A firm's 18 characters: the organisation's nine with GB 11714's check, then GB 32100's."""
    organisation = f"MJL{n:05d}"
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(digits.index(c) * w for c, w in zip(organisation, weights, strict=True)) % 11
    body = "52360403" + organisation + {10: "X", 11: "0"}.get(rest, str(rest))
    total = sum(_BASE31.index(c) * pow(3, k, 31) for k, c in enumerate(body))
    return body + _BASE31[(31 - total % 31) % 31]


def person(dice, code, n, born_on, division, ability="", categories="", died_on="", household=""):
    return {
        "code": code,
        "name": dice.one(_SURNAMES) + dice.one(_GIVEN) + dice.one(_GIVEN),
        "id_number": id_number(born_on, n),
        "division": division,
        "phone": f"1990002{n:04d}",
        "ability_level": str(ability),
        "categories": categories,
        "died_on": died_on,
        "household": household,
    }


def crowd(dice, n):
    """n elders of 60 to 97 on the first days of 2026, in four communities."""
    people = []
    for k in range(1, n + 1):
        born_on = date(1929, 1, 1) + timedelta(days=dice.below(13500))
        community = ("360403901001", "360403901002", "360403902001", "360403903001")[dice.below(4)]
        categories = [c for c in ("low_income", "disabled", "living_alone", "veteran") if dice.chance(0.12)]
        if dice.chance(0.04):
            categories.append(dice.one(("destitute", "special_family")))
        ability = dice.one(("", "", "0", "1", "2", "3", "4")) if dice.chance(0.6) else ""
        household = f"HH{dice.below(60) + 1:03d}" if dice.chance(0.3) else ""
        people.append(
            person(
                dice, f"EL{k:04d}", k, born_on, community, ability, ";".join(categories), household=household
            )
        )
    return people
