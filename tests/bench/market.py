"""Part 8: how long the server takes for the pages on which elders look for a service."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time as clock
from unittest.mock import patch

from django.test import Client
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
ELDERS_A_REDEMPTION = 10  # 100,000 elders at the whole size
OTHERS = {"BATH": "home_care", "WALK": "rehabilitation", "DAY": "day_care", "SONG": "recreation"}
PEOPLE = 20
BAR_MS = 50


def run(size: Size) -> Result:
    elders, turns = size.redemptions // ELDERS_A_REDEMPTION, 6 * size.rounds
    result = Result("market", "The market's pages")
    source = server.kept(f"market_{elders}", _fill, like=cities.bare(f"people_{elders}", elders=elders))
    with server.clone(source, "market") as name, _standing_still():
        server.settle_down(name)
        offers = Offer.objects.count()
        pages = {
            "the kinds of services": (reverse("market:browse"), {}),
            "one kind, near ones first": (reverse("market:browse"), {"kind": "canteen"}),
            "what was typed, open now": (reverse("market:browse"), {"q": "wucan", "open": "1"}),
            "one service": (reverse("market:service", args=[ground.premises_code(7), ground.SERVICE]), {}),
            "when": (reverse("market:when", args=[ground.premises_code(7), ground.SERVICE]), {}),
        }
        people = [_signed_in(number) for number in range(PEOPLE)]
        rows = []
        for label, (address, asked) in pages.items():
            series = Series()
            for turn in range(-1, turns):  # what is read for the first time is read from disk
                for client in people:
                    began = time.perf_counter()
                    answer = client.get(address, asked)
                    if turn >= 0:
                        series.add((time.perf_counter() - began) * 1000)
                    if answer.status_code != 200:
                        raise SystemExit(f"{address} answers {answer.status_code}")
            rows.append(
                [
                    label,
                    f"{series.median:.1f}",
                    f"{sorted(series.values)[int(len(series.values) * 0.95)]:.1f}",
                ]
            )
            if "kind" in asked or label == "one service":
                result.promise(Bar(f"{label}: median, ms", series.median, BAR_MS, least=False, form="{:.1f}"))
    result.show("Milliseconds of one process, from request to answer", ["", "median", "95 of 100"], rows)
    result.notes += [
        f"{count(offers)} offers of {count(ground.PREMISES)} premises, {count(elders)} elders with a month's vouchers; "
        f"{PEOPLE} elders in turn, each near another place.",
    ]
    return result


def _fill(name: str) -> None:
    """Five services of each premises, with hours, terms and sittings; published."""
    ground.issue_month(ground.FEBRUARY)
    services = []
    for code, category in OTHERS.items():
        made = story.service(code, category, "visit")
        story.price(made, 60, government=10)
        services.append(made)
    meal = Offer.objects.select_related("service").first()
    assert meal is not None
    meal.service.name = "长者餐厅午餐"
    meal.service.save()
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
    user = User.objects.create(username=f"elder {number}", username_key=f"elder {number}")
    OwnRecord.objects.create(user=user, elder=elder, proof=OwnRecord.Proof.PHONE, claimed_at=NOW)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@contextmanager
def _standing_still() -> Iterator[None]:
    with patch("django.utils.timezone.now", lambda: NOW):
        yield
