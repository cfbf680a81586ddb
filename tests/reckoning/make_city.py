"""Makes Lakeside: python -m tests.reckoning.make_city [DIRECTORY] [--seed N]

A scenario of the same layout as the sample city, other terms, every awkward case that the rules know.
The same seed gives the same bytes. Each step is played by the reckoning as soon as it is written, so
that later files can speak of what happened: reversals of redemptions made, deaths of people who were
served, receipts of what is due. What is expected is what the reckoning says.
"""

import argparse
import csv
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from . import bank_lines, lakeside, people, stories
from .arithmetic import SHANGHAI, days_in, first_day
from .reckoning import Played

HOME = Path(__file__).parent.parent / "cities" / "lakeside"
REDEMPTION = ["key", "happened_at", "premises", "service", "elder", "quantity", "channel"]
REVERSAL = ["key", "reversed_at", "reason"]
ELDER = [
    "code",
    "name",
    "id_number",
    "division",
    "phone",
    "ability_level",
    "categories",
    "died_on",
    "household",
]
OFTEN = {"SVA": 4, "SVB": 2, "SVC": 2, "SVD": 2, "SVE": 2, "SVF": 2, "SVG": 2, "SVI": 2}


def spelled(at, how=""):
    """One instant written in one of the ways a file may: in Shanghai's time, another's, UTC, or bare."""
    if how == "Z":
        return f"{at - timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"
    if how == "bare":
        return f"{at:%Y-%m-%dT%H:%M:%S}"
    if how:
        return (
            at.replace(tzinfo=SHANGHAI)
            .astimezone(datetime.fromisoformat(f"2026-01-01T00:00{how}").tzinfo)
            .isoformat()
        )
    return f"{at:%Y-%m-%dT%H:%M:%S+08:00}"


