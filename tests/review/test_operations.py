"""Running the rules, parameters by date, and what people do with cases; on the ground of tests/story.py."""

from collections import deque
from datetime import date, time
from decimal import Decimal

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction

from ledger.models import Record
from providers.models import Closure, OpeningHours, Premises
from tests import databases, story, threads
from tests.config import processes
from vouchers.models import Claim, Redemption, ReviewCase, ReviewProgress, RuleTerms
from vouchers.proof.queries import prove
from vouchers.redemption import operations as redemption
from vouchers.review import operations
from vouchers.review.operations import CannotHold, hold_back, release_all, review_month, review_new
from vouchers.review.parameters import CannotSetTerms, in_force, set_terms
from vouchers.settlement.queries import sums

MARCH = story.MARCH
NOW = story.moment("2026-03-20 09:00")


def run(month: date = MARCH, **options) -> dict[str, int]:
    return dict(review_month(month=month, by="rules", at=NOW, **options))


def new() -> dict[str, int]:
    return dict(review_new(by="rules", clock=lambda: NOW))


@pytest.fixture
def town(db):
    """March, with one meal of Grandma Li's told twice."""
    story.town()
    story.issue_on("2026-03-01")
    story.redeem("once", "LI", "MEAL", "PM01", "2026-03-10 11:30")
    story.redeem("twice", "LI", "MEAL", "PM01", "2026-03-10 11:36")
    story.redeem("fine", "ZHANG", "MEAL", "PM01", "2026-03-10 11:31")


def case(rule: str = "duplicate") -> ReviewCase:
    return ReviewCase.objects.get(reason=rule)


def counted() -> tuple[int, int]:
    """How many claims of LS01 count towards March, and how many are held back."""
    found = sums(MARCH)[story.Lease.objects.get(code="LS01").id]
    return found.redemptions, found.held


def test_a_finding_opens_one_case_and_only_marks(town):
    assert run() == {"duplicate": 1}
    assert case().redemption == story.redeemed("twice") and not case().holds
    assert case().facts == {"minutes": 6, "beside": [story.redeemed("once").number]}
    assert counted() == (3, 0)  # marked, it counts
    assert run() == {} and new() == {}
    assert Record.objects.get(action="review_redemptions").detail == {"duplicate": 1}


def test_only_the_rule_that_was_asked_for(town):
    assert run(rules=["closed", "late"]) == {}
    assert run(rules=["duplicate"]) == {"duplicate": 1}


def set_rule(**changes) -> RuleTerms:
    asked = {
        "rule": "duplicate", "valid_from": MARCH, "active": True, "holds": True, "values": {"minutes": 15},
        "reason": "two windows", "by": story.user_named("approver"), "at": NOW,
    }  # fmt: skip
    return set_terms(**{**asked, **changes})


def test_parameters_hold_from_their_month_on(town):
    set_rule(values={"minutes": 5})
    assert in_force(story.FEBRUARY)["duplicate"].values == {"minutes": 15}
    assert in_force(story.APRIL)["duplicate"].values == {"minutes": 5}
    assert run() == {}
    set_rule(values={"minutes": 6})  # what was set last counts
    assert run() == {"duplicate": 1}
    assert case().holds and counted() == (2, 1)
    assert not [one.name for one in prove() if one.violations]


def test_a_rule_may_rest(town):
    set_rule(active=False)
    assert run() == {} and new() == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"values": {"minutes": 0}}, "out_of_range"),
        ({"values": {"hours": 1}}, "out_of_range"),
        ({"valid_from": date(2026, 3, 2)}, "month_locked"),
        ({"valid_from": date(2026, 1, 1)}, "month_locked"),
        ({"reason": " "}, "no_reason"),
        ({"by": "clerk"}, "wrong_role"),
    ],
)
def test_parameters_that_are_refused(town, changes, code):
    story.draw_up(MARCH, at="2026-04-01")  # February and all before it are locked now
    if changes.get("by"):
        changes = {"by": story.user_named(changes["by"])}
    with pytest.raises(CannotSetTerms) as refused:
        set_rule(**changes)
    assert refused.value.code == code and str(refused.value)
    assert not RuleTerms.objects.exists()


