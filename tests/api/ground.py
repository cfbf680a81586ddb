"""A town around today, for what knows no other day: terminals may tell of the last 72 hours only.

Grandma Li eats at PM01 (OP01), her friend Zhang too; PM02 is another operator's. LUNCH costs 12 yuan, which only
vouchers pay; MEAL 20, of which the elder's part is 12, three a day; HOUR 60. Nobody rents PM03.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from providers.models import Premises
from tests import story
from vouchers.codes import token
from vouchers.codes.operations import card_code, codes_of, elder_token, set_pin
from vouchers.redemption import terms
from vouchers.terminals.operations import add_partner, add_terminal

PIN = "275081"
CLOCK = timezone.now


def town(*, vouchers: int = 5, face: int = 10, today: date | None = None) -> None:
    """Everybody has `vouchers` of LUNCH at PM01 and one of 100 yuan for anything anywhere at OP02's expense."""
    today = today or timezone.localdate()
    began, ends = str(today - timedelta(days=30)), str(today + timedelta(days=300))
    city = story.division("98", "湖城市", "city")
    district = story.division("9801", "滨湖区", "district", city)
    east = story.division("980101", "东湖街道", "street", district)
    lotus = story.division("98010101", "荷花社区", "community", east)
    checked = str(today - timedelta(days=60))
    crane = story.operator("OP01", "松鹤养老服务有限公司", checked_on=checked)
    ginkgo = story.operator("OP02", "银杏社区照护中心", checked_on=checked)
    hall, clinic, _empty = (story.premises(code, lotus) for code in ("PM01", "PM02", "PM03"))
    first = story.lease("LS01", hall, crane, starts_on=began, ends_on=ends)
    second = story.lease("LS02", clinic, ginkgo, starts_on=began, ends_on=ends)
    lunch = story.service("LUNCH", "canteen", "meal")
    story.price(lunch, 12)
    meal = story.service("MEAL", "canteen", "meal", daily_limit=3)
    story.price(meal, 20, government=4, concession=3, charity=1)
    hour = story.service("HOUR", "home_care", "hour")
    story.price(hour, 60)
    for place in (hall, clinic):
        story.offer(place, lunch, meal, hour)
    story.programme(
        "PX", "offset", first, face=face, per_elder=vouchers, cadence="once", starts_on=began, ends_on=ends
    )
    story.programme(
        "PY", "offset", second, scope="city", face=100, per_elder=1, cadence="once", starts_on=began,
        ends_on=ends, categories=["home_care"],
    )  # fmt: skip
    for code, name, born in (
        ("LI", "李桂兰", "1946-03-05"),
        ("ZHANG", "张德福", "1950-10-01"),
        ("WANG", "王秀英", "1948-07-07"),
    ):
        story.elder(code, name, born, lotus)
    story.user("manager-op01", "operator_manager", operator=crane)
    story.user("clerk", "bureau_clerk")
    story.user("cashier", "cashier", operator=crane)
    story.issue_on(began)
    terms.current()


def terminal(premises: str = "PM01", name: str = "一号窗口") -> str:
    """The token of a new terminal."""
    place = Premises.objects.get(code=premises)
    return add_terminal(premises=place, name=name, by="test", at=CLOCK()).token


def partner(*operators: str, may_tell_past: bool = False) -> str:
    from providers.models import Operator

    served = list(Operator.objects.filter(code__in=operators))
    _made, token = add_partner(
        name="收银系统", operators=served, may_tell_past=may_tell_past, by="test", at=CLOCK()
    )
    return token


def code_of(who: str, *, ago: timedelta = timedelta(0)) -> str:
    """What this elder's telephone shows, or showed a while ago."""
    return elder_token(elder=story.elder_named(who), at=CLOCK() - ago)


def number_of(who: str) -> int:
    """By which `shown_now` knows this elder."""
    return codes_of(story.elder_named(who)).number


def shown_now(number: int) -> str:
    """What this elder's telephone shows now, for threads that know no database."""
    key_id, seed = next(iter(settings.TOKEN_KEYS.items()))
    moving = token.Token(token.Kind.MOVING, token.Audience.COUNTER, number, token.window_of(timezone.now()))
    return token.make(moving, key_id=key_id, seed=seed)


def card_of(who: str) -> str:
    return card_code(elder=story.elder_named(who)).text


def pin_of(who: str) -> str:
    """Sets the PIN and tells it."""
    set_pin(elder=story.elder_named(who), pin=PIN, by="test", at=CLOCK())
    return PIN


def lunch(who: str = "LI", *, premises: str = "PM01", **other: Any) -> dict[str, Any]:
    """The body of one lunch by the code of the moment; other members as given, None leaves one out."""
    body = {"premises": premises, "service": "LUNCH", "quantity": 1}
    body["elder"] = other.pop("elder", None) or {"token": code_of(who)}
    return {name: value for name, value in (body | other).items() if value is not None}


@dataclass
class Counter:
    """A terminal, in the same process: `post("redemptions", body, key="k")`."""

    token: str
    language: str = "en"
    client: Client = field(default_factory=Client)

    def headers(self, key: str | None) -> dict[str, str]:
        found = {"authorization": f"Bearer {self.token}", "accept-language": self.language}
        return found | ({"idempotency-key": key} if key is not None else {})

    def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        return self.client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers(key)
        )

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.headers(None))

    def redeem(self, key: str, who: str = "LI", **other: Any) -> Any:
        return self.post("redemptions", lunch(who, **other), key=key)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of a problem, which must be one in every respect."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body = answer.json()
    assert body["status"] == answer.status_code
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "code"}
    assert body["type"].endswith("#" + body["code"]) and body["title"] and body["detail"]
    return answer.status_code, body["code"]


Post = Callable[..., Any]
