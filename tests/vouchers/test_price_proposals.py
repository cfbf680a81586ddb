"""A price that an operator proposes and another person of the bureau approves: it follows the old one, nothing else moves."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ledger.audit.models import Record
from providers.models import CashPrice, Premises, Price, PriceProposal
from tests import story
from tests.story import day, moment, yuan
from tests.threads import at_once
from tests.vouchers import homes
from vouchers.city.proposals import (
    CannotPrice,
    cash_checks,
    decide_price,
    others_who_offer,
    propose_price,
    withdraw_price,
)
from vouchers.redemption.operations import quote
from vouchers.redemption.refusals import CannotRedeem

FIRST = day("2026-02-10")


@pytest.fixture
def town(db) -> None:
    homes.ground()


def tap() -> Price:
    return Price.objects.get(service__code="TAP", valid_until=None)


def proposed(by: str = "manager-op01", *, at: str = "2026-02-02", **other) -> PriceProposal:
    asked = {
        "valid_from": FIRST,
        "list_price": yuan(420),
        "concession": yuan(10),
        "reason": "材料涨价",
    } | other
    follows = asked.pop("follows", None) or tap()
    by_user = story.user_named(by)
    return propose_price(operator=by_user.operator, follows=follows, by=by_user, at=moment(at), **asked)


def decided(
    one: PriceProposal, approve: bool = True, by: str = "clerk", at: str = "2026-02-03"
) -> PriceProposal:
    return decide_price(proposal=one, approve=approve, by=story.user_named(by), at=moment(at), note="同意")


def refused(call, *args, **kwargs) -> str:
    before = (
        list(Price.objects.order_by("pk").values()),
        PriceProposal.objects.count(),
        Record.objects.count(),
    )
    with pytest.raises(CannotPrice) as refusal:
        call(*args, **kwargs)
    assert len(str(refusal.value)) > 5
    after = list(Price.objects.order_by("pk").values()), PriceProposal.objects.count(), Record.objects.count()
    assert before == after
    return refusal.value.code


def costs(on: str) -> tuple[Decimal, Decimal]:
    """List price and what vouchers pay for Grandma Li's tap on this day."""
    split = quote(order=story.order_of("q", "LI", "TAP", "PM01", on)).split
    return split.list_price, split.vouchers


def test_approved_it_begins_on_its_day(town):
    assert costs("2026-02-10") == (400, 300)
    one = proposed()
    assert costs("2026-02-10") == (400, 300)  # proposed is not approved
    one = decided(one)
    old = Price.objects.get(pk=one.follows_id)
    assert (old.valid_until, one.made.valid_from, one.made.valid_until) == (date(2026, 2, 9), FIRST, None)
    assert (one.made.government, one.made.concession) == (100, 10) and one.made.min_age == old.min_age
    assert costs("2026-02-09") == (400, 300) and costs("2026-02-10") == (420, 310)
    actions = Record.objects.filter(subject=f"price:{one.pk}").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["propose_price", "approve_price"]
    again = proposed(at="2026-02-20", valid_from=day("2026-03-01"), list_price=yuan(430), follows=one.made)
    decided(again, at="2026-02-21")
    assert costs("2026-02-28") == (420, 310) and costs("2026-03-01") == (430, 320)


def test_declined_or_withdrawn_nothing_moves(town):
    one = decided(proposed(), approve=False)
    assert (
        one.state == "declined"
        and one.made is None
        and Price.objects.filter(service__code="TAP").count() == 1
    )
    two = proposed()
    assert refused(
        withdraw_price, proposal=two, by=story.user_named("manager-op02"), at=moment("2026-02-03")
    ) == ("wrong_role")
    withdraw_price(proposal=two, by=story.user_named("manager-op01"), at=moment("2026-02-03"))
    assert refused(decided, two) == "not_open" and refused(decided, one) == "not_open"
    assert costs("2026-02-10") == (400, 300)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"by": "manager-op02"}, "not_offered"),
        ({"by": "cashier"}, "wrong_role"),
        ({"valid_from": day("2026-02-02")}, "too_early"),  # today: what was charged this morning stays
        ({"list_price": yuan(400), "concession": yuan(0)}, "nothing_new"),
        ({"list_price": yuan(105)}, "parts"),
    ],
)
def test_what_cannot_be_proposed(town, other, code):
    assert refused(proposed, **other) == code


def test_one_waits_at_a_time(town):
    proposed()
    assert refused(proposed, list_price=yuan(450)) == "waits"


def test_another_person_decides_and_of_the_bureau(town):
    one = proposed()
    assert refused(decided, one, by="manager-op01") == "wrong_role"
    assert refused(decided, one, by="officer-east") == "wrong_role"
    PriceProposal.objects.filter(pk=one.pk).update(proposed_by="clerk")
    assert refused(decided, one) == "same_person"
    with pytest.raises(IntegrityError, match="by_another"), transaction.atomic():
        PriceProposal.objects.filter(pk=one.pk).update(
            state="declined", decided_by="clerk", decided_at=moment("2026-02-03")
        )
    PriceProposal.objects.filter(pk=one.pk).update(proposed_by="manager-op01")
    assert decided(one).state == "approved"  # control


def test_too_late_to_approve(town):
    one = proposed()
    assert refused(decided, one, at="2026-02-10") == "too_early"


def test_a_price_in_use_keeps_what_was_charged(town):
    """A service redeemed ahead of the new price's day (files tell of any day): the old row cannot end before it."""
    story.redeem("r", "LI", "TAP", "PM01", "2026-02-12 10:00")
    one = proposed()
    assert refused(decided, one) == "not_loaded"
    with pytest.raises(CannotRedeem):
        quote(order=story.order_of("q", "LI", "TAP", "PM02", "2026-02-12"))


def test_the_cash_price_list_and_who_else_offers_it(town):
    place = Premises.objects.get(code="PM01")
    one = proposed()
    assert [(check.cash, check.dearer_by) for check in cash_checks(one)] == [(None, 0)]
    CashPrice.objects.create(
        premises=place, service=one.follows.service, valid_from=day("2026-01-01"), price=430
    )
    CashPrice.objects.create(
        premises=place, service=one.follows.service, valid_from=day("2026-02-01"), price=410
    )
    CashPrice.objects.create(
        premises=place, service=one.follows.service, valid_from=day("2026-03-01"), price=900
    )
    assert [(check.cash, check.dearer_by) for check in cash_checks(one)] == [(410, 10)]
    assert others_who_offer(one) == []
    story.offer(Premises.objects.get(code="PM02"), one.follows.service)
    assert [other.code for other in others_who_offer(one)] == ["OP02"]


def test_two_decide_at_once(fresh_db):
    homes.ground()
    one = proposed()
    answers = at_once([lambda by=by: decided(one, by=by) for by in ("clerk", "clerk", "clerk")])
    assert sorted(type(answer).__name__ for answer in answers) == ["CannotPrice"] * 2 + ["PriceProposal"]
    assert Price.objects.filter(service__code="TAP").count() == 2
