"""What is another's: beside each object of the builder's city that is ours, one of the other street's, firm's, family's.

Ours are of the first lease (of "manager" and "street"), of the first elder ("elder", "daughter"), of the first
caregiver; theirs of the second lease, of elders of the other street, of a caregiver of another firm. Straight into
the tables, as the builder does.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from oscar.core.loading import get_model

from ledger.models import BankLine, Entry
from marketplace.accounts.models import Role, User
from marketplace.fulfilment.models import CareOrder, StandingOrder, WorkOrder
from marketplace.models import PremisesPhoto
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.operations import publish
from providers.models import (
    Booking,
    Caregiver,
    Finding,
    Inspection,
    Offer,
    Operator,
    OrderTerms,
    Price,
    Receipt,
    Service,
    Slot,
)
from tests.vouchers.homes import photo
from tests.web import payments
from tests.web.builder import PEOPLE, City, at
from vouchers.elders import sealing
from vouchers.models import (
    Call,
    Delegation,
    Elder,
    OwnRecord,
    Plan,
    Project,
    ProjectPhoto,
    ReviewCase,
    Serving,
    Visit,
    VisitReport,
)
from vouchers.photos.operations import keep
from vouchers.settlement.papers import issue_paper

THEIR_OWN = {  # whose theirs are: they find them there, or the walk would prove nothing
    "rival": Role.OPERATOR_MANAGER,
    "carer": Role.CAREGIVER,
    "neighbour": "",
    "her son": "",
}
ROLES = {**PEOPLE, **THEIR_OWN, "streetagent": Role.HOTLINE_AGENT}
CUT = ("street", "streetclerk", "streetapprover", "streetagent", "manager", "stranger", "caregiver", "elder", "daughter", "hotline")  # fmt: skip
"""Those for whom pages are cut to what is theirs. An agent without a street is cut to the elder in the call."""

# Addresses with a part that varies, of which nothing is anybody's own: why.
THE_CITYS = "the city has one for all"
SHOWN_TO_ALL = "whoever may open it at all may read each"
CUT_WITHIN = "it is there for all; its rows are cut, see tests/web/test_reviews.py and test_figures.py"
A_SECRET = "whoever knows the code may"
OWN_YEAR = "a year of the elder one acts for: nobody's name stands in the address"
SHARED = {
    "bureau:month": CUT_WITHIN,
    "bureau:compare": CUT_WITHIN,
    "bureau:round": CUT_WITHIN,
    "bureau:round_calls": CUT_WITHIN,
    "reports:report": CUT_WITHIN,
    "bureau:catalogue_service": THE_CITYS,
    "bureau:rule": THE_CITYS,
    "registers:service": THE_CITYS,
    "registers:user": SHOWN_TO_ALL,
    "market:picture": SHOWN_TO_ALL,
    "market:service": SHOWN_TO_ALL,
    "market:when": SHOWN_TO_ALL,
    "verify": A_SECRET,
    "happy": A_SECRET,
    "family:record_of": OWN_YEAR,
    "family:share": OWN_YEAR,
    "family:end_share": OWN_YEAR,
}


BY_ITSELF = {"bureau:unused", "market:line", "market:where", "office:caregiver", "office:propose", "people:leave", "visits:report"}  # fmt: skip
"""Pages that ask for the person's own division, firm, basket or letter themselves, and no common set of what is seen."""


@dataclass(frozen=True)
class Theirs:
    """What stands in the address of another's object, and who finds it there; `ours` where the table has none."""

    args: list[Any]
    owner: str = "clerk"
    ours: list[Any] | None = None


@dataclass(frozen=True)
class _Ordered:
    number: int
    work: int
    line: int
    standing: int
    photo: Any


