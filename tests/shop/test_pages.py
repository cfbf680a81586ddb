"""The market's pages: found, ordered, refused, cancelled, ordered again; each elder's own; few questions asked."""

import re

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.fulfilment.models import CareOrder, StandingOrder, WorkOrder
from marketplace.offerings.operations import publish
from marketplace.offerings.queries import Sought, offers
from providers.models import Offer, OrderTerms
from providers.ordering.operations import close_for
from providers.premises.queries import centre_of
from tests import story
from tests.shop.ground import BATH, BY, HOME, LUNCH, NOW, Ground, purse
from tests.story import day, moment, yuan
from vouchers.redemption.terms import current


@pytest.fixture
def ground(db) -> Ground:
    ground = Ground()
    ground.agree(ground.li)
    ground.agree(ground.wang)
    return ground


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def daughter(ground) -> Client:
    return acting(ground, "LI")


def acting(ground: Ground, code: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(ground.daughter, backend="django.contrib.auth.backends.ModelBackend")
    client.post(reverse("people:whom"), {"elder": code})
    return client


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def order_lunch(client: Client):
    """Service, when, check, done: the pages in their order; the last response."""
    when = reverse("market:when", args=["PR01", "SV01"])
    assert "11:30" in words(client.get(when))
    assert client.post(when, {"starts_at": LUNCH.isoformat()}).url == reverse("market:check")
    key = re.search(r'name="key" value="([^"]+)"', client.get(reverse("market:check")).content.decode())[1]
    return key, client.post(reverse("market:check"), {"key": key})


def test_the_service_says_who_pays_what(daughter):
    page = words(daughter.get(reverse("market:service", args=["PR01", "SV01"])))
    for sentence in (
        "List price 15 yuan", "The government pays 4 yuan", "The operator lets off 2 yuan", "Charity gives 1 yuan",
        "Your vouchers pay 8 yuan", "You pay 0 yuan", "08:00–18:00", "Once a hall", "In your community",
    ):  # fmt: skip
        assert sentence in page, (sentence, page)


def test_lunch_is_ordered_from_the_pages(ground, daughter):
    assert "长者餐厅午餐" in words(daughter.get(reverse("market:browse"), {"kind": "canteen"}))
    key, done = order_lunch(daughter)
    assert done.status_code == 302
    page = words(daughter.get(done.url))
    assert "Set aside from your vouchers 8 yuan" in page
    assert purse(ground.li) == (yuan(42), yuan(8))
    again = daughter.post(reverse("market:check"), {"key": key})
    assert again.url == done.url, "the button pressed twice: one order"
    assert CareOrder.objects.count() == 1


def test_a_bath_asks_where_and_remembers_it(ground, daughter):
    when = reverse("market:when", args=["PR01", "SV04"])
    where = daughter.post(when, {"starts_at": BATH.isoformat()}).url
    assert "Say where" in words(daughter.post(where, {"address": " "}))
    assert daughter.post(where, {"address": HOME}).url == reverse("market:check")
    check = daughter.get(reverse("market:check"))
    assert HOME in words(check)
    key = re.search(r'name="key" value="([^"]+)"', check.content.decode())[1]
    done = daughter.post(reverse("market:check"), {"key": key})
    assert WorkOrder.objects.get().address() == HOME
    assert HOME in words(daughter.get(done.url))
    where = daughter.post(when, {"starts_at": moment("2026-01-07 08:00").isoformat()}).url
    assert HOME in words(daughter.get(where)), "what was asked once is not asked again"


def test_the_last_place_taken_meanwhile_is_told_plainly_and_nothing_is_logged_as_error(ground, daughter):
    when = reverse("market:when", args=["PR01", "SV01"])
    daughter.post(when, {"starts_at": LUNCH.isoformat()})
    for who in (ground.wang, ground.wang, ground.li):
        ground.order((ground.lunch, LUNCH), elder=who)
    check = daughter.get(reverse("market:check"))
    key = re.search(r'name="key" value="([^"]+)"', check.content.decode())[1]
    refused = daughter.post(reverse("market:check"), {"key": key})
    assert "Nothing was ordered The last place was taken a moment ago" in words(refused)
    assert CareOrder.objects.count() == 3
    assert "Is this right?" in words(daughter.get(reverse("market:check"))), "the basket is as it was"
    assert "That time was taken" in words(daughter.post(when, {"starts_at": LUNCH.isoformat()}))


def test_a_daughter_orders_for_two_and_each_wallet_shows_its_own(ground, daughter):
    order_lunch(daughter)
    order_lunch(acting(ground, "WANG"))
    assert purse(ground.li) == purse(ground.wang) == (yuan(42), yuan(8))
    mine = CareOrder.objects.get(elder=ground.li).order.number
    other = acting(ground, "WANG")
    assert other.get(reverse("market:order", args=[mine])).status_code == 404
    work = WorkOrder.objects.get(order__elder=ground.li)
    for name in ("cancel", "change", "days"):
        address = reverse(f"market:{name}", args=[mine, work.pk])
        assert other.post(address).status_code == 404, name
    assert other.post(reverse("market:again", args=[mine])).status_code == 404


def test_a_basket_belongs_to_one_person_and_one_elder(ground, daughter):
    daughter.post(reverse("market:when", args=["PR01", "SV01"]), {"starts_at": LUNCH.isoformat()})
    check = daughter.get(reverse("market:check")).content.decode()
    key, line = re.search(r'name="key" value="([^"]+)"', check)[1], re.search(r"/check/(\d+)/", check)[1]
    other = acting(ground, "WANG")
    assert other.post(reverse("market:check"), {"key": key}).status_code == 404
    assert other.post(reverse("market:line", args=[line]), {"do": "out"}).status_code == 404
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert daughter.post(reverse("market:check"), {"key": wrong}).status_code == 404


def test_again_in_three_taps_cancel_and_another_time(ground, daughter):
    _key, done = order_lunch(daughter)
    number = CareOrder.objects.get().order.number
    work = WorkOrder.objects.get()
    change = reverse("market:change", args=[number, work.pk])
    assert "12:30" in words(daughter.get(change))
    tomorrow = moment("2026-01-06 12:30")
    daughter.post(change, {"starts_at": tomorrow.isoformat()})
    assert "12:30" in words(daughter.get(done.url))
    daughter.post(reverse("market:cancel", args=[number, work.pk]))
    assert purse(ground.li) == (yuan(50), yuan(0))
    assert "Cancelled" in words(daughter.get(reverse("market:orders")))
    again = daughter.post(reverse("market:again", args=[number]))  # one tap; the next one orders
    key = re.search(r'name="key" value="([^"]+)"', daughter.get(again.url).content.decode())[1]
    daughter.post(again.url, {"key": key})
    assert WorkOrder.objects.get(state="placed").starts_at == moment("2026-01-05 12:30")


def test_every_workday_from_the_page_and_its_end(ground, daughter):
    order_lunch(daughter)
    work = WorkOrder.objects.get()
    days = reverse("market:days", args=[work.order.order.number, work.pk])
    assert "Every Monday" in words(daughter.get(days))
    daughter.post(days, {"days": "workdays"})
    page = words(daughter.get(reverse("market:orders")))
    assert "Monday to Friday, 11:30" in page
    daughter.post(reverse("market:stop", args=[StandingOrder.objects.get().pk]))
    assert StandingOrder.objects.get().stopped_at == NOW


def test_two_lunches_three_lunches_none(ground, daughter):
    daughter.post(reverse("market:when", args=["PR01", "SV01"]), {"starts_at": LUNCH.isoformat()})
    line = re.search(r"/check/(\d+)/", daughter.get(reverse("market:check")).content.decode())[1]
    address = reverse("market:line", args=[line])
    daughter.post(address, {"do": "more"})
    assert "长者餐厅午餐 × 2" in words(daughter.get(reverse("market:check")))
    daughter.post(address, {"do": "more"})
    page = words(daughter.get(reverse("market:check")))
    assert "as much of this service today as one day allows" in page
    assert "Order now" not in page
    daughter.post(address, {"do": "out"})
    assert "Nothing chosen yet" in words(daughter.get(reverse("market:check")))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "wucan"}, True), ({"q": "午餐"}, True), ({"q": "zhuyu"}, False), ({"q": "!!"}, False),
        ({"open": "1"}, True), ({"home": "1"}, False), ({"stars": "3"}, False), ({"kind": "delivery"}, False),
        ({"kind": "canteen", "page": "99"}, True),
    ],
)  # fmt: skip
def test_lunch_is_found_or_not(daughter, asked, found):
    assert ("长者餐厅午餐" in words(daughter.get(reverse("market:browse"), asked))) == found


