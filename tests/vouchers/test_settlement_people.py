"""Three people of three roles (rules.md section 7; strength.md 11): only the legal path leads to approval."""

import threading

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import QuerySet

from ledger.models import Entry
from marketplace.accounts.models import User
from providers.models import RentCharge
from tests import databases, story
from tests.story import JANUARY, moment
from vouchers.models import Approval, Statement
from vouchers.proof.queries import prove
from vouchers.settlement.operations import CannotSettle, close_month, decide_review, take_step

STEPS = ("confirm", "review", "approve")
LEGAL = {
    "confirm": {"manager-op01", "clerk"},
    "review": {"officer", "officer-east"},
    "approve": {"approver"},
}
PATH = {"confirm": "manager-op01", "review": "officer-east", "approve": "approver"}
AT = "2026-02-02 10:00"


def ground() -> None:
    """The town with a little of January in it, drawn up. LS01 lies in the east and is OP01's."""
    story.town()
    story.user("member", "cashier", operator=story.Operator.objects.get(code="OP01"))
    story.user("carer", "caregiver", operator=story.Operator.objects.get(code="OP01"))
    story.user("hotline", "hotline_agent")
    User.objects.create_superuser("root", "not a password")
    story.issue_on("2026-01-01")
    story.redeem("li", "LI", "MEAL", "PM01", "2026-01-05 11:30", quantity=2)
    story.redeem("zhang", "ZHANG", "MEAL", "PM01", "2026-01-06 11:30")
    story.draw_up(JANUARY, at="2026-02-01 08:00")


@pytest.fixture
def drawn(db) -> None:
    ground()


def now() -> Statement:
    return story.statement("LS01", JANUARY)


def step(which: str, by: str | None = None, *, seen: str = "") -> Statement:
    return take_step(
        statement=now(), step=which, by=story.user_named(by or PATH[which]), at=moment(AT), seen=seen
    )


def refused(which: str, by: str | None = None, **options) -> str | None:
    """The code of refusal, None when the step was taken."""
    try:
        step(which, by, **options)
    except CannotSettle as refusal:
        return refusal.code
    return None


def until(which: str) -> None:
    """Take the steps before `which`, as the people whose they are."""
    for before in STEPS[: STEPS.index(which)]:
        step(before)


def sound() -> bool:
    return not [one for one in prove() if one.violations]


def test_the_legal_path(drawn):
    """The control of everything here."""
    for which, state in zip(STEPS, ("confirmed", "reviewed", "approved"), strict=True):
        assert now().state != state
        assert refused(which) is None
        assert now().state == state
    done = now()
    assert [(one.step, one.by.username, one.digest) for one in done.approvals.all()] == [
        (which, PATH[which], done.digest) for which in STEPS
    ]
    assert done.entry is not None and sound()


@pytest.mark.parametrize("which", STEPS)
def test_who_may_take_which_step(drawn, which):
    until(which)
    people = list(User.objects.order_by("id").values_list("username", flat=True))
    assert len(people) >= 13
    allowed = set()
    for name in people:
        with transaction.atomic():
            code = refused(which, name)
            assert code in (None, "wrong_role", "same_person"), code
            if code is None:
                allowed.add(name)
            transaction.set_rollback(True)
    assert allowed == LEGAL[which]


@pytest.mark.parametrize("which", STEPS)
def test_people_who_left_may_do_nothing(drawn, which):
    until(which)
    User.objects.filter(username=PATH[which]).update(is_active=False)
    assert refused(which) == "wrong_role"
    User.objects.filter(username=PATH[which]).update(is_active=True)
    assert refused(which) is None


def test_a_clerk_records_a_signed_paper_and_a_manager_does_not(drawn):
    step("confirm", "clerk")
    assert now().approvals.get().on_paper
    story.take_step(
        statement=story.statement("LS02", JANUARY),
        step="confirm",
        by=story.user_named("manager-op02"),
        at=moment(AT),
    )
    assert not story.statement("LS02", JANUARY).approvals.get().on_paper


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        ("confirm", {"review", "approve"}),
        ("review", {"confirm", "approve"}),
        ("approve", {"confirm", "review"}),
    ],
)
def test_steps_come_in_their_order(drawn, state, wrong):
    until(state)
    assert {which: refused(which) for which in wrong} == dict.fromkeys(wrong, "wrong_step")
    assert refused(state) is None


def test_what_is_approved_is_never_done_again(drawn):
    until("approve")
    step("approve")
    before = Statement.objects.filter(id=now().id).values().get()
    assert {which: refused(which) for which in STEPS} == dict.fromkeys(STEPS, "wrong_step")
    close_month(month=JANUARY, by="test", at=moment("2026-02-05"))
    assert Statement.objects.filter(id=now().id).values().get() == before


