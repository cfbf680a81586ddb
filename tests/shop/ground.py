"""A canteen with two sittings, a bath at home, Grandma Li and Grandpa Wang with vouchers, Li's daughter.

Monday 2026-01-05, eight in the morning, unless a test says otherwise.
"""

from datetime import datetime, time
from typing import Any

from marketplace.accounts.models import User
from marketplace.families.operations import Acting
from marketplace.fulfilment.models import CareOrder
from marketplace.fulfilment.operations import Placer, place_order
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.operations import publish
from providers.caregivers import operations as caregivers
from providers.models import Offer
from providers.ordering.operations import Hours, Places, set_opening_hours, set_order_terms, set_sittings
from tests import story
from tests.story import day, moment, yuan
from vouchers.elders.models import Elder
from vouchers.models import Delegation, Hold, Voucher

BY = "test"
NOW = moment("2026-01-05 08:00")
LUNCH, LATE_LUNCH = moment("2026-01-05 11:30"), moment("2026-01-05 12:30")
BATH = moment("2026-01-06 08:00")
HOME = "湖滨路 8 号 2 单元 301"


class Ground:
    def __init__(self, *, capacity: int = 3) -> None:
        self.city = story.division("4302", "湖城", "city")
        self.street = story.division("430201001", "湖滨街道", "street", self.city)
        self.community = story.division("430201001001", "湖心社区", "community", self.street)
        self.firm = story.operator("OP01", "桂舟长者服务社")
        self.place = story.premises("PR01", self.community, name="老纺织厂礼堂")
        self.lease = story.lease("LS01", self.place, self.firm)
        lunch = story.service("SV01", "canteen", "meal", daily_limit=2)
        bath = story.service("SV04", "home_care", "visit")
        lunch.name, bath.name = "长者餐厅午餐", "上门助浴"
        lunch.save()
        bath.save()
        story.price(lunch, 15, government=4, concession=2, charity=1)
        story.price(bath, 140, government=30, concession=20, charity=10)
        story.offer(self.place, lunch, bath)
        self.lunch, self.bath = Offer.objects.get(service=lunch), Offer.objects.get(service=bath)
        story.programme(
            "PG01", "offset", self.lease, face=10, per_elder=5, categories=("canteen", "home_care")
        )
        self.li = story.elder("LI", "李桂兰", "1944-02-03", self.community)
        self.wang = story.elder("WANG", "王大明", "1950-12-31", self.community)
        story.issue_on("2026-01-01")
        self.daughter = User(username="daughter")
        self.daughter.save()
        self._order_terms(capacity)
        publish(on=day("2026-01-05"), by=BY, at=NOW)

    def _order_terms(self, capacity: int) -> None:
        hours = [Hours(weekday, time(8), time(18)) for weekday in range(7)]
        set_opening_hours(premises=self.place, hours=hours, by=BY, at=NOW)
        set_order_terms(
            offer=self.lunch, where="there", manner="sitting", order_until_minutes=90, cancel_until_minutes=60,
            days_ahead=7, by=BY, at=NOW,
        )  # fmt: skip
        sittings = [
            Places(weekday, time(hour, 30), time(hour + 1, 15), capacity)
            for weekday in range(7)
            for hour in (11, 12)
        ]
        set_sittings(offer=self.lunch, sittings=sittings, by=BY, at=NOW)
        set_order_terms(
            offer=self.bath, where="home", manner="appointment", order_until_minutes=120,
            cancel_until_minutes=120, days_ahead=14, minutes=90, needs="care", by=BY, at=NOW,
        )  # fmt: skip
        self.wu = caregivers.register_caregiver(
            code="CG01", name="吴小妹", operator=self.firm,
            certificates=[caregivers.Certificate("care", "示例001", day("2025-01-01"))], by=BY, at=NOW,
        )  # fmt: skip
        shifts = [caregivers.Hours(weekday, time(8), time(12)) for weekday in range(7)]
        caregivers.set_shifts(caregiver=self.wu, hours=shifts, by=BY, at=NOW)

    def agree(self, elder: Elder, *, cap: int = 200) -> Delegation:
        """The daughter may see and order for this elder."""
        letter = Delegation(
            user=self.daughter, elder=elder, relation="child", scope="order", cap=yuan(cap),
            until=day("2026-12-31"), state="agreed", asked_at=NOW, agreed_at=NOW, agreed_by="code",
        )  # fmt: skip
        letter.seal_name("李小红")
        letter.save()
        return letter

    def placer(self, elder: Elder | None = None) -> Placer:
        return Placer.of(Acting(elder or self.li, self.daughter))

    def basket(self, *wanted: tuple[Offer, datetime], elder: Elder | None = None, quantity: int = 1) -> Any:
        care = new_basket(user=self.daughter, elder=elder or self.li)
        for offer, starts_at in wanted:
            home = HOME if offer == self.bath else ""
            want(care=care, offer=offer, starts_at=starts_at, quantity=quantity, address=home)
        return care

    def order(
        self, *wanted: tuple[Offer, datetime], elder: Elder | None = None, at=NOW, quantity=1
    ) -> CareOrder:
        care = self.basket(*(wanted or [(self.lunch, LUNCH)]), elder=elder, quantity=quantity)
        return place_order(care=care, placer=self.placer(elder), at=at)


def purse(elder: Elder) -> tuple[Any, Any]:
    """What is left, and what is set aside, of an elder's vouchers."""
    vouchers = list(Voucher.objects.filter(elder=elder))
    return sum((v.remaining for v in vouchers), yuan(0)), sum((v.held for v in vouchers), yuan(0))


def open_holds() -> int:
    return Hold.objects.filter(state=Hold.State.OPEN).count()