def test_hold_back_release_reject(town):
    run()
    clerk = story.user_named("clerk")
    with pytest.raises(CannotHold) as refused:
        hold_back(case=case(), by=story.user_named("officer"), at=NOW, reason="no")
    assert refused.value.code == "wrong_role"
    hold_back(case=case(), by=clerk, at=NOW, reason="ask her")
    assert counted() == (2, 1)
    assert (case().held_by, case().held_at, case().held_for) == ("clerk", NOW, "ask her")
    with pytest.raises(CannotHold):
        hold_back(case=case(), by=clerk, at=NOW, reason="again")
    story.decide("twice", release=True, at="2026-03-21")
    assert counted() == (3, 0) and case().decision == "released" and case().decided_by == "clerk"
    assert run() == {}  # decided once, it is not found again
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewCase.objects.create(redemption=case().redemption, reason="duplicate", opened_at=NOW)


def test_rejecting_a_mark_reverses(town):
    run()
    story.decide("twice", release=False, at="2026-03-21")
    assert story.redeemed("twice").reversed_on == date(2026, 3, 21) and case().decision == "rejected"
    assert counted() == (2, 0)
    assert run() == {}


def test_a_redemption_reversed_meanwhile_gets_no_case(town):
    story.reverse("twice", "2026-03-11")
    assert run() == {}


def test_many_are_released_and_what_cannot_be_is_said(town):
    run()
    both = [story.redeemed("twice"), story.redeemed("fine")]
    done, refused = release_all(redemptions=both, by=story.user_named("clerk"), at=NOW, reason="checked")
    assert done == 1 and [(row.key, error.code) for row, error in refused] == [("fine", "not_under_review")]


def test_what_stands_on_an_approved_statement_stays_and_is_listed(story_db):
    """A case about a redemption of a locked month: nothing moves until it is rejected, then in the open month."""
    before = dict(Claim.objects.values_list("redemption_id", "statement_id"))
    found = review_month(month=story.JANUARY, by="rules", at=NOW, rules=["late"])
    assert found.total() == 0
    set_terms_of_locked = RuleTerms.objects.create(  # as if it had been set in time
        rule="too_much",
        valid_from=story.JANUARY,
        holds=True,
        values={"meals": 1},
        reason="test",
        by="t",
        at=NOW,
    )
    assert set_terms_of_locked.holds
    assert review_month(month=story.JANUARY, by="rules", at=NOW, rules=["too_much"]).total() > 0
    standing = ReviewCase.objects.filter(reason="too_much", redemption__claims__statement__isnull=False)
    assert standing.exists() and dict(Claim.objects.values_list("redemption_id", "statement_id")) == before
    assert not [one.name for one in prove() if one.violations]
    key = standing.exclude(redemption__reversed_on__isnull=False).first().redemption.key
    story.decide(key, release=False, at="2026-04-02")
    assert not [one.name for one in prove() if one.violations]


def test_a_death_learnt_later_has_its_case_and_the_rule_opens_no_second(town):
    story.dies("LI", "2026-03-09", at="2026-03-15")
    assert ReviewCase.objects.filter(reason="after_death").count() == 2
    assert run() == {"duplicate": 1}
    story.decide("once", release=True, at="2026-03-16")
    assert run(rules=["after_death"]) == {}  # cleared by a person: the rule does not ask again


def apart() -> None:
    """PM01 and PM02 lie 40 km from one another."""
    for code, east in (("PM01", "113.00"), ("PM02", "113.40")):
        Premises.objects.filter(code=code).update(longitude=east, latitude="27.80")


def names(rule: str) -> set[str]:
    return set(ReviewCase.objects.filter(reason=rule).values_list("redemption__key", flat=True))


@pytest.mark.parametrize("first", ["last of March", "first of April"])
def test_a_pair_over_a_months_midnight_is_named_in_both_months(town, first):
    """Whole months each name their own; as they come in, whichever is told first. Control: each alone is nothing."""
    apart()
    told = [
        ("last of March", "PM01", "2026-03-31 23:58"),
        ("first of April", "PM02", "2026-04-01 00:04"),
    ]
    for key, where, when in sorted(told, key=lambda one: one[0] != first):
        assert not run(story.MARCH, rules=["too_far"]) and not run(story.APRIL, rules=["too_far"])
        assert "too_far" not in new()
        story.redeem(key, "LI", "MEAL", where, when, at="2026-04-02")
    if first == "first of April":
        assert new()["too_far"] == 2
    else:
        assert run(story.MARCH, rules=["too_far"]) == {"too_far": 1}
        assert names("too_far") == {"last of March"}
        assert run(story.APRIL, rules=["too_far"]) == {"too_far": 1}
    assert names("too_far") == {"last of March", "first of April"}