def test_near_ones_first(ground):
    far = story.division(
        "430201002001", "远社区", "community", story.division("430201002", "远街", "street", ground.city)
    )
    same_street = story.division("430201001002", "邻社区", "community", ground.street)
    for code, where, x, y in [
        ("PR02", far, 113.2, 27.8),
        ("PR03", same_street, 113.11, 27.8),
        ("PR04", far, 113.15, 27.8),
    ]:
        place = story.premises(code, where)
        place.longitude, place.latitude = x, y
        place.save()
        story.lease(f"LS{code[2:]}", place, ground.firm)
        story.offer(place, ground.lunch.service)
    ground.place.longitude, ground.place.latitude = 113.1, 27.8
    ground.place.save()
    publish(on=day("2026-01-05"), by=BY, at=NOW)
    assert centre_of(ground.community) == (113.1, 27.8)
    found = offers(elder=ground.li, sought=Sought(kind="canteen"), terms=current(), at=NOW)
    assert [one.premises for one in found] == ["PR01", "PR03", "PR04", "PR02"]
    assert [round(one.km, 1) for one in found] == [0.0, 1.0, 4.9, 9.8]
    assert [one.nearness for one in found] == ["own", "street", "", ""]


def many(ground: Ground, offers: int) -> None:
    """So many more canteens with lunch, all of them ordered in advance."""
    from providers.models import Lease, Premises

    places = Premises.objects.bulk_create(
        Premises(
            code=f"PX{n:04}", name=f"饭堂 {n}", former_use="hall", owner="机关", owner_kind="government",
            division=ground.community, address="湖滨路", condition="ready", stage="operating",
            longitude=113 + n / 1000, latitude=27.8,
        )
        for n in range(offers)
    )  # fmt: skip
    Lease.objects.bulk_create(
        Lease(
            code=f"LX{n:04}", premises=place, operator=ground.firm, starts_on=day("2025-07-01"),
            ends_on=day("2027-06-30"),
        )
        for n, place in enumerate(places)
    )  # fmt: skip
    made = Offer.objects.bulk_create(Offer(premises=place, service=ground.lunch.service) for place in places)
    OrderTerms.objects.bulk_create(
        OrderTerms(
            offer=offer, where="there", manner="sitting", order_until_minutes=90, cancel_until_minutes=60, days_ahead=7
        )
        for offer in made
    )  # fmt: skip
    publish(on=day("2026-01-05"), by=BY, at=NOW)


