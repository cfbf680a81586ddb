"""A city of any size for pages, written straight into the tables.

Only for looking at pages and counting their queries: figures come from the real reckoning, so they add up,
but nothing here goes through an operation. Stories about money belong elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from oscar.core.loading import get_model
from PIL import Image

from ledger.models import Account, BankFile, BankLine, Entry, Period, Transfer
from marketplace.accounts.models import Role, User
from marketplace.models import Erasure, Job, JobLine, PremisesPhoto
from marketplace.offerings.models import Listing
from marketplace.registers.operations import add_photos
from providers.models import (
    Caregiver,
    Closure,
    Division,
    Finding,
    Lease,
    LeaseTerms,
    Offer,
    OpeningHours,
    Operator,
    OrderTerms,
    Premises,
    PriceProposal,
    Qualification,
    Receipt,
    Reminder,
    Service,
    Shift,
    Sitting,
)
from tests.web import payments
from tests.web.homes import clash, homes, proposal
from vouchers.models import (
    Approval,
    Call,
    CallBack,
    CallBackRound,
    Claim,
    Delegation,
    Elder,
    IssueRun,
    Movement,
    Objection,
    OwnRecord,
    Paper,
    Payout,
    Programme,
    Project,
    RecordShare,
    Redemption,
    Reversal,
    ReviewCase,
    RuleTerms,
    Serving,
    Statement,
    Voucher,
)
from vouchers.photos.cleaning import clean
from vouchers.photos.operations import keep
from vouchers.settlement.papers import issue_paper
from vouchers.settlement.queries import history, lease_facts
from vouchers.settlement.reckon import Sums, reckon

SHARE_CODE = "made-up-for-the-tests0"
PASSWORD = "correct horse battery"
NAMES = ["老纺织厂礼堂", "原招待所", "旧幼儿园", "社区用房", "机修车间", "职工诊所", "物业用房", "活动中心"]
USES = ["hall", "guesthouse", "kindergarten", "community_room", "plant", "clinic", "property_room", "other"]
SURNAMES = "李王张刘陈杨黄赵周吴"
PEOPLE = {
    "clerk": Role.BUREAU_CLERK,
    "approver": Role.BUREAU_APPROVER,
    "auditor": Role.AUDITOR,
    "streetclerk": Role.BUREAU_CLERK,  # of one street, as "street" is
    "streetapprover": Role.BUREAU_APPROVER,
    "street": Role.STREET_OFFICER,
    "otherstreet": Role.STREET_OFFICER,
    "manager": Role.OPERATOR_MANAGER,
    "stranger": Role.OPERATOR_MANAGER,
    "cashier": Role.CASHIER,
    "caregiver": Role.CAREGIVER,
    "hotline": Role.HOTLINE_AGENT,
    "administrator": Role.ADMINISTRATOR,
    "security": Role.SECURITY_ADMINISTRATOR,
    "daughter": "",
    "elder": "",
}
OF_A_STREET = {"street", "streetclerk", "streetapprover"}


@dataclass
class City:
    month: date
    leases: list[Lease] = field(default_factory=list)
    people: dict[str, User] = field(default_factory=dict)
    redemptions: list[Redemption] = field(default_factory=list)
    cases: list[ReviewCase] = field(default_factory=list)
    calls: list[CallBack] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    bank_lines: list[BankLine] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    delegations: list[Delegation] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    prices: list[PriceProposal] = field(default_factory=list)
    servings: list[Serving] = field(default_factory=list)
    photos: list[PremisesPhoto] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    pictured: Any = None  # the service whose page shows a photo
    arguments: dict[str, list[Any]] = field(default_factory=dict)  # of the addresses of pages, once asked for


def _many(rows: Iterable[Any]) -> list[Any]:
    made = list(rows)
    return type(made[0]).objects.bulk_create(made, batch_size=1000) if made else []


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour - 8, 4, tzinfo=UTC)


def build(
    *,
    leases: int = 8,
    meals: int = 6,
    month: date = date(2026, 8, 1),
    served: int = 10_000,
    bank_lines: int = 1,
) -> City:
    """Two months: the one before `month` posted and locked, `month` with statements in every state.

    `leases` leases, the first `served` of them with `meals` redemptions of 8 yuan in each of the two months; the last meal of the
    first lease is reversed after its month was posted, the last but one of `month` is held for review.
    """
    city = City(month)
    before = (month - timedelta(days=1)).replace(day=1)
    root = Division.objects.create(code="430200", name="株洲市", level="city")
    district = Division.objects.create(code="430211", name="天元区", level="district", parent=root)
    streets = [
        Division.objects.create(code=f"43021100{n}", name=name, level="street", parent=district)
        for n, name in enumerate(["嵩山路街道", "泰山路街道"], start=1)
    ]
    communities = [
        Division.objects.create(code=f"{s.code}001", name=f"{s.name[:3]}社区", level="community", parent=s)
        for s in streets
    ]
    operators = [Operator.objects.create(code=f"OP{n:02d}", name=f"样例颐养服务中心{n}") for n in range(1, 5)]
    service = Service.objects.create(
        code="SV01", name="长者餐厅午餐", category="canteen", unit="meal", daily_limit=1
    )
    city.people = {
        name: User(
            username=name,
            username_key=name,
            role=role,
            operator=operators[{"manager": 0, "stranger": 3}.get(name, 0)]
            if role in (Role.OPERATOR_MANAGER, Role.CASHIER, Role.CAREGIVER)
            else None,
            division=streets[0] if name in OF_A_STREET else streets[1] if name == "otherstreet" else None,
        )
        for name, role in PEOPLE.items()
    }
    for user in city.people.values():
        user.set_password(PASSWORD)
        user.save()

    premises = _many(
        Premises(
            code=f"PR{n:04d}",
            name=NAMES[n % 8] + ("" if n < 8 else f"{n // 8}"),
            former_use=USES[n % 8],
            owner="样例产权单位",
            owner_kind="government",
            division=communities[n % 2],
            address=f"样例路{n}号",
            condition="ready",
            stage="operating",
        )
        for n in range(leases)
    )
    city.leases = _many(
        Lease(
            code=f"LS{n:04d}",
            premises=premises[n],
            operator=operators[n % 3],
            starts_on=before - timedelta(days=400),
            ends_on=before + timedelta(days=2000),
        )
        for n in range(leases)
    )
    _many(
        LeaseTerms(
            lease=lease,
            starts_on=lease.starts_on,
            monthly_rent=Decimal(60 + 37 * (n % 9)),
            offset_rate=Decimal("0.8"),
            offset_cap=Decimal("0.4"),
            carry_months=1,
        )
        for n, lease in enumerate(city.leases)
    )
    programmes = _many(
        Programme(
            code=f"PG{n:04d}",
            name=f"{premises[n].name}餐券",
            settlement="offset",
            lease=lease,
            scope="premises",
            face_value=8,
            divisible=True,
            per_elder=1,
            cadence="monthly",
            starts_on=before,
            ends_on=before + timedelta(days=900),
            categories=["canteen"],
        )
        for n, lease in enumerate(city.leases)
    )
    elders = _many(
        Elder(
            code=f"EL{n:06d}",
            name=f"{SURNAMES[n % 10]}桂兰",
            id_number_sealed=b"sealed",
            id_number_lookup=f"elder {n}".encode(),
            birth_on=date(1944, 1, 1),
            division=communities[n % 2],
        )
        for n in range(meals)
    )
    issued = Account.objects.create(name="Equity:Vouchers:PG0000:Issued", commodity="VCY")
    outstanding = Account.objects.create(name="Liabilities:Vouchers:PG0000:Outstanding", commodity="VCY")
    redeemed = Account.objects.create(name="Equity:Vouchers:PG0000:Redeemed", commodity="VCY")

    _families(city, elders)
    _supply(premises[0], service, operators[0])
    city.projects = homes(leases=city.leases, elders=elders)
    city.prices = [proposal(city.leases[0])]

    held: set[int] = set()
    for this in (before, month):
        made = _meals(
            this, city.leases[:served], programmes[:served], elders, service, (issued, outstanding, redeemed)
        )
        city.redemptions += made
        if this == month:
            late = made[meals - 2]
            ReviewCase.objects.create(redemption=late, reason="after_death", opened_at=at(this))
            held.add(late.pk)
            _reviews(city, made, late, at(this))
            wrong = city.redemptions[meals - 1]
            entry = Entry.objects.create(
                key=f"reverse:{wrong.number}", kind="reversal", dated_on=month, recorded_at=at(month)
            )
            Reversal.objects.create(
                redemption=wrong,
                reversed_at=at(month),
                recorded_at=at(month),
                by="clerk",
                reason="登记错了人",
                entry=entry,
            )
            for row in (wrong, wrong.claims.get()):
                type(row).objects.filter(pk=row.pk).update(reversed_on=month)
        _close(city, this, posted=this == before, held=held, meals=meals, served=served)
    city.erasures = [
        Erasure.objects.create(
            elder=elders[-1],
            at_desk=True,
            reason="本人到社区提出",
            asked_by=city.people["clerk"],
            asked_at=at(month),
        )
    ]
    city.servings = [clash(city.redemptions[0])]
    _bank(city, bank_lines)
    _jobs(city)
    picture = BytesIO()
    Image.new("RGB", (40, 30), "darkseagreen").save(picture, "JPEG")
    city.photos = add_photos(
        premises=premises[0],
        photos=[clean(picture.getvalue())],
        taken_on=before,
        caption="正门",
        by="clerk",
        at=at(month),
    )
    listing = Listing.objects.get(service=service)
    listing.photo = keep(photo=clean(picture.getvalue()), by="clerk", at=at(month))
    listing.photo_shows = "食堂的午餐：米饭和两个菜"
    listing.save()
    city.pictured = listing
    posted = city.statements[0]
    posted.lease.basis, posted.lease.decision_no = "relief", "样例决字〔2026〕1号"
    posted.lease.save()
    city.papers = [issue_paper(statement=posted, kind="certificate", by=city.people["clerk"], at=at(month))]
    city.findings = payments.inspected(city.leases[0], month, at(month))
    city.reminders = payments.reminded(city.leases[0], before, at(month))
    city.payouts = payments.build(leases=city.leases, month=month, at=at(month))
    Objection.objects.create(
        statement=next(one for one in city.statements if one.month == month),
        figure="earned",
        redemption=None,
        digest="0" * 64,
        text="八月三日的午餐没有计入",
        by=city.people["manager"],
        at=at(month),
    )
    return city


def _supply(house: Premises, service: Service, operator: Operator) -> None:
    """The first house is open in the mornings, has sittings, another week to come, a closed day, a caregiver."""
    offer = Offer.objects.create(premises=house, service=service)
    kind = get_model("catalogue", "ProductClass").objects.create(slug="service", name="service")
    product = get_model("catalogue", "Product")(
        upc=service.code, title=service.name, slug="sv01", product_class=kind
    )
    [product] = type(product).objects.bulk_create([product])
    Listing.objects.create(product=product, service=service, words="现做的热饭热菜。")
    OrderTerms.objects.create(
        offer=offer, where="there", manner="sitting", order_until_minutes=60, cancel_until_minutes=60, days_ahead=7
    )  # fmt: skip
    person = Caregiver.objects.create(code="CG01", operator=operator, name="吴小妹")
    Qualification.objects.create(
        caregiver=person,
        kind="care",
        number="示例001",
        valid_from=date(2025, 1, 1),
        valid_until=date(2026, 1, 1),
    )
    today = timezone.localdate()
    change = today + timedelta(days=3)
    for weekday in range(7):
        for ends_on, starts_on, begins in (
            (change - timedelta(days=1), None, time(9)),
            (None, change, time(10)),
        ):
            dated = {"weekday": weekday, "starts_on": starts_on, "ends_on": ends_on}
            OpeningHours.objects.create(premises=house, opens_at=begins, closes_at=time(12), **dated)
            Sitting.objects.create(offer=offer, starts_at=begins, ends_at=time(12), capacity=5, **dated)
            Shift.objects.create(caregiver=person, starts_at=begins, ends_at=time(12), **dated)
    Closure.objects.create(premises=house, starts_on=change, ends_on=change, reason="检修")


def _families(city: City, elders: list[Elder]) -> None:
    """The daughter acts for the first two elders; the first has an account; the agent is in a call with her."""
    for elder in elders[:2]:
        letter = Delegation(
            user=city.people["daughter"],
            elder=elder,
            relation="child",
            scope="order",
            cap=200,
            until=date(2999, 12, 31),
            state="agreed",
            asked_at=at(city.month),
            agreed_at=at(city.month),
            agreed_by="code",
        )
        letter.seal_name("李小红")
        letter.save()
        city.delegations.append(letter)
    OwnRecord.objects.create(
        user=city.people["elder"], elder=elders[0], proof="paper", claimed_at=at(city.month)
    )
    now = timezone.now()
    RecordShare.objects.create(
        elder=elders[0],
        year=city.month.year,
        code=SHARE_CODE,
        shared_at=now,
        lasts_until=now + timedelta(days=1),
    )
    Call.objects.create(agent=city.people["hotline"], elder=elders[0], opened_at=now, called_back_at=now)


def _bank(city: City, count: int) -> None:
    """`count` bank lines of each state: matched to the first lease, proposed for it, and unknown; at the end one that
    went out, of the amount of the first unknown one."""
    bank = Account.objects.create(name="Assets:Bank:Rent", commodity="CNY")
    waits = Account.objects.create(name="Liabilities:Suspense:Receipts", commodity="CNY")
    file = BankFile.objects.create(
        name="icbc-2026-08.csv",
        layout="icbc",
        sha256="0" * 64,
        imported_at=at(city.month),
        imported_by="clerk",
    )
    states = [*["matched", "proposed", "suspense"] * count, "suspense"]
    out = len(states) - 1
    entries = _many(
        Entry(key=f"bank:{n}", kind="bank", dated_on=city.month, recorded_at=at(city.month))
        for n in range(len(states))
    )
    _many(
        Transfer(entry=e, line=1, debit=bank, credit=waits, commodity="CNY", amount=10 + n)
        for n, e in enumerate(entries)
    )
    city.bank_lines = _many(
        BankLine(
            file=file,
            line=n + 2,
            fingerprint=f"{n:064x}",
            occurrence=1,
            account="98000001",
            booked_at=at(city.month),
            direction="out" if n == out else "in",
            amount=12 if n == out else 10 + n,
            counterparty="样例颐养服务中心1",
            summary="房租",
            columns={"摘要": "房租", "对方单位名称": "样例颐养服务中心1"},
            entry=entries[n],
        )
        for n in range(len(states))
    )
    _many(
        Receipt(
            bank_line=line,
            state=state,
            lease=None if state == "suspense" else city.leases[0],
            month=city.month if state == "proposed" else None,
        )
        for line, state in zip(city.bank_lines, states, strict=True)
    )


def _jobs(city: City) -> None:
    """One job of each way to end, all the clerk's."""
    now = at(city.month)
    problem = {"file": "elders.csv", "line": 3, "column": "born", "message": "unknown column", "values": {}}
    ends: list[tuple[str, str, str, dict[str, Any]]] = [
        ("issue", "do", "done", {"columns": ["programme", "value"], "rows": [["PG01", "8.00"]]}),
        ("redemptions", "check", "checked", {"counts": {"rows": 12}}),
        ("city", "check", "refused", {"problems": [problem], "total": 1}),
        ("bank", "do", "failed", {"error": "ValueError"}),
        ("expire", "do", "working", {}),
    ]
    city.jobs = _many(
        Job(
            kind=kind, stage=stage, state=state, result=result, by=city.people["clerk"], created_at=now,
            args={"on": f"{city.month}"} if kind in ("issue", "expire") else {},
            ended_at=None if state == "working" else now, done=3, total=12,
        )
        for kind, stage, state, result in ends
    )  # fmt: skip
    JobLine.objects.create(job=city.jobs[0], stage="do", line=4, about="LS0001", word="daily_limit")


