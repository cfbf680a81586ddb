"""Call-backs from the draw to the proposed share; pages and database draw alike."""

from decimal import Decimal

import pytest

from tests import story
from vouchers.models import CallBack, CallBackRound, Redemption, ReviewCase
from vouchers.proof.queries import prove
from vouchers.review.call_backs import CannotCall, answer, draw_round, drawn_again, results
from vouchers.review.operations import review_month
from vouchers.review.parameters import set_terms
from vouchers.review.sampling import draw, sample_size

NOW = story.moment("2026-04-02 09:00")


@pytest.fixture
def march(db):
    story.town()
    story.user("agent", "hotline_agent")
    story.issue_on("2026-03-01")
    for day in range(1, 29):
        for who in ("LI", "ZHANG"):
            story.redeem(f"{who}-{day}", who, "MEAL", "PM01", f"2026-03-{day:02d} 11:30")
        story.redeem(f"W-{day}", "WANG", "MEAL", "PM02", f"2026-03-{day:02d} 11:30")
    story.reverse("W-1", "2026-03-02")


def drawn(**changes) -> CallBackRound:
    asked = {
        "month": story.MARCH, "confidence": Decimal("0.95"), "margin": Decimal("0.10"), "seed": "dice 4 2 6",
        "by": story.user_named("clerk"), "at": NOW,
    }  # fmt: skip
    return draw_round(**{**asked, **changes})


def numbers(round_: CallBackRound, operator: str) -> list[int]:
    return list(
        CallBack.objects.filter(round=round_, operator__code=operator)
        .order_by("id")
        .values_list("redemption", flat=True)
    )


def test_of_each_operator_as_many_as_asked_and_whom_the_seed_says(march):
    round_ = drawn()
    for operator, population in (("OP01", 56), ("OP02", 27)):
        of_it = Redemption.objects.filter(lease__operator__code=operator, reversed_on=None).values_list(
            "id", flat=True
        )
        assert len(of_it) == population
        size = sample_size(population, confidence=0.95, margin=0.10)
        assert numbers(round_, operator) == draw(of_it, size, seed="dice 4 2 6")


def test_the_draw_can_be_made_again_whatever_came_since(march):
    round_ = drawn()
    first = {row: numbers(round_, row) for row in ("OP01", "OP02")}
    story.redeem("later", "LI", "MEAL", "PM01", "2026-03-29 11:30", at="2026-04-03")
    gone = Redemption.objects.get(id=first["OP01"][0])
    story.reverse(gone.key, "2026-04-03")
    again = drawn_again(round_)
    assert sorted(again.values()) == sorted(first.values())
    other = drawn(seed="dice 1 1 1", at=story.moment("2026-04-04"))
    assert numbers(other, "OP01") != first["OP01"]
    assert gone.id not in numbers(other, "OP01")


def say_no(round_, call=None, at=NOW):
    call = call or CallBack.objects.filter(round=round_, result="").first()
    return answer(call=call, result="denied", note="", by=story.user_named("agent"), at=at)


def set_rule(**changes):
    asked = {
        "rule": "denied", "valid_from": story.MARCH, "active": True, "holds": False, "values": {},
        "reason": "as agreed", "by": story.user_named("approver"), "at": NOW,
    }  # fmt: skip
    return set_terms(**{**asked, **changes})


def test_a_denial_opens_a_case_that_marks_or_holds_as_the_rule_says(march):
    round_ = drawn()
    said_yes = CallBack.objects.filter(round=round_).first()
    answer(call=said_yes, result="confirmed", note="", by=story.user_named("agent"), at=NOW)
    assert not ReviewCase.objects.exists()
    call = say_no(round_)
    case = ReviewCase.objects.get()
    assert (case.redemption, case.reason, case.holds) == (call.redemption, "denied", False)
    assert case.facts == {"asked_on": "2026-04-02"}
    set_rule(holds=True)
    held = say_no(round_)
    assert ReviewCase.objects.get(redemption=held.redemption).holds
    assert not review_month(month=story.MARCH, by="rules", at=NOW)  # nothing twice
    set_rule(active=False)
    silent = say_no(round_)
    gone = CallBack.objects.filter(round=round_, result="").first()
    story.reverse(gone.redemption.key, "2026-04-02")
    set_rule()
    say_no(round_, gone)
    assert ReviewCase.objects.count() == 2, "neither while the rule rests, nor of what was reversed"
    assert review_month(month=story.MARCH, by="rules", at=NOW) == {"denied": 1}
    assert ReviewCase.objects.latest("id").redemption == silent.redemption
    assert not [one.name for one in prove() if one.violations]


def test_what_the_answers_say(march):
    round_ = drawn()
    agent = story.user_named("agent")
    calls = list(CallBack.objects.filter(round=round_, operator__code="OP01"))
    for n, call in enumerate(calls):
        result = "unreached" if n == 0 else "denied" if n <= 8 else "confirmed"
        answer(call=call, result=result, note="", by=agent, at=NOW)
    first, second = results(round_)
    assert first.operator.code == "OP01" and (first.population, first.drawn, first.open, first.unreached) == (
        56,
        len(calls),
        0,
        1,
    )
    asked = len(calls) - 1
    assert first.rate.asked == asked and first.rate.denied == 8
    assert Decimal("0.05") < first.rate.proposed < Decimal(8) / asked
    assert first.held == (first.value * first.rate.proposed).quantize(Decimal("0.01"))
    assert second.rate is None and second.held == 0 and second.open == second.drawn


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"margin": Decimal("0.5")}, "out_of_range"),
        ({"confidence": Decimal("0.5")}, "out_of_range"),
        ({"month": story.JANUARY}, "nothing_to_ask"),
        ({"by": "agent"}, "wrong_role"),
        ({}, "drawn_before"),
    ],
)
def test_draws_that_are_refused(march, changes, code):
    drawn()
    if changes.get("by"):
        changes = {"by": story.user_named(changes["by"])}
    with pytest.raises(CannotCall) as refused:
        drawn(**changes)
    assert refused.value.code == code and str(refused.value)
    assert CallBackRound.objects.count() == 1


def test_a_result_is_entered_once_by_those_who_call(march):
    call = CallBack.objects.filter(round=drawn()).first()
    with pytest.raises(CannotCall) as refused:
        answer(call=call, result="denied", note="", by=story.user_named("officer"), at=NOW)
    assert refused.value.code == "wrong_role"
    answer(call=call, result="denied", note="was in hospital", by=story.user_named("agent"), at=NOW)
    with pytest.raises(CannotCall) as refused:
        answer(call=call, result="confirmed", note="", by=story.user_named("agent"), at=NOW)
    assert refused.value.code == "answered_before"
    assert CallBack.objects.get(id=call.id).result == "denied"