def foreign(city: City) -> dict[str, Theirs]:
    """Of each address that names somebody's object, one of another's."""
    lease, month = city.leases[1], city.month
    elder, now = Elder.objects.get(code="EL000003"), timezone.now()
    operator, house = lease.operator, lease.premises
    _people(city, operator, elder)
    ours, theirs = _orders(city, elder)
    project = _project(city, elder)
    redemption = next(r for r in reversed(city.redemptions) if r.lease_id == lease.pk)
    voucher = redemption.movements.get().voucher
    case = ReviewCase.objects.create(
        redemption=redemption, reason="duplicate", holds=False, facts={}, opened_at=now
    )
    [call] = [type(city.calls[0])(round_id=city.calls[0].round_id, operator=operator, redemption=redemption)]
    call.save()
    serving = Serving.objects.get(pk=city.servings[0].pk)
    serving.pk, serving.key, serving.premises, serving.rival = None, "offline-2", house, redemption
    serving.save()
    letter = payments.reminded(lease, city.statements[0].month, at(month, 13))[0]
    visit = Inspection.objects.create(lease=lease, inspected_on=month, by="otherstreet", at=now)
    finding = Finding.objects.create(inspection=visit, area="fire", text="通道堆物", mend_until=month)
    pictured = PremisesPhoto.objects.get(pk=city.photos[0].pk)
    pictured.pk, pictured.premises = None, house
    pictured.photo = keep(photo=photo("silver"), by="clerk", at=now)
    pictured.save()
    posted = next(one for one in city.statements if one.lease_id == lease.pk)
    posted.lease.basis, posted.lease.decision_no = "relief", "样例决字〔2026〕2号"
    posted.lease.save()
    paper = issue_paper(statement=posted, kind="certificate", by=city.people["clerk"], at=now)
    firm = Operator.objects.create(code="OP05", name="样例颐养服务中心5")
    payout = type(city.payouts[0]).objects.get(pk=city.payouts[0].pk)
    payout.pk, payout.operator, payout.number = None, firm, f"BF-{firm.code}-{payout.month:%Y%m}"
    payout.save()
    sons = _letter(city.people["her son"], elder)
    price = Price.objects.create(
        service=Service.objects.create(code="SV13", name="助行器租用", category="adaptation", unit="item"),
        valid_from=month, list_price=100, government=0, concession=0, charity=0,
    )  # fmt: skip
    Offer.objects.create(premises=house, service=price.service)
    return {
        **{
            name: Theirs([lease.code, month])
            for name in ("statement", "objections")
        },
        "papers": Theirs([lease.code, posted.month]),
        "step": Theirs([lease.code, month]),
        "lines": Theirs([lease.code, month, "earned"]),
        "paper_pdf": Theirs([paper.number]),
        **{name: Theirs([redemption.number]) for name in ("redemption", "reveal", "reversal")},
        "voucher": Theirs([voucher.serial]),
        "issue_run": Theirs([voucher.run_id]),
        "entry": Theirs([redemption.entry_id]),
        "job": Theirs([city.jobs[0].pk]),
        "bureau:unused": Theirs([house.division.code]),
        "bureau:receipt": Theirs([_bank_line(city).pk]),
        "bureau:catalogue_house": Theirs([house.code]),
        "bureau:reminders_pdf": Theirs([letter.run_id]),
        "bureau:reminder_pdf": Theirs([letter.number]),
        "bureau:erasure": Theirs([city.erasures[0].pk]),
        **{name: Theirs([case.pk]) for name in ("bureau:review", "bureau:review_decide")},
        **{name: Theirs([call.pk]) for name in ("bureau:call", "bureau:call_phone", "bureau:call_result")},
        "bureau:serving": Theirs([serving.pk]),
        "bureau:adaptation_project": Theirs([project.pk]),
        "reports:inspection": Theirs([visit.pk]),
        "reports:finding": Theirs([finding.pk]),
        **{name: Theirs([payout.number]) for name in ("payments:payout", "payments:payout_pdf")},
        **{
            f"registers:{key}": Theirs([house.code])
            for key in ("one_premises", "edit_premises", "add_photos")
        },
        **{
            f"registers:{key}": Theirs([lease.code])
            for key in ("lease", "new_terms", "end_lease", "change_operator")
        },
        "registers:elder": Theirs([elder.code]),
        **{f"registers:{key}": Theirs([pictured.photo.number]) for key in ("photo", "withdraw_photo")},
        "registers:operator": Theirs([firm.code]),
        "registers:programme": Theirs([voucher.programme.code]),
        "registers:offer": Theirs(["SV09", house.code], ours=["SV09", "PR0000"]),
        **{
            name: Theirs([elder.code])
            for name in ("hotline:elder", "hotline:paper")
        },
        "hotline:start": Theirs([elder.code], "hotline"),
        "office:running": Theirs([lease.code, "earned"], "rival"),
        "office:place": Theirs([house.code], "rival"),
        "office:offer": Theirs([house.code, "SV09"], "rival", ["PR0000", "SV09"]),
        "office:caregiver": Theirs(["CG02"], "rival"),
        "office:propose": Theirs([price.pk], "rival"),
        "office:adaptation_project": Theirs([project.pk], "rival"),
        "adaptation_photo": Theirs([project.pk, project.photos.get().pk], "rival"),
        "family:adaptation_photo": Theirs([project.pk, project.photos.get().pk], "neighbour"),
        "family:adaptation_say": Theirs(
            [project.plans.get().pk], "neighbour", [city.projects[0].plans.get().pk]
        ),
        "family:adaptation_stop": Theirs([project.pk], "neighbour"),
        **{name: Theirs([sons.pk], "neighbour") for name in ("people:answer", "people:end")},
        "people:leave": Theirs([sons.pk], "her son"),
        "office:order": Theirs([theirs.work], "rival", [ours.work]),
        **{key: Theirs([theirs.work], "carer", [ours.work]) for key in ("visits:visit", "visits:report")},
        "visits:photo": Theirs([theirs.photo], "carer", [ours.photo]),
        **{key: Theirs([theirs.work], "hotline", [ours.work]) for key in ("hotline:visit", "hotline:visit_phone")},
        **{f"market:{key}": Theirs([theirs.line], "neighbour", [ours.line]) for key in ("where", "line")},
        **{f"market:{key}": Theirs([theirs.number], "neighbour", [ours.number]) for key in ("order", "again")},
        **{
            f"market:{key}": Theirs([theirs.number, theirs.work], "neighbour", [ours.number, ours.work])
            for key in ("cancel", "change", "days")
        },
        "market:stop": Theirs([theirs.standing], "neighbour", [ours.standing]),
    }  # fmt: skip