def at_tablet(key: str, who: str, day: int, tablet: int) -> None:
    order = story.order_of(key, who, "MEAL", "PM01", f"2026-03-{day:02d} 12:00")
    scope = f"terminal:{tablet}"
    redemption.redeem(order=order, by=scope, at=story.moment(f"2026-03-{day:02d} 12:01"), key_scope=scope)


def test_always_the_same_tablet_though_a_carer_came_home_once(town):
    """Two tablets; she meets only one, he both. What is brought home says nothing about the counter."""
    for day in range(1, 13):
        at_tablet(f"li {day}", "LI", day, 1)
        at_tablet(f"zhang {day}", "ZHANG", day, 2)
    at_tablet("zhang 13", "ZHANG", 13, 1)
    bath = story.service("BATH", "home_care", "visit")
    story.price(bath, 60, government=10)
    story.offer(Premises.objects.get(code="PM01"), bath)
    visit = story.order_of("bath", "LI", "BATH", "PM01", "2026-03-14 09:00")
    redemption.redeem(
        order=visit, by="caregiver:CG01", at=story.moment("2026-03-14 11:00"), key_scope="visits"
    )
    assert new()["one_cashier"] == 1
    found = case("one_cashier")
    assert found.redemption.elder.code == "LI" and found.facts["cashier"] == "terminal:1"
    assert (found.facts["cashiers"], found.facts["usual"]) == (2, 52)
    assert run(rules=["one_cashier"]) == {}


# What is new


def test_new_redemptions_are_looked_at_once_settled(town):
    assert new() == {"duplicate": 1}
    progress = ReviewProgress.objects.get()
    top = Redemption.objects.latest("id").id
    assert progress.through <= top == progress.seen  # a transaction of another test may be under way
    story.redeem("thrice", "LI", "MEAL", "PM01", "2026-03-10 11:40")
    assert new() == {"duplicate": 1}


def test_the_mark_waits_for_whoever_drew_a_lower_number(fresh_db):
    """A redemption under way while a later one is looked at is found when it appears. Control: a mark that ran
    ahead would miss it."""
    story.town()
    story.issue_on("2026-03-01")
    story.redeem("early", "ZHANG", "MEAL", "PM01", "2026-03-10 11:20")
    with databases.superuser(fresh_db) as other:
        other.autocommit = False
        # As a redemption does: the elder is locked, then a number drawn.
        other.execute("SELECT id FROM vouchers_elder WHERE code = 'WANG' FOR NO KEY UPDATE")
        drawn = other.execute("SELECT nextval('vouchers_redemption_id_seq')").fetchone()[0]
        story.redeem("once", "LI", "MEAL", "PM01", "2026-03-10 11:30")
        later = story.redeemed("once")
        assert drawn < later.id
        for _turn in range(3):
            new()
        assert ReviewProgress.objects.get().through < drawn < later.id == ReviewProgress.objects.get().seen
        # What it writes in the end: a copy of the later one under its own number, six minutes on.
        columns = [
            f.column for f in Redemption._meta.concrete_fields if f.column not in ("id", "key", "happened_at")
        ]
        names = ", ".join(columns)
        other.execute(
            f"INSERT INTO vouchers_redemption (id, key, happened_at, {names}) "
            f"SELECT {drawn}, 'slow', happened_at + interval '6 minutes', {names} FROM vouchers_redemption WHERE id = {later.id}"
        )
        other.commit()
    assert new()["duplicate"] == 1
    assert case().redemption_id == drawn
    # Transactions of other tests hold the mark of the whole server back for a while, no longer this one's.
    processes.wait_until(
        lambda: (new(), ReviewProgress.objects.get().through == later.id)[1], seconds=900, pause=2
    )


def test_the_mark_moves_though_others_are_always_under_way(fresh_db):
    """Each of their transactions begins before the last one has ended, and two looks fall into it."""
    story.town()
    story.issue_on("2026-03-01")
    story.redeem("once", "LI", "MEAL", "PM01", "2026-03-10 11:30")
    top = story.redeemed("once").id
    others: deque[psycopg.Connection] = deque()

    def turn() -> bool:
        others.append(databases.superuser(fresh_db))
        others[-1].autocommit = False
        others[-1].execute("SELECT pg_current_xact_id()")
        new()
        if len(others) > 1:
            others.popleft().close()
        return ReviewProgress.objects.get().through == top

    processes.wait_until(turn, seconds=900)
    others.pop().close()


