"""What the rules know besides - cash prices, staff and relatives - comes by load_city, and names nobody."""

from datetime import date

import pytest

from ledger.models import Record
from providers.models import CashPrice, StaffLink
from tests import small_city, story
from tests.small_city import LI, refused
from vouchers.models import Elder, ReviewCase
from vouchers.review.operations import review_month

CASH = "premises,service,valid_from,price\nPR01,SV01,2026-07-01,11.50\n"
STAFF = f"operator,id_number,relation,starts_on,ends_on\nOP01,{LI},relative,2026-01-01,\n"


@pytest.fixture
def directory(db, tmp_path):
    path = small_city.write(tmp_path / "city")
    small_city.load(path)
    return path


def test_cash_prices_and_staff_are_loaded_once_and_corrected(directory):
    (directory / "cash_prices.csv").write_text(CASH)
    (directory / "staff.csv").write_text(STAFF)
    small_city.load(directory)
    price, link = CashPrice.objects.get(), StaffLink.objects.get()
    assert (price.premises.code, price.price) == ("PR01", 11.5)
    assert bytes(link.person) == bytes(Elder.objects.get(code="EL01").id_number_lookup)
    small_city.load(directory)
    assert CashPrice.objects.count() == StaffLink.objects.count() == 1
    (directory / "cash_prices.csv").write_text(CASH.replace("11.50", "11"))
    (directory / "staff.csv").write_text(STAFF.replace("2026-01-01,", "2026-01-01,2026-06-30"))
    small_city.load(directory)
    assert CashPrice.objects.get().price == 11 and StaffLink.objects.get().ends_on == date(2026, 6, 30)
    assert LI not in str(list(Record.objects.values_list("subject", "detail")))


def test_what_is_wrong_is_said(directory):
    (directory / "cash_prices.csv").write_text(CASH + "PR99,SV01,2026-07-01,9\n")
    (directory / "staff.csv").write_text(
        STAFF + f"OP01,{LI},relative,2026-01-01,\nOP01,{LI},staff,2026-05-01,2026-04-01\n"
    )
    told = "\n".join(refused(directory))
    for place in ("cash_prices.csv:3: premises", "staff.csv:3: id_number", "staff.csv:4: ends_on"):
        assert place in told, told
    assert not CashPrice.objects.exists() and not StaffLink.objects.exists()


def test_the_rules_know_what_was_loaded(db):
    story.town()
    story.issue_on("2026-03-01")
    story.redeem("meal", "LI", "MEAL", "PM01", "2026-03-10 11:30")
    of = {"month": story.MARCH, "by": "rules", "at": story.moment("2026-03-11")}
    assert not review_month(**of)
    li, meal = story.elder_named("LI"), story.redeemed("meal")
    StaffLink.objects.create(
        operator=meal.lease.operator, person=li.id_number_lookup, relation="staff", starts_on=date(2026, 3, 1),
        ends_on=date(2026, 3, 10),
    )  # fmt: skip
    CashPrice.objects.create(
        premises=meal.lease.premises, service=meal.service, valid_from=date(2026, 1, 1), price=25
    )
    CashPrice.objects.create(
        premises=meal.lease.premises, service=meal.service, valid_from=date(2026, 3, 10), price=18
    )
    assert review_month(**of) == {"kin": 1, "too_dear": 1}
    assert ReviewCase.objects.get(reason="too_dear").facts == {"charged": "20.00", "cash": "18.00"}