def _people(city: City, operator: Operator, elder: Elder) -> None:
    """Who owns theirs; and an agent of the first street, in a call with its first elder."""
    street = city.people["street"].division
    for name in ("streetagent", *THEIR_OWN):
        role = ROLES[name]
        firm = operator if role in (Role.OPERATOR_MANAGER, Role.CAREGIVER) else None
        city.people[name] = User.objects.create(
            username=name,
            username_key=name,
            role=role,
            operator=firm,
            division=street if name == "streetagent" else None,
        )
    now = timezone.now()
    OwnRecord.objects.create(user=city.people["neighbour"], elder=elder, proof="paper", claimed_at=now)
    first = city.delegations[0].elder
    Call.objects.create(agent=city.people["streetagent"], elder=first, opened_at=now, called_back_at=now)


def _letter(user: User, elder: Elder) -> Delegation:
    now = timezone.now()
    letter = Delegation(
        user=user, elder=elder, relation="child", scope="see", until=now.date() + timedelta(days=90),
        state="agreed", asked_at=now, agreed_at=now, agreed_by="code",
    )  # fmt: skip
    letter.seal_name("张小明")
    letter.save()
    return letter


def _bank_line(city: City) -> BankLine:
    """It paid the rent of the second lease."""
    line = BankLine.objects.get(pk=city.bank_lines[0].pk)
    entry = Entry.objects.create(
        key="bank:theirs", kind="bank", dated_on=city.month, recorded_at=at(city.month)
    )
    line.pk, line.line, line.fingerprint, line.entry = None, 99, "f" * 64, entry
    line.save()
    Receipt.objects.create(bank_line=line, state="matched", lease=city.leases[1])
    return line


def _project(city: City, elder: Elder) -> Project:
    """Of the second lease's operator, with a plan that waits and a photo."""
    project = Project.objects.get(pk=city.projects[1].pk)
    project.pk, project.key, project.elder, project.household = None, uuid4(), elder, f"elder:{elder.code}"
    project.operator, project.premises = city.leases[1].operator, city.leases[1].premises
    project.address_sealed = sealing.seal("样例路 9 号", field="address", row=str(project.key))
    project.save()
    plan = Plan.objects.get(project=city.projects[1])
    plan.pk, plan.project = None, project
    plan.save()
    kept = keep(photo=photo("navy"), by="rival", at=timezone.now())
    ProjectPhoto.objects.create(project=project, photo=kept, shows="before")
    return project


