"""What stands in the way of a month, and what of a statement of which nothing is left (rules.md section 7)."""

import pytest

from tests import story
from tests.story import FEBRUARY, JANUARY, moment
from tests.vouchers.test_settlement_people import AT, ground, now, sound
from vouchers.models import Statement
from vouchers.payouts.operations import draw_up_payouts, take_payout_steps
from vouchers.settlement.objections import CannotObject, deem_silent_confirmed, object_to
from vouchers.settlement.operations import CannotSettle, lock_if_complete, settle, take_step, take_steps
from vouchers.settlement.queries import claims_of, without_statement

MARCH_1 = "2026-03-01 08:00"
PEOPLE = {"confirm": "clerk", "review": "officer", "approve": "approver"}


def left_empty() -> dict[int, str]:
    """February: LS03 has ended, and only a late meal gives it a statement; it is looked at, then reversed."""
    ground()
    story.settle(JANUARY, at=AT)
    story.redeem("late", "LI", "MEAL", "PM03", "2026-01-25 11:30", at="2026-02-03 09:00")
    story.draw_up(FEBRUARY, at=MARCH_1)
    seen = dict(Statement.objects.filter(month=FEBRUARY).values_list("pk", "digest"))
    assert len(seen) == 3 and story.statement("LS03", FEBRUARY).late == 12
    story.reverse("late", MARCH_1)
    return seen


def all_at_once(seen: dict[int, str], step: str):
    return take_steps(seen=seen, step=step, by=story.user_named(PEOPLE[step]), clock=lambda: moment(MARCH_1))


def test_one_of_which_nothing_is_left_stops_no_other(db):
    seen = left_empty()
    outcome = all_at_once(seen, "confirm")
    assert [str(one) for one in outcome.taken] == ["LS01 2026-02", "LS02 2026-02"]
    assert [(str(one), why.code) for one, why in outcome.refused] == [("LS03 2026-02", "nothing_left")]
    assert not Statement.objects.filter(lease__code="LS03", month=FEBRUARY).exists()
    again = all_at_once(seen, "confirm")  # the job killed half-way and run once more
    assert len(again.taken) == 2 and not again.refused and again.gone == 1
    all_at_once(seen, "review")
    assert all_at_once(seen, "approve").locked and sound()


def test_whoever_looked_at_it_is_told_that_it_is_gone(db):
    left_empty()
    looked_at = story.statement("LS03", FEBRUARY)
    people = {step: story.user_named(name) for step, name in PEOPLE.items()}
    for _ in range(2):  # who takes it out, and who comes after
        with pytest.raises(CannotSettle) as refusal:
            take_step(statement=looked_at, step="confirm", by=people["confirm"], at=moment(MARCH_1))
        assert refusal.value.code == "nothing_left" and str(refusal.value)
    outcomes = settle(month=FEBRUARY, people=people, clock=lambda: moment(MARCH_1))
    assert [(str(one), why) for one, why in outcomes] == [("LS01 2026-02", None), ("LS02 2026-02", None)]


def test_a_rehearsal_goes_on_where_one_falls_away(db):
    left_empty()
    people = {step: story.user_named(name) for step, name in PEOPLE.items()}
    outcomes = settle(month=FEBRUARY, people=people, clock=lambda: moment(MARCH_1))
    assert [(one.lease.code, why.code if why else None) for one, why in outcomes] == [
        ("LS01", None), ("LS02", None), ("LS03", "nothing_left"),
    ]  # fmt: skip
    assert lock_if_complete(month=FEBRUARY, by="test", at=moment(MARCH_1)) and sound()


def test_silence_takes_it_out_and_confirms_the_others(db):
    left_empty()
    done = deem_silent_confirmed(today=story.day("2026-04-01"), by="nightly", at=moment("2026-04-01"))
    assert [str(one) for one in done] == ["LS01 2026-02", "LS02 2026-02"]
    assert not Statement.objects.filter(lease__code="LS03", month=FEBRUARY).exists()


def test_a_lease_without_a_statement_keeps_the_month_open(db):
    """LS04 is loaded after the month was drawn up: all that was drawn is posted, and yet nothing is locked."""
    ground()
    crane = story.Operator.objects.get(code="OP01")
    place = story.premises("PM04", story.Division.objects.get(code="98010101"))
    story.lease("LS04", place, crane, starts_on="2026-01-10")
    clerk, officer, approver = (story.user_named(name) for name in PEOPLE.values())
    people = {"confirm": clerk, "review": officer, "approve": approver}
    settle(month=JANUARY, people=people, clock=lambda: moment(AT))
    assert list(without_statement(JANUARY).values_list("code", flat=True)) == ["LS04"]
    assert not lock_if_complete(month=JANUARY, by="test", at=moment(AT))
    assert story.settle(JANUARY, at=AT) and sound()  # drawn up again, it has one


def test_an_objection_is_about_a_line_of_its_very_figure(db):
    """Of January, of another month, of another figure: only the first is part of what is objected to."""
    ground()
    story.settle(JANUARY, at=AT)
    story.issue_on("2026-02-01", at="2026-02-03")
    story.redeem("february", "LI", "MEAL", "PM01", "2026-02-05 11:30")
    story.redeem("late", "ZHANG", "MEAL", "PM01", "2026-01-30 11:30", at="2026-02-05 12:00")
    story.draw_up(FEBRUARY, at=MARCH_1)
    found, manager = story.statement("LS01", FEBRUARY), story.user_named("manager-op01")

    def says(figure: str, key: str) -> str | None:
        try:
            object_to(
                statement=found, figure=figure, redemption=story.redeemed(key), text="not so", by=manager,
                at=moment(MARCH_1),
            )  # fmt: skip
        except CannotObject as refusal:
            return refusal.code
        return None

    for figure, key in (
        ("earned", "li"), ("earned", "late"), ("late", "february"), ("charge", "february"), ("late", "zhang"),
    ):  # fmt: skip
        assert says(figure, key) == "not_on_statement", (figure, key)
    assert says("earned", "february") is None and says("late", "late") is None  # control


def test_what_was_held_back_when_it_was_posted_stays_what_the_statement_says(db):
    """QIAN is said to be dead: the meal is held back over January's posting, then cleared and counted in March."""
    ground()
    story.redeem("qian", "QIAN", "MEAL", "PM01", "2026-01-10 11:30")
    story.dies("QIAN", "2026-01-09", at="2026-01-30")
    story.settle(JANUARY, at=AT)

    def held() -> list[str]:
        return [one.redemption.key for one in claims_of(now(), "under_review").select_related("redemption")]

    assert now().under_review == 1 and held() == ["qian"]
    story.decide("qian", release=True, at="2026-02-10")
    assert held() == ["qian"]
    story.settle(FEBRUARY, at=MARCH_1)
    assert held() == ["qian"]
    later = story.statement("LS01", FEBRUARY)
    assert later.late == 12 and later.under_review == 0 and not claims_of(later, "under_review").exists()


def test_a_payout_list_falls_away_likewise(db):
    ground()
    [drawn] = draw_up_payouts(month=JANUARY, by="test", at=moment(AT))
    for key in ("li", "zhang"):
        story.reverse(key, AT)
    seen, clerk = {drawn.pk: drawn.digest}, story.user_named("clerk")
    for refused, gone in ((["nothing_left"], 0), ([], 1)):
        outcome = take_payout_steps(seen=seen, step="confirm", by=clerk, clock=lambda: moment(AT))
        assert [why.code for _list, why in outcome.refused] == refused and outcome.gone == gone
        assert not outcome.taken
