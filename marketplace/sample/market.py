"""The town's market: when houses are open, how services are ordered, who is sent, and what was ordered.

Hours, places and names are ours. All of it is made through the operations: made twice, it changes nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice

from django.db import transaction

from ledger.journal.queries import day_of
from marketplace.families.operations import Acting
from marketplace.fulfilment.models import CareOrder, WorkOrder
from marketplace.fulfilment.operations import Placer, cancel, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.fulfilment.standing import place_standing, stand
from marketplace.fulfilment.tidying import tidy
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.describing import describe_house, describe_service
from marketplace.offerings.models import Listing
from marketplace.offerings.operations import publish
from marketplace.sample.town import read_data
from providers.caregivers import operations as caregivers
from providers.caregivers.queries import appointments_on
from providers.models import Lease, Offer, OrderTerms, Premises
from providers.ordering.operations import (
    Hours,
    Places,
    close_for,
    set_opening_hours,
    set_order_terms,
    set_sittings,
)
from providers.ordering.queries import sittings_on
from providers.ordering.times import instant
from vouchers.models import Delegation, Elder, OwnRecord
from vouchers.redemption.operations import RedemptionOrder, deliver

EVERY_DAY, WORKDAYS = range(7), range(5)
OPENS, CLOSES, CANTEEN_CLOSES = time(8), time(18), time(18, 30)

# service: where, minutes before it begins until which it is ordered, sittings as (weekdays, from, until, places)
SITTINGS: dict[str, tuple[str, int, list[tuple[Iterable[int], time, time, int]]]] = {
    "SV01": ("there", 60, [(EVERY_DAY, time(11), time(11, 45), 20), (EVERY_DAY, time(11, 45), time(12, 30), 20)]),
    "SV02": ("there", 60, [(EVERY_DAY, time(16, 45), time(17, 30), 15), (EVERY_DAY, time(17, 30), time(18, 15), 15)]),
    "SV03": ("home", 120, [(EVERY_DAY, time(11), time(12), 8), (EVERY_DAY, time(17), time(18), 8)]),
    "SV10": ("there", 720, [(WORKDAYS, time(8, 30), time(17), 12)]),
    "SV11": ("there", 120, [((1, 3), time(14, 30), time(16, 30), 20)]),
}  # fmt: skip
# service: where, who may be sent, minutes that it takes
VISITS = {
    "SV04": ("home", "care", 120),
    "SV05": ("home", "help", 90),
    "SV06": ("home", "help", 60),
    "SV07": ("home", "care", 180),
    "SV08": ("home", "help", 60),
    "SV09": ("there", "rehabilitation", 60),
    "SV12": ("home", "fitting", 180),
    "SV13": ("home", "fitting", 180),
}
# service: its picture, and what it is
TOLD = {
    "SV02": ("supper", "清淡热乎的晚饭，有粥有菜，不用自己开火。到店就坐，报姓名或出示券码即可。"),
    "SV04": ("bath", "两位护理员带着洗浴设备上门，帮您安安全全洗个澡。出示工作证，洗前先量血压。"),
    "SV05": ("cleaning", "擦窗、扫地、抹桌、整理，按小时算。您说先做哪儿就先做哪儿。"),
    "SV06": ("haircut", "师傅带着围布和推子上门，剪完把地扫干净。"),
    "SV07": ("doctor", "从家里接到医院，挂号、排队、取药都陪着，再送回家。"),
    "SV08": ("shopping", "帮您买菜、取药、交水电费，买回来当面对账。"),
    "SV13": ("floor", "卫生间、厨房地面做防滑，施工半天，当天能走。"),
}
KINDS = ("care", "help", "rehabilitation", "fitting")
PEOPLE = ("吴小妹", "何春生", "贺满秀", "谭建国", "易红梅", "文志强", "凌玉兰", "袁大勇", "彭秋菊")
STAFF = 3
DAYS_AHEAD = 14

# What is ordered: for which day (0 is today), and what became of it. Each for another elder of the street.
ORDERED = [(-4, "missed"), (-1, "done"), (-1, "done"), (-1, "cancelled"), *[(ahead, "") for ahead in (0, 0, 1, 1, 1, 2, 2, 3)]]  # fmt: skip
TRIES = 4  # of elders for one order: some have no voucher that fits, or had their lunch


@transaction.atomic
def furnish(*, by: str, at: datetime) -> str:
    """This function will set opening hours, sittings, caregivers and stories, and publish the catalogue."""
    offers = list(Offer.objects.select_related("premises", "service").order_by("id"))
    canteens = {offer.premises_id for offer in offers if offer.service.category == "canteen"}
    houses = {offer.premises_id: offer.premises for offer in offers}
    for premises in houses.values():
        closes = CANTEEN_CLOSES if premises.pk in canteens else CLOSES
        week = [Hours(weekday, OPENS, closes) for weekday in EVERY_DAY]
        set_opening_hours(premises=premises, hours=week, by=by, at=at)
    for offer in offers:
        _terms(offer, by=by, at=at)
    repaired = day_of(at) + timedelta(days=9)
    for premises in islice(houses.values(), 4, 5):  # one house, one day
        close_for(premises=premises, starts_on=repaired, ends_on=repaired, reason="检修燃气", by=by, at=at)
    people = _staff(offers, by=by, at=at)
    stories = {row["code"]: row["story"] for row in read_data("premises.csv") if row["story"]}
    for premises in Premises.objects.filter(code__in=stories).order_by("code"):
        describe_house(premises=premises, words=stories[premises.code], by=by, at=at)
    done = publish(on=day_of(at), by=by, at=at)
    for listing in Listing.objects.filter(service__code__in=TOLD).select_related("service").order_by("id"):
        drawing, words = TOLD[listing.service.code]
        describe_service(listing=listing, words=words, drawing=drawing, by=by, at=at)
    return f"{done.offers} offers, {people} caregivers"


def _terms(offer: Offer, *, by: str, at: datetime) -> None:
    if offer.service.code in SITTINGS:
        where, until, sittings = SITTINGS[offer.service.code]
        set_order_terms(
            offer=offer, where=where, manner="sitting", order_until_minutes=until, cancel_until_minutes=until,
            days_ahead=DAYS_AHEAD, by=by, at=at,
        )  # fmt: skip
        places = [
            Places(weekday, begins, ends, capacity)
            for days, begins, ends, capacity in sittings
            for weekday in days
        ]
        set_sittings(offer=offer, sittings=places, by=by, at=at)
    elif offer.service.code in VISITS:
        where, needs, minutes = VISITS[offer.service.code]
        set_order_terms(
            offer=offer, where=where, manner="appointment", order_until_minutes=240, cancel_until_minutes=240,
            days_ahead=DAYS_AHEAD, minutes=minutes, needs=needs, by=by, at=at,
        )  # fmt: skip


def _staff(offers: list[Offer], *, by: str, at: datetime) -> int:
    """Three for each operator whose services are brought by caregivers; one holds whatever is needed."""
    visiting = {offer.premises_id for offer in offers if offer.service.code in VISITS}
    operators = {
        lease.operator.code: lease.operator
        for lease in Lease.objects.filter(premises__in=visiting).select_related("operator")
    }
    begun = day_of(at) - timedelta(days=400)
    until = {
        (STAFF, KINDS[1]): day_of(at) + timedelta(days=38)
    }  # of each operator's last one, soon to be renewed
    names = cycle(PEOPLE)
    for code, operator in sorted(operators.items()):
        for one in range(1, STAFF + 1):
            caregiver = caregivers.register_caregiver(
                code=f"CG{code[2:]}{one}",
                name=next(names),
                operator=operator,
                certificates=[
                    caregivers.Certificate(
                        kind, f"示例{code}{one}{kind[:2].upper()}", begun, until.get((one, kind))
                    )
                    for kind in (KINDS if one == 1 else KINDS[:2])
                ],
                by=by,
                at=at,
            )
            shifts = [
                caregivers.Hours(weekday, begins, ends)
                for weekday in EVERY_DAY
                for begins, ends in ((time(8), time(12)), (time(13, 30), time(17, 30)))
            ]
            caregivers.set_shifts(caregiver=caregiver, hours=shifts, by=by, at=at)
    return len(operators) * STAFF


@transaction.atomic
def order(*, today: date, by: str) -> str:
    """This function will order for some elders, as the hotline does, and let what lies behind take its course.

    Ordered the morning before (yesterday's at the latest), delivered when it was, tidied up tonight: nothing is
    dated later than the first minutes of `today`, nothing delivered in a month that is drawn up already.
    """
    if CareOrder.objects.exists():
        return "done before"
    offers = cycle(
        OrderTerms.objects.select_related("offer__premises__division", "offer__service").order_by("offer_id")
    )
    for number, (ahead, outcome) in enumerate(ORDERED * 2):
        day = today + timedelta(days=ahead)
        if outcome == "done" and day.month != today.month:
            continue
        terms = next(offers)
        while outcome in ("done", "missed") and terms.manner != OrderTerms.Manner.SITTING:
            terms = next(offers)
        for elder in _neighbours(terms.offer.premises, number):
            work = _order(terms, elder, day, today=today, by=by)
            if work is not None:
                _happens(work, outcome, by=by)
                break
    _stand(today, by=by)
    tidy(by=by, at=instant(today, time(0, 20)))
    return f"{CareOrder.objects.count()} orders"


def _neighbours(premises: Premises, number: int) -> Iterable[Elder]:
    near = Elder.objects.filter(
        division__parent=premises.division.parent_id, died_on=None, orders=None, delegations=None
    ).order_by("code")
    first = number % 3 * TRIES  # not all of them with the same few names
    return near[first : first + TRIES]


def _order(terms: OrderTerms, elder: Elder, day: date, *, today: date, by: str) -> WorkOrder | None:
    at = instant(min(day, today) - timedelta(days=1), time(9, 30))
    times = sittings_on if terms.manner == OrderTerms.Manner.SITTING else appointments_on
    choices = times(offer=terms.offer, terms=terms, day=day, at=at)
    first = next((choice for choice in choices if choice.can_be_chosen), None)
    if first is None:
        return None
    try:
        with transaction.atomic():
            care = new_basket(user=None, elder=elder)
            home = terms.where == OrderTerms.Where.HOME
            address = f"{elder.division.name}{elder.pk % 40 + 1}栋{elder.pk % 6 + 1}01室" if home else ""
            want(care=care, offer=terms.offer, starts_at=first.starts_at, address=address)
            return place_order(care=care, placer=Placer(by=by, channel="hotline"), at=at).work.get()
    except CannotOrder:
        return None


def _happens(work: WorkOrder, outcome: str, *, by: str) -> None:
    if outcome == "cancelled":
        cancel(
            work=work,
            placer=Placer(by=by, channel="hotline"),
            at=work.order.placed_at + timedelta(minutes=5),
        )
    if outcome == "done":
        eaten = work.starts_at + timedelta(minutes=20)
        receipt = RedemptionOrder(
            key=f"sample:{work.key}",
            happened_at=eaten,
            premises=work.offer.premises.code,
            service=work.offer.service.code,
            elder=work.order.elder.code,
            quantity=work.quantity,
            channel="qr",
        )
        deliver(hold=work.hold, order=receipt, by=by, at=eaten)


def _stand(today: date, *, by: str) -> None:
    """The elder with an account, and the daughter for hers, have a service come round again and again."""
    at = instant(today - timedelta(days=1), time(9, 30))
    for acting, category in _actings():
        terms = (
            OrderTerms.objects.filter(
                manner=OrderTerms.Manner.SITTING,
                offer__service__category=category,
                offer__supply__listed=True,
            )
            .order_by("offer__service__code", "offer_id")
            .first()
        )
        sitting = terms.offer.sittings.order_by("starts_at").first() if terms else None
        if terms is None or sitting is None or acting.elder.standing_orders.exists():
            continue
        stand(
            acting=acting, offer=terms.offer, weekdays=WORKDAYS, clock=sitting.starts_at, at=at,
            address="示例路 8 号 2 栋 301 室" if terms.where == OrderTerms.Where.HOME else "",
        )  # fmt: skip
    place_standing(today=today, by=by, at=instant(today, time(0, 10)))


def _actings() -> Iterator[tuple[Acting, str]]:
    for own in OwnRecord.objects.filter(ended_at=None).select_related("elder", "user").order_by("id"):
        yield Acting(own.elder, own.user), "canteen"
    last = Delegation.objects.filter(state=Delegation.State.AGREED).select_related("elder", "user")
    for delegation in last.order_by("-id")[:1]:
        yield Acting(delegation.elder, delegation.user, delegation), "delivery"
