"""Grandma Li at home: a town in which she has vouchers, has eaten, was visited, and has ordered; and her telephone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from unittest.mock import patch

from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from marketplace.accounts.models import User
from tests import story
from vouchers.elders import sealing
from vouchers.models import Delegation, OwnRecord

NOW = story.moment("2026-01-29 09:30")
PIN = "480213"


def tell() -> None:
    """January 2026 until the 29th; February's vouchers are there already, as every night three days ahead."""
    story.town()
    _a_womans_number("LI")
    story.issue_on("2026-01-01", at="2025-12-30")
    story.redeem("meal", "LI", "MEAL", "PM01", "2026-01-05 11:30", quantity=2)  # 24 by PA
    story.redeem("bare", "LI", "MEAL", "PM02", "2026-01-06 12:10")  # no voucher fits: 12 by herself
    story.redeem("care", "LI", "CARE", "PM02", "2026-01-12 09:00")  # 50 by PB
    story.redeem("wrong", "LI", "MEAL", "PM03", "2026-01-13 11:30")
    story.reverse("wrong", "2026-01-14 08:00")
    story.redeem("of another", "WANG", "MEAL", "PM01", "2026-01-15 11:30")
    story.place("tomorrow", "LI", "MEAL", "PM01", "2026-01-30", "2026-01-28 18:00")
    story.issue_on("2026-02-01", at="2026-01-29")


def _a_womans_number(code: str) -> None:
    """The last but one digit of a resident ID is even for women."""
    elder = story.elder_named(code)
    number = story.resident_id(elder.birth_on, 902)
    elder.id_number_sealed = sealing.seal(number, field="id_number", row=code)
    elder.id_number_lookup = sealing.lookup(number, field="id_number")
    elder.save()


@contextmanager
def at(now: datetime = NOW) -> Iterator[None]:
    """The server's clock stands still."""
    with patch("django.utils.timezone.now", lambda: now):
        yield


def session(elder: str = "LI", *, acts_for: str = "") -> str:
    """The key of a session on this elder's own telephone; "" is somebody's who is no elder. `acts_for`: another elder
    who lets this person look."""
    user, _made = User.objects.get_or_create(username=f"p-{elder}", username_key=f"p-{elder}".lower())
    if elder:
        OwnRecord.objects.get_or_create(
            user=user, elder=story.elder_named(elder), defaults={"proof": "phone", "claimed_at": NOW}
        )
    if acts_for and not user.delegations.exists():
        letter = Delegation(
            user=user, elder=story.elder_named(acts_for), relation="child", scope="see", state="agreed",
            until=date(2026, 12, 31), asked_at=NOW, agreed_at=NOW, agreed_by="code",
        )  # fmt: skip
        letter.seal_name("李小红")
        letter.save()
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.create()
    return store.session_key or ""


def client(language: str = "zh-hans", elder: str = "LI", *, acts_for: str = "") -> Client:
    made = Client(headers={"accept-language": language})
    made.cookies["sessionid"] = session(elder, acts_for=acts_for)
    return made


def pages() -> dict[str, str]:
    names = ("home", "wallet", "spent", "code", "pin", "record")
    return {
        **{name: reverse(f"family:{name}") for name in names},
        "share": reverse("family:share", args=[NOW.year]),
    }
