"""Opening hours, sittings and their places, caregivers and their diaries; the last place is taken once."""

from datetime import time, timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.journal.queries import SHANGHAI, day_of
from ledger.models import Record
from providers.caregivers.operations import (
    Certificate,
    book_appointment,
    free_appointments,
    register_caregiver,
    set_leaving,
    set_shifts,
    take_on,
    withdraw_shifts,
)
from providers.caregivers.operations import Hours as ShiftHours
from providers.caregivers.queries import appointments_on
from providers.models import (
    Appointment,
    Booking,
    Caregiver,
    Closure,
    Offer,
    OpeningHours,
    OrderTerms,
    Premises,
    Sitting,
    Slot,
)
from providers.operators.queries import standings
from providers.ordering.operations import (
    Hours,
    Places,
    Wanted,
    book_places,
    close_for,
    free_places,
    reopen,
    set_opening_hours,
    set_order_terms,
    set_sittings,
    withdraw_opening_hours,
    withdraw_sittings,
)
from providers.ordering.queries import open_at, sittings_on, week_of
from providers.ordering.refusals import CannotBook
from providers.ordering.weeks import change_to_come
from tests import story
from tests.story import day, moment
from tests.threads import at_once

BY = "test"
NOW = moment("2026-01-05 08:00")  # a Monday
LUNCH = moment("2026-01-05 11:30")
EVERY_DAY = range(7)


class Ground:
    """One canteen with lunch (two sittings) and bathing at home (two caregivers)."""

    def __init__(self) -> None:
        where = story.division("4302", "湖城", "city")
        self.firm = story.operator("OP01", "桂舟")
        self.place = story.premises("PR01", where)
        story.lease("LS01", self.place, self.firm)
        lunch, bath = story.service("SV01", "canteen", "meal"), story.service("SV04", "home_care", "visit")
        story.offer(self.place, lunch, bath)
        self.lunch = Offer.objects.get(service=lunch)
        self.bath = Offer.objects.get(service=bath)
        set_opening_hours(
            premises=self.place,
            hours=[Hours(weekday, time(10), time(13, 30)) for weekday in range(5)]
            + [Hours(0, time(16, 30), time(18, 30))],
            by=BY,
            at=NOW,
        )
        self.lunch_terms = set_order_terms(
            offer=self.lunch,
            where="there",
            manner="sitting",
            order_until_minutes=90,
            cancel_until_minutes=60,
            days_ahead=7,
            by=BY,
            at=NOW,
        )
        self.sittings(capacity=3)
        self.bath_terms = set_order_terms(
            offer=self.bath,
            where="home",
            manner="appointment",
            order_until_minutes=120,
            cancel_until_minutes=120,
            days_ahead=14,
            minutes=90,
            needs="care",
            by=BY,
            at=NOW,
        )
        self.wu, self.he = (self.caregiver(code) for code in ("CG01", "CG02"))

    def sittings(self, *, capacity: int) -> None:
        set_sittings(
            offer=self.lunch,
            sittings=[
                Places(weekday, time(hour, 30), time(hour + 1, 15), capacity)
                for weekday in range(5)
                for hour in (11, 12)
            ],
            by=BY,
            at=NOW,
        )

    def caregiver(self, code: str, **other):
        certificate = Certificate("care", f"示例{code}", day("2025-01-01"), day("2026-01-31"))
        made = register_caregiver(
            code=code, name=code, operator=self.firm, certificates=[certificate], by=BY, at=NOW
        )
        set_shifts(
            caregiver=made,
            hours=[ShiftHours(weekday, time(8), time(12)) for weekday in range(5)],
            by=BY,
            at=NOW,
        )
        return made

    def book(self, key: str, *, starts_at=LUNCH, quantity: int = 1, at=NOW) -> Booking:
        wanted = [Wanted(key, self.lunch, starts_at, quantity)]
        return book_places(wanted=wanted, by=BY, at=at)[0]

    def bathe(self, key: str, clock: str, *, at=NOW) -> Appointment:
        return book_appointment(offer=self.bath, starts_at=moment(clock), key=key, by=BY, at=at)


