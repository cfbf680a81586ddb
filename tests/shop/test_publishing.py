"""What was loaded is in the market right after, by command and by the bureau's page; what changes nothing there is
not published."""

import pytest
from django.core.management import call_command

from ledger.models import Record
from marketplace.offerings.describing import describe_house, describe_service
from marketplace.offerings.models import Listing, Story, Supply
from providers.models import Offer, Premises
from tests.shop.ground import BY, NOW
from tests.small_city import FILES, changed, write


def published() -> int:
    return Record.objects.filter(action="publish_catalogue").count()


@pytest.fixture
def loaded(db, tmp_path):
    call_command("load_city", write(tmp_path / "city"), verbosity=0)


def test_a_dry_run_publishes_nothing_a_load_all_of_it(db, tmp_path):
    city = write(tmp_path / "city")
    call_command("load_city", city, "--dry-run")
    assert not Supply.objects.exists()
    call_command("load_city", city)
    assert Supply.objects.count() == Offer.objects.count() > 0
    assert published() == 1


def test_what_changes_nothing_in_the_market_is_not_published(loaded, tmp_path):
    other_name = changed("elders", "李桂兰", "李桂英")
    call_command("load_city", write(tmp_path / "people", only="elders", elders=other_name))
    call_command("load_city", write(tmp_path / "same"), verbosity=0)
    assert published() == 1
    more = FILES["offers"] + "PR02,SV02\n"
    call_command("load_city", write(tmp_path / "more", only="offers", offers=more))
    assert published() == 2 and Supply.objects.count() == Offer.objects.count()  # control


def test_the_bureaus_words_and_pictures_stand_until_it_changes_them(loaded, tmp_path):
    listing = Listing.objects.select_related("service").first()
    first = listing.drawn
    for _ in range(2):
        describe_service(listing=listing, words="热饭热菜", drawing="supper", by=BY, at=NOW)
    call_command("publish_catalogue")
    listing.refresh_from_db()
    assert (listing.words, listing.drawn) == ("热饭热菜", "supper") and first != "supper"
    house = Premises.objects.first()
    for words in ("老礼堂", "老礼堂", ""):
        describe_house(premises=house, words=words, by=BY, at=NOW)
    assert not Story.objects.exists()
    assert Record.objects.filter(action__startswith="describe_").count() == 3
