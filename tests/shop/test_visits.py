"""Visits: sent, arrived, confirmed by the elder, left, paid once; and everything that must not happen.

Grandma Li's bath on Tuesday at eight, Grandpa Wang's at half past nine; Wu goes, He could go too.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from marketplace.fulfilment import dispatch
from marketplace.fulfilment.dispatch import CannotDispatch
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.tidying import tidy
from marketplace.fulfilment.visits import call_back
from marketplace.models import Message
from tests.shop.ground import BATH, BY, NOW, open_holds, purse
from tests.shop.visits import BATH_LATER, DOOR, FAR, LEAVING_OF_BATH, MEAL, PIN, Homes, code_of, tell, told
from tests.story import moment, yuan
from tests.threads import at_once
from tests.vouchers.test_photos import photo
from vouchers.models import Redemption, Visit, VisitReport
from vouchers.photos.cleaning import clean
from vouchers.proof.queries import prove
from vouchers.review import of_elders
from vouchers.review.queries import Known, groups
from vouchers.visits.evidence import Evidence, Grade, grade
from vouchers.visits.refusals import CannotReport

MINUTE = timedelta(minutes=1)
LEAVING = LEAVING_OF_BATH


@pytest.fixture
def ground(db) -> Homes:
    return Homes()


def refusal(call) -> str:
    with pytest.raises((CannotReport, CannotDispatch)) as refused:
        call()
    assert str(refused.value) and str(refused.value) != refused.value.code, "every refusal has its sentence"
    return refused.value.code


def violations() -> dict[str, int]:
    return {one.name: one.violations for one in prove() if one.violations}


def again(work: WorkOrder) -> WorkOrder:
    return WorkOrder.objects.select_related("hold__service", "hold__elder", "order").get(pk=work.pk)


# A visit as it should be


def test_a_visit_is_proven_by_the_elders_own_code_and_paid_once_on_leaving(ground):
    work = ground.bath_of()
    before = purse(ground.li)
    tell(work, ground.wu, "arrived", BATH, spot=DOOR)
    assert again(work).state == "underway"
    tell(work, ground.wu, "photo", BATH + 5 * MINUTE, picture=clean(photo()))
    shown = BATH + 60 * MINUTE
    tell(work, ground.wu, "confirmed", shown, credential=code_of(ground.li, shown))
    assert not Redemption.objects.exists(), "paid when it is over"
    noted = tell(work, ground.wu, "left", LEAVING, key="leave")
    redemption = Redemption.objects.get()
    assert (noted.receipt.number, again(work).state) == (redemption.number, "done")
    assert (redemption.key_scope, redemption.key, redemption.channel) == ("visits", work.hold.key, "qr")
    assert (redemption.by, redemption.happened_at) == ("caregiver:CG01", BATH)
    assert purse(ground.li) == (before[0], yuan(0)), "what was held is spent, nothing else"
    visit = Visit.objects.get()
    assert (visit.grade, visit.left_at, visit.quantity) == (Grade.PROVEN, LEAVING, 1)
    assert tell(work, ground.wu, "left", LEAVING, key="leave", at=LEAVING + 60 * MINUTE).repeated
    assert refusal(lambda: tell(work, ground.wu, "left", LEAVING + MINUTE, key="leave")) == "key_reused"
    assert Redemption.objects.count() == 1
    assert not violations()


def test_without_the_elders_word_it_waits_for_the_call_back(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH)
    tell(work, ground.wu, "left", LEAVING)
    assert (again(work).state, Visit.objects.get().grade) == ("underway", Grade.CLAIMED)
    for who in (ground.wu_user, ground.manager):
        word = told(ground.wu, "confirmed", LEAVING + 30 * MINUTE)
        call = lambda who=who, word=word: call_back(work=again(work), told=word, by=who, at=word.happened_at)  # noqa: E731
        assert refusal(call) == "by_caregiver"
    unreached = told(ground.wu, "unreached", LEAVING + 30 * MINUTE)
    call_back(work=again(work), told=unreached, by=ground.agent, at=unreached.happened_at)
    word = told(ground.wu, "confirmed", LEAVING + 90 * MINUTE)
    noted = call_back(work=again(work), told=word, by=ground.agent, at=word.happened_at)
    assert noted.receipt and (again(work).state, Visit.objects.get().grade) == ("done", Grade.SUPPORTED)
    assert Redemption.objects.get().channel == "hotline"
    assert call_back(work=again(work), told=word, by=ground.agent, at=word.happened_at).repeated


def test_a_denied_visit_costs_nothing_and_is_told(ground):
    before = purse(ground.li)
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH)
    tell(work, ground.wu, "left", LEAVING)
    word = told(ground.wu, "denied", LEAVING + 90 * MINUTE)
    call_back(work=again(work), told=word, by=ground.agent, at=word.happened_at)
    work = again(work)
    assert (work.state, work.closed_for, Visit.objects.get().grade) == ("missed", "denied", Grade.DENIED)
    assert purse(ground.li) == before and not Redemption.objects.exists()
    assert Message.objects.filter(kind="visit_missed", elder=ground.li).count() == 1


def test_nobody_answers_the_telephone_review_looks_at_what_is_only_claimed(ground):
    work, proven = ground.bath_of(), ground.bath_of(ground.wang, BATH_LATER)
    for one, start in ((work, BATH), (proven, BATH_LATER)):
        tell(one, ground.wu, "arrived", start)
        if one is proven:
            shown = start + 30 * MINUTE
            tell(one, ground.wu, "confirmed", shown, credential=code_of(ground.wang, shown))
        tell(one, ground.wu, "left", start + 70 * MINUTE)
    assert tidy(by=BY, at=LEAVING + timedelta(hours=71)).delivered == 0
    assert tidy(by=BY, at=LEAVING + timedelta(hours=73)).delivered == 1
    assert again(work).state == "done" and not tidy(by=BY, at=LEAVING + timedelta(hours=74)).delivered
    known = Known.read()
    rows = {
        one.elder: one
        for group in groups(known, "elder", start=BATH.date(), end=BATH.date() + timedelta(days=1))
        for one in group
    }
    assert {who: row.evidence for who, row in rows.items()} == {ground.li.pk: False, ground.wang.pk: True}
    found = [one.redemption for row in rows.values() for one in of_elders.no_evidence([row], {})]
    assert found == [rows[ground.li.pk].id]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (Evidence(arrived=True, left=True, how="code"), Grade.PROVEN),
        (Evidence(arrived=True, left=True, how="pin", denied=True), Grade.DENIED),
        (Evidence(arrived=True, left=True, how="hotline"), Grade.SUPPORTED),
        (Evidence(arrived=True, left=True, photos=1, away_km=1.0), Grade.SUPPORTED),
        (Evidence(arrived=True, left=True, photos=1, away_km=9.0), Grade.CLAIMED),
        (Evidence(arrived=True, left=True, photos=1), Grade.CLAIMED),
        (Evidence(arrived=True, left=True, away_km=1.0), Grade.CLAIMED),
        (Evidence(arrived=True, how="code"), Grade.CLAIMED),
    ],
)
def test_grades(there, expected):
    assert grade(there) == expected


def test_a_place_far_from_the_community_supports_nothing(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH, spot=FAR)
    tell(work, ground.wu, "photo", BATH + MINUTE, picture=clean(photo()))
    tell(work, ground.wu, "left", LEAVING)
    assert Visit.objects.get().grade == Grade.CLAIMED


# Meals: many doors, part deliveries, nobody there


def test_meals_are_handed_over_in_one_word_and_only_what_was_delivered_is_paid(ground):
    work = ground.bring(ground.meals, MEAL, quantity=2)
    assert purse(ground.li)[1] == yuan(16)
    dispatch.assign(work=work, caregiver=ground.he, by=ground.manager, at=NOW)
    assert refusal(lambda: tell(work, ground.he, "left", MEAL, quantity=3)) == "too_many"
    noted = tell(work, ground.he, "left", MEAL + 12 * MINUTE, quantity=1)
    assert noted.receipt.split.vouchers == yuan(8)
    assert purse(ground.li)[1] == yuan(0) and again(work).state == "done"
    assert Redemption.objects.get().quantity == 1
    absent = ground.bring(ground.meals, MEAL, ground.wang)
    dispatch.assign(work=absent, caregiver=ground.he, by=ground.manager, at=NOW)
    before = purse(ground.wang)
    tell(absent, ground.he, "absent", MEAL + 20 * MINUTE)
    assert (again(absent).state, again(absent).closed_for) == ("missed", "absent")
    assert purse(ground.wang) == (before[0] + before[1], yuan(0))
    assert not violations()


def test_nobody_opens_the_door(ground):
    work, before = ground.bath_of(), None
    before = purse(ground.li)
    assert refusal(lambda: tell(work, ground.wu, "absent", BATH)) == "not_arrived"
    tell(work, ground.wu, "arrived", BATH, spot=DOOR)
    tell(work, ground.wu, "absent", BATH + 15 * MINUTE)
    assert again(work).state == "missed" and open_holds() == 0
    assert purse(ground.li) == (before[0] + before[1], yuan(0))
    tell(ground.bath_of(ground.wang, BATH_LATER), ground.wu, "arrived", BATH_LATER)  # free to go on


# What must not be


def test_the_wrong_person_the_wrong_code_the_wrong_time(ground):
    work = ground.bath_of()
    other = told(ground.he, "arrived", BATH)
    assert refusal(lambda: tell(work, ground.he, "arrived", BATH, key=other.key)) == "not_yours"
    assert VisitReport.objects.get().refusal == "not_yours", "kept, though it counts for nothing"
    assert refusal(lambda: tell(work, ground.he, "arrived", BATH, key=other.key)) == "not_yours"
    assert VisitReport.objects.count() == 1
    assert refusal(lambda: tell(work, ground.wu, "left", BATH)) == "not_arrived"
    assert refusal(lambda: tell(work, ground.wu, "arrived", BATH - timedelta(days=1))) == "wrong_day"
    assert (
        refusal(lambda: tell(work, ground.wu, "arrived", BATH, at=BATH + timedelta(hours=73)))
        == "out_of_time"
    )
    assert refusal(lambda: tell(work, ground.wu, "arrived", BATH, at=BATH - 6 * MINUTE)) == "too_soon"
    tell(work, ground.wu, "arrived", BATH)
    assert refusal(lambda: tell(work, ground.wu, "arrived", BATH + MINUTE)) == "arrived_before"
    shown = BATH + 10 * MINUTE
    wangs = code_of(ground.wang, shown)
    assert refusal(lambda: tell(work, ground.wu, "confirmed", shown, credential=wangs)) == "another_elder"
    assert refusal(lambda: tell(work, ground.wu, "confirmed", shown)) == "by_caregiver", "no code, no word"
    old = code_of(ground.li, BATH - 30 * MINUTE)
    assert refusal(lambda: tell(work, ground.wu, "confirmed", shown, credential=old)) == "token_expired"
    wrong = {"code": "LI", "pin": "135790"}
    assert refusal(lambda: tell(work, ground.wu, "confirmed", shown, credential=wrong)) == "pin_wrong"
    before = BATH - MINUTE
    assert refusal(lambda: tell(work, ground.wu, "left", before, at=BATH)) == "before_arrival"
    tell(work, ground.wu, "confirmed", shown, credential={"code": "LI", "pin": PIN})
    assert VisitReport.objects.get(kind="confirmed", refusal="").how == "pin"
    assert refusal(
        lambda: tell(work, ground.wu, "confirmed", shown, credential=code_of(ground.li, shown))
    ) == ("confirmed_before")
    tell(work, ground.wu, "left", LEAVING)
    assert (
        refusal(lambda: tell(work, ground.wu, "photo", LEAVING + MINUTE, picture=clean(photo()))) == "closed"
    )


def test_told_late_in_one_go_it_is_the_same_visit(ground):
    """The telephone had no network all morning; the code is judged by the moment at which it was shown."""
    work = ground.bath_of()
    shown, evening = BATH + 60 * MINUTE, BATH + timedelta(hours=10)
    tell(work, ground.wu, "arrived", BATH, at=evening)
    code = code_of(ground.li, shown)
    tell(work, ground.wu, "confirmed", shown, credential=code, at=evening)
    noted = tell(work, ground.wu, "left", LEAVING, at=evening)
    assert noted.receipt and Visit.objects.get().grade == Grade.PROVEN
    assert Redemption.objects.get().recorded_at == evening


def test_one_caregiver_is_at_one_place(ground):
    work, other = ground.bath_of(), ground.bath_of(ground.wang, BATH_LATER)
    tell(work, ground.wu, "arrived", BATH)
    assert refusal(lambda: tell(other, ground.wu, "arrived", BATH_LATER)) == "elsewhere"
    tell(work, ground.wu, "left", BATH_LATER + 20 * MINUTE)
    assert refusal(lambda: tell(other, ground.wu, "arrived", BATH_LATER)) == "overlaps"
    tell(other, ground.wu, "arrived", BATH_LATER + 20 * MINUTE)
    # The database itself, whoever writes: the rule's question is only for the sentence.
    third = ground.bring(ground.meals, MEAL)
    with pytest.raises(IntegrityError, match="visits_of_one_caregiver_never_overlap"), transaction.atomic():
        Visit.objects.create(hold=third.hold, caregiver=ground.wu, arrived_at=BATH + MINUTE)
    with pytest.raises(IntegrityError, match="hold_id"), transaction.atomic():
        Visit.objects.create(hold=work.hold, caregiver=ground.he, arrived_at=BATH)
    Visit.objects.create(hold=third.hold, caregiver=ground.he, arrived_at=BATH + MINUTE)  # the control


def test_the_database_keeps_reports_as_they_were_told_and_lets_no_caregiver_answer(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH, spot=DOOR)
    row = VisitReport.objects.get()
    assert (row.longitude, row.accuracy_m) == (Decimal("113.130100"), 20)
    facts = {
        "hold": work.hold,
        "caregiver": ground.wu,
        "happened_at": BATH,
        "recorded_at": BATH,
        "request": b"-",
    }
    for name, what in {
        "visit_place_is_taken_on_arrival_only": {"kind": "left", "longitude": 113, "latitude": 27},
        "visit_confirmation_says_how": {"kind": "confirmed"},
        "visit_confirmed_by_another": {"kind": "confirmed", "how": "hotline", "by": "wu"},
        "visit_is_told_once": {"kind": "arrived"},
        "visit_photo_is_there": {"kind": "photo"},
    }.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            VisitReport.objects.create(**{"scope": "x", "key": name, "by": "x", **facts, **what})
    for change in ("UPDATE vouchers_visitreport SET kind = 'left'", "DELETE FROM vouchers_visitreport",
                   "UPDATE vouchers_visit SET arrived_at = now()", "DELETE FROM vouchers_visit"):  # fmt: skip
        with pytest.raises(Exception, match=r"written once|permission denied"), transaction.atomic():
            connection.cursor().execute(change)
    VisitReport.objects.create(scope="x", key="fine", by="agent", kind="confirmed", how="hotline", **facts)


def test_a_refused_delivery_leaves_the_visit_and_is_tried_again(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH)
    shown = BATH + 10 * MINUTE
    tell(work, ground.wu, "confirmed", shown, credential=code_of(ground.li, shown))
    suspended = ground.firm.suspensions.create(starts_on=BATH.date())
    noted = tell(work, ground.wu, "left", LEAVING)
    assert noted.receipt is None and Visit.objects.get().undelivered == "operator_suspended"
    assert again(work).state == "underway" and again(work).hold.state == "open"
    suspended.delete()
    assert tidy(by=BY, at=LEAVING + timedelta(hours=73)).delivered == 1
    assert (Visit.objects.get().undelivered, Redemption.objects.count()) == ("", 1)


# Sending somebody


def test_accepting_declining_and_sending(ground):
    work = ground.bring(ground.bath, BATH)
    dispatch.accept(work=work, by=ground.manager, at=NOW)
    assert dispatch.accept(work=work, by=ground.manager, at=NOW).state == "accepted"
    assert refusal(lambda: dispatch.decline(work=work, reason=" ", by=ground.manager, at=NOW)) == "no_reason"
    first = dispatch.candidates(again(work))
    assert [(one.caregiver.code, one.can_go, one.planned) for one in first] == [
        ("CG01", True, True),
        ("CG02", True, False),
    ]
    dispatch.assign(work=work, caregiver=ground.he, by=ground.manager, at=NOW)
    assert (again(work).caregiver, again(work).appointment.caregiver) == (ground.he, ground.he)
    later = ground.bring(ground.bath, BATH_LATER, ground.wang)
    WorkOrder.objects.filter(pk=later.pk).update(starts_at=BATH + 30 * MINUTE)
    assert (
        refusal(lambda: dispatch.assign(work=later, caregiver=ground.he, by=ground.manager, at=NOW)) == "busy"
    )
    WorkOrder.objects.filter(pk=later.pk).update(starts_at=BATH_LATER)
    ground.he.qualifications.filter(kind="care").update(valid_until=moment("2026-01-05").date())
    assert (
        refusal(lambda: dispatch.assign(work=later, caregiver=ground.he, by=ground.manager, at=NOW))
        == "not_fit"
    )
    dispatch.decline(work=later, reason="当天没有人手", by=ground.manager, at=NOW)
    assert (again(later).state, again(later).closed_for, purse(ground.wang)[1]) == (
        "declined",
        "当天没有人手",
        yuan(0),
    )
    assert "当天没有人手" in Message.objects.get(kind="order_declined").text()
    lunch = ground.order((ground.lunch, moment("2026-01-06 11:30"))).work.get()
    assert (
        refusal(lambda: dispatch.assign(work=lunch, caregiver=ground.wu, by=ground.manager, at=NOW))
        == "nobody_needed"
    )
    assert refusal(lambda: dispatch.no_show(work=lunch, reason="x", by=ground.manager, at=NOW)) == "too_early"
    noon = moment("2026-01-06 13:00")
    dispatch.no_show(work=lunch, reason="没有来", by=ground.manager, at=noon)
    assert refusal(lambda: dispatch.accept(work=lunch, by=ground.manager, at=noon)) == "closed"
    tell(work, ground.he, "arrived", BATH)
    assert refusal(lambda: dispatch.decline(work=work, reason="x", by=ground.manager, at=NOW)) == "under_way"


def test_the_way_between_two_homes_takes_time(ground):
    """Two communities 9 km apart: 45 minutes, a quarter of an hour of which every visit includes."""
    from tests import story

    hills = story.division("430201002001", "远山社区", "community", ground.street)
    inn = story.premises("PR09", hills, name="远山客栈")
    inn.longitude, inn.latitude = "113.221500", "27.830000"
    inn.save()
    ground.wang.division = hills
    ground.wang.save()
    ground.bath_of()
    work = ground.bring(
        ground.bath, BATH_LATER, ground.wang
    )  # right after the first one, as the diary allows
    assert (
        refusal(lambda: dispatch.assign(work=work, caregiver=ground.wu, by=ground.manager, at=NOW))
        == "too_far"
    )
    assert {one.caregiver.code: one.problem for one in dispatch.candidates(again(work))} == {
        "CG02": "",
        "CG01": "too_far",
    }
    WorkOrder.objects.filter(pk=work.pk).update(
        starts_at=BATH_LATER + 30 * MINUTE, ends_at=BATH_LATER + 120 * MINUTE
    )
    dispatch.assign(work=work, caregiver=ground.wu, by=ground.manager, at=NOW)


# At once


def test_two_at_once(fresh_db):
    """One caregiver's two telephones, one visit told five times, two orders for one caregiver."""
    ground = Homes()
    li, wang = ground.bath_of(), ground.bath_of(ground.wang, BATH_LATER)
    answers = at_once([
        lambda: tell(li, ground.wu, "arrived", BATH, at=BATH_LATER),
        lambda: tell(wang, ground.wu, "arrived", BATH_LATER),
    ])  # fmt: skip
    codes = sorted(getattr(one, "code", "taken") for one in answers)
    assert codes in (["elsewhere", "taken"], ["overlaps", "taken"]), codes
    assert Visit.objects.count() == 1
    here = Visit.objects.get().hold.work
    who = here.order.elder
    start = here.starts_at
    shown = start + 10 * MINUTE
    tell(here, ground.wu, "confirmed", shown, credential=code_of(who, shown), at=shown + 30 * MINUTE)
    leave = lambda: tell(here, ground.wu, "left", start + 40 * MINUTE, key="same")  # noqa: E731
    answers = at_once([leave] * 5)
    assert [one.repeated for one in answers].count(False) == 1, answers
    assert Redemption.objects.count() == 1
    assert not violations()