def _meals(month, leases, programmes, elders, service, accounts) -> list[Redemption]:
    issued, outstanding, redeemed = accounts
    runs = []
    for n, programme in enumerate(programmes):
        entry = Entry(
            key=f"issue:{programme.code}:{month}", kind="issue", dated_on=month, recorded_at=at(month, 9)
        )
        runs.append((programme, entry, n))
    _many(entry for _, entry, _ in runs)
    _many(
        Transfer(entry=e, line=1, debit=issued, credit=outstanding, commodity="VCY", amount=8 * len(elders))
        for _, e, _ in runs
    )
    issue_runs = _many(
        IssueRun(
            programme=p,
            issued_on=month,
            recorded_at=at(month, 9),
            by="nightly",
            elders=len(elders),
            vouchers=len(elders),
            value=8 * len(elders),
            entry=e,
        )
        for p, e, _ in runs
    )
    vouchers = _many(
        Voucher(
            programme=run.programme,
            elder=elder,
            run=run,
            ordinal=1,
            face_value=8,
            remaining=0,
            valid_from=month,
            valid_until=month + timedelta(days=27),
        )
        for run in issue_runs
        for elder in elders
    )
    days = [month + timedelta(days=n % 27) for n in range(len(vouchers))]
    entries = _many(
        Entry(key=f"redeem:{month}:{n}", kind="redemption", dated_on=days[n], recorded_at=at(days[n], 13))
        for n in range(len(vouchers))
    )
    _many(
        Transfer(entry=e, line=1, debit=outstanding, credit=redeemed, commodity="VCY", amount=8)
        for e in entries
    )
    lease_of = {p.pk: lease for p, lease in zip(programmes, leases, strict=True)}
    redemptions = _many(
        Redemption(
            key_scope="files",
            key=f"K{month:%Y%m}-{n:06d}",
            request=b"",
            happened_at=at(days[n]),
            service_on=days[n],
            recorded_at=at(days[n], 13),
            lease=lease_of[voucher.programme_id],
            service=service,
            elder=voucher.elder,
            quantity=1,
            channel="qr",
            list_price=Decimal("15.00"),
            government=Decimal("2.00"),
            concession=Decimal("3.00"),
            charity=Decimal("2.00"),
            vouchers=Decimal("8.00"),
            self_pay=Decimal("0.00"),
            entry=entries[n],
            by="import",
        )
        for n, voucher in enumerate(vouchers)
    )
    _many(
        Movement(voucher=v, kind="redeem", amount=8, entry=e, redemption=r)
        for v, e, r in zip(vouchers, entries, redemptions, strict=True)
    )
    _many(Claim(redemption=r, lease=r.lease, service_on=r.service_on, amount=8) for r in redemptions)
    return redemptions


