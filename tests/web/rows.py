"""Rows of every kind in bulk: what fills the lists of the builder's city, a page and more of each.

One row of a kind is written as the builder writes it; the others are copies of it, made by the database. Copy n has the
number n in every table, from FIRST on, so that copies belong to each other by their numbers: line n to order n. As in
the builder nothing goes through an operation. Checks and unique columns hold; triggers and foreign keys are not asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from django.db.models import Model
from django.utils import timezone
from oscar.core.loading import get_model

from ledger.journal.queries import day_of, midnight
from ledger.models import BankMapping, Head, Record, SealApproval, SealUse
from marketplace.accounts.models import Grant, Role
from marketplace.messages.models import Message
from marketplace.models import (
    CareOrder,
    JobFile,
    Listing,
    NightlyRun,
    StandingOrder,
    Story,
    Supply,
    WorkOrder,
)
from marketplace.overview.operations import take_snapshot
from providers.models import (
    Appointment,
    Booking,
    Caregiver,
    CashPrice,
    Closure,
    Handover,
    HandoverLine,
    Inspection,
    ItemService,
    Offer,
    OrderTerms,
    PayeeAccount,
    Price,
    Refund,
    RentCharge,
    SafetyCheck,
    Slot,
    StageChange,
    Suspension,
)
from tests import databases
from tests.web.builder import City
from vouchers.models import (
    Delegation,
    Donation,
    FundBudget,
    Hold,
    HoldLine,
    Objection,
    PayoutLine,
    Plan,
    PlanLine,
    RuleTerms,
    Terminal,
    Visit,
    Voucher,
)

FIRST = 1_000_000
DOZENS = 160
AGAIN = 500_000  # a second kind of copies in one table has numbers further on


class Copier:
    """Copies rows by SQL; values are expressions of `n`, the number of the copy, and `k`, which counts from 1."""

    def __init__(self, cursor: psycopg.Cursor, count: int) -> None:
        self.cursor, self.count = cursor, count

    def __call__(
        self, seed: Model, count: int | None = None, /, *, where: str = "true", **values: str
    ) -> None:
        keys = {field.column: getattr(seed, field.attname) for field in seed._meta.pk_fields}
        values = {**dict.fromkeys(keys.keys() & {"id"}, "n"), **values}
        told = ", ".join(f"'{column}', {value}" for column, value in values.items())
        this = " AND ".join(f"source.{column} = {value}" for column, value in keys.items())
        table, most = seed._meta.db_table, self.count if count is None else count
        self.cursor.execute(
            f"INSERT INTO {table} SELECT made.* FROM {table} source"
            f" CROSS JOIN (SELECT k, k + {FIRST} AS n FROM generate_series(1, {most}) k) AS copies"
            f" CROSS JOIN LATERAL jsonb_populate_record(source, jsonb_build_object({told})) made"
            f" WHERE {this} AND {where}"
        )


@contextmanager
def _copier(database: str, count: int) -> Iterator[Copier]:
    with databases.superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET timezone = 'Asia/Shanghai'")
        yield Copier(cursor, count)


def multiply(city: City, database: str, count: int) -> None:
    """`count` rows of each kind that a list shows; of what a city has by the dozen a tenth, of what one page shows
    of one thing a twentieth."""
    now = timezone.now()
    some, few = count // 10, count // 20
    orders = _ordered(city, now)
    one_of_each = _seeds(city, now)
    with _copier(database, count) as copy:
        _registers(copy, city, some, few)
        copy.cursor.execute(  # so that one operator has dozens, not all of them
            f"UPDATE providers_lease SET operator_id = {FIRST} + 1 + id % {some} WHERE id > {city.leases[0].pk + DOZENS}"
        )
        _money(copy, city, one_of_each, some, few)
        _served(copy, city, now)
        _desk(copy, city, one_of_each, few)
        _orders(copy, city, orders, some, now)
        _homes(copy, city)
        copy.cursor.execute(
            f"UPDATE vouchers_elder SET died_on = '2026-08-03' WHERE id > {FIRST} AND id % 10 = 5;"
            f"UPDATE vouchers_elder SET same_as_id = {city.redemptions[1].elder_id} WHERE id > {FIRST} AND id % 10 = 6"
        )
    _sealed(city, count, few, now)
    take_snapshot(today=day_of(now), at=now)


def _registers(copy: Copier, city: City, some: int, few: int) -> None:
    lease, count = city.leases[0], copy.count
    house, operator, today = lease.premises, lease.operator, timezone.localdate()
    rail = Price.objects.get(service__code="SV12")
    lunch = Offer.objects.get(premises=house, service__code="SV01")
    at, by = timezone.now(), "clerk"
    copy(operator, some, code="'OP' || n", name="'样例机构' || k")
    copy(rail.service, some, code="'SV' || n", name="'样例项目' || k")
    copy(rail, some, service_id="n")
    copy(ItemService.objects.get(service=rail.service), some, service_id="n")
    copy(CashPrice.objects.get(premises=house), some, service_id="n")
    copy(city.prices[0], some, follows_id="n")
    copy(Offer.objects.get(premises=house, service=rail.service), some, service_id="n")
    shown = Listing.objects.get(service__code="SV01")
    copy(shown.product, some, upc="'SV' || n", slug="'sv' || n", code="NULL")
    copy(shown, some, product_id="n", service_id="n", photo_id="NULL", photo_shows="''")
    # lunch in every house
    copy(lunch, count - 1, id=f"n + {AGAIN}", premises_id=f"{house.pk} + k")
    copy(lunch.order_terms, count - 1, id=f"n + {AGAIN}", offer_id=f"n + {AGAIN}")
    supply = Supply.objects.get(offer=lunch)
    copy(supply.stockrecord, count - 1, partner_sku="'S' || n")
    copy(supply, count - 1, stockrecord_id="n", offer_id=f"n + {AGAIN}")
    copy(
        Story.objects.create(premises=house, words="这里从前是礼堂。"),
        count - 1,
        premises_id=f"{house.pk} + k",
    )
    photo = city.photos[0]
    copy(photo.photo, number="gen_random_uuid()")
    copy(photo, photo_id="n")
    moved = StageChange.objects.create(
        premises=house,
        stage="listed",
        since_on=date(2020, 1, 1),
        decision_no="样例决",
        reason="样例",
        by=by,
        at=at,
    )
    copy(moved, few)
    closed = Closure.objects.create(
        premises=house,
        starts_on=today + timedelta(days=100),
        ends_on=today + timedelta(days=100),
        reason="检修",
    )
    copy(closed, few, starts_on="source.starts_on + k", ends_on="source.ends_on + k")
    copy(
        SafetyCheck.objects.create(operator=operator, checked_on=today),
        few,
        checked_on="source.checked_on - k",
    )
    rested = Suspension.objects.create(
        operator=operator, starts_on=date(2020, 1, 1), reinstated_on=date(2020, 2, 1)
    )
    copy(rested, few, starts_on="source.starts_on - k")
    payee = PayeeAccount.objects.create(
        operator=operator,
        from_on=date(2020, 1, 1),
        holder="样例",
        number="6222",
        bank="样例银行",
        by=by,
        at=at,
    )
    copy(payee, few)
    person = Caregiver.objects.get(code="CG01")
    copy(person, some, code="'CG' || n", name="'吴' || k", user_id="NULL")
    copy(person.qualifications.all()[0], some, caregiver_id="n")
    copy(person.shifts.all()[0], some, caregiver_id="n")
    tablet = Terminal.objects.create(
        name="一号窗口", token_digest=b"0", premises=house, enrolled_at=at, enrolled_by="manager"
    )
    copy(tablet, few, token_digest="decode(md5(n::text), 'hex')", name="'窗口' || k")
    elder = city.redemptions[0].elder
    copy(elder, code="'EM' || n", id_number_lookup="decode(md5(n::text), 'hex')")
    voucher = city.redemptions[0].movements.get().voucher
    copy(voucher, elder_id="n", remaining="8", valid_until=f"'{today + timedelta(days=20)}'")
    in_hand = {"remaining": "8", "valid_from": f"date '{today}' - k", "valid_until": f"date '{today}' + 20"}
    copy(voucher, few, id=f"n + {AGAIN}", **in_hand)
    copy(voucher.movements.get(), few, redemption_id="n")
    copy(voucher.run.entry, few, key="'copy:' || n", dated_on=f"'{today}'")
    copy(voucher.run, few, entry_id="n")
    user = city.people["manager"]
    copy(user, username="'user' || n", username_key="'user' || n")
    wanted = Grant.objects.create(
        username="new", username_key="new", role=Role.BUREAU_CLERK,
        proposed_by=city.people["administrator"], proposed_at=at,
    )  # fmt: skip
    copy(wanted, few, username="'new' || n", username_key="'new' || n")


def _money(copy: Copier, city: City, seeds: dict[str, Any], some: int, few: int) -> None:
    lease, count = city.leases[0], copy.count
    copy(seeds["charge"], count - 1, lease_id=f"{lease.pk} + k")
    copy(
        Refund.objects.get(), number="'TK-C' || k || '-001'",
        state="CASE k % 2 WHEN 0 THEN 'draft' ELSE 'approved' END",
        approved_by="CASE k % 2 WHEN 0 THEN '' ELSE 'approver' END",
        approved_at="CASE k % 2 WHEN 0 THEN NULL ELSE now() END",
    )  # fmt: skip
    line = city.bank_lines[0]
    copy(line, fingerprint="'copy' || n")
    copy(line.receipt, bank_line_id="n", state="'fund'", lease_id="NULL", month="NULL")
    copy(seeds["donation"], receipt_id="n")
    copy(FundBudget.objects.get(), few)
    handed = Handover.objects.get(number="JK-OW0001-202607")
    copy(handed, number="'JK-C' || k || '-202607'")
    copy(HandoverLine.objects.get(handover=handed), count - 1, lease_id=f"{lease.pk} + k")
    copy(
        city.payouts[1], number="'BF-C' || k || '-202607'", operator_id=f"{FIRST} + 1 + k % {some}",
        month=f"(date '2026-06-01' - (k / {some}) * interval '1 month')::date",
    )  # fmt: skip
    copy(seeds["line"], count - 1, redemption_id=f"{city.redemptions[0].pk} + k")
    letter = city.reminders[0]
    copy(letter.run)
    copy(letter, count - 1, number="'CJ-C' || k || '-20260801'", run_id="n", lease_id=f"{lease.pk} + k")
    copy(letter.lines.get(), count - 1, reminder_id="n")
    copy(seeds["layout"], few, mark="k::text")


def _served(copy: Copier, city: City, now: datetime) -> None:
    """Today, in the first house: what one elder had and a manager sees; without a network too."""
    first, today = city.redemptions[0], day_of(now)
    copy(
        first, key="'copy-' || n", happened_at="now()", recorded_at="now()",
        service_on=f"'{today}'", reversed_on="NULL",
    )  # fmt: skip
    copy(
        first.claims.get(), redemption_id="n", service_on=f"'{today}'",
        statement_id="NULL", taken_back_id="NULL", reversed_on="NULL",
    )  # fmt: skip
    copy(city.servings[0], key="'copy-' || n")


def _desk(copy: Copier, city: City, seeds: dict[str, Any], few: int) -> None:
    lease, count = city.leases[0], copy.count
    visit = Inspection.objects.get()
    copy(visit, count - 1, lease_id=f"{lease.pk} + k")
    copy(city.findings[0], count - 1, inspection_id="n")
    copy(seeds["seal"], paper="'JK-C' || k || '-202607'")
    copy(seeds["used"], approval_id="n")
    copy(Head.objects.get(number=9), number="n")
    near = city.cases[1]
    copy(near, count - 2, redemption_id="source.redemption_id + k")
    copy(RuleTerms.objects.get(), few)
    call = next(one for one in city.calls if not one.result)
    copy(call.round, seed="k::text")
    copy(call, count - 4, redemption_id="source.redemption_id + k")
    copy(
        city.statements[0], few, month="(source.month - k * interval '1 month')::date"
    )  # of the first lease: months before
    copy(Objection.objects.get(), few, redemption_id=f"{city.redemptions[0].pk} + k")
    copy(city.jobs[0], kind="CASE k % 2 WHEN 0 THEN 'bank' ELSE 'issue' END")
    copy(seeds["file"], job_id="n")
    copy(city.jobs[0].lines.get(), line="k + 4")
    copy(seeds["night"])
    copy(city.erasures[0], elder_id="n")
    copy(seeds["record"], subject="CASE k % 2 WHEN 0 THEN 'PR0000' ELSE 'EL000000' END")


def _orders(copy: Copier, city: City, work: WorkOrder, some: int, now: datetime) -> None:
    """Today's: assigned, placed, delivered, missed, waiting for the elder's word, a fifth of each."""
    begins = f"timestamptz '{midnight(day_of(now)).isoformat()}'"
    times = {
        "starts_at": f"{begins} + (k % 22) * interval '1 hour'",
        "ends_at": f"{begins} + (k % 22 + 1) * interval '1 hour'",
    }
    caregiver = f"CASE WHEN k % 100 < 2 THEN {work.caregiver_id} ELSE {FIRST} + 1 + k % {some} END"
    care, hold = work.order, work.hold
    copy(
        hold, key="'copy-' || n", state="(ARRAY['open', 'open', 'delivered', 'released', 'open'])[k % 5 + 1]"
    )
    copy(hold.lines.get(), hold_id="n")
    copy(care.order, number="n::text")
    copy(work.line, order_id="n")
    copy(care, order_id="n", key="'copy-' || n")
    copy(
        work.appointment, key="'copy-' || n", freed_at="now()",
        caregiver_id=f"{FIRST} + 1 + k % {some}", **times,
    )  # fmt: skip
    slot = Slot.objects.create(
        offer=work.offer, starts_at=now, ends_at=now + timedelta(hours=1), capacity=9999, taken=0
    )
    copy(Booking.objects.create(key="B1", slot=slot, quantity=1, booked_at=now), key="'copy-' || n")
    copy(
        work, key="'copy-' || n", order_id="n", line_id="n", hold_id="n",
        appointment_id="CASE k % 5 WHEN 1 THEN NULL ELSE n END",
        booking_id="CASE k % 5 WHEN 1 THEN n ELSE NULL END",
        caregiver_id=caregiver, address_sealed="NULL",
        state="(ARRAY['assigned', 'placed', 'done', 'missed', 'underway'])[k % 5 + 1]",
        closed_at="CASE WHEN k % 5 IN (2, 3) THEN now() END",
        closed_for="CASE k % 5 WHEN 3 THEN 'not reported' ELSE '' END", **times,
    )  # fmt: skip
    copy(
        Visit.objects.get(), where="k % 5 IN (2, 4)", hold_id="n", caregiver_id=caregiver,
        arrived_at="timestamptz '2020-01-01' + k * interval '1 hour'",
        left_at="timestamptz '2020-01-01' + k * interval '1 hour' + interval '30 minutes'",
    )  # fmt: skip
    copy(StandingOrder.objects.get(), copy.count // 20, clock="time '00:00' + k * interval '1 minute'")


def _homes(copy: Copier, city: City) -> None:
    project = city.projects[0]
    plan = Plan.objects.get(project=project)
    copy(project, key="gen_random_uuid()", household="'H' || n", elder_id="n")
    copy(plan, project_id="n")
    copy(PlanLine.objects.get(plan=plan), plan_id="n")


def _seeds(city: City, now: datetime) -> dict[str, Any]:
    """One of each kind that the builder's city has none of."""
    seal = SealApproval.objects.get()
    Supply.objects.create(
        stockrecord=_stock(),
        offer=Offer.objects.get(service__code="SV01", premises=city.leases[0].premises),
    )
    return {
        "charge": RentCharge.objects.create(
            lease=city.leases[0], month=date(2026, 7, 1), charge=100, applied=60, cash_due=40
        ),
        "donation": Donation.objects.create(
            receipt=city.bank_lines[1].receipt, donor="样例商会", amount=10, by="clerk", at=now
        ),
        "line": PayoutLine.objects.create(
            payout=city.payouts[0], redemption=city.redemptions[0], part="government", amount=2
        ),
        "layout": BankMapping.objects.create(
            account="98000001", bank="样例银行", headings=["金额"], places={}, header_line=1, mark="m",
            made_by="clerk", made_at=now,
        ),
        "seal": seal,
        "used": SealUse.objects.create(
            approval=seal, approved_by="approver", sealed_by="clerk", sealed_at=now
        ),
        "file": JobFile.objects.create(job=city.jobs[0], name="elders.csv", size=1, sha256="0" * 64),
        "night": NightlyRun.objects.create(
            task="verify_ledger", started_at=now, ended_at=now, outcome="done", summary="2 entries"
        ),
        "record": Record.objects.create(
            at=now, by="clerk", channel="web", action="change_premises", subject="PR0000",
            detail={"name": ["旧", "新"]},
        ),
    }  # fmt: skip