@pytest.fixture
def ground(db) -> Ground:
    return Ground()


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(CannotBook) as refused, transaction.atomic():
        call(*args, **kwargs)
    assert str(refused.value), "every refusal has its sentence"
    return refused.value.code


# Opening hours


def test_a_place_is_open_within_its_hours_and_not_on_days_of_closure(ground):
    def is_open(when: str) -> bool:
        return open_at(Premises.objects.all(), moment(when)).exists()

    assert is_open("2026-01-05 10:00")
    assert not is_open("2026-01-05 13:30"), "closing time is closed"
    assert is_open("2026-01-05 17:00")
    assert not is_open("2026-01-10 11:00"), "a Saturday"
    close_for(
        premises=ground.place,
        starts_on=day("2026-01-06"),
        ends_on=day("2026-01-06"),
        reason="检修",
        by=BY,
        at=NOW,
    )
    assert not is_open("2026-01-06 11:00")
    week = week_of(ground.place, day("2026-01-05"))
    assert week[0].hours == ((time(10), time(13, 30)), (time(16, 30), time(18, 30)))
    assert (week[1].hours, week[1].reason) == ((), "检修")
    assert week[5].hours == ()


def test_hours_set_again_change_nothing_and_are_noted_once(ground):
    before = set(OpeningHours.objects.values_list("id", flat=True))
    Ground.sittings(ground, capacity=3)
    set_opening_hours(
        premises=ground.place,
        hours=[Hours(0, time(16, 30), time(18, 30))]
        + [Hours(weekday, time(10), time(13, 30)) for weekday in range(5)],
        by=BY,
        at=NOW,
    )
    assert set(OpeningHours.objects.values_list("id", flat=True)) == before
    assert Record.objects.filter(action="set_opening_hours").count() == 1
    assert Record.objects.filter(action="set_sittings").count() == 1


def test_the_database_refuses_hours_that_overlap(ground):
    overlapping = Hours(0, time(13), time(14))
    with pytest.raises(IntegrityError, match="opening_hours_never_overlap"), transaction.atomic():
        OpeningHours.objects.create(premises=ground.place, **overlapping._asdict())
    OpeningHours.objects.create(premises=ground.place, weekday=0, opens_at=time(13, 30), closes_at=time(14))


# Sittings


def test_places_are_taken_until_none_is_left_and_given_back(ground):
    ground.book("a", quantity=2)
    assert [choice.left for choice in sittings(ground)] == [1, 3]
    assert refusal(ground.book, "b", quantity=2) == "full"
    ground.book("c")
    assert [choice.can_be_chosen for choice in sittings(ground)] == [False, True]
    assert free_places(keys=["a"], by=BY, at=NOW) == 1
    assert free_places(keys=["a"], by=BY, at=NOW) == 0, "freed once"
    assert [choice.left for choice in sittings(ground)] == [2, 3]


def sittings(ground: Ground):
    return sittings_on(offer=ground.lunch, terms=ground.lunch_terms, day=day("2026-01-05"), at=NOW)


def test_the_same_key_takes_its_places_once(ground):
    assert ground.book("a").pk == ground.book("a").pk
    assert Slot.objects.get().taken == 1
    assert refusal(ground.book, "a", quantity=2) == "key_reused"
    free_places(keys=["a"], by=BY, at=NOW)
    assert refusal(ground.book, "a") == "key_reused", "what was given back is not taken again by the same key"