def _reviews(city: City, made: list[Redemption], late: Redemption, when: datetime) -> None:
    """Beside the case that holds: one that marks, one that was released; a draw with one call of two made."""
    near = made[1]
    facts = {"minutes": 4, "beside": [late.number]}
    city.cases = [
        late.review_cases.get(),
        ReviewCase.objects.create(
            redemption=near, reason="duplicate", holds=False, facts=facts, opened_at=when
        ),
        ReviewCase.objects.create(
            redemption=near,
            reason="closed",
            holds=False,
            facts={"clock": "15:10", "hours": ["10:30–13:30"]},
            opened_at=when,
            decision="released",
            decided_at=when + timedelta(days=2),
            decided_by="clerk",
            note="当天延长营业",
        ),
    ]
    RuleTerms.objects.create(
        rule="duplicate",
        valid_from=city.month,
        holds=False,
        values={"minutes": 10},
        reason="窗口打单慢",
        by="approver",
        at=when,
    )
    round_ = CallBackRound.objects.create(
        month=city.month,
        confidence="0.95",
        margin="0.10",
        seed="20260901",
        up_to=made[-1].pk,
        at=when,
        by="clerk",
    )
    city.calls = _many(
        CallBack(round=round_, operator=row.lease.operator, redemption=row, **result)
        for row, result in {
            near: {},
            late: {"result": "denied", "by": "hotline", "at": when},  # in a tiny city the same one
        }.items()
    )


