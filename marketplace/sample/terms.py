"""The town's leases and programmes: who rents what on which terms, and what its vouchers are good for.

Rents are 2.50 to 5 yuan a square metre and month (one published lease of public premises for elder care:
4.01). Rates, caps and carries are ours: no published figure exists. Decision numbers are invented.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from marketplace.sample.dates import Calendar, add_months, last_day, quarter_start

# code, premises, operator, starts (months before the sample, 0: see below), years, rent, rate, cap, carry,
# basis, decision number
LEASES = [
    ("LS001", "PR001", "OP01", 17, 10, "4220.00", "1.00", "0.50", 3, "relief", "示例抵租〔一〕01号"),
    ("LS002", "PR002", "OP02", 14, 8, "2700.00", "0.80", "0.60", 1, "relief", "示例抵租〔一〕02号"),
    ("LS003", "PR003", "OP03", 21, 10, "3740.00", "0.90", "0.50", 6, "purchase", "示例购服〔一〕01号"),
    ("LS004", "PR004", "OP04", 26, 0, "5580.00", "0.80", "0.40", 1, "relief", "示例抵租〔一〕03号"),
    ("LS005", "PR005", "OP01", 12, 10, "5150.00", "1.00", "0.50", 3, "relief", "示例抵租〔一〕04号"),
    ("LS006", "PR006", "OP05", 9, 5, "1770.00", "1.00", "0.70", 0, "relief", "示例抵租〔二〕01号"),
    ("LS007", "PR007", "OP07", 19, 15, "2130.00", "1.20", "0.50", 6, "purchase", "示例购服〔一〕02号"),
    ("LS008", "PR008", "OP05", 7, 10, "5820.00", "0.85", "0.333", 2, "relief", "示例抵租〔二〕02号"),
    ("LS009", "PR009", "OP08", 24, 10, "1980.00", "1.20", "0.70", 12, "relief", "示例抵租〔一〕05号"),
    ("LS010", "PR010", "OP09", 16, 5, "1460.00", "1.00", "0.70", 3, "", ""),
    ("LS011", "PR011", "OP02", 10, 5, "2370.00", "0.75", "0.50", 0, "purchase", "示例购服〔二〕01号"),
    ("LS012", "PR012", "OP12", 5, 10, "4290.00", "1.00", "0.50", 3, "relief", "示例抵租〔二〕03号"),
    ("LS013", "PR013", "OP06", 13, 8, "3720.00", "1.00", "0.45", 6, "purchase", "示例购服〔一〕03号"),
    ("LS014", "PR014", "OP11", 2, 15, "2370.00", "1.00", "0.50", 3, "relief", "示例抵租〔三〕01号"),
    ("LS015", "PR015", "OP10", 0, 10, "3720.00", "1.00", "0.50", 3, "", ""),
    ("LS016", "PR004", "OP10", 0, 10, "5833.37", "0.90", "0.50", 3, "relief", "示例抵租〔三〕02号"),
]


@dataclass(frozen=True)
class Lease:
    code: str
    premises: str
    operator: str
    starts_on: date
    ends_on: date
    monthly_rent: Decimal
    rent_free_until: date | None
    offset_rate: str
    offset_cap: str
    carry_months: int
    basis: str
    decision_no: str

    def in_force_on(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on

    def row(self) -> dict[str, str]:
        row = {name: str(value) for name, value in vars(self).items()}
        row["rent_free_until"] = str(self.rent_free_until or "")
        return row


@dataclass(frozen=True)
class Programme:
    """One programme; `face` and `min_spend` in fen, `share` in thousandths, empty tuples for no limit."""

    code: str
    name: str
    settlement: str
    lease: str
    scope: str
    face: int
    divisible: bool
    per_elder: int
    cadence: str
    starts_on: date
    ends_on: date
    valid_days: int | None
    share: int
    min_spend: int
    categories: tuple[str, ...]
    min_age: int
    min_ability: int | None = None
    any_of: tuple[str, ...] = field(default=())
    divisions: tuple[str, ...] = field(default=())
    budget: int | None = None

    def row(self) -> dict[str, str]:
        return {
            "code": self.code,
            "name": self.name,
            "settlement": self.settlement,
            "lease": self.lease,
            "scope": self.scope,
            "face_value": yuan(self.face),
            "divisible": "yes" if self.divisible else "no",
            "per_elder": str(self.per_elder),
            "cadence": self.cadence,
            "starts_on": str(self.starts_on),
            "ends_on": str(self.ends_on),
            "valid_days": str(self.valid_days or ""),
            "max_share": str(Decimal(self.share) / 1000),
            "min_spend": yuan(self.min_spend) if self.min_spend else "",
            "categories": ";".join(self.categories),
            "min_age": str(self.min_age),
            "min_ability": "" if self.min_ability is None else str(self.min_ability),
            "any_of": ";".join(self.any_of),
            "divisions": ";".join(self.divisions),
            "budget": "" if self.budget is None else yuan(self.budget),
        }


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def leases(calendar: Calendar) -> list[Lease]:
    """This function will date the leases: two new ones start during the sample, one ends in it."""
    start = calendar.start
    handover = calendar.month(-2).replace(day=18)  # PR004 passes from LS004 to LS016
    rows = []
    for code, premises, operator, before, years, rent, rate, cap, carry, basis, decision in LEASES:
        starts_on, rent_free = add_months(start, -before), None
        ends_on = last_day(add_months(starts_on, 12 * years - 1)) if years else handover
        if code == "LS014":  # being converted: no rent until the end of the second month
            rent_free = last_day(calendar.month(-2))
        if code == "LS015":  # begins with the third month, with two months free
            starts_on = calendar.month(-1)
            ends_on = last_day(add_months(starts_on, 12 * years - 1))
            rent_free = last_day(calendar.month(0))
        if code == "LS016":
            starts_on = handover + timedelta(days=1)
            ends_on = last_day(add_months(calendar.month(-2), 12 * years - 1))
        rows.append(
            Lease(code, premises, operator, starts_on, ends_on, Decimal(rent), rent_free, rate, cap, carry,
                  basis, decision)
        )  # fmt: skip
    return rows


# Streets served by each premises.
TAISHAN, SONGSHAN, LIYU, MAJIAHE = "430211002", "430211001", "430211003", "430211004"
QUNFENG, LEIDASHI, SANMEN = "430211101", "430211102", "430211103"
JIANSHE, GUIHUA, TIANXIN = "430203002", "430202004", "430204001"

MEALS = ("canteen", "delivery")
CARE = ("home_care", "rehabilitation")
ALL = ("canteen", "delivery", "home_care", "rehabilitation", "day_care", "recreation")


def programmes(calendar: Calendar, dated_leases: list[Lease]) -> list[Programme]:
    """This function will date the programmes: monthly ones start with the sample.

    Quarterly ones start with the quarter in which the sample starts, so that their vouchers are alive in it.
    """
    start, end = calendar.start, last_day(add_months(calendar.start, 38))
    quarter = quarter_start(start)
    lease_end = {lease.code: lease.ends_on for lease in dated_leases}

    def offset(code, name, lease, scope, face, per_elder, share, categories, streets, **other):
        terms = {
            "settlement": "offset",
            "divisible": True,
            "cadence": "monthly",
            "starts_on": quarter if other.get("cadence") == "quarterly" else start,
            "ends_on": min(end, lease_end[lease]),
            "valid_days": None,
            "min_spend": 0,
            "min_age": 60,
            **other,
        }
        return Programme(code=code, name=name, lease=lease, scope=scope, face=face, per_elder=per_elder,
                         share=share, categories=categories, divisions=streets, **terms)  # fmt: skip

    def payout(code, name, face, per_elder, share, categories, **other):
        terms = {"divisible": True, "cadence": "monthly", "starts_on": start, "ends_on": end,
                 "valid_days": None, "min_spend": 0, "min_age": 60, **other}  # fmt: skip
        return Programme(code=code, name=name, settlement="payout", lease="", scope="city", face=face,
                         per_elder=per_elder, share=share, categories=categories, **terms)  # fmt: skip

    sixteenth_starts = calendar.month(-1)  # LS016's first whole month
    return [
        offset("PG01", "礼堂饭堂抵租券", "LS001", "premises", 500, 10, 650, MEALS, (TAISHAN,), divisible=False,
               min_age=65),
        offset("PG02", "居家照护抵租券", "LS002", "premises", 6000, 1, 600, CARE, (LIYU,), min_spend=1000),
        offset("PG03", "日间照料抵租券", "LS003", "operator", 12000, 1, 700,
               ("day_care", "recreation", "rehabilitation"), (LIYU, SONGSHAN), cadence="quarterly"),
        offset("PG04", "机修车间饭票抵租券", "LS004", "premises", 400, 8, 500, MEALS, (MAJIAHE,),
               divisible=False, valid_days=45),
        offset("PG05", "桂舟通用抵租券", "LS005", "operator", 2500, 2, 600,
               ("canteen", "delivery", "home_care"), (SONGSHAN,)),
        offset("PG06", "石阶里饭堂抵租券", "LS006", "premises", 300, 12, 400, MEALS, (TAISHAN,), divisible=False,
               min_age=70),
        offset("PG07", "供销社日照抵租券", "LS007", "premises", 12000, 1, 700,
               ("day_care", "recreation", "canteen"), (QUNFENG,), cadence="quarterly"),
        offset("PG08", "电影院饭堂抵租券", "LS008", "premises", 400, 10, 500, MEALS, (LIYU,), divisible=False, min_age=65),
        offset("PG09", "听雷乡里抵租券", "LS009", "premises", 4500, 1, 600, ALL, (LEIDASHI,)),
        offset("PG10", "三棵树乡里抵租券", "LS010", "premises", 3600, 1, 600, ALL, (SANMEN,), valid_days=45),
        offset("PG11", "上门助老抵租券", "LS011", "operator", 3000, 1, 500, CARE, (SONGSHAN, TAISHAN)),
        offset("PG12", "汽笛全城抵租券", "LS012", "city", 5000, 1, 500, ALL, (TIANXIN,)),
        offset("PG13", "书声里康复抵租券", "LS013", "premises", 10000, 1, 700, CARE, (JIANSHE, GUIHUA), min_age=65),
        offset("PG14", "双井饭堂抵租券", "LS016", "premises", 6000, 1, 500, MEALS, (MAJIAHE,),
               starts_on=sixteenth_starts),
        payout("PG15", "失能老人居家服务消费券", 40000, 1, 500,
               ("home_care", "rehabilitation", "day_care", "delivery"), min_ability=2),
        payout("PG16", "高龄助餐券", 200, 8, 1000, ("canteen",), min_age=80, divisible=False),
        payout("PG17", "困难家庭适老化改造券", 300000, 1, 900, ("adaptation",), cadence="once", valid_days=365,
               any_of=("low_income", "destitute", "disabled"), budget=24000000),
    ]  # fmt: skip


@dataclass(frozen=True)
class Diary:
    """How much of one service a premises delivers on a weekday, while `lease` is in force."""

    lease: str
    service: str
    a_weekday: float


A_WEEKDAY: dict[str, dict[str, float]] = {
    "LS001": {"SV01": 17.6, "SV02": 4.5, "SV03": 3.2, "SV11": 2},
    "LS002": {"SV04": 0.8, "SV05": 2, "SV06": 1.6, "SV09": 2},
    "LS003": {"SV10": 3.6, "SV11": 2.6, "SV09": 1.3, "SV01": 3.2},
    "LS004": {"SV01": 11.1, "SV02": 3.2, "SV03": 2},
    "LS005": {"SV01": 9.8, "SV02": 2.6, "SV03": 2, "SV05": 1.3, "SV06": 1, "SV08": 1},
    "LS006": {"SV01": 12.3, "SV02": 3.9, "SV03": 1.3},
    "LS007": {"SV10": 2.3, "SV11": 1.3, "SV01": 3.9},
    "LS008": {"SV01": 13.7, "SV02": 3.2, "SV03": 2},
    "LS009": {"SV01": 5.2, "SV10": 1.3, "SV06": 0.7, "SV11": 1.3, "SV03": 0.7},
    "LS010": {"SV01": 5.2, "SV03": 0.7, "SV06": 0.5, "SV11": 0.7},
    "LS011": {"SV05": 2.3, "SV07": 1.3, "SV06": 1.3, "SV08": 1.3, "SV04": 0.5},
    "LS012": {"SV01": 7.2, "SV02": 2, "SV11": 2, "SV06": 0.7, "SV10": 0.7},
    "LS013": {"SV09": 2.6, "SV07": 1, "SV12": 0.3, "SV13": 0.2},
    "LS016": {"SV01": 10.4, "SV02": 3.2, "SV03": 2},
}
DIARIES = [
    Diary(lease, service, a_weekday)
    for lease, services in A_WEEKDAY.items()
    for service, a_weekday in services.items()
]

# Offered besides, for which nobody fills a diary: homes are adapted as projects.
OFFERED_BESIDES = {"LS006": ("SV14", "SV15", "SV16", "SV17", "SV18", "SV19")}
# Which of the thirty listed items a service delivers.
ITEMS = {
    "SV12": "SLH13", "SV13": "SLH01", "SV14": "SLH13", "SV15": "SLH01", "SV16": "SLH11", "SV17": "SLH17",
    "SV18": "SLH14", "SV19": "SLH20",
}  # fmt: skip

# Whom a premises serves first.
CATCHMENT = {
    "LS001": (TAISHAN,), "LS002": (LIYU,), "LS003": (LIYU, SONGSHAN), "LS004": (MAJIAHE,), "LS005": (SONGSHAN,),
    "LS006": (TAISHAN,), "LS007": (QUNFENG,), "LS008": (LIYU,), "LS009": (LEIDASHI,), "LS010": (SANMEN,),
    "LS011": (SONGSHAN, TAISHAN), "LS012": (TIANXIN,), "LS013": (JIANSHE, GUIHUA), "LS016": (MAJIAHE,),
}  # fmt: skip

STREET_WEIGHTS = {
    TAISHAN: 19, SONGSHAN: 17, LIYU: 18, MAJIAHE: 10, QUNFENG: 7, LEIDASHI: 6, SANMEN: 5, JIANSHE: 6, GUIHUA: 4,
    TIANXIN: 8,
}  # fmt: skip

# The operator suspended in the third month, from its 20th, and the one whose safety check is renewed in it.
SUSPENDED_OPERATOR, SUSPENDED_LEASE = "OP06", "LS013"
RECHECKED_OPERATOR = "OP09"
