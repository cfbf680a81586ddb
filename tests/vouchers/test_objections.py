"""The operator objects, the bureau answers, and silence past the term confirms (rules.md section 7)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.audit.models import Record
from tests import story
from tests.story import JANUARY, moment
from tests.vouchers.test_settlement_people import AT, ground, more, now, refused
from vouchers.models import Drawing, Objection, Statement
from vouchers.proof.queries import prove
from vouchers.settlement.objections import (
    TERM_DAYS,
    CannotObject,
    answer,
    deem_silent_confirmed,
    object_to,
    term_ends_on,
)
from vouchers.settlement.operations import close_month, lock_if_complete, take_steps

LAST = date(2026, 2, 1) + timedelta(days=TERM_DAYS)  # drawn up on 1 February


@pytest.fixture
def drawn(db) -> None:
    ground()


def says(who: str = "manager-op01", key: str | None = "zhang", text: str = "not the one served") -> Objection:
    return object_to(
        statement=now(),
        figure="earned",
        redemption=story.redeemed(key) if key else None,
        text=text,
        by=story.user_named(who),
        at=moment(AT),
    )


def answered(one: Objection, what: str = "declined", who: str = "clerk", at: str = "2026-02-03") -> Objection:
    return answer(objection=one, answer=what, reply="seen", by=story.user_named(who), at=moment(at))


def silent(today: date) -> list[str]:
    return [str(one) for one in deem_silent_confirmed(today=today, by="nightly", at=moment(f"{today}"))]


def sound() -> bool:
    return not [one for one in prove() if one.violations]


def test_an_open_objection_keeps_the_statement_from_being_confirmed(drawn):
    one = says()
    assert refused("confirm") == "objection_open" and refused("confirm", "clerk") == "objection_open"
    answered(one)
    assert refused("confirm") is None
    with pytest.raises(CannotObject) as refusal:
        says()
    assert refusal.value.code == "too_late"


def test_who_may_object_and_who_may_answer(drawn):
    for who in ("manager-op02", "clerk", "officer", "approver", "auditor", "administrator"):
        with pytest.raises(CannotObject) as refusal:
            says(who)
        assert refusal.value.code == "wrong_role"
    one = says()
    for who in ("manager-op01", "officer", "approver"):
        with pytest.raises(CannotObject) as refusal:
            answered(one, who=who)
        assert refusal.value.code == "wrong_role"
    with pytest.raises(CannotObject):
        answered(one, "withdrawn", who="clerk")
    answered(one, "withdrawn", who="manager-op01")
    with pytest.raises(CannotObject) as refusal:
        answered(one)
    assert refusal.value.code == "answered_before"
    assert list(
        Record.objects.filter(action__in=["object", "answer_objection"])
        .order_by("id")
        .values_list("by", "action", "subject")
    ) == [("manager-op01", "object", "LS01 2026-01"), ("manager-op01", "answer_objection", "LS01 2026-01")]


def test_one_line_is_objected_to_once_at_a_time(drawn):
    says()
    with pytest.raises(CannotObject) as refusal:
        says()
    assert refusal.value.code == "objected_before"
    says(key="li")  # another line may be
    says(key=None)  # and the figure as a whole, once
    with pytest.raises(CannotObject):
        says(key=None)
    story.redeem("care", "ZHANG", "CARE", "PM02", "2026-01-20 11:30", at=AT)  # earns for LS02
    with pytest.raises(CannotObject) as refusal:
        says(key="care")
    assert refusal.value.code == "not_on_statement"


def test_an_answer_is_never_changed(drawn):
    one = answered(says())
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        Objection.objects.filter(pk=one.pk).update(reply="something else")
    with pytest.raises(IntegrityError, match="answered_by_someone"), transaction.atomic():
        Objection.objects.create(
            statement=now(), figure="late", digest="", text="x", by=one.by, at=moment(AT), answer="declined"
        )


def test_silence_past_the_term_confirms_and_is_recorded_as_such(drawn):
    assert term_ends_on(now()) == LAST
    assert silent(LAST) == []
    assert silent(LAST + timedelta(days=1)) == ["LS01 2026-01", "LS02 2026-01", "LS03 2026-01"]
    approval = now().approvals.get()
    assert approval.deemed and approval.by is None and not approval.on_paper
    assert now().state == Statement.State.CONFIRMED and sound()
    assert silent(LAST + timedelta(days=9)) == []  # once
    assert refused("review") is None and refused("approve") is None
    assert sound()


def test_silence_confirms_nothing_while_an_objection_is_open_and_an_answer_begins_the_term_anew(drawn):
    one = says()
    assert "LS01 2026-01" not in silent(LAST + timedelta(days=30))
    answered(one, at="2026-03-20")
    assert "LS01 2026-01" not in silent(date(2026, 3, 20) + timedelta(days=TERM_DAYS))
    assert "LS01 2026-01" in silent(date(2026, 3, 21) + timedelta(days=TERM_DAYS))


def test_figures_that_changed_are_shown_anew_before_silence_counts(drawn):
    more()
    after = LAST + timedelta(days=1)
    assert "LS01 2026-01" not in silent(after)
    assert now().earned == 48 and term_ends_on(now()) == after + timedelta(days=TERM_DAYS)


def test_a_month_drawn_up_before_its_end_gives_the_term_after_its_end(drawn):
    Statement.objects.filter(pk=now().pk).update(drawn_at=moment("2026-01-10"))
    assert term_ends_on(now()) == date(2026, 1, 31) + timedelta(days=TERM_DAYS)


def test_only_a_confirmation_can_be_silent(drawn):
    with pytest.raises(IntegrityError, match="approval_by_somebody_or_silence"), transaction.atomic():
        now().approvals.create(step="review", round=1, by=None, deemed=True, at=moment(AT), digest="")
    with pytest.raises(IntegrityError, match="approval_by_somebody_or_silence"), transaction.atomic():
        now().approvals.create(step="confirm", round=1, by=None, at=moment(AT), digest="")


def test_what_was_looked_at_is_kept_by_its_digest(drawn):
    before = now()
    more()
    close_month(month=JANUARY, by="test", at=moment(AT))
    kept = {one.digest: one.figures for one in Drawing.objects.filter(statement=before)}
    assert kept[before.digest]["earned"] == "36.00" and kept[now().digest]["earned"] == "48.00"
    story.reverse("late", AT)
    close_month(month=JANUARY, by="test", at=moment(AT))
    assert now().digest == before.digest  # back to what it was: no third drawing
    assert Drawing.objects.filter(statement=before).count() == 2


def test_many_steps_at_once_leave_out_what_may_not_be_taken(drawn):
    """Of three statements one has changed since it was looked at, one is done, one was looked at too late."""
    rows = {one.lease.code: one for one in Statement.objects.select_related("lease")}
    seen = {one.pk: one.digest for one in rows.values()}
    seen[rows["LS02"].pk] = "f" * 64
    clerk = story.user_named("clerk")
    outcome = take_steps(seen=seen, step="confirm", by=clerk, clock=lambda: moment(AT))
    assert [str(one) for one in outcome.taken] == ["LS01 2026-01", "LS03 2026-01"]
    assert [(str(one), refusal.code) for one, refusal in outcome.refused] == [
        ("LS02 2026-01", "statement_changed")
    ]
    again = take_steps(seen=seen, step="confirm", by=clerk, clock=lambda: moment(AT))
    assert len(again.taken) == 2 and len(again.refused) == 1  # done before by the same person: no refusal
    other = story.user("clerk2", "bureau_clerk")
    assert not take_steps(seen=seen, step="confirm", by=other, clock=lambda: moment(AT)).taken


def test_the_last_approval_locks_the_month(drawn):
    def everybody(step: str, who: str) -> bool:
        seen = dict(Statement.objects.values_list("pk", "digest"))
        return take_steps(seen=seen, step=step, by=story.user_named(who), clock=lambda: moment(AT)).locked

    assert not everybody("confirm", "clerk") and not everybody("review", "officer")
    assert everybody("approve", "approver")
    assert lock_if_complete(month=JANUARY, by="test", at=moment(AT)) and sound()
