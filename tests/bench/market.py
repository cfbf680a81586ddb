"""The pages on which elders look for a service: the server's time and queries, with a city's offers and elders."""

import inspect
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time as clock
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.offerings.operations import publish
from providers.models import Offer, OpeningHours, OrderTerms, Premises, Sitting
from tests import story
from tests.bench import cities, ground, server
from tests.bench.measure import Bar, Series, count
from tests.bench.results import Result
from tests.bench.sizes import Size
from vouchers.models import Elder, OwnRecord

NOW = ground.at_noon(ground.FEBRUARY)
REDEMPTIONS_AN_ELDER = 10  # 100,000 elders at the whole size
OTHERS = {
    "BATH": "home_care",
    "WALK": "rehabilitation",
    "SONG": "recreation",
}  # beside the meal of each premises
PEOPLE = 20
LIMIT_MS, LIMIT_QUERIES = 50, 25
PROMISED = {"one kind, near ones first", "what was typed, open now", "one service"}


@dataclass
class Views:
    """One page, looked at in turn by all people: milliseconds on the clock and of this process's own work."""

    wall: Series = field(default_factory=Series)
    work: Series = field(default_factory=Series)
    queries: set[int] = field(default_factory=set)

    @property
    def row(self) -> list[str]:
        slow = sorted(self.wall.values)[int(len(self.wall.values) * 0.95)]
        asked = "-".join(str(number) for number in sorted({min(self.queries), max(self.queries)}))
        return [f"{self.wall.median:.1f}", f"{slow:.1f}", f"{self.work.median:.1f}", asked]


def run(size: Size) -> Result:
    elders = size.redemptions // REDEMPTIONS_AN_ELDER
    result = Result("market", "The market's pages")
    made = zlib.crc32(inspect.getsource(_fill).encode())
    source = server.kept(
        f"market_{elders}_{made:08x}", _fill, like=cities.bare(f"people_{elders}", elders=elders)
    )
    with server.clone(source, "market") as name, _standing_still():
        people = [_signed_in(number) for number in range(PEOPLE)]
        server.settle_down(name)
        offers = Offer.objects.count()
        taken = {label: _views(people, *page, turns=3 * size.rounds) for label, page in _pages().items()}
    result.promise(
        *(
            Bar(f"{label}: median, ms", taken[label].wall.median, LIMIT_MS, least=False, form="{:.1f}")
            for label in sorted(PROMISED)
        ),
        Bar(
            "queries of a page, the most",
            max(max(views.queries) for views in taken.values()),
            LIMIT_QUERIES,
            least=False,
            form="{:.0f}",
        ),
    )
    result.show(
        "Milliseconds from request to answer, one at a time",
        ["", "median", "95 of 100", "of these Python's own", "queries"],
        [[label, *views.row] for label, views in taken.items()],
    )
    result.notes += [
        f"{count(offers)} offers of {count(ground.PREMISES)} premises; {count(elders)} elders, each with a month's "
        f"vouchers; {PEOPLE} of them look in turn, each from another community.",
    ]
    return result


def _pages() -> dict[str, tuple[str, dict[str, str]]]:
    browse, here = reverse("market:browse"), [ground.premises_code(7), ground.SERVICE]
    return {
        "the kinds of services": (browse, {}),
        "one kind, near ones first": (browse, {"kind": "canteen"}),
        "what was typed, open now": (browse, {"q": "wucan", "open": "1"}),
        "one service": (reverse("market:service", args=here), {}),
        "when": (reverse("market:when", args=here), {}),
    }


def _views(people: list[Client], address: str, asked: dict[str, str], *, turns: int) -> Views:
    views = Views()
    for client in people:  # first: from disk, with terms to read and plans to make
        client.get(address, asked)
    for client in people:
        with CaptureQueriesContext(connection) as captured:
            client.get(address, asked)
        views.queries.add(len(captured))
    for _turn in range(turns):
        for client in people:
            began, worked = time.perf_counter(), time.process_time()
            answer = client.get(address, asked)
            views.work.add((time.process_time() - worked) * 1000)
            views.wall.add((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{address} answers {answer.status_code}")
    return views


def _fill(name: str) -> None:
    """Four services of each premises, with hours, terms and sittings; published; a month's vouchers issued."""
    ground.issue_month(ground.FEBRUARY)
    services = []
    for code, category in OTHERS.items():
        made = story.service(code, category, "visit")
        story.price(made, 60, government=10)
        services.append(made)
    meal = Offer.objects.select_related("service")[:1].get().service
    meal.name = "长者餐厅午餐"
    meal.save()
    houses = list(Premises.objects.order_by("code"))
    for number, house in enumerate(houses):
        house.longitude, house.latitude = 113 + number % 20 / 100, 27 + number // 20 / 100
    Premises.objects.bulk_update(houses, ["longitude", "latitude"])
    Offer.objects.bulk_create(Offer(premises=house, service=made) for house in houses for made in services)
    OpeningHours.objects.bulk_create(
        OpeningHours(premises=house, weekday=weekday, opens_at=clock(8), closes_at=clock(18))
        for house in houses
        for weekday in range(7)
    )
    offers = list(Offer.objects.order_by("id"))
    OrderTerms.objects.bulk_create(
        OrderTerms(
            offer=offer, where="there", manner="sitting", order_until_minutes=30, cancel_until_minutes=30,
            days_ahead=14,
        )
        for offer in offers
    )  # fmt: skip
    Sitting.objects.bulk_create(
        Sitting(offer=offer, weekday=weekday, starts_at=clock(hour), ends_at=clock(hour, 45), capacity=20)
        for offer in offers
        for weekday in range(7)
        for hour in (13, 14)
    )
    publish(on=ground.FEBRUARY, by=ground.BY, at=NOW)


def _signed_in(number: int) -> Client:
    """The own telephone of an elder; each lives in another community."""
    elder = Elder.objects.get(code=ground.elder_code(number))
    user = User.objects.create(username=f"elder {number}")
    OwnRecord.objects.create(user=user, elder=elder, proof=OwnRecord.Proof.PHONE, claimed_at=NOW)
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[-1])
    return client


@contextmanager
def _standing_still() -> Iterator[None]:
    """February at noon: the canteens are open."""
    with patch("django.utils.timezone.now", lambda: NOW):
        yield