@pytest.mark.parametrize(
    ("code", "starts_at", "at"),
    [
        ("too_late", "2026-01-05 11:30", "2026-01-05 10:01"),
        ("too_early", "2026-01-13 11:30", "2026-01-05 08:00"),
        ("closed_then", "2026-01-05 11:45", "2026-01-05 08:00"),
        ("closed_then", "2026-01-10 11:30", "2026-01-05 08:00"),
        ("closed_then", "2026-01-07 11:30", "2026-01-05 08:00"),  # the day of closure
    ],
)
def test_what_cannot_be_booked_is_refused_plainly(ground, code, starts_at, at):
    wednesday = day("2026-01-07")
    close_for(premises=ground.place, starts_on=wednesday, ends_on=wednesday, reason="", by=BY, at=NOW)
    assert refusal(ground.book, "a", starts_at=moment(starts_at), at=moment(at)) == code
    assert not Slot.objects.exists()


def test_the_last_moment_and_the_last_day_are_in_time(ground):
    ground.book("a", at=moment("2026-01-05 10:00"))
    ground.book("b", starts_at=moment("2026-01-12 11:30"))


def test_an_offer_without_terms_is_not_ordered(ground):
    OrderTerms.objects.filter(offer=ground.lunch).delete()
    assert refusal(ground.book, "a") == "not_ordered"


def test_fewer_places_never_take_away_what_was_booked(ground):
    ground.book("a", quantity=2)
    ground.sittings(capacity=1)
    assert Slot.objects.get().capacity == 2
    assert Sitting.objects.filter(capacity=1).count() == 10
    ground.sittings(capacity=9)
    assert Slot.objects.get().capacity == 9


def test_a_week_changes_from_a_day_on_and_the_change_can_be_withdrawn(ground):
    monday = day("2026-01-12")
    ground.book("a", starts_at=moment("2026-01-12 11:30"), quantity=2)

    def on(text: str) -> list[tuple[str, int]]:
        found = sittings_on(offer=ground.lunch, terms=ground.lunch_terms, day=day(text), at=NOW)
        return [(f"{one.starts_at.astimezone(SHANGHAI):%H:%M}", one.left) for one in found]

    def change(**other) -> None:
        early = [Places(weekday, time(11), time(11, 45), 5) for weekday in range(5)]
        set_sittings(offer=ground.lunch, sittings=early, from_on=monday, by=BY, at=NOW, **other)

    before = on("2026-01-12")
    assert before == [("11:30", 1), ("12:30", 3)]
    change()
    change()
    assert Record.objects.filter(action="set_sittings").count() == 2, "the same again changes nothing"
    assert change_to_come(Sitting.objects.filter(offer=ground.lunch), day_of(NOW)) == monday
    assert on("2026-01-09") == [("11:30", 3), ("12:30", 3)]
    assert on("2026-01-12") == [("11:00", 5)]
    assert Slot.objects.get().capacity == 2, "what was booked stays booked, nothing is added"
    assert refusal(ground.book, "b", starts_at=moment("2026-01-12 12:30")) == "closed_then"
    assert withdraw_sittings(offer=ground.lunch, by=BY, at=NOW)
    assert not withdraw_sittings(offer=ground.lunch, by=BY, at=NOW)
    assert on("2026-01-12") == before
    change()
    later = moment("2026-01-12 08:00")
    assert not withdraw_sittings(offer=ground.lunch, by=BY, at=later), "it holds already"
    with pytest.raises(IntegrityError, match="sittings_never_overlap"), transaction.atomic():
        Sitting.objects.create(
            offer=ground.lunch,
            weekday=0,
            starts_at=time(11, 30),
            ends_at=time(12),
            capacity=1,
            starts_on=monday,
        )