def _orders(city: City, elder: Elder) -> tuple[_Ordered, _Ordered]:
    """Meals brought home: ours from the first house by the first caregiver, theirs from the second by another's."""
    service = Service.objects.create(code="SV09", name="送餐上门", category="delivery", unit="meal")
    Price.objects.create(
        service=service, valid_from=city.month, list_price=15, government=0, concession=0, charity=0
    )
    first = Caregiver.objects.get(code="CG01")
    second = Caregiver.objects.create(code="CG02", operator=city.leases[1].operator, name="何小弟")
    offers = []
    for lease, caregiver, user in ((city.leases[0], first, "caregiver"), (city.leases[1], second, "carer")):
        Caregiver.objects.filter(pk=caregiver.pk).update(user=city.people[user])
        offer = Offer.objects.create(premises=lease.premises, service=service)
        OrderTerms.objects.create(
            offer=offer, where="home", manner="sitting", order_until_minutes=60, cancel_until_minutes=60,
            days_ahead=7,
        )  # fmt: skip
        offers.append(offer)
    publish(on=timezone.localdate(), by="night", at=timezone.now())
    mine = city.delegations[0].elder
    for person in ("daughter", "hotline", "streetagent"):
        _basket(city.people[person], mine, offers[0])
    return (
        _ordered(city.people["elder"], mine, offers[0], first),
        _ordered(city.people["neighbour"], elder, offers[1], second),
    )


def _basket(user: User, elder: Elder, offer: Offer) -> int:
    starts_at = timezone.now() + timedelta(days=1)
    return want(
        care=new_basket(user=user, elder=elder), offer=offer, starts_at=starts_at, address="样例路 1 号"
    ).line_id


def _ordered(user: User, elder: Elder, offer: Offer, caregiver: Caregiver) -> _Ordered:
    """A meal that was brought an hour ago and that nobody has confirmed; another in the basket; one that stands."""
    now, key = timezone.now(), f"order:{elder.code}"
    begun, ended = now - timedelta(hours=2), now - timedelta(hours=1)
    order = get_model("order", "Order").objects.create(
        number=f"{70000 + elder.pk}", user=user, currency="CNY", total_incl_tax=15, total_excl_tax=15
    )
    line = get_model("order", "Line").objects.create(
        order=order, num_allocated=0, title=offer.service.name, upc=offer.service.code, quantity=1, line_price_incl_tax=15,
        line_price_excl_tax=15, line_price_before_discounts_incl_tax=15, line_price_before_discounts_excl_tax=15,
    )  # fmt: skip
    hold = WorkOrder.hold.field.related_model.objects.create(
        key=key, elder=elder, premises=offer.premises, service=offer.service, quantity=1,
        service_on=timezone.localdate(begun), placed_at=begun,
    )  # fmt: skip
    care = CareOrder.objects.create(
        order=order, key=key, elder=elder, placed_by=user.username, channel="web", placed_at=begun
    )
    slot = Slot.objects.create(offer=offer, starts_at=begun, ends_at=ended, capacity=5, taken=1)
    work = WorkOrder.objects.create(
        key=key, order=care, line=line, offer=offer, quantity=1, starts_at=begun, ends_at=ended, where="home",
        hold=hold, caregiver=caregiver, state="underway",
        booking=Booking.objects.create(key=key, slot=slot, quantity=1, booked_at=begun),
    )  # fmt: skip
    Visit.objects.create(hold=hold, caregiver=caregiver, arrived_at=begun, left_at=ended, quantity=1)
    report = VisitReport.objects.create(
        scope="T", key=key, request=b"", hold=hold, caregiver=caregiver, kind="photo", happened_at=begun,
        recorded_at=begun, by=caregiver.code, photo=keep(photo=photo("tan"), by="carer", at=begun),
    )  # fmt: skip
    standing = StandingOrder.objects.create(
        elder=elder,
        user=user,
        offer=offer,
        weekdays=[0],
        clock=begun.time(),
        starts_on=now.date(),
        asked_at=now,
    )
    return _Ordered(int(order.number), work.pk, _basket(user, elder, offer), standing.pk, report.photo.number)
