"""Drawing up the month, the three approvals over one digest, and decisions on what was held back."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.journal.operations import Move, exclusive, hold_journal_open, lock_month, post
from ledger.journal.queries import first_open_day, is_locked, last_day, next_month, previous_month
from providers.models import Lease, RentCharge
from vouchers.approvals import operations as approvals
from vouchers.approvals.operations import STEPS, CannotTakeStep, as_now
from vouchers.redemption.models import Redemption
from vouchers.redemption.operations import AlreadyReversed, reverse
from vouchers.settlement.models import Approval, Drawing, ReviewCase, Statement
from vouchers.settlement.queries import (
    PENDING,
    TO_TAKE_BACK,
    history,
    lease_facts,
    not_posted,
    of_month,
    sums,
    without_statement,
)
from vouchers.settlement.reckon import NOTHING, Figures, LeaseFacts, Month, Sums, reckon

State, Step = Statement.State, Approval.Step

SENTENCES = {
    **approvals.SENTENCES,
    "month_not_next": _("A month is drawn up only once the month before it is locked."),
    "month_locked": _("This month is locked. What comes later goes to the next open month."),
    "not_under_review": _("This redemption is not held back for review."),
    "already_reversed": _("This redemption was reversed before."),
    "also_held": _("It is held back for another reason too. Look at that one as well, or choose both."),
}


class CannotSettle(CannotTakeStep):
    """Refused; nothing is written (but `statement_changed`: there the new figures are, and `nothing_left`: the
    statement is gone). `code` names why."""

    sentences = SENTENCES


def close_month(*, month: date, by: Any, at: datetime) -> list[Statement]:
    """This function will draw up the statement of every lease that has one in `month` (its first day).

    1. Refuse a month that is locked or whose predecessor is not; the first ever locks all before it.
    2. Reckon every lease. Statements already approved stay; others take the new figures, and where those
       differ from what was confirmed or reviewed the steps start over.

    Returns the month's statements in lease order. Run again with nothing new, it changes nothing. Excludes
    loads, imports, issues, expiries and other closings. Raises CannotSettle: month_locked, month_not_next; Busy.
    """
    with exclusive("close_month"):
        return _close_month(month=month, by=by, at=at)


def _close_month(*, month: date, by: Any, at: datetime) -> list[Statement]:
    if is_locked(month):
        raise CannotSettle("month_locked")
    first_open = first_open_day()
    if first_open is None:
        lock_month(month=previous_month(month), by=by, at=at)
    elif month != first_open:
        raise CannotSettle("month_not_next")
    with transaction.atomic():
        hold_journal_open()
        known = {
            statement.lease_id: statement
            for statement in Statement.objects.select_for_update().filter(month=month).order_by("lease__code")
        }
        all_sums, all_history = sums(month), history(month)
        drawn = []
        for lease in lease_facts():
            statement = known.get(lease.id)
            if statement is None or statement.state != State.APPROVED:
                statement = _draw_up(
                    statement,
                    lease=lease,
                    month=month,
                    sums_=all_sums.get(lease.id, NOTHING),
                    past=all_history.get(lease.id, []),
                    at=at,
                )
            if statement is not None:
                drawn.append(statement)
        record(
            by=by,
            at=at,
            action="close_month",
            subject=f"{month:%Y-%m}",
            detail={"statements": len(drawn)},
            channel="run",
        )
    return drawn


def _draw_up(
    statement: Statement | None,
    *,
    lease: LeaseFacts,
    month: date,
    sums_: Sums,
    past: Sequence[Month],
    at: datetime,
) -> Statement | None:
    """Write the figures of one lease into its statement, new or not approved; None where it has none."""
    figures = reckon(lease=lease, month=month, sums=sums_, history=past)
    if not lease.in_force_in(month) and (lease.starts_on > month or figures.is_empty_after_the_end):
        if statement is not None and not (statement.approvals.exists() or statement.objections.exists()):
            statement.delete()
            statement = None
        if statement is None:
            return None
    digest = digest_of(figures, sums_)
    if statement is None:
        statement = Statement(lease_id=lease.id, month=month)
    elif statement.digest == digest:
        return statement
    else:
        approvals.restart(statement)
    for name, value in asdict(figures).items():
        setattr(statement, name, value)
    statement.digest = digest
    statement.drawn_at = at
    statement.save()
    # Figures may come back to what they were: then that drawing stands already.
    Drawing.objects.bulk_create(
        [Drawing(statement=statement, digest=digest, figures=_as_json(figures), drawn_at=at)],
        ignore_conflicts=True,
    )
    return statement


def _as_json(figures: Figures) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in asdict(figures).items()}


def digest_of(figures: Figures, sums_: Sums) -> str:
    """SHA-256 over every figure and over which claims stand behind them."""
    content = {name: str(value) for name, value in asdict(figures).items()}
    content["behind"] = f"{sums_.counted_mark} {sums_.taken_back_mark}"
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def may(step: str, statement: Statement, by: Any) -> bool:
    """Whether this person's role allows this step of this statement: within their division, where they have one."""
    lease = statement.lease
    place = lease.premises.division if by.division_id else None
    if step == Step.CONFIRM:
        return by.holds("operator_manager", operator=lease.operator) or by.holds(
            "bureau_clerk", division=place
        )
    if step == Step.REVIEW:
        return by.holds("street_officer", division=place)
    return by.holds("bureau_approver", division=place)


