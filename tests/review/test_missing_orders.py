"""Orders of which nothing came, from the family's order to the clerk's list: nobody reported them, the elder denied
them, they could not be redeemed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from ledger.journal.operations import lock_month
from marketplace.fulfilment.queries import undelivered
from marketplace.fulfilment.tidying import tidy
from marketplace.fulfilment.visits import call_back
from providers.models import Operator
from tests import story
from tests.shop.ground import BATH, BY, LATE_LUNCH, LUNCH
from tests.shop.visits import BATH_LATER, LEAVING_OF_BATH, Homes, tell, told
from vouchers.redemption.operations import RedemptionOrder, deliver

URL = reverse("bureau:orders_missing")
REVIEWS = reverse("bureau:reviews")


@pytest.fixture
def ground(db) -> Homes:
    return Homes()


def client(name: str, **other) -> Client:
    signed_in = Client(headers={"accept-language": "en"})
    signed_in.force_login(
        story.user(name, "bureau_clerk", **other), backend="django.contrib.auth.backends.ModelBackend"
    )
    return signed_in


def test_what_nobody_delivers_is_listed_until_it_is_made_good_or_its_month_is_locked(ground):
    unreported = ground.order((ground.lunch, LUNCH)).work.get()
    delivered = ground.order((ground.lunch, LATE_LUNCH), elder=ground.wang).work.get()
    order = RedemptionOrder("d1", LATE_LUNCH, "PR01", "SV01", "WANG", 1)
    deliver(hold=delivered.hold, order=order, by=BY, at=LATE_LUNCH)
    denied, absent = ground.bath_of(), ground.bath_of(ground.wang, BATH_LATER, ground.he)
    tell(denied, ground.wu, "arrived", BATH)
    tell(denied, ground.wu, "left", LEAVING_OF_BATH)
    tell(absent, ground.he, "arrived", BATH_LATER)
    tell(absent, ground.he, "absent", BATH_LATER + timedelta(minutes=15))
    word = told(ground.wu, "denied", LEAVING_OF_BATH + timedelta(hours=1))
    denied.refresh_from_db()
    call_back(work=denied, told=word, by=ground.agent, at=word.happened_at)
    clerk, elsewhere = client("clerk"), client("elsewhere", division=story.division("4399", "他城", "city"))

    # The night has not come yet: the hold is open, and the list says that it waits.
    assert "still set aside" in clerk.get(URL, {"why": "waits"}).content.decode()
    assert tidy(by=BY, at=LUNCH + timedelta(hours=80)).missed == 1
    page = clerk.get(URL)
    shown = page.content.decode()
    assert [hold.pk for hold in page.context["listing"].page] == [unreported.hold_id, denied.hold_id]
    assert "nobody reported it within 72 hours" in shown and "the elder says that nobody came" in shown
    assert "2 orders whose day is over" in clerk.get(REVIEWS).content.decode()
    for query, expected in (
        ({"why": "unreported"}, 1), ({"why": "denied"}, 1), ({"why": "refused"}, 0), ({"why": "waits"}, 0),
        ({"q": unreported.order.order.number}, 1), ({"q": ground.wu.name}, 1), ({"q": "nowhere"}, 0),
    ):  # fmt: skip
        assert clerk.get(URL, query).context["listing"].total == expected, query
    assert str(unreported.order.order.number) in clerk.get(URL, {"format": "csv"}).getvalue().decode()
    assert elsewhere.get(URL).context["listing"].total == 0
    assert "whose day is over" not in elsewhere.get(REVIEWS).content.decode()

    # A file brings what was missing; a reversal of it makes it missing again.
    story.redeem("paper", "LI", "SV01", "PR01", "2026-01-05 11:40", at="2026-01-20")
    assert [hold.pk for hold in undelivered(story.moment("2026-01-20"))] == [denied.hold_id]
    story.reverse("paper", "2026-01-21")
    assert clerk.get(URL).context["listing"].total == 2

    lock_month(month=story.JANUARY, by=BY, at=story.moment("2026-02-05"))
    assert "Every order was delivered or cancelled" in clerk.get(URL).content.decode()
    assert clerk.get(URL, {"months": "all"}).context["listing"].total == 2


def test_a_visit_that_could_not_be_redeemed_says_why(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH)
    tell(work, ground.wu, "left", LEAVING_OF_BATH)
    Operator.objects.get().suspensions.create(starts_on=BATH.date())
    tidy(by=BY, at=LEAVING_OF_BATH + timedelta(hours=80))
    page = client("clerk").get(URL, {"why": "refused"})
    assert page.context["listing"].total == 1
    assert "The operator is suspended on that day" in page.content.decode()