def _close(city: City, month: date, *, posted: bool, held: set[int], meals: int, served: int) -> None:
    states = list(Statement.State)
    past = history(month)
    statements = []
    for n, facts in enumerate(lease_facts()):
        counted = meals - (1 if held and n == 0 else 0) if n < served else 0
        sums = Sums(
            counted={month: Decimal(8 * counted)},
            taken_back={} if posted or n else {_before(month): Decimal(8)},
            redemptions=counted,
            held=1 if held and n == 0 else 0,
        )
        figures = reckon(lease=facts, month=month, sums=sums, history=past.get(facts.id, []))
        state = Statement.State.APPROVED if posted else states[n % 4]
        if not posted and n == 0:
            state = Statement.State.DRAFT
        entry = None
        if state == Statement.State.APPROVED:
            entry = Entry(
                key=f"statement:{facts.code}:{month}",
                kind="statement",
                dated_on=month + timedelta(days=27),
                recorded_at=at(month),
            )
        statements.append(
            Statement(
                lease_id=facts.id,
                month=month,
                state=state,
                digest=f"{n:064x}",
                drawn_at=at(month),
                entry=entry,
                **{
                    name: getattr(figures, name)
                    for name in (*Statement.FIGURES, "redemptions", "under_review")
                },
            )
        )
    _many(s.entry for s in statements if s.entry)
    statements = _many(statements)
    city.statements += statements
    who = [("confirm", "manager"), ("review", "street"), ("approve", "approver")]
    _many(
        Approval(statement=s, step=step, round=1, by=city.people[name], at=at(month, 9 + k), digest=s.digest)
        for s in statements
        for k, (step, name) in enumerate(who[: states.index(Statement.State(s.state))])
    )
    standing = Statement.objects.filter(lease=OuterRef("lease_id"), month=month, state="approved")
    Claim.objects.filter(
        statement=None, reversed_on=None, service_on__gte=month, service_on__lt=_after(month)
    ).exclude(redemption__in=held).filter(Exists(standing)).update(statement=Subquery(standing.values("pk")))
    if posted:
        Period.objects.create(month=month, locked_at=at(_after(month)), locked_by="approver")


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