def check_step(statement: Statement, *, step: str, by: Any, did_another: bool, objection_open: bool) -> None:
    """This function will refuse a step that may not be taken now; a page asks it before it offers the step.

    Raises CannotSettle: wrong_step, wrong_role, same_person, objection_open.
    """
    STATEMENTS.check(statement, step=step, by=by, did_another=did_another, objection_open=objection_open)


def take_step(*, statement: Statement, step: str, by: Any, at: datetime, seen: str = "") -> Statement:
    """This function will confirm, review or approve one statement as `by` (vouchers/approvals).

    The last step posts: claims stand on the statement, rent is charged, the entry is dated the last day of the
    month. Raises CannotSettle: wrong_step, wrong_role, same_person, objection_open, statement_changed,
    nothing_left.
    """
    return STATEMENTS.take(statement, step=step, by=by, at=at, seen=seen)


def locked(statement: Statement) -> Statement:
    """This statement as it stands now, its row locked, with what its steps ask about."""
    return (
        Statement.objects.select_for_update(of=["self"])
        .select_related("lease__operator", "lease__premises__division")
        .get(id=statement.id)
    )


Reckoned = tuple[LeaseFacts, Sums, list[Month], Figures]


def reckoned(statement: Statement) -> Reckoned:
    """The figures that this statement would have now, and what they are reckoned from."""
    lease = lease_facts(Lease.objects.filter(id=statement.lease_id))[0]
    now = sums(statement.month, of=[lease.id]).get(lease.id, NOTHING)
    past = history(statement.month, of=[lease.id]).get(lease.id, [])
    return lease, now, past, reckon(lease=lease, month=statement.month, sums=now, history=past)


def deem_confirmed(*, statement: Statement, by: Any, at: datetime) -> bool:
    """This function will confirm a statement by the silence of its operator; whether it did.

    The caller knows that the term has passed (vouchers/settlement/objections.py). Where figures have changed
    they are drawn up anew instead, and the term begins again. Nothing is done in another state, or while an
    objection is open.
    """
    with transaction.atomic():
        hold_journal_open()
        try:
            statement = locked(statement)
        except Statement.DoesNotExist:  # nothing was left of it meanwhile
            return False
        if statement.state != State.DRAFT or statement.objections.filter(answer="").exists():
            return False
        now = reckoned(statement)
        same = _digest(now) == statement.digest
        if same:
            STATEMENTS.note(statement, now, step=Step.CONFIRM, by=None, at=at)
        else:
            _redraw(statement, now, at)
        record(
            by=by,
            at=at,
            action="deemed_confirmed" if same else "statement_changed",
            subject=str(statement),
            detail={"digest": statement.digest, "round": statement.round},
            channel="run",
        )
    return same