def test_two_at_once_look_once(fresh_db):
    story.town()
    story.issue_on("2026-03-01")
    for n, minute in enumerate((30, 36, 42)):
        story.redeem(f"meal-{n}", "LI", "MEAL", "PM01", f"2026-03-10 11:{minute}")

    def month():
        return review_month(month=MARCH, by="rules", at=NOW)

    answers = threads.at_once([month, new, month, new])
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    assert ReviewCase.objects.count() == 2
    assert sum(sum(answer.values()) for answer in answers) == 2


def test_killed_half_way_the_next_run_opens_the_rest(town, monkeypatch):
    """The case is written, the mark is not: looking again opens nothing twice and moves on."""

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(operations, "_seen", killed)
        with pytest.raises(KeyboardInterrupt):
            new()
    assert ReviewCase.objects.count() == 1 and ReviewProgress.objects.get().seen == 0
    assert new() == {} and ReviewProgress.objects.get().seen > 0


def test_after_a_large_load_months_are_run_whole(town, monkeypatch):
    monkeypatch.setattr(operations, "MANY", 2)
    monkeypatch.setattr(operations, "_look_at", None)  # nobody asks for single ones
    assert new() == {"duplicate": 1}


def test_the_number_of_questions_does_not_grow_with_the_month(town, django_assert_max_num_queries):
    from django.test.utils import CaptureQueriesContext

    def asked() -> int:
        with CaptureQueriesContext(connections["default"]) as queries:
            run()
        return len(queries)

    run()
    few = asked()
    for day in range(1, 20):
        story.redeem(f"more-{day}", "WANG", "MEAL", "PM02", f"2026-03-{day:02d} 12:00", at="2026-03-20 08:00")
        story.redeem(
            f"other-{day}", "ZHAO", "MEAL", "PM02", f"2026-03-{day:02d} 12:00", at="2026-03-20 08:00"
        )
    assert run() == {}
    assert asked() == few


def test_opening_hours_and_closures_are_known(town):
    """Tuesday 10 March: open from half past twelve on, and closed altogether at PM02; no hours on Wednesdays."""
    noon = {"opens_at": time(12, 30), "closes_at": time(14), "weekday": 1}
    for code in ("PM01", "PM02"):
        OpeningHours.objects.create(premises=Premises.objects.get(code=code), **noon)
    Closure.objects.create(
        premises=Premises.objects.get(code="PM02"), starts_on=date(2026, 3, 9), ends_on=date(2026, 3, 10)
    )
    story.redeem("open", "WANG", "MEAL", "PM01", "2026-03-10 12:40")
    story.redeem("shut", "WANG", "MEAL", "PM02", "2026-03-10 12:45")
    story.redeem("wednesday", "ZHAO", "MEAL", "PM01", "2026-03-11 12:45")
    assert run(rules=["closed"]) == {"closed": 5}
    facts = dict(ReviewCase.objects.values_list("redemption__key", "facts"))
    assert facts["fine"] == {"clock": "11:31", "hours": ["12:30–14:00"]}
    assert facts["shut"] == {"clock": "12:45"} and "open" not in facts


def test_what_files_tell_late_counts_once_its_month_was_locked(town):
    story.redeem("in-time", "WANG", "MEAL", "PM01", "2026-03-01 11:30", at="2026-04-03")
    assert run(rules=["late"]) == {}
    assert story.settle(MARCH, at="2026-04-04")
    story.redeem("too-late", "WANG", "MEAL", "PM01", "2026-03-02 11:30", at="2026-04-05")
    story.redeem("soon", "WANG", "MEAL", "PM01", "2026-03-31 11:30", at="2026-04-05")
    assert run(rules=["late"]) == {"late": 1}
    assert case("late").redemption == story.redeemed("too-late")


def test_facts_name_nobody(town):
    story.dies("LI", "2026-03-09", at="2026-03-15")
    run()
    told = " ".join(str(facts) for facts in ReviewCase.objects.values_list("facts", flat=True))
    assert "李" not in told and "1946" not in told


def test_the_terms_row_is_written_once(town):
    set_rule()
    with (
        pytest.raises(Exception, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE vouchers_ruleterms SET holds = false")


def test_money_of_a_held_one_waits_for_the_next_month(town):
    """Held by a rule over the close of its month, released after: it counts late (rules.md section 7)."""
    set_rule()
    run()
    assert story.settle(MARCH, at="2026-04-02")
    statement = story.statement("LS01", MARCH)
    assert (statement.earned, statement.under_review) == (Decimal("24.00"), 1)
    story.decide("twice", release=True, at="2026-04-05")
    story.draw_up(story.APRIL, at="2026-05-01")
    assert story.statement("LS01", story.APRIL).late == Decimal("12.00")
    assert not [one.name for one in prove() if one.violations]
