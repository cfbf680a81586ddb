"""What a terminal learns of itself: its place, what is sold there, how far it may go without a network."""

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.models import Price, Service
from tests import story
from tests.api import ground
from vouchers.codes.operations import public_keys
from vouchers.offline import caps


@pytest.fixture
def token(db) -> str:
    ground.town()
    return ground.terminal()


def me(token: str):
    return Client().get("/api/v1/terminals/me", headers={"Authorization": f"Bearer {token}"})


def test_its_place_and_what_is_sold_there(token):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        told = me(token).json()
    assert len(asked) <= 5
    assert told["terminal"] == {"name": "一号窗口"}
    assert told["premises"] == {"code": "PM01", "name": "PM01 旧址"}
    assert [service["code"] for service in told["services"]] == ["HOUR", "LUNCH", "MEAL"]
    (price,) = told["services"][2]["prices"]
    assert (price["list"], price["government"], price["concession"], price["charity"], price["elder"]) == (
        "20.00", "4.00", "3.00", "1.00", "12.00",
    )  # fmt: skip
    assert told["keys"] == {str(n): base64.b64encode(key).decode() for n, key in public_keys().items()}


def test_the_caps_are_those_by_which_it_is_judged(token):
    told = me(token).json()["caps"]
    assert told["terminal"]["yuan"] == str(caps.TERMINAL)
    assert told["elder"]["yuan"] == str(caps.ELDER)
    assert told["paper"]["yuan"] == str(caps.ELDER_BY_PAPER)
    assert timedelta(hours=told["hours"]) == caps.PERIOD


def test_prices_of_the_days_that_it_may_be_alone(token):
    """Tomorrow's price comes along, next week's and last year's do not; what has no price is not on sale."""
    today = timezone.localdate()
    lunch = Service.objects.get(code="LUNCH")
    Price.objects.filter(service=lunch).update(valid_until=today)
    story.price(
        lunch, 13, valid_from=str(today + timedelta(days=1)), valid_until=str(today + timedelta(days=6))
    )
    story.price(lunch, 14, valid_from=str(today + timedelta(days=7)))
    Price.objects.filter(service__code="HOUR").update(valid_until=today - timedelta(days=1))
    services = {service["code"]: service["prices"] for service in me(token).json()["services"]}
    assert [price["list"] for price in services["LUNCH"]] == ["12.00", "13.00"]
    assert set(services) == {"LUNCH", "MEAL"}


def test_a_partner_is_no_terminal_and_a_stranger_nobody(token):
    assert me(ground.partner("OP01")).json()["code"] == "forbidden"
    assert me("yt_" + "x" * 43).status_code == 401
