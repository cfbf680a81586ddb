"""Each rule alone: what it finds, and beside it what it must let pass. No database."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from providers.premises.distances import distance_km
from vouchers.review import of_leases
from vouchers.review.catalogue import RULES
from vouchers.review.facts import Served

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALL, NEAR, FAR = (113.00, 27.80), (113.01, 27.80), (113.40, 27.80)  # about 1 km and 39 km apart
_numbers = iter(range(1, 10**6))


def served(when: str = "2026-03-05 11:30", **other) -> Served:
    at = datetime.fromisoformat(when).replace(tzinfo=SHANGHAI)
    facts = {
        "id": next(_numbers), "elder": 1, "at": int(at.timestamp()), "on": at.date(),
        "recorded": int(at.timestamp()) + 5, "lease": 1, "premises": 1, "service": 1, "category": "canteen",
        "unit": "meal", "counter": "terminal 1", "cashier": "Wu", "channel": "qr", "quantity": 1,
        "list_price": Decimal("12.00"), "government": Decimal("4.00"), "claimed": Decimal("8.00"),
        "place": HALL,
    }  # fmt: skip
    return Served(**{**facts, **other})


def found(rule: str, *rows: Served, **values: int) -> list[int]:
    """Which rows, by place, the rule names under its defaults and `values`."""
    one = RULES[rule]
    places = {row.id: n for n, row in enumerate(rows)}
    findings = list(one.find(rows, {**one.defaults, **values}))
    for finding in findings:
        assert finding.on == rows[places[finding.redemption]].on
        assert "%(" not in one.sentence(finding.facts) and one.sentence(finding.facts) != one.label, rule
    return sorted(places[finding.redemption] for finding in findings)


def visit(when: str = "2026-03-05 09:00", **other) -> Served:
    return served(when, **{"category": "home_care", "unit": "visit", "service": 2, "place": None, **other})


DEAD = {"died_on": date(2026, 3, 5)}
NOON, SOON, LATER = "2026-03-05 12:00", "2026-03-05 12:08", "2026-03-05 13:30"

CASES = [
    # rule, rows, which of them are found
    ("after_death", [served(**DEAD)], [0]),
    ("after_death", [served("2026-03-04 11:30", **DEAD), served()], []),
    ("too_far", [served(NOON), served(SOON, premises=2, place=FAR)], [0, 1]),
    ("too_far", [served(NOON), served(LATER, premises=2, place=FAR)], []),  # 39 km in 90 minutes
    ("too_far", [served(NOON), served(SOON, premises=2, place=NEAR)], []),  # a short walk
    ("too_far", [served(NOON), served(SOON, premises=2, place=FAR, category="delivery")], []),  # brought home
    ("too_far", [served(NOON), served(SOON, premises=2, place=None)], []),
    ("too_far", [served("2026-03-05 23:58"), served("2026-03-06 00:04", premises=2, place=FAR)], [0, 1]),
    ("closed", [served(open_at=[(630, 780)])], []),
    ("closed", [served("2026-03-05 15:00", open_at=[(630, 780), (1000, 1100)])], [0]),
    ("closed", [served("2026-03-05 13:20", open_at=[(630, 780)])], []),  # within half an hour of closing
    ("closed", [served("2026-03-05 15:00", open_at=[])], [0]),  # closed all day
    ("closed", [served("2026-03-05 15:00", open_at=None)], []),  # nobody knows
    ("closed", [visit("2026-03-05 21:00", open_at=[(630, 780)])], []),
    ("too_much", [served(quantity=2), served(premises=2, quantity=2), served(premises=3)], [2]),
    ("too_much", [served(quantity=4), served("2026-03-06 11:30", quantity=4)], []),
    ("too_much", [served(quantity=9, unit="item")], []),
    ("kin", [served(kin="staff"), served(kin="relative"), served()], [0, 1]),
    ("too_dear", [served(cash_price=Decimal("11.99"))], [0]),
    ("too_dear", [served(cash_price=Decimal(12)), served(), served(quantity=2, list_price=Decimal(24), cash_price=Decimal(12))], []),
    ("no_evidence", [visit(channel="hotline"), visit(channel="")], [0, 1]),
    ("no_evidence", [visit(), visit(channel="pin"), visit(channel="paper"), visit(channel="hotline", ordered=1), served(channel="hotline")], []),
    ("no_evidence", [visit(evidence=False), visit(channel="hotline", evidence=True)], [0]),
    ("denied", [served(denied_on=date(2026, 4, 2)), served()], [0]),
    ("duplicate", [served(NOON), served(SOON)], [1]),
    ("duplicate", [served(NOON), served(LATER), served(LATER, service=2), served(LATER, premises=2)], []),
    ("duplicate", [served(NOON, ordered=1), served(SOON)], []),
    ("claimed_twice", [served(NOON), served(SOON, claimed=Decimal(0))], [1]),
    ("claimed_twice", [served(NOON, claimed=Decimal(0)), served(SOON)], [1]),
    ("claimed_twice", [served(NOON), served(SOON)], []),
    ("claimed_twice", [served(NOON), served(SOON, claimed=Decimal(0), government=Decimal(0))], []),
    ("claimed_twice", [served(NOON), served(SOON, claimed=Decimal(0), service=2)], []),
    ("order_differs", [served(ordered=1, quantity=2), served(ordered=2, quantity=2), served(quantity=5), served(ordered=3, quantity=2)], [0]),
    ("wrong_month", [served(ordered_on=date(2026, 4, 1)), served(ordered_on=date(2026, 3, 31)), served()], [0]),
    ("wrong_month", [served("2026-04-01 00:10", recorded=int(datetime(2026, 3, 31, 20, tzinfo=SHANGHAI).timestamp()))], [0]),
    ("late", [served(recorded=served().at + 32 * 86400 + 60), served(recorded=served().at + 31 * 86400)], [0]),
    ("late", [served(counter="files", recorded=served().at + 90 * 86400, locked=locked) for locked in (False, True)], [1]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "rows", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_a_rule_finds_and_lets_pass(rule, rows, expected):
    assert found(rule, *rows) == expected


def minutes(count: int, *, every: float, start: str = "2026-03-05 11:00", **other) -> list[Served]:
    first = datetime.fromisoformat(start)
    return [served(str(first + timedelta(seconds=every * n)), elder=n, **other) for n in range(count)]


def test_a_burst_at_one_counter():
    rush = minutes(21, every=2)
    assert found("burst", *rush) == list(range(21))
    assert found("burst", *rush[:20]) == []
    assert found("burst", *minutes(200, every=4)) == []  # a long queue moves at the pace of people
    two = sorted([*minutes(15, every=2), *minutes(15, every=2, counter="terminal 2")], key=lambda row: row.at)
    assert found("burst", *two) == []  # two counters side by side


def test_a_burst_within_a_calm_day_names_the_burst_alone():
    calm = minutes(30, every=60)
    burst = minutes(25, every=1, start="2026-03-05 15:00")
    rows = [*calm, *burst]
    assert found("burst", *rows) == list(range(30, 55))


def test_own_vouchers_faster_than_served():
    assert len(found("too_fast", *minutes(201, every=2.5))) == 201
    assert found("too_fast", *minutes(201, every=4)) == []
    assert found("too_fast", *minutes(201, every=2.5, claimed=Decimal(0))) == []  # others' vouchers
    visits = [visit(), visit("2026-03-05 09:05", elder=2), visit("2026-03-05 09:30", elder=3)]
    assert found("too_fast", *visits) == [1]
    other = [visit(), visit("2026-03-05 09:05", elder=2, cashier="Zhou"), visit("2026-03-05 09:06")]
    assert found("too_fast", *other) == []
    baths = [visit(category="recreation"), visit("2026-03-05 09:05", elder=2, category="recreation")]
    assert found("too_fast", *baths) == []  # at the place many are served side by side
    hours = [visit(unit="hour"), visit("2026-03-05 10:00", unit="hour", quantity=2, elder=2)]
    assert found("too_fast", *hours) == [1]  # two hours booked, one passed


def test_the_months_last_hours():
    usual = [served(f"2026-03-{day:02d} 20:30", elder=day) for day in range(1, 31)]
    rush = [served(f"2026-03-31 2{n % 4}:1{n}", elder=n) for n in range(10)]
    late = [row for row in rush if row.minute >= 20 * 60]
    assert len(late) == 10
    assert found("last_hour", *usual, *rush) == list(range(30, 40))
    assert found("last_hour", *usual, *rush[:9]) == []
    busy = sorted([*usual, *usual, *usual, *rush], key=lambda row: row.at)
    assert found("last_hour", *busy) == []  # as busy on every evening


def test_one_cashier_only():
    days = [served(f"2026-03-{day:02d} 11:30", cashiers=4) for day in range(1, 15)]
    assert found("one_cashier", *days) == [11]  # named once, at the twelfth
    assert found("one_cashier", *days[:11]) == []
    assert found("one_cashier", *days[:-1], served("2026-03-20 11:30", cashiers=4, cashier="Zhou")) == []
    two = [row._replace(cashiers=2, usual=55) for row in days]
    assert found("one_cashier", *two) == [11]
    assert found("one_cashier", *[row._replace(usual=61) for row in two]) == []  # serves nearly everybody
    assert found("one_cashier", *[row._replace(cashiers=1, usual=100) for row in days]) == []
    assert found("one_cashier", *[row._replace(cashier="") for row in days]) == []  # files do not say
    two_months = [*days[:6], *[served(f"2026-04-{day:02d} 11:30", cashiers=4) for day in range(1, 7)]]
    assert found("one_cashier", *two_months) == []


def test_a_tablet_is_called_a_tablet():
    days = [served(f"2026-03-{day:02d} 11:30", cashiers=2, cashier="terminal:12") for day in range(1, 13)]
    rule = RULES["one_cashier"]
    [finding] = rule.find(days, rule.defaults)
    with translation.override("en"):
        assert "tablet no. 12" in rule.sentence(finding.facts) and "0 % of" in rule.sentence(finding.facts)
        del finding.facts["usual"]  # written before the share was looked at
        assert "where 2 people or tablets serve" in rule.sentence(finding.facts)


def test_parameters_decide():
    pair = [served(NOON), served(SOON)]
    assert found("duplicate", *pair, minutes=5) == []
    assert found("kin", served(kin="relative"), relatives=0) == []
    assert found("too_dear", served(cash_price=Decimal("11.99")), percent=1) == []


def test_distance():
    """Beijing's and Shanghai's city halls are about 1,067 km apart."""
    km = distance_km((116.407, 39.904), (121.474, 31.230))
    assert 1062 < km < 1072
    assert distance_km(HALL, HALL) == 0


def test_rules_say_why_and_bound_their_parameters():
    for rule in RULES.values():
        assert len(str(rule.why)) > 25 and rule.label
        for one in rule.parameters:
            assert one.least <= one.default <= one.most, (rule.code, one.name)
    assert {code for code, rule in RULES.items() if rule.holds} == {"after_death", "too_far", "claimed_twice"}


def test_crowded_names_each_once_with_the_count_it_saw():
    rows = [(row, 1) for row in minutes(6, every=10)]
    named = list(of_leases.crowded(iter(rows), 20, 2))
    assert [row.id for row, _ in named] == [row.id for row, _ in reversed(rows[:3])] + [
        r.id for r, _ in rows[3:]
    ]