def take_steps(
    *,
    seen: Mapping[int, str],
    step: str,
    by: Any,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> approvals.Steps[Statement]:
    """This function will take one step of each statement in `seen` (by id, the digest that was looked at).

    After approvals the months that are complete are locked.
    """
    wanted = Statement.objects.filter(id__in=seen).select_related("lease").order_by("month", "lease__code")
    outcome = STATEMENTS.take_many(wanted, seen=seen, step=step, by=by, clock=clock, progress=progress)
    if step == Step.APPROVE:
        for month in sorted({statement.month for statement in outcome.taken}):
            outcome.locked = lock_if_complete(month=month, by=by, at=clock())
    return outcome


def _digest(now: Reckoned) -> str:
    _lease, sums_, _past, figures = now
    return digest_of(figures, sums_)


def _redraw(statement: Statement, now: Reckoned, at: datetime) -> None:
    lease, sums_, past, _figures = now
    _draw_up(statement, lease=lease, month=statement.month, sums_=sums_, past=past, at=at)


def _approved(statement: Statement, now: Reckoned, at: datetime) -> None:
    """What the last step does: claims stand on the statement, its entry is posted, the rent is charged."""
    _stand(statement, now[1])
    statement.entry = _post(statement, at=at)
    RentCharge.objects.create(
        lease=statement.lease,
        month=statement.month,
        charge=statement.charge,
        applied=statement.applied,
        cash_due=statement.cash_due,
        entry=statement.entry,
    )


def _stand(statement: Statement, now: Sums) -> None:
    """Put the claims that were reckoned on the statement; refuse if others came or went in between."""
    where: dict[str, Any] = {
        "end": next_month(statement.month),
        "lease": statement.lease_id,
        "statement": statement.id,
    }
    not_held = "NOT EXISTS (SELECT FROM vouchers_reviewcase r WHERE r.redemption_id = c.redemption_id AND r.decision = '' AND r.holds)"
    for column, condition, mark in (
        ("statement_id", f"{PENDING} AND {not_held}", now.counted_mark),
        ("taken_back_id", TO_TAKE_BACK, now.taken_back_mark),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH stood AS (
                    UPDATE vouchers_claim c SET {column} = %(statement)s
                    WHERE c.lease_id = %(lease)s AND {condition} RETURNING c.redemption_id)
                SELECT coalesce(bit_xor(hashint8extended(redemption_id, 0)), 0) FROM stood
                """,  # noqa: S608 - the parts are constants
                where,
            )
            if cursor.fetchone()[0] != mark:
                raise CannotSettle("statement_changed")


def _post(statement: Statement, *, at: datetime) -> Any:
    code = statement.lease.code
    receivable, credit = chart.receivable_rent(code), chart.offset_credit(code)
    moves = [
        Move(receivable, chart.rent_income(code), statement.charge),
        Move(chart.rent_offset(code), credit, statement.credit),
        Move(credit, receivable, statement.applied),
        Move(credit, chart.offset_lapsed(code), statement.lapsed),
    ]
    if not any(move.amount for move in moves):
        return None
    return post(
        key=f"statement:{code}:{statement.month:%Y-%m}",
        kind="statement",
        dated_on=last_day(statement.month),
        at=at,
        moves=moves,
        link=f"ST-{code}-{statement.month:%Y-%m}",
    )


STATEMENTS = approvals.Kind(
    refusal=CannotSettle,
    lock=locked,
    may=may,
    reckon=reckoned,
    digest=_digest,
    redraw=_redraw,
    post=_approved,
    subject=str,
    objected=lambda statement: statement.objections.filter(answer="").exists(),
)


def lock_if_complete(*, month: date, by: Any, at: datetime) -> bool:
    """This function will lock a month once every lease of it is approved; True when it is locked.

    In a transaction of its own: locking waits for postings in flight, which may wait for an approval.
    """
    if is_locked(month):
        return True
    drawn = Statement.objects.filter(month=month).exists()
    if not drawn or not_posted(month).exists() or without_statement(month).exists():
        return False
    if first_open_day() != month:
        return False
    lock_month(month=month, by=by, at=at)
    return True


def settle(
    *, month: date, people: Mapping[Any, Any], clock: Callable[[], datetime]
) -> list[tuple[Statement, CannotSettle | None]]:
    """This function will take the steps still open of every statement of a month, each as its person.

    Returns each statement as it stands afterwards, with the refusal at which it stopped; one of which nothing was
    left (`nothing_left`) as it stood before.
    """
    outcomes: list[tuple[Statement, CannotSettle | None]] = []
    for statement in of_month(month):
        refusal = None
        for step, (before, _after) in STEPS.items():
            if statement.state != before:
                continue
            try:
                statement = take_step(statement=statement, step=step, by=people[step], at=clock())
            except CannotSettle as refused:
                refusal = refused
                break
        if refusal is None or refusal.code != "nothing_left":
            statement.refresh_from_db(fields=["state"])
        outcomes.append((statement, refusal))
    return outcomes


def find_review(key: str) -> Redemption | None:
    """The redemption of a key (of files) or number."""
    return (
        Redemption.objects.by_number(key).first()
        or Redemption.objects.filter(key_scope="files", key=key).first()
    )


def decide_review(
    *,
    redemption: Redemption,
    release: bool,
    by: Any,
    at: datetime,
    reason: str,
    seen: Collection[int] | None = None,
) -> None:
    """This function will let a redemption under review count, or reject it, which is a reversal.

    One decision settles all its open cases. `seen`: the cases (ids) that whoever releases has looked at; it is
    refused when another one holds it back. Raises CannotSettle: not_under_review, also_held, already_reversed,
    wrong_role.
    """
    with transaction.atomic():
        by = as_now(by)
        if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
            raise CannotSettle("wrong_role")
        hold_journal_open()
        type(redemption.elder).objects.select_for_update(no_key=True).get(id=redemption.elder_id)
        case = ReviewCase.objects.select_for_update().filter(redemption=redemption, decision="")
        open_cases = list(case)
        if not open_cases:
            raise CannotSettle("not_under_review")
        if release and seen is not None and any(one.holds and one.pk not in seen for one in open_cases):
            raise CannotSettle("also_held")
        if release:
            case.update(
                decision=ReviewCase.Decision.RELEASED,
                decided_at=at,
                decided_by=name_of(by),
                note=reason[:500],
            )
        else:
            try:
                reverse(
                    redemption=redemption, reversed_at=at, reason=reason, by=by, at=at, decision="rejected"
                )
            except AlreadyReversed:
                raise CannotSettle("already_reversed") from None
        record(
            by=by,
            at=at,
            action="release_review" if release else "reject_review",
            subject=redemption.number,
            detail={"reason": reason},
        )