def test_hours_and_shifts_too_and_a_house_that_closes_for_good(ground):
    def is_open(when: str) -> bool:
        return open_at(Premises.objects.all(), moment(when)).exists()

    friday = day("2026-01-09")
    set_opening_hours(premises=ground.place, hours=[], from_on=friday, by=BY, at=NOW)
    assert is_open("2026-01-08 11:00") and not is_open("2026-01-09 11:00")
    assert change_to_come(OpeningHours.objects.all(), day_of(NOW)) == friday
    hours = [Hours(4, time(8), time(9))]
    set_opening_hours(premises=ground.place, hours=hours, from_on=day("2026-01-10"), by=BY, at=NOW)
    assert is_open("2026-01-09 11:00") and not is_open("2026-01-16 11:00"), "one change at a time"
    assert is_open("2026-01-16 08:30")
    assert [bool(one.hours) for one in week_of(ground.place, friday)] == [True, *[False] * 6]
    assert withdraw_opening_hours(premises=ground.place, by=BY, at=NOW)
    assert is_open("2026-01-16 11:00")
    for caregiver in (ground.wu, ground.he):
        set_shifts(caregiver=caregiver, hours=[], from_on=friday, by=BY, at=NOW)

    def free(text: str) -> int:
        return len(appointments_on(offer=ground.bath, terms=ground.bath_terms, day=day(text), at=NOW))

    assert free("2026-01-08") == 6 and free("2026-01-09") == 0
    assert withdraw_shifts(caregiver=ground.wu, by=BY, at=NOW)
    assert free("2026-01-09") == 6


def test_days_closed_are_opened_again_for_what_is_left_of_them(ground):
    def close(first: str, last: str):
        return close_for(
            premises=ground.place, starts_on=day(first), ends_on=day(last), reason="检修", by=BY, at=NOW
        )

    begun, to_come = close("2026-01-04", "2026-01-08"), close("2026-01-12", "2026-01-13")
    assert reopen(closure=begun, by=BY, at=NOW) and reopen(closure=to_come, by=BY, at=NOW)
    assert not reopen(closure=begun, by=BY, at=NOW) and not reopen(closure=to_come, by=BY, at=NOW)
    assert list(Closure.objects.values_list("ends_on", flat=True)) == [day("2026-01-04")], "what was stays"


def test_all_places_of_one_order_or_none(ground):
    wanted = [
        Wanted("a", ground.lunch, moment("2026-01-05 12:30"), 1),
        Wanted("b", ground.lunch, LUNCH, 4),
    ]
    assert refusal(book_places, wanted=wanted, by=BY, at=NOW) == "full"
    assert not Booking.objects.exists()


def test_the_database_refuses_a_place_too_many(ground):
    ground.book("a", quantity=3)
    with pytest.raises(IntegrityError, match="slot_never_overbooked"), transaction.atomic():
        Slot.objects.update(taken=4)


# Caregivers


def test_the_caregiver_with_the_emptier_diary_is_sent(ground):
    first, second = ground.bathe("a", "2026-01-06 08:00"), ground.bathe("b", "2026-01-06 09:30")
    assert {first.caregiver_id, second.caregiver_id} == {ground.wu.id, ground.he.id}
    assert first.ends_at - first.starts_at == timedelta(minutes=90)


def test_two_appointments_meet_end_to_end_but_never_overlap(ground):
    for key, clock in [("a", "08:00"), ("b", "08:00"), ("c", "09:30"), ("d", "09:30")]:
        ground.bathe(key, f"2026-01-06 {clock}")
    assert refusal(ground.bathe, "e", "2026-01-06 09:00") == "nobody_free"
    assert free_appointments(keys=["c"], by=BY, at=NOW) == 1
    assert refusal(ground.bathe, "f", "2026-01-06 09:00") == "nobody_free", "until 9:30 both are away"
    ground.bathe("g", "2026-01-06 09:30")
    with (
        pytest.raises(IntegrityError, match="appointments_of_one_caregiver_never_overlap"),
        transaction.atomic(),
    ):
        Appointment.objects.filter(key="c").update(freed_at=None)


@pytest.mark.parametrize(
    ("code", "clock"),
    [
        ("closed_then", "2026-01-06 11:00"),  # the visit would outlast the shift
        ("closed_then", "2026-01-06 08:10"),  # not on a half hour
        ("closed_then", "2026-01-10 08:00"),  # a Saturday
        ("too_late", "2026-01-05 09:30"),
        ("too_early", "2026-01-20 08:00"),
    ],
)
def test_appointments_only_within_shifts_and_in_time(ground, code, clock):
    assert refusal(ground.bathe, "a", clock) == code


