"""The standing cast of the tests, and one story that touches everything once.

    town()                  the ground: divisions, operators, premises, leases, services, programmes, elders, users
    tell()                  the town, and January to March 2026 in it: two months settled, the third drawn up
    redeem("r1", "LI", ...) and the like: one step of a story each, on the town's or any other ground

Everything goes through the operations (the ground through the models), with instants given, never the clock.
Nobody here is anybody: names, numbers and codes are made up, check digits are right.

The fixture `story_db` (tests/conftest.py) is a database in which the story has been told; `fresh_db` is empty.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger.banking.layouts import BankRow, read_bank
from ledger.files.resident_ids import check_character
from marketplace.accounts.models import User
from marketplace.accounts.operations import create_user
from providers.leases.receipts import Imported, import_bank
from providers.models import (
    Division,
    Lease,
    LeaseTerms,
    Offer,
    Operator,
    Premises,
    Price,
    SafetyCheck,
    Service,
)
from vouchers.elders import sealing
from vouchers.elders.deaths import correct_death, learn_death
from vouchers.elders.models import Elder
from vouchers.programmes.models import Programme
from vouchers.programmes.operations import Issued, issue
from vouchers.redemption import operations as redemption
from vouchers.redemption.models import Redemption
from vouchers.settlement.models import Statement
from vouchers.settlement.operations import close_month, decide_review, lock_if_complete, take_step
from vouchers.wallets.models import Hold
from vouchers.wallets.operations import expire, release

SHANGHAI = ZoneInfo("Asia/Shanghai")
BY = "story"
JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in (1, 2, 3, 4))


def moment(text: str) -> datetime:
    """An instant in Shanghai written 2026-01-05 11:30 (a bare day is noon of it)."""
    return datetime.fromisoformat(text if len(text) > 10 else f"{text} 12:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return date.fromisoformat(text)


def yuan(amount: str | int) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


# The ground, row by row. Amounts are text or whole yuan, dates text.


def division(code: str, name: str, level: str, parent: Division | None = None) -> Division:
    return Division.objects.create(code=code, name=name, level=level, parent=parent)


def operator(code: str, name: str, *, checked_on: str = "2025-12-01") -> Operator:
    made = Operator.objects.create(code=code, name=name)
    SafetyCheck.objects.create(operator=made, checked_on=day(checked_on))
    return made


def premises(code: str, where: Division, *, name: str = "") -> Premises:
    return Premises.objects.create(
        code=code,
        name=name or f"{code} 旧址",
        former_use="hall",
        owner="湖城机关事务管理中心",
        owner_kind="government",
        division=where,
        address="湖滨路 1 号",
        condition="ready",
        stage="operating",
    )


def lease(
    code: str,
    place: Premises,
    tenant: Operator,
    *,
    starts_on: str = "2025-07-01",
    ends_on: str = "2027-06-30",
    rent: str | int = 1000,
    rent_free_until: str | None = None,
    rate: str = "1",
    cap: str = "0.5",
    carry: int = 2,
) -> Lease:
    made = Lease.objects.create(
        code=code,
        premises=place,
        operator=tenant,
        starts_on=day(starts_on),
        ends_on=day(ends_on),
        basis="relief",
        decision_no=f"湖府 {code}",
    )
    terms(made, starts_on, rent=rent, rent_free_until=rent_free_until, rate=rate, cap=cap, carry=carry)
    return made


def terms(
    of: Lease,
    starts_on: str,
    *,
    rent: str | int = 1000,
    rent_free_until: str | None = None,
    rate: str = "1",
    cap: str = "0.5",
    carry: int = 2,
) -> LeaseTerms:
    return LeaseTerms.objects.create(
        lease=of,
        starts_on=day(starts_on),
        monthly_rent=yuan(rent),
        rent_free_until=day(rent_free_until) if rent_free_until else None,
        offset_rate=Decimal(rate),
        offset_cap=Decimal(cap),
        carry_months=carry,
    )


def service(code: str, category: str, unit: str, *, daily_limit: int | None = None) -> Service:
    return Service.objects.create(code=code, name=code, category=category, unit=unit, daily_limit=daily_limit)


def price(
    of: Service,
    list_price: str | int,
    *,
    government: str | int = 0,
    concession: str | int = 0,
    charity: str | int = 0,
    valid_from: str = "2025-01-01",
    valid_until: str | None = None,
    ages: tuple[int | None, int | None] = (60, None),
) -> Price:
    return Price.objects.create(
        service=of,
        valid_from=day(valid_from),
        valid_until=day(valid_until) if valid_until else None,
        min_age=ages[0],
        max_age=ages[1],
        list_price=yuan(list_price),
        government=yuan(government),
        concession=yuan(concession),
        charity=yuan(charity),
    )


def offer(place: Premises, *services: Service) -> None:
    Offer.objects.bulk_create(Offer(premises=place, service=one) for one in services)


def programme(
    code: str,
    settlement: str,
    of: Lease | None,
    *,
    categories: Sequence[str] = ("canteen",),
    scope: str = "premises",
    face: str | int = 10,
    divisible: bool = True,
    per_elder: int = 5,
    cadence: str = "monthly",
    starts_on: str = "2026-01-01",
    ends_on: str = "2026-12-31",
    **other: Any,
) -> Programme:
    """`other` are further fields of Programme: valid_days, max_share, min_spend, min_age, any_of, budget..."""
    return Programme.objects.create(
        code=code,
        name=f"{code} 券",
        settlement=settlement,
        lease=of,
        scope=scope,
        face_value=yuan(face),
        divisible=divisible,
        per_elder=per_elder,
        cadence=cadence,
        starts_on=day(starts_on),
        ends_on=day(ends_on),
        categories=list(categories),
        **other,
    )


def resident_id(born: date, sequence: int) -> str:
    """A well-formed ID number under an area code that no county ever had."""
    first = f"980100{born:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def elder(code: str, name: str, born: str, where: Division, **other: Any) -> Elder:
    """`other` are further fields of Elder: ability_level, categories, died_on, household."""
    number = resident_id(day(born), Elder.objects.count() + 1)
    phone = f"199000{Elder.objects.count():05d}"
    return Elder.objects.create(
        code=code,
        name=name,
        id_number_sealed=sealing.seal(number, field="id_number", row=code),
        id_number_lookup=sealing.lookup(number, field="id_number"),
        phone_sealed=sealing.seal(phone, field="phone", row=code),
        phone_lookup=sealing.lookup(phone, field="phone"),
        phone_tail=phone[-4:],
        birth_on=day(born),
        division=where,
        **other,
    )


def user(name: str, role: str, *, operator: Operator | None = None, division: Division | None = None) -> User:
    made, _ = create_user(
        username=name, role=role, operator=operator, division=division, by=BY, at=moment("2026-01-01")
    )
    return made


# What stands on the ground, by code


def elder_named(code: str) -> Elder:
    return Elder.objects.get(code=code)


def user_named(name: str) -> User:
    return User.objects.get(username=name)


def redeemed(key: str) -> Redemption:
    """The redemption with this key of files."""
    return Redemption.objects.get(key_scope="files", key=key)


def statement(code: str, month: date) -> Statement:
    return Statement.objects.get(lease__code=code, month=month)


# Steps. `when` is the instant of the service (or of the order, ...), `at` when the program learns of it.


def order_of(key: str, who: str, what: str, where: str, when: str, *, quantity: int = 1) -> Any:
    return redemption.RedemptionOrder(
        key=key, happened_at=moment(when), premises=where, service=what, elder=who, quantity=quantity
    )


def redeem(
    key: str, who: str, what: str, where: str, when: str, *, quantity: int = 1, at: str | None = None
) -> redemption.Redeemed:
    order = order_of(key, who, what, where, when, quantity=quantity)
    return redemption.redeem(order=order, by=BY, at=moment(at or when))


def reverse(key: str, when: str, *, at: str | None = None) -> Any:
    return redemption.reverse(
        redemption=redeemed(key), reversed_at=moment(when), reason="story", by=BY, at=moment(at or when)
    )


def place(key: str, who: str, what: str, where: str, for_day: str, when: str, *, quantity: int = 1) -> Hold:
    """An order: `when` it is placed, `for_day` the day of service."""
    order = order_of(key, who, what, where, for_day, quantity=quantity)
    return redemption.place(order=order, by=BY, at=moment(when))


def deliver(order_key: str, when: str, *, quantity: int | None = None, what: str | None = None) -> Any:
    hold = Hold.objects.select_related("elder", "premises", "service").get(key=order_key)
    order = order_of(
        f"delivered {order_key}",
        hold.elder.code,
        what or hold.service.code,
        hold.premises.code,
        when,
        quantity=quantity or hold.quantity,
    )
    return redemption.deliver(hold=hold, order=order, by=BY, at=moment(when))


def cancel(order_key: str, when: str) -> bool:
    return release(hold=Hold.objects.get(key=order_key), by=BY, at=moment(when), reason="story")


def issue_on(on: str, *, at: str | None = None) -> list[Issued]:
    return issue(on=day(on), by=BY, at=moment(at or on))


def expire_on(on: str, *, at: str | None = None) -> dict:
    return expire(on=day(on), by=BY, at=moment(at or on))


def dies(who: str, died_on: str, *, at: str) -> None:
    learn_death(elder=elder_named(who), died_on=day(died_on), by=BY, at=moment(at))


def lives(who: str, *, at: str) -> None:
    correct_death(elder=elder_named(who), by=BY, at=moment(at), reason="story")


def decide(key: str, *, release: bool, at: str) -> None:
    decide_review(
        redemption=redeemed(key), release=release, by=user_named("clerk"), at=moment(at), reason="story"
    )


def draw_up(month: date, *, at: str) -> list[Statement]:
    return close_month(month=month, by=BY, at=moment(at))


def step(code: str, month: date, which: str, name: str, *, at: str) -> Statement:
    """One of confirm, review, approve, by the user of this name."""
    return take_step(statement=statement(code, month), step=which, by=user_named(name), at=moment(at))


def manager_of(code: str) -> str:
    """The user name of the manager who confirms for this lease."""
    return f"manager-{Lease.objects.get(code=code).operator.code}".lower()


def settle(month: date, *, at: str) -> bool:
    """Draw up, confirm, review, approve every statement of the month, and lock it; True when it is locked."""
    for drawn in draw_up(month, at=at):
        if drawn.state == Statement.State.APPROVED:
            continue
        code = drawn.lease.code
        for which, name in (("confirm", manager_of(code)), ("review", "officer"), ("approve", "approver")):
            step(code, month, which, name, at=at)
    return lock_if_complete(month=month, by=user_named("approver"), at=moment(at))


ICBC = "凭证号,本方账号,对方账号,交易时间,借/贷,借方发生额,贷方发生额,对方行号,摘要,用途,对方单位名称,余额,个性化信息"


def bank_line(
    when: str, amount: str | int, *, payer: str = "", summary: str = "", purpose: str = "", out: bool = False
) -> str:
    """One line of a bank file, as icbc writes it."""
    money = f"{yuan(amount)}"
    sides = f"借,{money}," if out else f"贷,,{money}"
    time = f"{moment(when):%Y-%m-%d %H:%M:%S}"
    return f",98000001,98000002,{time},{sides},,{summary},{purpose},{payer},,"


def bank_rows(*lines: str) -> list[BankRow]:
    return read_bank("\n".join([ICBC, *lines, ""]).encode(), "icbc", name="story.csv")


def bank(*lines: str, at: str) -> Imported:
    return import_bank(rows=bank_rows(*lines), name="story.csv", layout="icbc", by=BY, at=moment(at))


def town() -> None:
    """The ground of the story; every test may stand on it.

    Leases: LS01 of PM01 by OP01 (rent 120, half of it at most by offset, carry 2 months), LS02 of PM02 by
    OP02 (rent 90, free until 15 January, rate 0.8, all of it, carry 1), LS03 of PM03 by OP02 (rent 100, half,
    no carry, ends on 31 January).
    Services: MEAL 20 yuan = 4 government + 3 concession + 1 charity + 12 elder's, at most 3 a day, everywhere;
    CARE 60 yuan = 10 concession + 50 elder's, at PM01 and PM02.
    Programmes: PA 5 x 10 a month, meals at PM01, offsets LS01; PB 2 x 50 once until June, care anywhere,
    offsets LS02; PC 1 x 30 a quarter for 85 and older, care anywhere, indivisible, paid out; PD 1 x 200 once,
    meals at PM03, offsets LS03.
    Users: manager-op01, manager-op02, officer (the whole city), officer-east and officer-west (one street
    each), clerk, approver, auditor, administrator.
    """
    city = division("98", "湖城市", "city")
    district = division("9801", "滨湖区", "district", city)
    east = division("980101", "东湖街道", "street", district)
    west = division("980102", "西湖街道", "street", district)
    lotus = division("98010101", "荷花社区", "community", east)
    reed = division("98010201", "芦苇社区", "community", west)

    crane, ginkgo = operator("OP01", "松鹤养老服务有限公司"), operator("OP02", "银杏社区照护中心")
    hall, clinic, plant = premises("PM01", lotus), premises("PM02", reed), premises("PM03", lotus)
    ls01 = lease("LS01", hall, crane, rent=120)
    ls02 = lease("LS02", clinic, ginkgo, rent=90, rent_free_until="2026-01-15", rate="0.8", cap="1", carry=1)
    ls03 = lease("LS03", plant, ginkgo, rent=100, carry=0, ends_on="2026-01-31")

    meal = service("MEAL", "canteen", "meal", daily_limit=3)
    care = service("CARE", "home_care", "hour")
    price(meal, 20, government=4, concession=3, charity=1)
    price(care, 60, concession=10)
    offer(hall, meal, care)
    offer(clinic, meal, care)
    offer(plant, meal)

    programme("PA", "offset", ls01)
    programme(
        "PB", "offset", ls02, categories=["home_care"], scope="city", face=50, per_elder=2, cadence="once",
        ends_on="2026-06-30",
    )  # fmt: skip
    programme(
        "PC", "payout", None, categories=["home_care"], scope="city", face=30, divisible=False, per_elder=1,
        cadence="quarterly", min_age=85,
    )  # fmt: skip
    programme("PD", "offset", ls03, face=200, per_elder=1, cadence="once")

    elder("LI", "李桂兰", "1946-03-05", lotus)  # Grandma Li, at the heart of every story
    elder("ZHANG", "张德福", "1950-10-01", lotus, categories=["veteran"])
    elder("WANG", "王秀英", "1948-07-07", reed, categories=["living_alone"])
    elder("ZHAO", "赵玉珍", "1955-02-28", reed, ability_level=2)  # orders
    elder("SUN", "孙老太", "1938-01-01", lotus, ability_level=3)  # 88: the payout programme
    elder("QIAN", "钱有余", "1951-05-05", lotus)  # dies, learnt late
    elder("ZHOU", "周全", "1952-06-06", reed)  # said to be dead by mistake

    user("manager-op01", "operator_manager", operator=crane)
    user("manager-op02", "operator_manager", operator=ginkgo)
    user("officer", "street_officer")
    user("officer-east", "street_officer", division=east)
    user("officer-west", "street_officer", division=west)
    user("clerk", "bureau_clerk")
    user("approver", "bureau_approver")
    user("auditor", "auditor")
    user("administrator", "administrator")


def tell() -> None:
    """The whole story: January and February settled and locked, March drawn up and half confirmed."""
    town()
    january()
    february()
    march()


def january() -> None:
    issue_on("2026-01-01", at="2025-12-30")
    redeem("li-meal", "LI", "MEAL", "PM01", "2026-01-05 11:30", quantity=2)
    redeem("zhang-meal", "ZHANG", "MEAL", "PM01", "2026-01-10 11:40")
    redeem("zhang-care", "ZHANG", "CARE", "PM01", "2026-01-12 09:00")  # earns for LS02, served under LS01
    redeem("wang-meal", "WANG", "MEAL", "PM01", "2026-01-15 11:50")
    reverse("wang-meal", "2026-01-16")  # back while valid
    redeem("wang-bare", "WANG", "MEAL", "PM02", "2026-01-17 12:10")  # no voucher fits: government and charity
    for n in (20, 21):
        redeem(f"li-feast-{n}", "LI", "MEAL", "PM03", f"2026-01-{n} 11:30", quantity=3)  # more than the cap
    redeem("sun-care", "SUN", "CARE", "PM02", "2026-01-22 15:00")  # 50 by offset beat 30 paid out
    place("order-less", "ZHAO", "MEAL", "PM01", "2026-01-26", "2026-01-25 18:00", quantity=3)
    deliver("order-less", "2026-01-26 11:30", quantity=2)
    redeem("zhao-meal", "ZHAO", "MEAL", "PM01", "2026-01-27 11:30")
    issue_on("2026-02-01", at="2026-01-29")
    settle(JANUARY, at="2026-02-02 10:00")


def february() -> None:
    redeem("zhang-late", "ZHANG", "MEAL", "PM01", "2026-01-30 11:30", at="2026-02-03 09:00")  # late on LS01
    expire_on("2026-02-04")
    reverse("li-meal", "2026-02-05")  # stood on January's statement; expires at once
    redeem("zhang-care-2", "ZHANG", "CARE", "PM02", "2026-02-05 10:00")
    redeem("sun-care-2", "SUN", "CARE", "PM02", "2026-02-05 16:00")
    redeem("sun-paid-out", "SUN", "CARE", "PM01", "2026-02-06 16:00")  # nothing left of PB: PC pays 30
    redeem("qian-meal", "QIAN", "MEAL", "PM01", "2026-02-08 11:30")
    redeem("qian-meal-2", "QIAN", "MEAL", "PM01", "2026-02-09 11:30")
    redeem("li-meal-2", "LI", "MEAL", "PM01", "2026-02-10 11:30", quantity=3)
    place("order-cancelled", "ZHAO", "MEAL", "PM01", "2026-02-14", "2026-02-12 18:00")
    cancel("order-cancelled", "2026-02-13 08:00")
    place("order-of-dead", "SUN", "MEAL", "PM01", "2026-02-20", "2026-02-12 18:00")
    dies("SUN", "2026-02-06", at="2026-02-15 09:00")
    dies("ZHOU", "2026-02-01", at="2026-02-15 09:30")
    lives("ZHOU", at="2026-02-16 09:00")
    dies("QIAN", "2026-02-08", at="2026-02-20 09:00")
    place("order-open", "WANG", "CARE", "PM02", "2026-03-20", "2026-02-26 18:00")
    issue_on("2026-03-01", at="2026-02-26")
    settle(FEBRUARY, at="2026-03-02 10:00")


def march() -> None:
    expire_on("2026-03-04")
    bank(
        bank_line("2026-03-05 09:00", 40, payer="松鹤养老服务有限公司", summary="LS01 房租"),
        bank_line("2026-03-05 09:30", 50, payer="银杏社区照护中心", purpose="一月"),  # LS03's January
        bank_line("2026-03-05 10:00", 7, payer="路人"),
        bank_line("2026-03-05 11:00", 12, payer="湖城机关事务管理中心", out=True),
        at="2026-03-06",
    )
    decide("qian-meal", release=True, at="2026-03-07")  # counts in March, late
    decide("qian-meal-2", release=False, at="2026-03-07")
    redeem("li-meal-3", "LI", "MEAL", "PM01", "2026-03-08 11:30", quantity=2)
    redeem("wang-meal-2", "WANG", "MEAL", "PM01", "2026-03-09 11:30")
    redeem("zhang-meal-2", "ZHANG", "MEAL", "PM01", "2026-03-09 11:30")
    reverse("li-meal-2", "2026-03-10")  # stood on February's statement, to be taken back in March
    place("order-more", "ZHAO", "MEAL", "PM01", "2026-03-12", "2026-03-11 18:00")
    deliver("order-more", "2026-03-12 11:30", quantity=2)  # the difference is self-pay
    draw_up(MARCH, at="2026-04-01 08:00")
    step("LS01", MARCH, "confirm", "manager-op01", at="2026-04-01 09:00")