class Maker:
    def __init__(self, directory, seed):
        self.home, self.dice = directory, people.Dice(Random(seed))
        self.played, self.done, self.next_key = Played(directory, check=True), [], 0
        self.elders = {}

    # Writing and playing

    def table(self, name, columns, rows, bom=False):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
            out = csv.DictWriter(file, columns, lineterminator="\n")
            out.writeheader()
            out.writerows(rows)

    def step(self, line):
        self.done.append(line)
        self.played.step(line)

    @property
    def city(self):
        return self.played.city

    def key(self):
        self.next_key += 1
        return f"L{self.next_key:06d}"

    # The city's own files

    def city_files(self):
        texts = "DIVISIONS LEASES SERVICES SERVICE_PRICES PROGRAMMES"
        (self.home / "city").mkdir(parents=True)
        for name in texts.split():
            (self.home / "city" / f"{name.lower()}.csv").write_text(getattr(lakeside, name), encoding="utf-8")
        self.operators("city", {code: ("", checked) for code, _, checked in lakeside.OPERATORS})
        self.table(
            "city/premises.csv",
            [
                "code",
                "name",
                "former_use",
                "owner",
                "owner_kind",
                "division",
                "address",
                "longitude",
                "latitude",
                "floor_area_m2",
                "condition",
                "stage",
                "market_rent",
            ],
            [self.premises(n, code, stage) for n, (code, stage) in enumerate(lakeside.PREMISES)],
        )
        offers = [(p, s) for p, services in lakeside.OFFERS.items() for s in services.split()]
        self.table(
            "city/offers.csv", ["premises", "service"], [{"premises": p, "service": s} for p, s in offers]
        )
        crowd = people.crowd(self.dice, 400) + stories.cast(self.dice)
        self.elders = {row["code"]: row for row in crowd}
        self.table("city/elders.csv", ELDER, sorted(crowd, key=lambda row: row["code"]))
        self.regulars = [row["code"] for row in crowd[:400] if self.dice.chance(0.6)]
        usual = [code for code in lakeside.OFFERS if code != "PM08"]
        self.favourites = {code: self.dice.some(usual, 2) for code in self.regulars}

    def operators(self, directory, told):
        """`told`: code -> (suspended_on, safety_checked_on)."""
        rows = []
        for n, (code, name, _) in enumerate(lakeside.OPERATORS, 1):
            if code in told:
                suspended_on, checked_on = told[code]
                row = {"code": code, "name": name, "uscc": people.uscc(n), "phone": f"0792-2000000{n}"}
                row |= {"filing_no": f"样例备湖{n:03d}", "safety_checked_on": checked_on, "stars": n % 5 + 1}
                rows.append(row | {"suspended_on": suspended_on})
        self.table(f"{directory}/operators.csv", list(rows[0]), rows)

    def premises(self, n, code, stage):
        kinds = ("government", "public_institution", "state_firm", "village_collective")
        uses = ("plant", "hall", "guesthouse", "clinic", "kindergarten", "community_room", "other")
        return {
            "code": code,
            "name": f"湖滨样例闲置资产{n + 1}",
            "former_use": uses[n % 7],
            "owner": f"湖滨样例产权单位{n % 4 + 1}",
            "owner_kind": kinds[n % 4],
            "division": ("360403901001", "360403901002", "360403902001", "360403903001")[n % 4],
            "address": f"湖滨样例路{n + 1}号",
            "longitude": f"115.98{n:02d}00",
            "latitude": f"29.71{n:02d}00",
            "floor_area_m2": 400 + 55 * n,
            "condition": "ready" if stage == "operating" else "repair",
            "stage": stage,
            "market_rent": f"{2000 + 350 * n}.00",
        }

    def update(self, directory, *, deaths=(), changed=(), fresh=()):
        """An elders.csv of deaths (code, day), rows changed (code, what) and people new to the register."""
        rows = [self.elders[code] | {"died_on": str(day)} for code, day in deaths]
        for code, what in changed:
            self.elders[code] |= what
            rows.append(self.elders[code])
        for row in fresh:
            self.elders[row["code"]] = row
            rows.append(row)
        self.table(f"{directory}/elders.csv", ELDER, rows, bom=True)

    # Redemptions and reversals

    def visit(self, month, until=31):
        """One regular's visit: mostly to a favourite place, mostly once, mostly in the day."""
        elder = self.dice.one(self.regulars)
        premises = self.dice.one(self.favourites[elder] if self.dice.chance(0.85) else list(lakeside.OFFERS))
        offered = lakeside.OFFERS[premises].split()
        service = self.dice.one([s for s in offered for _ in range(OFTEN.get(s, 1))])
        if self.dice.chance(0.01):
            service = self.dice.one(["SVE", "SVF", "SVH", "SVI"])
        quantity = self.dice.one((1, 1, 1, 1, 1, 2, 3)) if service not in ("SVC", "SVF") else 1
        day = first_day(month) + timedelta(days=self.dice.below(min(days_in(month), until)))
        seconds = 7 * 3600 + self.dice.below(11 * 3600)
        if self.dice.chance(0.05):  # near midnight, where the day hangs on the offset
            seconds = self.dice.one((5, 1800, 86390, 84600))
        at = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)
        how = self.dice.one(("Z", "bare", "+09:00", "+07:00", "-05:00")) if self.dice.chance(0.15) else ""
        channel = self.dice.one(("qr", "qr", "qr", "pin", "pin", "paper", "hotline", "offline"))
        row = (self.key(), spelled(at, how), premises, service, elder, quantity, channel)
        return at, dict(zip(REDEMPTION, row, strict=True))

    def redemptions(self, name, visits, story=(), bom=False):
        """Write and import a file: visits by time, told again and keys used twice, then the story's rows."""
        visits = sorted(visits, key=lambda visit: (visit[0], visit[1]["key"]))
        rows = [row for _, row in visits]
        again = []
        for at, row in self.dice.some(visits, len(visits) // 60):
            again.append(row | {"happened_at": spelled(at, self.dice.one(("Z", "bare", "+09:00")))})
        for _, row in self.dice.some(visits, len(visits) // 120):
            other = self.dice.one(("quantity", "channel"))
            again.append(row | {other: row["quantity"] + 1 if other == "quantity" else "other"})
        for row in again:
            row["channel"] = "offline" if row["channel"] == "other" else row["channel"]
            rows.insert(self.dice.below(len(rows)), row)
        rows += [dict(zip(REDEMPTION, row, strict=True)) for row in story]
        self.table(name, REDEMPTION, rows, bom=bom)
        self.step(f"import_redemptions {name}")

    def accepted(self, since, until, *, programme=None, service=None):
        """Keys of the crowd's redemptions of those days that stand, in order; of a programme's when named."""
        return [
            made.key
            for made in self.city.redemptions.values()
            if since <= made.service_on <= until
            and made.key.startswith("L0")
            and not made.reversed_on
            and made.review != "held"
            and (service is None or made.service == service)
            and (programme is None or programme in {line.voucher.programme for line in made.lines})
        ]

    def reversals(self, name, told):
        """`told`: (key, the time as written)."""
        reasons = ("样例：老人未到店", "样例：登记错误", "样例：重复登记, 已退")
        rows = [{"key": k, "reversed_at": at, "reason": self.dice.one(reasons)} for k, at in told]
        self.table(name, REVERSAL, rows)
        self.step(f"import_reversals {name}")

    def drawn(self, keys, n, month):
        """n of the keys, each reversed at some time of the month's middle."""
        return [(k, f"{month}-{self.dice.below(18) + 10}T10:00:00+08:00") for k in self.dice.some(keys, n)]

    # The months

    def december(self):
        """Before the first month that is ever closed."""
        self.step("load_city city")
        self.step("issue_vouchers --on 2025-12-01")
        self.step("issue_vouchers --on 2025-12-15")
        self.redemptions(
            "redemptions-2025-12.csv", [self.visit("2025-12") for _ in range(520)], stories.DECEMBER
        )

    def january(self):
        self.step("issue_vouchers --on 2026-01-01")
        self.step("issue_vouchers --on 2026-01-02")  # no period begins: nothing
        late = [self.visit("2025-12") for _ in range(25)]
        visits = [self.visit("2026-01") for _ in range(1500)]
        self.redemptions("redemptions-2026-01.csv", late + visits, stories.JANUARY)
        self.step("import_redemptions redemptions-2026-01.csv")
        before = self.drawn(self.accepted(date(2025, 12, 1), date(2025, 12, 31)), 4, "2026-01")
        same = self.drawn(self.accepted(date(2026, 1, 1), date(2026, 1, 9)), 8, "2026-01")
        self.reversals("reversals-2026-01.csv", before + same + stories.REVERSED_IN_JANUARY)
        self.update("update-01", deaths=stories.DEATHS_TOLD_BEFORE_EXPIRY)
        self.step("load_city update-01")
        self.redemptions(
            "redemptions-2026-01-more.csv", [self.visit("2026-01") for _ in range(20)], stories.JANUARY_MORE
        )
        self.step("expire_vouchers --on 2026-02-04")
        self.step("close_month 2026-01")
        self.redemptions("redemptions-2026-01-last.csv", [self.visit("2026-01") for _ in range(30)])
        self.step("close_month 2026-01")  # drawn up again, what was imported between counts
        self.step("settle_month 2026-01")

    def february(self):
        self.step("issue_vouchers --on 2026-02-01")
        self.step("expire_vouchers --on 2026-02-09")  # what is valid until that day stays
        late = [self.visit("2026-01") for _ in range(70)] + [self.visit("2025-12") for _ in range(15)]
        visits = [self.visit("2026-02") for _ in range(1250)]
        self.redemptions("redemptions-2026-02.csv", late + visits, stories.FEBRUARY, bom=True)
        january = (date(2026, 1, 1), date(2026, 1, 31))
        after_expiry = self.drawn(self.accepted(*january, programme="PC"), 5, "2026-02")
        new_year = self.drawn(self.accepted(*january, programme="PH"), 14, "2026-02")
        mixed = self.drawn(self.accepted(date(2025, 12, 1), date(2026, 2, 9)), 18, "2026-02")
        in_march = [
            (k, "2026-03-02T09:00:00+08:00")
            for k in self.dice.some(self.accepted(date(2026, 2, 20), date(2026, 2, 28)), 4)
        ]
        self.reversals(
            "reversals-2026-02.csv", after_expiry + new_year + mixed + in_march + stories.REVERSED_IN_FEBRUARY
        )
        self.operators("update-02", {"OPD": ("2026-02-20", "2025-08-08"), "OPA": ("", "")})
        self.table("update-02/service_prices.csv", *lakeside.rows_of(lakeside.NEW_PRICES))
        self.update(
            "update-02",
            deaths=stories.DEATHS_TOLD_LATE + self.late_deaths(7),
            changed=stories.MOVED,
            fresh=stories.newcomers(self.dice),
        )
        self.step("load_city update-02")
        self.step("issue_vouchers --on 2026-01-01")  # newcomers are served, January being locked
        self.step("issue_vouchers --on 2026-02-01")
        self.redemptions("redemptions-2026-02-more.csv", [], stories.FEBRUARY_MORE)
        self.step("decide_review DLATE1 release --by replay-clerk --reason 家属证实时间有误")
        self.step("decide_review DLATE2 reject --by replay-clerk --reason 冒用")
        self.step("decide_review DWAIT1 reject --by replay-clerk --reason 冒用")
        self.step("expire_vouchers --on 2026-03-04")
        self.step("close_month 2026-02")
        self.step("settle_month 2026-02")

    def late_deaths(self, n):
        """People of the crowd who were served on or after the day they will be said to have died."""
        found, seen = [], set()
        for key in self.dice.some(self.accepted(date(2026, 1, 18), date(2026, 2, 26)), 60):
            made = self.city.redemptions["files", key]
            if made.elder not in seen and made.lines and len(found) < n:
                seen.add(made.elder)
                found.append((made.elder, made.service_on - timedelta(days=len(found) % 3 * 4)))
        return found

    def march(self):
        self.step("correct_death DERR1 --by replay-clerk --reason 同名误报")
        self.step("issue_vouchers --on 2026-03-01")
        self.step("correct_death DERR2 --by replay-clerk --reason 同名误报")
        self.step("issue_vouchers --on 2026-03-01")  # who was thought dead is served now
        late = [self.visit("2026-02") for _ in range(60)] + [self.visit("2026-01") for _ in range(10)]
        visits = [self.visit("2026-03") for _ in range(1150)]
        self.operators("update-03", {"OPE": ("", "2026-03-05")})
        columns, leases = lakeside.rows_of(lakeside.LEASES)
        prolonged = [row | {"ends_on": "2027-04-30"} for row in leases if row["code"] == "LK6"]
        self.table("update-03/leases.csv", columns, prolonged)
        self.step("load_city update-03")
        self.redemptions("redemptions-2026-03.csv", late + visits, stories.MARCH)
        january = (date(2026, 1, 1), date(2026, 1, 31))
        new_year = self.drawn(self.accepted(*january, programme="PH"), 26, "2026-03")
        suspended = self.drawn(self.accepted(*january, programme="PF"), 9, "2026-03")
        mixed = self.drawn(self.accepted(date(2026, 1, 1), date(2026, 3, 9)), 14, "2026-03")
        dead = [
            (made.key, "2026-03-09T10:00:00+08:00")
            for made in self.city.redemptions.values()
            if self.city.elders[made.elder].died_on and made.key.startswith("L0") and not made.reversed_on
        ][:12]
        self.reversals(
            "reversals-2026-03.csv", new_year + suspended + mixed + dead + stories.REVERSED_IN_MARCH
        )
        self.step("decide_review DWAIT2 release --by replay-clerk --reason 时间有误")
        waiting = [
            r.key for r in self.city.redemptions.values() if r.review == "held" and r.key.startswith("L0")
        ]
        for n, key in enumerate(waiting[:4]):
            self.step(f"decide_review {key} {('release', 'reject')[n % 2]} --by replay-clerk --reason 样例")
        self.step("expire_vouchers --on 2026-04-04")
        self.step("close_month 2026-03")
        self.step("settle_month 2026-03")

    def april(self):
        """A quiet month, in which what is carried lapses."""
        self.step("issue_vouchers --on 2026-04-01")
        self.redemptions("redemptions-2026-04.csv", [self.visit("2026-04", until=12) for _ in range(150)])
        self.reversals(
            "reversals-2026-04.csv",
            self.drawn(self.accepted(date(2026, 1, 1), date(2026, 3, 31)), 6, "2026-04"),
        )
        self.step("expire_vouchers --on 2026-05-04")
        self.step("close_month 2026-04")
        self.step("settle_month 2026-04")

    def all(self):
        self.city_files()
        for month in (self.december, self.january, self.february, self.march, self.april):
            month()
        text = "# Made by tests/reckoning/make_city.py\n" + "\n".join(self.done) + "\n"
        (self.home / "steps.txt").write_text(text, encoding="utf-8")
        bank_lines.write(self.home, self.city)
        self.played.bank(bank_lines.ORDER)
        self.played.write(self.home / "expected")
        assert not self.played.broken, self.played.broken[:5]
        return self.played


def make(directory=HOME, seed=20260214):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return Maker(Path(directory), seed).all()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=HOME)
    parser.add_argument("--seed", type=int, default=20260214)
    arguments = parser.parse_args()
    played = make(arguments.directory, arguments.seed)
    print(
        f"{len(played.city.redemptions)} redemptions, {sum(map(len, played.city.wallets.values()))} vouchers"
    )


if __name__ == "__main__":
    main()
