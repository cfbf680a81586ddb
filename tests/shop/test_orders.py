"""Orders: placed once and whole, cancelled to the fen, changed, tidied; and fifty places for two hundred."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from oscar.core.loading import get_model

from marketplace.families.operations import Acting
from marketplace.fulfilment.models import CareOrder, StandingDay, StandingOrder, WorkOrder
from marketplace.fulfilment.operations import Placer, cancel, change_time, may_cancel, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.fulfilment.standing import place_standing, stand, stop
from marketplace.fulfilment.tidying import tidy
from marketplace.models import Message, Supply
from marketplace.offerings.baskets import new_basket, want
from marketplace.offerings.operations import publish
from marketplace.offerings.search import query, tokens
from providers.models import Appointment, Booking, Slot
from providers.ordering.operations import close_for
from tests import story
from tests.shop.ground import BATH, BY, HOME, LATE_LUNCH, LUNCH, NOW, Ground, open_holds, purse
from tests.story import day, moment, yuan
from tests.threads import at_once, shared_out
from vouchers.models import Hold
from vouchers.proof.queries import prove
from vouchers.redemption.operations import RedemptionOrder, deliver

Order, Line = get_model("order", "Order"), get_model("order", "Line")


@pytest.fixture
def ground(db) -> Ground:
    return Ground()


def violations() -> dict[str, int]:
    return {one.name: one.violations for one in prove() if one.violations}


def refusal(call) -> str:
    with pytest.raises(CannotOrder) as refused, transaction.atomic():
        call()
    assert str(refused.value), "every refusal has its sentence"
    return refused.value.code


# Placing


def test_lunch_is_ordered_with_its_hold_its_place_and_a_word(ground):
    order = ground.order()
    work = order.work.get()
    assert purse(ground.li) == (yuan(42), yuan(8)), "an elder of 81 pays 8 of 15"
    assert (work.starts_at, work.ends_at, work.where) == (LUNCH, LUNCH + timedelta(minutes=45), "there")
    assert (work.state, work.hold.state, work.booking.slot.taken) == ("placed", "open", 1)
    assert order.order.total_incl_tax == yuan(8)
    assert Line.objects.get().partner_sku == "PR01-SV01"
    message = Message.objects.get(kind="order_taken")
    assert message.elder == ground.li
    assert "8" in message.text()


def test_several_services_are_one_order_or_none(ground):
    order = ground.order((ground.lunch, LUNCH), (ground.bath, BATH))
    bath = order.work.get(offer=ground.bath)
    assert (bath.appointment.caregiver, bath.address()) == (ground.wu, HOME)
    assert purse(ground.li) == (yuan(0), yuan(50)), "8 for lunch, 42 of 80 for the bath"
    code = refusal(lambda: ground.order((ground.lunch, LUNCH), (ground.bath, BATH), elder=ground.wang))
    assert code == "nobody_free"
    assert purse(ground.wang) == (yuan(50), yuan(0))
    assert (Slot.objects.get().taken, CareOrder.objects.count(), open_holds()) == (1, 1, 2)


def test_a_refusal_names_the_service_where_several_were_ordered(ground):
    ground.order((ground.bath, BATH), elder=ground.wang)
    care = ground.basket((ground.lunch, LUNCH), (ground.bath, BATH))
    with pytest.raises(CannotOrder, match="上门助浴"), transaction.atomic():
        place_order(care=care, placer=ground.placer(), at=NOW)


def test_sent_twice_it_is_one_order(ground):
    care = ground.basket((ground.lunch, LUNCH))
    first = place_order(care=care, placer=ground.placer(), at=NOW)
    assert place_order(care=care, placer=ground.placer(), at=NOW) == first
    assert (Order.objects.count(), open_holds(), Slot.objects.get().taken) == (1, 1, 1)


@pytest.mark.parametrize(
    ("code", "prepare"),
    [
        ("empty", lambda ground: ground.basket()),
        ("no_address", lambda ground: _without_address(ground)),
        ("daily_limit", lambda ground: ground.basket((ground.lunch, LUNCH), quantity=3)),
        ("too_late", lambda ground: ground.basket((ground.lunch, moment("2026-01-05 09:00")))),
        ("operator_suspended", lambda ground: _suspended(ground)),
    ],
)
def test_what_cannot_be_ordered_leaves_nothing(ground, code, prepare):
    care = prepare(ground)
    at = NOW if code != "too_late" else moment("2026-01-05 10:30")
    if code == "too_late":
        care = ground.basket((ground.lunch, LUNCH))
    assert refusal(lambda: place_order(care=care, placer=ground.placer(), at=at)) == code
    assert purse(ground.li) == (yuan(50), yuan(0))
    assert not (Order.objects.exists() or Hold.objects.exists() or Booking.objects.exists())


def _without_address(ground):
    care = new_basket(user=ground.daughter, elder=ground.li)
    want(care=care, offer=ground.bath, starts_at=BATH)
    return care


def _suspended(ground):
    ground.firm.suspensions.create(starts_on=day("2026-01-02"))
    return ground.basket((ground.lunch, LUNCH))


def test_a_delegates_orders_stay_within_the_cap_and_are_told(ground):
    letter = ground.agree(ground.li, cap=10)
    placer = Placer.of(Acting(ground.li, ground.daughter, delegation=letter))
    work = place_order(care=ground.basket((ground.lunch, LUNCH)), placer=placer, at=NOW).work.get()
    assert letter.used(NOW) == yuan(8)
    more = ground.basket((ground.lunch, LATE_LUNCH))
    assert refusal(lambda: place_order(care=more, placer=placer, at=NOW)) == "cap_reached"
    cancel(work=work, placer=placer, at=NOW)
    assert letter.used(NOW) == yuan(0)
    place_order(care=more, placer=placer, at=NOW)
    assert Message.objects.filter(kind="acted_for", elder=ground.li).count() == 3


# Cancelling and changing


def test_cancelling_gives_every_fen_and_the_place_back(ground):
    order = ground.order((ground.lunch, LUNCH), (ground.bath, BATH))
    for work in order.work.all():
        cancel(work=work, placer=ground.placer(), at=NOW)
    assert purse(ground.li) == (yuan(50), yuan(0))
    assert Slot.objects.get().taken == 0
    assert Appointment.objects.filter(freed_at=None).count() == 0
    assert Message.objects.filter(kind="order_cancelled").count() == 2
    assert refusal(lambda: cancel(work=order.work.first(), placer=ground.placer(), at=NOW)) == "closed"
    ground.order((ground.lunch, LUNCH), (ground.bath, BATH))


def test_until_the_cut_off_and_for_ten_minutes_after_ordering(ground):
    work = ground.order().work.get()
    assert may_cancel(work, moment("2026-01-05 10:30"))
    assert not may_cancel(work, moment("2026-01-05 10:31"))
    late = refusal(lambda: cancel(work=work, placer=ground.placer(), at=moment("2026-01-05 10:31")))
    assert late == "too_late_to_cancel"
    last = ground.order((ground.lunch, LATE_LUNCH), at=moment("2026-01-05 11:00")).work.get()
    assert may_cancel(last, moment("2026-01-05 11:30"))
    soon = ground.order((ground.bath, BATH), at=moment("2026-01-06 05:55"), elder=ground.wang).work.get()
    assert may_cancel(soon, moment("2026-01-06 06:05")), "ten minutes, though the cut-off was at six"
    assert not may_cancel(soon, moment("2026-01-06 06:06"))


def test_changing_the_time_moves_hold_and_place(ground):
    work = ground.order().work.get()
    tomorrow = moment("2026-01-06 12:30")
    work = change_time(work=work, starts_at=tomorrow, placer=ground.placer(), at=NOW)
    assert (work.starts_at, work.hold.service_on, work.changes) == (tomorrow, day("2026-01-06"), 1)
    assert purse(ground.li) == (yuan(42), yuan(8))
    assert dict(Slot.objects.values_list("starts_at", "taken")) == {LUNCH: 0, tomorrow: 1}
    work = change_time(work=work, starts_at=LUNCH, placer=ground.placer(), at=NOW)
    cancel(work=work, placer=ground.placer(), at=NOW)
    assert purse(ground.li) == (yuan(50), yuan(0))


def test_a_change_that_is_refused_leaves_everything(ground):
    work = ground.order().work.get()
    for _ in range(2):
        ground.order((ground.lunch, LATE_LUNCH), elder=ground.wang)
    ground.order((ground.lunch, LATE_LUNCH))
    assert (
        refusal(lambda: change_time(work=work, starts_at=LATE_LUNCH, placer=ground.placer(), at=NOW))
        == "full"
    )
    work.refresh_from_db()
    assert (work.starts_at, work.hold.state, work.booking.slot.taken) == (LUNCH, "open", 1)


# What becomes of orders by themselves


def test_what_was_delivered_released_or_never_reported_is_closed(ground):
    delivered, died, missed = (
        ground.order(*what, elder=who).work.get()
        for what, who in [
            ([(ground.lunch, LUNCH)], ground.li),
            ([(ground.bath, BATH)], ground.wang),
            ([(ground.lunch, LATE_LUNCH)], ground.li),
        ]
    )
    deliver(
        hold=delivered.hold,
        order=RedemptionOrder("d1", LUNCH, "PR01", "SV01", "LI", 1),
        by=BY,
        at=LUNCH,
    )
    story.dies("WANG", "2026-01-05", at="2026-01-05 20:00")
    tidy(by=BY, at=LATE_LUNCH + timedelta(hours=72))
    for work, state in [(delivered, "done"), (died, "cancelled"), (missed, "placed")]:
        work.refresh_from_db()
        assert work.state == state, work
    assert died.closed_for == "death"
    assert Appointment.objects.get().freed_at is not None
    assert tidy(by=BY, at=LATE_LUNCH + timedelta(hours=73)).missed == 1
    assert purse(ground.li) == (yuan(42), yuan(0))
    again = tidy(by=BY, at=LATE_LUNCH + timedelta(hours=74))
    assert (again.delivered, again.cancelled, again.missed) == (0, 0, 0)
    assert not violations()


# Standing orders


def test_lunch_from_monday_to_friday_places_itself_and_says_when_it_cannot(ground):
    acting = Acting(ground.li, ground.daughter)
    standing = stand(acting=acting, offer=ground.lunch, weekdays=range(5), clock=LUNCH.time(), at=NOW)
    assert standing.starts_on == day("2026-01-06")
    holiday = day("2026-01-08")
    close_for(premises=ground.place, starts_on=holiday, ends_on=holiday, reason="", by=BY, at=NOW)
    for _ in range(3):
        ground.order((ground.lunch, moment("2026-01-09 11:30")), elder=ground.wang)  # all places of Friday
        if Slot.objects.get(starts_at=moment("2026-01-09 11:30")).taken == 2:
            break
    ground.order((ground.lunch, moment("2026-01-09 11:30")))
    for night in range(5, 12):
        at = moment(f"2026-01-{night:02} 00:20")
        place_standing(today=at.date(), at=at)
        place_standing(today=at.date(), at=at)
    placed = WorkOrder.objects.filter(order__standing_day__standing=standing)
    assert [str(work.hold.service_on) for work in placed.order_by("starts_at")] == [
        "2026-01-06", "2026-01-07", "2026-01-12", "2026-01-13",
    ]  # fmt: skip
    assert dict(StandingDay.objects.filter(order=None).values_list("on", "refusal")) == {
        day("2026-01-09"): "full"
    }
    told = Message.objects.get(kind="standing_order_failed")
    assert told.elder == ground.li
    stop(standing=standing, acting=acting, at=NOW)
    assert place_standing(today=day("2026-01-13"), at=moment("2026-01-13 00:20")).orders == 0


def test_a_standing_order_asked_for_again_changes_its_days(ground):
    acting = Acting(ground.li, ground.daughter)
    first = stand(acting=acting, offer=ground.lunch, weekdays=[0], clock=LUNCH.time(), at=NOW)
    second = stand(acting=acting, offer=ground.lunch, weekdays=[2, 1], clock=LUNCH.time(), at=NOW)
    assert first.pk == second.pk
    assert StandingOrder.objects.get().weekdays == [1, 2]
    assert (
        refusal(lambda: stand(acting=acting, offer=ground.bath, weekdays=[0], clock=BATH.time(), at=NOW))
        == "not_standing"
    )


# The catalogue


def test_publishing_again_changes_nothing_and_follows_the_register(ground):
    again = publish(on=day("2026-01-05"), by=BY, at=NOW)
    assert (again.offers, again.new, again.changed, again.withdrawn) == (2, 0, 0, 0)
    ground.place.name = "新纺织厂礼堂"
    ground.place.save()
    assert publish(on=day("2026-01-05"), by=BY, at=NOW).changed == 2
    ended = publish(on=day("2027-07-01"), by=BY, at=NOW)
    assert (ended.withdrawn, Supply.objects.filter(listed=True).count()) == (2, 0)
    assert publish(on=day("2026-01-05"), by=BY, at=NOW).changed == 2


@pytest.mark.parametrize(
    "typed", ["午餐", "餐", "wucan", "wu can", "zhangzhe", "wc", "czct", "纺织厂", "canteen", "桂舟"]
)
def test_an_offer_is_found_by_what_people_type(ground, typed):
    found = Supply.objects.extra(where=["sought @@ %s::tsquery"], params=[query(typed)])
    assert "SV01" in set(found.values_list("offer__service__code", flat=True)), sorted(
        tokens(["长者餐厅午餐"])
    )


@pytest.mark.parametrize("typed", ["晚餐", "wancan", "xyz", "理发"])
def test_what_is_not_there_is_not_found(ground, typed):
    found = Supply.objects.extra(where=["sought @@ %s::tsquery"], params=[query(typed)])
    assert not found.exists()


@pytest.mark.parametrize("typed", ["", "  ", "!!!", "'; drop", "\\", "午'餐:*&|", "&&&", "<->"])
def test_whatever_is_typed_makes_a_sound_query(ground, typed):
    if query(typed):
        list(Supply.objects.extra(where=["sought @@ %s::tsquery"], params=[query(typed)]))


# At once


def test_the_same_order_sent_twice_at_once_is_one(fresh_db):
    ground = Ground()
    care = ground.basket((ground.lunch, LUNCH), (ground.bath, BATH))
    answers = at_once([lambda: place_order(care=_anew(care), placer=ground.placer(), at=NOW)] * 3)
    assert len({answer.pk for answer in answers}) == 1, answers
    assert (Order.objects.count(), open_holds(), Slot.objects.get().taken) == (1, 2, 1)
    assert not violations()


def _anew(care):
    """As another process would read it."""
    return type(care).objects.select_related("basket", "elder", "user").get(pk=care.pk)


def test_twenty_people_for_five_places_with_a_second_wish_each(fresh_db):
    ground = Ground(capacity=5)
    people = [story.elder(f"E{n}", f"老人{n}", "1944-02-03", ground.community) for n in range(20)]
    story.issue_on("2026-01-01")
    baskets = [
        ground.basket((ground.lunch, LUNCH), (ground.lunch, moment("2026-01-06 11:30")), elder=person)
        for person in people
    ]
    answers = at_once(
        [
            lambda care=care: place_order(care=_anew(care), placer=ground.placer(care.elder), at=NOW)
            for care in baskets
        ]
    )
    refused = [answer for answer in answers if isinstance(answer, CannotOrder)]
    assert [one.code for one in refused] == ["full"] * 15, answers
    assert (CareOrder.objects.count(), Order.objects.count(), open_holds()) == (5, 5, 10)
    assert list(Slot.objects.order_by("id").values_list("taken", flat=True)) == [5, 5]
    assert not violations()


@pytest.mark.long
def test_two_hundred_at_once_for_fifty_places(fresh_db):
    ground = Ground(capacity=50)
    people = [story.elder(f"E{n:03}", f"老人{n}", "1944-02-03", ground.community) for n in range(200)]
    story.issue_on("2026-01-01")
    baskets = [ground.basket((ground.lunch, LUNCH), elder=person) for person in people]
    answers = shared_out(
        [
            lambda care=care: place_order(care=_anew(care), placer=ground.placer(care.elder), at=NOW)
            for care in baskets
        ],
        threads=40,
    )
    refused = [answer.code for answer in answers if isinstance(answer, CannotOrder)]
    assert refused == ["full"] * 150, answers
    assert (CareOrder.objects.count(), Order.objects.count(), open_holds()) == (50, 50, 50)
    assert Slot.objects.get().taken == 50
    assert not violations()


def test_a_key_of_its_own_for_every_basket(ground):
    assert ground.basket().key != ground.basket().key
    assert new_basket(user=ground.daughter, elder=ground.li, key=(key := uuid4())).key == key


def test_money_hangs_on_the_baskets_key_and_on_no_number(ground):
    """Numbers of orders and ids of baskets can be guessed: what sets money and places aside bears the random key."""
    care = ground.basket((ground.lunch, LUNCH), (ground.bath, BATH))
    place_order(care=care, placer=ground.placer(), at=NOW, number="777000777")
    keys = [
        *Hold.objects.values_list("key", flat=True),
        *Booking.objects.values_list("key", flat=True),
        *Appointment.objects.values_list("key", flat=True),
        *WorkOrder.objects.values_list("key", flat=True),
    ]
    assert len(keys) == 6
    assert all(str(care.key) in key and "777000777" not in key for key in keys), keys