@pytest.mark.parametrize("which", ["review", "approve"])
def test_nobody_does_two_steps_whatever_role_they_have_by_now(drawn, which):
    until(which)
    first = Approval.objects.get(statement=now(), step="confirm").by
    User.objects.filter(pk=first.pk).update(
        role={"review": "street_officer", "approve": "bureau_approver"}[which], operator=None
    )
    assert refused(which, first.username) == "same_person"
    # The control: a new person of that very role may.
    story.user("new", {"review": "street_officer", "approve": "bureau_approver"}[which])
    assert refused(which, "new") is None


def test_two_steps_of_one_person_are_refused_by_the_database_too(drawn):
    until("approve")
    statement, confirmed = now(), Approval.objects.get(statement=now(), step="confirm")
    with pytest.raises(IntegrityError, match="nobody_does_two_steps"), transaction.atomic():
        Approval.objects.create(
            statement=statement,
            step="approve",
            round=1,
            by=confirmed.by,
            at=moment(AT),
            digest=statement.digest,
        )
    with pytest.raises(IntegrityError, match="each_step_once"), transaction.atomic():
        Approval.objects.create(
            statement=statement,
            step="confirm",
            round=1,
            by=story.user_named("approver"),
            at=moment(AT),
            digest=statement.digest,
        )


def test_control_without_constraints_the_database_takes_both(bare):
    person = story.user_named("manager-op01")
    statement = story.statement("LS01", story.MARCH)
    for which in ("confirm", "approve"):
        Approval.objects.create(
            statement=statement, step=which, round=1, by=person, at=moment(AT), digest=statement.digest
        )
    assert "three_approvals" in {one.name for one in prove() if one.violations}


@pytest.mark.parametrize("which", STEPS)
def test_a_role_revoked_after_the_page_was_opened(drawn, which):
    """The person at hand is an old copy that still says what it once was."""
    until(which)
    opened = story.user_named(PATH[which])
    User.objects.filter(pk=opened.pk).update(role="auditor", operator=None)
    with pytest.raises(CannotSettle, match=r".") as refusal:
        take_step(statement=now(), step=which, by=opened, at=moment(AT))
    assert refusal.value.code == "wrong_role"
    User.objects.filter(pk=opened.pk).update(role=opened.role, operator=opened.operator)
    take_step(statement=now(), step=which, by=opened, at=moment(AT))


def test_an_operator_or_a_division_taken_away_in_between(drawn):
    manager, officer = story.user_named("manager-op01"), story.user_named("officer-east")
    User.objects.filter(pk=manager.pk).update(operator=story.Operator.objects.get(code="OP02"))
    with pytest.raises(CannotSettle):
        take_step(statement=now(), step="confirm", by=manager, at=moment(AT))
    step("confirm", "clerk")
    User.objects.filter(pk=officer.pk).update(division=story.Division.objects.get(code="980102"))
    with pytest.raises(CannotSettle):
        take_step(statement=now(), step="review", by=officer, at=moment(AT))
    assert refused("review", "officer") is None


# Figures that change under the steps


def more() -> None:
    story.redeem("late", "WANG", "MEAL", "PM01", "2026-01-20 11:30", at=AT)


def less() -> None:
    story.reverse("zhang", AT)


def others() -> None:
    """The same sums and counts made of other redemptions."""
    story.reverse("zhang", AT)
    story.redeem("late", "WANG", "MEAL", "PM01", "2026-01-06 11:30", at=AT)


def held_back() -> None:
    story.dies("ZHANG", "2026-01-06", at=AT)


@pytest.mark.parametrize("change", [more, less, others, held_back])
@pytest.mark.parametrize("which", ["review", "approve"])
def test_changed_figures_start_the_steps_over(drawn, which, change):
    until(which)
    before = now()
    change()
    assert refused(which) == "statement_changed"
    after = now()
    assert after.state == Statement.State.DRAFT and after.round == 2 and after.digest != before.digest
    assert refused(which) == "wrong_step", "the steps start over"
    assert after.approvals.filter(round=1).count() == STEPS.index(which), "what was done stays on record"
    for again in STEPS:
        assert refused(again) is None
    assert {one.digest for one in now().approvals.filter(round=2)} == {after.digest}
    assert sound()


def test_changed_figures_are_seen_by_the_first_step_too(drawn):
    before = now()
    more()
    assert refused("confirm") == "statement_changed"
    assert now().earned == before.earned + 12
    assert refused("confirm") is None


def test_control_what_changes_no_figure_stops_nobody(drawn):
    until("approve")
    story.redeem("other", "ZHANG", "CARE", "PM02", "2026-01-20 11:30", at=AT)  # LS02's, not LS01's
    story.redeem("next", "LI", "CARE", "PM01", "2026-02-01 11:30", at=AT)
    close_month(month=JANUARY, by="test", at=moment(AT))
    assert now().state == Statement.State.REVIEWED
    assert refused("approve") is None