def _stock() -> Any:
    partner = get_model("partner", "Partner").objects.create(code="pr0000", name="样例")
    product = get_model("catalogue", "Product").objects.get(upc="SV01")
    return get_model("partner", "StockRecord").objects.create(
        product=product, partner=partner, partner_sku="PR0000-SV01", price=15
    )


def _ordered(city: City, now: datetime) -> WorkOrder:
    """A rail to be fitted today at the home of the elder who has an account, by the caregiver who has one; and every
    Monday a meal."""
    elder, today = city.redemptions[0].elder, day_of(now)
    offer = Offer.objects.get(service__code="SV12", premises=city.leases[0].premises)
    OrderTerms.objects.create(
        offer=offer, where="home", manner="appointment", minutes=60, needs="care",
        order_until_minutes=60, cancel_until_minutes=60, days_ahead=7,
    )  # fmt: skip
    Caregiver.objects.filter(code="CG01").update(user=city.people["caregiver"])
    person = Caregiver.objects.get(code="CG01")
    hold = Hold.objects.create(
        key="W1", elder=elder, premises=offer.premises, service=offer.service, quantity=1,
        service_on=today, placed_at=now,
    )  # fmt: skip
    HoldLine.objects.create(hold=hold, voucher=Voucher.objects.filter(elder=elder)[0], amount=8)
    order = get_model("order", "Order").objects.create(
        number="100001", currency="CNY", total_incl_tax=15, total_excl_tax=15, date_placed=now
    )
    price = {
        f"line_price_{what}_tax": 15
        for what in ("incl", "excl", "before_discounts_incl", "before_discounts_excl")
    }
    line = get_model("order", "Line").objects.create(
        order=order,
        partner_name="样例",
        partner_sku="PR0000-SV12",
        title=offer.service.name,
        num_allocated=0,
        **price,
    )
    care = CareOrder.objects.create(
        order=order, key="O1", elder=elder, placed_by="elder", channel="web", placed_at=now
    )
    begins = midnight(today) + timedelta(hours=10)
    times = {"starts_at": begins, "ends_at": begins + timedelta(hours=1)}
    StandingOrder.objects.create(
        elder=elder, user=city.people["elder"], weekdays=[0], clock=time(23, 59), starts_on=today, asked_at=now,
        offer=Offer.objects.get(service__code="SV01", premises=offer.premises),
    )  # fmt: skip
    Visit.objects.create(hold=hold, caregiver=person, arrived_at=begins, grade="claimed")
    return WorkOrder.objects.create(
        key="W1", order=care, line=line, offer=offer, quantity=1, where="home", hold=hold, caregiver=person,
        appointment=Appointment.objects.create(
            key="A1", offer=offer, caregiver=person, booked_at=now, **times
        ),
        state="underway", **times,
    )  # fmt: skip


def _sealed(city: City, count: int, few: int, now: datetime) -> None:
    """What is sealed to its own row cannot be copied: messages to the elder, who acts for the elder, for whom the
    daughter acts."""
    elder, daughter = city.redemptions[0].elder, city.people["daughter"]
    messages = []
    for _k in range(count):
        one = Message(kind="visit_missed", elder=elder, created_at=now, outcome="no_phone")
        one.seal({"what": "午餐", "when": "今天"}, {})
        messages.append(one)
    Message.objects.bulk_create(messages)
    letters = []
    for k in range(1, few + 1):
        for user, whom in ((FIRST + k, elder.pk), (daughter.pk, FIRST + k)):
            one = Delegation(
                user_id=user, elder_id=whom, relation="child", scope="order", cap=200, state="agreed",
                until=date(2999, 12, 31), asked_at=now, agreed_at=now, agreed_by="code",
            )  # fmt: skip
            one.seal_name("李小红")
            letters.append(one)
    Delegation.objects.bulk_create(letters)
