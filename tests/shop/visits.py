"""The shop's ground with homes to go to: two caregivers with telephones, meals that are brought, a hotline."""

from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

from marketplace.accounts.models import User
from marketplace.fulfilment import dispatch
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.visits import Noted, report
from marketplace.offerings.operations import publish
from providers.caregivers import operations as caregivers
from providers.models import Caregiver, Offer
from providers.ordering.operations import Places, set_order_terms, set_sittings
from tests import story
from tests.shop.ground import BATH, BY, NOW, Ground
from tests.story import day, moment
from vouchers.codes.operations import elder_token, set_pin
from vouchers.elders.models import Elder
from vouchers.visits.operations import Spot, Told, scope_of

BATH_LATER = moment("2026-01-06 09:30")
MEAL = moment("2026-01-06 11:00")
DOOR = Spot(113.1301, 27.8302, 20)  # near the community
FAR = Spot(113.60, 27.83, 20)  # another town
LEAVING_OF_BATH = BATH + timedelta(minutes=70)
PIN = "204951"
_keys = count(1)


class Homes(Ground):
    def __init__(self) -> None:
        super().__init__(capacity=20)
        self.place.longitude, self.place.latitude = "113.130000", "27.830000"
        self.place.save()
        meals = story.service("SV02", "delivery", "meal", daily_limit=4)
        meals.name = "送餐上门"
        meals.save()
        story.price(meals, 15, government=4, concession=2, charity=1)
        story.offer(self.place, meals)
        story.programme("PG02", "offset", self.lease, face=10, per_elder=5, categories=("delivery",))
        story.issue_on("2026-01-01")
        self.meals = Offer.objects.get(service=meals)
        set_order_terms(
            offer=self.meals, where="home", manner="sitting", order_until_minutes=60, cancel_until_minutes=60,
            days_ahead=7, by=BY, at=NOW,
        )  # fmt: skip
        windows = [Places(weekday, time(11), time(12), 20) for weekday in range(7)]
        set_sittings(offer=self.meals, sittings=windows, by=BY, at=NOW)
        publish(on=day("2026-01-05"), by=BY, at=NOW)
        self.he = caregivers.register_caregiver(
            code="CG02", name="何小弟", operator=self.firm,
            certificates=[
                caregivers.Certificate("care", "示例002", day("2025-01-01")),
                caregivers.Certificate("help", "示例003", day("2025-01-01")),
            ],
            by=BY, at=NOW,
        )  # fmt: skip
        shifts = [caregivers.Hours(weekday, time(8), time(12)) for weekday in range(7)]
        caregivers.set_shifts(caregiver=self.he, hours=shifts, by=BY, at=NOW)
        self.wu_user, self.he_user = self.account("wu", self.wu), self.account("he", self.he)
        self.manager = User.objects.create(username="manager", role="operator_manager", operator=self.firm)
        self.agent = User.objects.create(username="agent", role="hotline_agent")
        set_pin(elder=self.li, pin=PIN, by=BY, at=NOW)

    def account(self, name: str, caregiver: Caregiver) -> User:
        user = User.objects.create(username=name, role="caregiver", operator=self.firm)
        caregivers.give_account(caregiver=caregiver, user=user, by=BY, at=NOW)
        caregiver.refresh_from_db()
        return user

    def bring(self, offer: Offer, starts_at: datetime, elder: Elder | None = None, quantity: int = 1) -> Any:
        """The basket of the shop's ground, with an address for meals too."""
        from marketplace.fulfilment.operations import place_order
        from marketplace.offerings.baskets import new_basket, want
        from tests.shop.ground import HOME

        care = new_basket(user=self.daughter, elder=elder or self.li)
        want(care=care, offer=offer, starts_at=starts_at, quantity=quantity, address=HOME)
        return place_order(care=care, placer=self.placer(elder), at=NOW).work.get()

    def bath_of(
        self, elder: Elder | None = None, starts_at: datetime = BATH, caregiver: Caregiver | None = None
    ) -> WorkOrder:
        """A bath at home, sent to a caregiver."""
        work = self.bring(self.bath, starts_at, elder)
        return dispatch.assign(work=work, caregiver=caregiver or self.wu, by=self.manager, at=NOW)


def told(who: Caregiver, kind: str, when: datetime, *, key: str = "", **what: Any) -> Told:
    return Told(scope=scope_of(who), key=key or f"k{next(_keys)}", kind=kind, happened_at=when, **what)


def tell(
    work: WorkOrder,
    who: Caregiver,
    kind: str,
    when: datetime,
    *,
    at: datetime | None = None,
    key: str = "",
    **what: Any,
) -> Noted:
    """`at`: when we learn of it; without, at once."""
    work = WorkOrder.objects.select_related("hold__service", "hold__elder").get(pk=work.pk)
    what = told(who, kind, when, key=key, **what)
    return report(work=work, caregiver=who, told=what, by=who.user or BY, at=at or when)


def code_of(elder: Elder, when: datetime) -> dict[str, str]:
    return {"token": elder_token(elder=elder, at=when)}
