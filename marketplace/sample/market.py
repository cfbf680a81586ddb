"""The town's market: when houses are open, how services are ordered, who is sent, and some orders of today.

Hours, places and names are ours. Made through the operations, so making it twice changes nothing.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from ledger.journal.queries import day_of
from marketplace.fulfilment.models import CareOrder
from marketplace.fulfilment.operations import Placer, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.models import ElderBasket, Story
from marketplace.offerings.operations import publish
from marketplace.sample.town import read_data
from providers.caregivers import operations as caregivers
from providers.caregivers.queries import appointments_on
from providers.models import Lease, Offer, OrderTerms, Premises
from providers.ordering.operations import Hours, Places, set_opening_hours, set_order_terms, set_sittings
from providers.ordering.queries import sittings_on
from vouchers.models import Elder

EVERY_DAY, WORKDAYS = range(7), range(5)
OPEN = [(time(8), time(18))]

# service: where, minutes before it begins until which it is ordered, sittings as (weekdays, from, until, places)
SITTINGS: dict[str, tuple[str, int, list[tuple[Iterable[int], time, time, int]]]] = {
    "SV01": ("there", 60, [(EVERY_DAY, time(11), time(11, 45), 20), (EVERY_DAY, time(11, 45), time(12, 30), 20)]),
    "SV02": ("there", 60, [(EVERY_DAY, time(16, 45), time(17, 30), 15), (EVERY_DAY, time(17, 30), time(18, 15), 15)]),
    "SV03": ("home", 120, [(EVERY_DAY, time(11), time(12), 8), (EVERY_DAY, time(17), time(18), 8)]),
    "SV10": ("there", 720, [(WORKDAYS, time(8, 30), time(17), 12)]),
    "SV11": ("there", 120, [((1, 3), time(14, 30), time(16, 30), 20)]),
}  # fmt: skip
# service: where, who may be sent, how long
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
KINDS = ("care", "help", "rehabilitation", "fitting")
PEOPLE = ("吴小妹", "何春生", "贺满秀", "谭建国", "易红梅", "文志强", "凌玉兰", "袁大勇", "彭秋菊")
STAFF = 3


@transaction.atomic
def furnish(*, by: str, at: datetime) -> str:
    """This function will set opening hours, sittings, caregivers and stories, and publish the catalogue."""
    offers = list(Offer.objects.select_related("premises", "service").order_by("id"))
    canteens = {offer.premises_id for offer in offers if offer.service.category == "canteen"}
    for premises in {offer.premises_id: offer.premises for offer in offers}.values():
        open_hours = OPEN if premises.pk not in canteens else [(time(8), time(18, 30))]
        set_opening_hours(
            premises=premises,
            hours=[Hours(weekday, *hours) for weekday in EVERY_DAY for hours in open_hours],
            by=by,
            at=at,
        )
    for offer in offers:
        _terms(offer, by=by, at=at)
    people = _staff(offers, by=by, at=at)
    stories = {row["code"]: row["story"] for row in read_data("premises.csv")}
    for premises in Premises.objects.filter(code__in=stories).order_by("code"):
        Story.objects.update_or_create(premises=premises, defaults={"words": stories[premises.code]})
    done = publish(on=day_of(at), by=by, at=at)
    return f"{done.offers} offers, {people} caregivers"


def _terms(offer: Offer, *, by: str, at: datetime) -> None:
    if offer.service.code in SITTINGS:
        where, until, sittings = SITTINGS[offer.service.code]
        set_order_terms(
            offer=offer, where=where, manner="sitting", order_until_minutes=until, cancel_until_minutes=until,
            days_ahead=14, by=by, at=at,
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
            days_ahead=14, minutes=minutes, needs=needs, by=by, at=at,
        )  # fmt: skip


def _staff(offers: list[Offer], *, by: str, at: datetime) -> int:
    """Three for each operator whose services are brought by caregivers; one holds whatever is needed."""
    visiting = {offer.premises_id for offer in offers if offer.service.code in VISITS}
    operators = {
        lease.operator.code: lease.operator
        for lease in Lease.objects.filter(premises__in=visiting).select_related("operator")
    }
    begun = day_of(at) - timedelta(days=400)
    number = 0
    for code, operator in sorted(operators.items()):
        for one in range(STAFF):
            kinds = KINDS if one == 0 else KINDS[:2]
            caregiver = caregivers.register_caregiver(
                code=f"CG{code[2:]}{one + 1}",
                name=PEOPLE[number % len(PEOPLE)],
                operator=operator,
                certificates=[
                    caregivers.Certificate(kind, f"示例{code}{one + 1}{kind[:2].upper()}", begun)
                    for kind in kinds
                ],
                by=by,
                at=at,
            )
            shifts = [
                caregivers.Hours(weekday, begins, begins.replace(hour=begins.hour + 4))
                for weekday in EVERY_DAY
                for begins in (time(8), time(13, 30))
            ]
            caregivers.set_shifts(caregiver=caregiver, hours=shifts, by=by, at=at)
            number += 1
    return number


def order(*, today: date, by: str, at: datetime, most: int = 16) -> str:
    """This function will place some orders for tomorrow and the day after, as the hotline would; one an elder."""
    placer = Placer(by=by, channel="hotline")
    placed = 0
    offers = OrderTerms.objects.select_related("offer__premises__division", "offer__service").order_by(
        "offer_id"
    )
    for number, terms in enumerate(offers):
        if placed >= most:
            break
        premises = terms.offer.premises
        near = Elder.objects.filter(
            division__parent=premises.division.parent_id,
            died_on=None,
            orders=None,
            ability_level__isnull=False,
        ).order_by("code")
        for elder in near[number % 5 : number % 5 + 3]:
            placed += _order(terms, elder, today + timedelta(days=1 + placed % 2), placer=placer, at=at)
    return f"{CareOrder.objects.count()} orders"


def _order(terms: OrderTerms, elder: Elder, day: date, *, placer: Placer, at: datetime) -> bool:
    times = sittings_on if terms.manner == OrderTerms.Manner.SITTING else appointments_on
    free = [
        choice for choice in times(offer=terms.offer, terms=terms, day=day, at=at) if choice.can_be_chosen
    ]
    key = uuid5(NAMESPACE_URL, f"yiquan:sample:{terms.offer_id}:{elder.code}")
    if not free or ElderBasket.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            care = new_basket(user=None, elder=elder, key=key)
            address = f"{elder.division.name}{elder.pk % 40 + 1}栋{elder.pk % 6 + 1}01室"
            home = terms.where == OrderTerms.Where.HOME
            want(care=care, offer=terms.offer, starts_at=free[0].starts_at, address=address if home else "")
            place_order(care=care, placer=placer, at=at)
    except CannotOrder:
        return False
    return True