def test_a_month_drawn_up_again_starts_the_steps_over_only_where_figures_changed(drawn):
    step("confirm")
    before = now()
    more()
    close_month(month=JANUARY, by="test", at=moment(AT))
    assert now().state == Statement.State.DRAFT and now().digest != before.digest


def test_a_page_opened_before_the_figures_changed(drawn):
    old = now().digest
    more()
    close_month(month=JANUARY, by="test", at=moment(AT))
    assert refused("confirm", seen=old) == "statement_changed"
    assert refused("confirm", seen=now().digest) is None


def test_a_refused_step_writes_nothing(drawn):
    until("approve")
    before = (Statement.objects.values().get(id=now().id), Approval.objects.count(), Entry.objects.count())
    for name in ("clerk", "administrator", "officer", "manager-op01"):
        assert refused("approve", name)
    assert (
        Statement.objects.values().get(id=now().id),
        Approval.objects.count(),
        Entry.objects.count(),
    ) == before


# At once


def at_once(*calls) -> list[str | None]:
    """Run the calls in a thread each, all let go together; the codes of refusal (None: taken)."""
    results: list[str | None] = ["?"] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(place, call):
        barrier.wait()
        try:
            results[place] = call()
        except Exception as error:
            results[place] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_two_approvals_at_once(fresh_db):
    ground()
    people = ["approver", *(f"approver{n}" for n in range(5))]
    for name in people[1:]:
        story.user(name, "bureau_approver")
    until("approve")
    results = at_once(*((lambda name=name: refused("approve", name)) for name in people))
    assert sorted(results, key=str) == [None, *["wrong_step"] * 5]
    assert now().approvals.filter(step="approve").count() == 1
    assert RentCharge.objects.filter(lease__code="LS01").count() == 1
    assert Entry.objects.filter(kind="statement").count() == 1 and sound()


def test_a_redemption_and_the_approval_at_once(fresh_db):
    """Either it is on the statement, or it waits for the next; never both, never neither."""
    ground()
    until("approve")

    def redeem():
        story.redeem("late", "WANG", "MEAL", "PM01", "2026-01-20 11:30", at=AT)

    approved, redeemed = at_once(lambda: refused("approve"), redeem)
    assert redeemed is None and approved in (None, "statement_changed")
    claim = story.redeemed("late").claims.get()
    if approved is None:
        assert claim.statement is None and now().earned == 36
    else:
        # Refused before anything was written, or the new figures are there already.
        for which in (*STEPS, *STEPS):
            refused(which)
        assert now().state == Statement.State.APPROVED and now().earned == 48
        claim.refresh_from_db()
        assert claim.statement_id == now().id
    assert sound()


def test_control_two_approvals_at_once_without_lock_and_constraints(fresh_db, monkeypatch):
    """LS02 has no claims in January: nothing but the row's lock and the keys keeps two approvals apart."""
    ground()
    story.user("approver2", "bureau_approver")
    statement = story.statement("LS02", JANUARY)
    take_step(statement=statement, step="confirm", by=story.user_named("manager-op02"), at=moment(AT))
    take_step(statement=statement, step="review", by=story.user_named("officer"), at=moment(AT))
    databases.unprotect(fresh_db)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    first_done, second_done = threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            take_step(statement=statement, step="approve", by=story.user_named("approver"), at=moment(AT))
            first_done.set()
            second_done.wait(2)  # the second waits for this one's row in the end, not before its own approval

    def second():
        first_done.wait(5)
        take_step(statement=statement, step="approve", by=story.user_named("approver2"), at=moment(AT))
        second_done.set()

    assert at_once(first, second) == [None, None]
    assert Approval.objects.filter(statement=statement, step="approve").count() == 2
    assert RentCharge.objects.filter(lease__code="LS02").count() == 2
    assert {"three_approvals", "rent_charged"} <= {one.name for one in prove() if one.violations}


# Decisions on what is held back


def test_only_the_bureau_decides_what_is_held_back(drawn):
    held_back()
    allowed = set()
    for name in User.objects.order_by("id").values_list("username", flat=True):
        with transaction.atomic():
            try:
                decide_review(
                    redemption=story.redeemed("zhang"),
                    release=True,
                    by=story.user_named(name),
                    at=moment(AT),
                    reason="seen",
                )
                allowed.add(name)
            except CannotSettle as refusal:
                assert refusal.code == "wrong_role"
            transaction.set_rollback(True)
    assert allowed == {"clerk", "approver"}


@pytest.mark.parametrize("person", [b"one and the same", None])
def test_a_person_does_not_approve_what_an_account_of_theirs_that_ended_confirmed(drawn, person):
    """Two accounts one after the other are one person. Control: by two people it is the legal path."""
    until("approve")
    User.objects.filter(username=PATH["confirm"]).update(is_active=False, person_lookup=person)
    User.objects.filter(username=PATH["approve"]).update(person_lookup=person)
    assert refused("approve") == (None if person is None else "same_person")