def test_only_the_qualified_of_the_operator_of_the_day_are_sent(ground):
    def free(on: str) -> list[int]:
        choices = appointments_on(
            offer=ground.bath, terms=ground.bath_terms, day=day(on), at=moment("2026-01-28 08:00")
        )
        return [choice.left for choice in choices]

    assert free("2026-01-30") == [2, 2, 2, 2, 2, 2]
    assert free("2026-02-02") == [], "the certificates end in January"
    ground.wu.left_on = day("2026-01-30")
    ground.wu.save()
    assert free("2026-01-29")[0] == 2
    assert free("2026-01-30")[0] == 1
    ground.he.operator = story.operator("OP02", "别家")
    ground.he.save()
    assert free("2026-01-30") == []


def test_an_appointment_asked_for_twice_is_one(ground):
    assert ground.bathe("a", "2026-01-06 08:00").pk == ground.bathe("a", "2026-01-06 08:00").pk
    assert refusal(ground.bathe, "a", "2026-01-06 08:30") == "key_reused"


# Safety


def test_the_safety_check_is_shown_as_the_rules_judge_it(ground):
    checked = day("2025-12-01")
    standing = standings([ground.firm], day("2026-06-01"))[ground.firm.pk]
    assert (standing.checked_on, standing.good_until) == (checked, checked + timedelta(days=365))
    assert standing.may_serve(checked + timedelta(days=365))
    assert not standing.may_serve(checked + timedelta(days=366))
    ground.firm.suspensions.create(starts_on=day("2026-03-01"), reinstated_on=day("2026-04-01"))
    assert not standings([ground.firm], day("2026-03-31"))[ground.firm.pk].may_serve(day("2026-03-31"))
    assert standings([ground.firm], day("2026-04-01"))[ground.firm.pk].may_serve(day("2026-04-01"))


# At once


def test_twelve_at_once_for_three_places_and_two_caregivers(fresh_db):
    ground = Ground()
    calls = [lambda n=n: ground.book(f"lunch {n}") for n in range(6)]
    calls += [lambda n=n: ground.bathe(f"bath {n}", "2026-01-06 08:00") for n in range(6)]
    answers = at_once(calls)
    codes = sorted(answer.code for answer in answers if isinstance(answer, CannotBook))
    assert codes == ["full"] * 3 + ["nobody_free"] * 4, answers
    assert sum(isinstance(answer, (Booking, Appointment)) for answer in answers) == 5
    slot = Slot.objects.get()
    assert (slot.taken, slot.capacity, slot.bookings.count()) == (3, 3, 3)


def test_a_key_sent_twice_at_once_takes_one_place(fresh_db):
    ground = Ground()
    answers = at_once([lambda: ground.book("a")] * 2)
    assert Slot.objects.get().taken == 1, answers
    assert at_once([lambda: free_places(keys=["a"], by=BY, at=NOW)] * 2) in ([0, 1], [1, 0])
    assert Slot.objects.get().taken == 0


def test_somebody_new_gets_a_code_and_who_leaves_is_sent_until_then(ground):
    certificate = Certificate("care", "示例9", day("2025-01-01"))
    made = [
        take_on(name=name, operator=ground.firm, certificate=certificate, by=BY, at=NOW) for name in "丁戊"
    ]
    assert len({one.code for one in made} | {"CG01", "CG02"}) == 4
    set_leaving(caregiver=ground.he, left_on=day("2026-01-07"), by=BY, at=NOW)
    set_leaving(caregiver=ground.he, left_on=day("2026-01-07"), by=BY, at=NOW)
    assert Record.objects.filter(action="set_leaving").count() == 1

    def free(text: str) -> int:
        return appointments_on(offer=ground.bath, terms=ground.bath_terms, day=day(text), at=NOW)[0].left

    assert (free("2026-01-06"), free("2026-01-07")) == (2, 1)
    assert Caregiver.objects.count() == 4