def questions(client: Client, address: str, data: dict | None = None) -> int:
    client.get(address, data)  # terms into memory
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address, data).status_code == 200
    return len(asked)


def test_ten_or_a_thousand_offers_one_or_twenty_lines_ask_the_same(ground, daughter):
    def ask() -> dict[str, int]:
        return {
            "kinds": questions(daughter, reverse("market:browse")),
            "browse": questions(
                daughter, reverse("market:browse"), {"kind": "canteen", "open": "1", "q": "饭堂"}
            ),
            "service": questions(daughter, reverse("market:service", args=["PR01", "SV01"])),
            "when": questions(daughter, reverse("market:when", args=["PR01", "SV01"]), {"day": "2026-01-06"}),
            "check": questions(daughter, reverse("market:check")),
            "orders": questions(daughter, reverse("market:orders")),
            "order": questions(daughter, reverse("market:order", args=[lunch.order.order.number])),
            **{
                name: questions(
                    daughter, reverse(f"market:{name}", args=[lunch.order.order.number, lunch.pk])
                )
                for name in ("change", "days")
            },
            **{
                name: questions(daughter, reverse(f"family:{name}"))
                for name in ("home", "wallet", "spent", "record")
            },
            "whom": questions(daughter, reverse("people:whom")),
        }

    many(ground, 10)
    ground.order((ground.lunch, LUNCH))
    lunch = WorkOrder.objects.select_related("order__order").get()
    daughter.post(reverse("market:when", args=["PR01", "SV01"]), {"starts_at": LUNCH.isoformat()})
    few = ask()
    from marketplace.offerings.baskets import open_basket, want

    care = open_basket(user=ground.daughter, elder=ground.li)
    extra = OrderTerms.objects.filter(offer__premises__code__startswith="PX").select_related("offer")[:9]
    for terms in extra:
        for hour in (11, 12):
            want(care=care, offer=terms.offer, starts_at=moment(f"2026-01-06 {hour}:30"))
    for _ in range(2):
        ground.order((ground.bath, moment(f"2026-01-0{6 + _} 08:00")))
    with CaptureQueriesContext(connection):
        for n in range(5):
            story.premises(f"PY{n}", ground.community)
    assert care.basket.lines.count() >= 19
    more = ask()
    assert few == more
    assert max(more.values()) <= 25, more


@pytest.mark.parametrize("service", ["SV01", "SV04"])
def test_the_first_free_time_is_found_at_once_however_far_it_lies(ground, daughter, service):
    """Today, tomorrow when today is over, none when the house is closed: the page asks the same."""
    when = reverse("market:when", args=["PR01", service])
    asked = {questions(daughter, when)}
    with time_machine.travel(moment("2026-01-05 19:00"), tick=False):
        assert "Tomorrow" in words(daughter.get(when))
        asked.add(questions(daughter, when))
    close_for(
        premises=ground.place,
        starts_on=day("2026-01-05"),
        ends_on=day("2026-01-20"),
        reason="检修",
        by=BY,
        at=NOW,
    )
    assert "Nothing can be ordered for this day" in words(daughter.get(when))
    asked.add(questions(daughter, when))
    assert len(asked) == 1 and max(asked) <= 25, asked
