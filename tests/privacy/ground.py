"""Grandma Li with everything the system can hold about one person: a bath at home with photo and place, lunch, an account,
a daughter who acts, messages that name both, a standing order, a PIN, a call, a paper code; and Grandpa Wang beside her."""

from datetime import date, time, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.accounts.operations import account_of_phone
from marketplace.families import operations as families
from marketplace.messages.models import Message
from marketplace.messages.operations import tell as tell_by_message
from marketplace.models import StandingOrder
from tests import story
from tests.shop.ground import BATH, HOME, NOW
from tests.shop.visits import DOOR, LEAVING_OF_BATH, Homes, code_of, tell
from tests.vouchers.test_photos import photo
from vouchers.delegates import operations as delegates
from vouchers.elders import sealing
from vouchers.elders.search import learn_names
from vouchers.photos.cleaning import clean

LI_PHONE, DAUGHTER_PHONE = "13800000077", "13800000088"
NAME, DAUGHTER = "李桂兰", "李小红"
JANUARY = date(2026, 1, 1)


class Lives(Homes):
    def __init__(self) -> None:
        super().__init__()
        learn_names([NAME, "王大明"])
        self.daughter = account_of_phone(phone=DAUGHTER_PHONE, at=NOW)
        self.own = account_of_phone(phone=LI_PHONE, at=NOW)
        families.claim(user=self.own, elder=self.li, notice=True, sensitive=True, at=NOW)
        self.letter = self.agree(self.li)
        self.letter.refresh_from_db()
        self.li.categories, self.li.ability_level = ["living_alone"], 2
        self.li.save()
        work = self.bath_of()
        tell(work, self.wu, "arrived", BATH, spot=DOOR)
        tell(work, self.wu, "photo", BATH + timedelta(minutes=5), picture=clean(photo()))
        shown = BATH + timedelta(minutes=60)
        tell(work, self.wu, "confirmed", shown, credential=code_of(self.li, shown))
        tell(work, self.wu, "left", LEAVING_OF_BATH)
        for kind, whom in (("spent_by", {"user": self.daughter}), ("acted_for", {"elder": self.li})):
            facts: dict[str, Any] = {
                "who": NAME,
                "amount": story.yuan(8),
                "what": "午餐",
                "where": "礼堂",
                "when": NOW,
            }
            if kind == "acted_for":
                facts = {"who": DAUGHTER, "what": "点了午餐"}
            tell_by_message(kind=kind, at=NOW, **whom, **facts)
        StandingOrder.objects.create(
            elder=self.li, user=self.daughter, delegation=self.letter, offer=self.bath, weekdays=[1],
            clock=time(9), address_sealed=sealing.seal(HOME, field="standing_address", row="LI"),
            starts_on=JANUARY, asked_at=NOW,
        )  # fmt: skip
        delegates.open_call(agent=self.agent, elder=self.li, at=NOW)
        self.clerk, self.approver = (
            story.user("clerk", "bureau_clerk"),
            story.user("approver", "bureau_approver"),
        )
        delegates.print_paper_code(elder=self.li, by=self.clerk, at=NOW)
        story.redeem("wang-lunch", "WANG", "SV01", "PR01", "2026-01-07 11:30")

    def settle(self) -> None:
        """January is approved by three people, and locked."""
        for name, role, where in (
            ("manager-op01", "operator_manager", {"operator": self.firm}),
            ("officer", "street_officer", {}),
        ):
            story.user(name, role, **where)
        assert story.settle(JANUARY, at="2026-02-02 10:00")


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def code_sent() -> str:
    return Message.objects.exclude(secret_sealed=None).latest("id").secret()["code"]


def now() -> Any:
    return timezone.now()
