"""What is told by itself: vouchers spent and vouchers that end soon, to those who agreed to it, once."""

from datetime import timedelta

import pytest

from marketplace.accounts.operations import account_of_phone
from marketplace.families import operations as families
from marketplace.messages.models import Message
from marketplace.messages.rounds import tell_expiring, tell_spent
from tests import story
from vouchers.delegates import operations as delegates

NOON = story.moment("2026-01-05 12:00")


@pytest.fixture
def town(db) -> None:
    story.town()
    story.issue_on("2026-01-01")
    li = story.elder_named("LI")
    user = account_of_phone(phone=li.phone(), at=NOON)
    families.claim(user=user, elder=li, notice=True, sensitive=True, at=NOON)
    daughter = account_of_phone(phone="13800000088", at=NOON)
    asked = delegates.ask(
        user=daughter, elder=li, name="李小红", relation="child", scope="see", cap=None,
        until=story.day("2026-12-01"), at=NOON,
    )  # fmt: skip
    delegates.agree(delegation=asked, how="code", by="story", at=NOON)
    Message.objects.all().delete()


def said() -> list[tuple[str, str]]:
    return [(m.elder.code if m.elder else "daughter", m.text()) for m in Message.objects.order_by("id")]


def test_grandma_and_her_daughter_hear_of_lunch_once(town):
    story.redeem("r1", "LI", "MEAL", "PM01", "2026-01-05 11:30")
    story.redeem("r2", "ZHANG", "MEAL", "PM01", "2026-01-05 11:31")  # he never asked for messages
    assert [tell_spent(NOON), tell_spent(NOON + timedelta(minutes=2))] == [1, 0]
    assert said() == [
        (
            "LI",
            "消费券已使用 12 元：MEAL，PM01 旧址，2026年1月5日 星期一 11:30。如不是本人使用，请拨打 12349。",
        ),
        ("daughter", "李桂兰已使用消费券 12 元：MEAL，PM01 旧址，2026年1月5日 星期一 11:30。"),
    ]


def test_old_news_reversed_ones_and_those_without_vouchers_are_not_told(town):
    story.redeem("r1", "LI", "MEAL", "PM01", "2026-01-04 11:30")
    story.redeem("r2", "LI", "MEAL", "PM01", "2026-01-05 11:00")
    story.reverse("r2", "2026-01-05 11:05")
    assert tell_spent(NOON) == 0 and not said()


def test_what_ends_in_three_days_is_told_once_with_what_is_left(town):
    story.redeem("r1", "LI", "MEAL", "PM01", "2026-01-05 11:30")
    at = story.moment("2026-01-28 09:00")
    assert tell_expiring(at - timedelta(days=1)) == 0
    assert [tell_expiring(at), tell_expiring(at)] == [1, 0]
    assert said() == [("LI", "您有 38 元的消费券，有效期至1月31日 星期六。要点单，请登录或拨打 12349。")]


def test_who_withdrew_hears_no_more(town):
    story.redeem("r1", "LI", "MEAL", "PM01", "2026-01-05 11:30")
    li = story.elder_named("LI")
    delegates.leave_record(own=li.accounts.get(), by="LI", at=NOON)
    delegates.end(delegation=li.delegations.get(), by="LI", at=NOON)
    assert tell_spent(NOON) == 0 and not said()
