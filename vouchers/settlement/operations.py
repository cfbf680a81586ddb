"""Drawing up the month, the three approvals over one digest, and decisions on what was held back."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.journal.operations import Move, exclusive, hold_journal_open, lock_month, post
from ledger.journal.queries import first_open_day, is_locked, last_day, next_month, previous_month
from providers.models import Lease, RentCharge
from vouchers.redemption.models import Redemption
from vouchers.redemption.operations import AlreadyReversed, reverse
from vouchers.settlement.models import Approval, Drawing, ReviewCase, Statement
from vouchers.settlement.queries import PENDING, TO_TAKE_BACK, history, lease_facts, of_month, sums
from vouchers.settlement.reckon import NOTHING, Figures, LeaseFacts, Month, Sums, reckon

State, Step = Statement.State, Approval.Step

SENTENCES = {
    "month_not_next": _("A month is drawn up only once the month before it is locked."),
    "month_locked": _("This month is locked. What comes later goes to the next open month."),
    "wrong_step": _("This statement does not wait for this step. Reload the page to see where it stands."),
    "wrong_role": _("Your role may not do this step of this statement."),
    "same_person": _("You have done another step of this statement. Nobody may do two."),
    "statement_changed": _(
        "Figures have changed since they were looked at. Look at them again; the steps start over."
    ),
    "objection_open": _(
        "The operator has objected and waits for an answer. It comes before the confirmation."
    ),
    "not_under_review": _("This redemption is not held back for review."),
    "already_reversed": _("This redemption was reversed before."),
}


class CannotSettle(Exception):
    """Refused; nothing is written (but `statement_changed`: there the new figures are). `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return str(SENTENCES[self.code])


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
    elif statement.state != State.DRAFT:
        statement.state = State.DRAFT
        statement.round += 1
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


# What each step needs: the state it finds, the state it leaves, the roles that may do it.
STEPS: dict[str, tuple[str, str]] = {
    Step.CONFIRM: (State.DRAFT, State.CONFIRMED),
    Step.REVIEW: (State.CONFIRMED, State.REVIEWED),
    Step.APPROVE: (State.REVIEWED, State.APPROVED),
}


def may(step: str, statement: Statement, by: Any) -> bool:
    """Whether this person's role allows this step of this statement."""
    lease = statement.lease
    if step == Step.CONFIRM:
        return by.holds("operator_manager", operator=lease.operator) or by.holds("bureau_clerk")
    if step == Step.REVIEW:
        return by.holds("street_officer", division=lease.premises.division)
    return by.holds("bureau_approver")


def check_step(statement: Statement, *, step: str, by: Any, did_another: bool, objection_open: bool) -> None:
    """This function will refuse a step that may not be taken now; a page asks it before it offers the step.

    `did_another`: this person took a step of this round. Raises CannotSettle: wrong_step, wrong_role,
    same_person, objection_open.
    """
    if statement.state != STEPS[step][0]:
        raise CannotSettle("wrong_step")
    if not may(step, statement, by):
        raise CannotSettle("wrong_role")
    if did_another:
        raise CannotSettle("same_person")
    if step == Step.CONFIRM and objection_open:
        raise CannotSettle("objection_open")


def _as_now(by: Any) -> Any:
    """The person as the register has them now: a role taken away since the page was opened counts no more."""
    return get_user_model()._default_manager.get(pk=by.pk)


def take_step(*, statement: Statement, step: str, by: Any, at: datetime, seen: str = "") -> Statement:
    """This function will confirm, review or approve one statement as `by`.

    1. Refuse a wrong state, a role that may not, a person who did another step of this round, and a
       confirmation while an objection is open.
    2. Reckon anew. Where the digest differs from the statement's (or from `seen`, what the person looked
       at), write the new figures, start the steps over and refuse.
    3. Note the approval. The last one posts: claims stand on the statement, rent is charged, the entry is
       dated the last day of the month.

    Raises CannotSettle: wrong_step, wrong_role, same_person, objection_open, statement_changed.
    """
    changed = False
    with transaction.atomic():
        hold_journal_open()
        statement = locked(statement)
        by = _as_now(by)
        check_step(
            statement,
            step=step,
            by=by,
            did_another=statement.approvals.filter(round=statement.round, by=by).exists(),
            objection_open=statement.objections.filter(answer="").exists(),
        )
        lease, now, past, figures = reckoned(statement)
        if digest_of(figures, now) != statement.digest or (seen and seen != statement.digest):
            _draw_up(statement, lease=lease, month=statement.month, sums_=now, past=past, at=at)
            changed = True
        else:
            _approve_step(statement, step=step, state=STEPS[step][1], now=now, by=by, at=at)
        record(
            by=by,
            at=at,
            action="statement_changed" if changed else step,
            subject=f"{lease.code} {statement.month:%Y-%m}",
            detail={"digest": statement.digest, "round": statement.round},
        )
    if changed:
        raise CannotSettle("statement_changed")
    return statement


def locked(statement: Statement) -> Statement:
    """This statement as it stands now, its row locked, with what its steps ask about."""
    return (
        Statement.objects.select_for_update(of=["self"])
        .select_related("lease__operator", "lease__premises__division")
        .get(id=statement.id)
    )


def reckoned(statement: Statement) -> tuple[LeaseFacts, Sums, list[Month], Figures]:
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
        statement = locked(statement)
        if statement.state != State.DRAFT or statement.objections.filter(answer="").exists():
            return False
        lease, now, past, figures = reckoned(statement)
        same = digest_of(figures, now) == statement.digest
        if same:
            _approve_step(statement, step=Step.CONFIRM, state=State.CONFIRMED, now=now, by=None, at=at)
        else:
            _draw_up(statement, lease=lease, month=statement.month, sums_=now, past=past, at=at)
        record(
            by=by,
            at=at,
            action="deemed_confirmed" if same else "statement_changed",
            subject=f"{lease.code} {statement.month:%Y-%m}",
            detail={"digest": statement.digest, "round": statement.round},
            channel="run",
        )
    return same


@dataclass
class Steps:
    """What became of several steps: statements `taken` (or taken before by the same person over the same
    figures), `refused` ones with why, and whether the month is locked now."""

    taken: list[Statement] = field(default_factory=list)
    refused: list[tuple[Statement, CannotSettle]] = field(default_factory=list)
    locked: bool = False


def take_steps(
    *,
    seen: Mapping[int, str],
    step: str,
    by: Any,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Steps:
    """This function will take one step of each statement in `seen` (by id, the digest that was looked at).

    Each in its own transaction; one that is refused stops no other. After approvals the months that are
    complete are locked. Run again, what this person did over the same digest counts as taken.
    """
    outcome = Steps()
    wanted = Statement.objects.filter(id__in=seen).select_related("lease").order_by("month", "lease__code")
    for done, statement in enumerate(wanted, 1):
        try:
            outcome.taken.append(
                take_step(statement=statement, step=step, by=by, at=clock(), seen=seen[statement.id])
            )
        except CannotSettle as refusal:
            if _did(statement, step=step, by=by, digest=seen[statement.id]):
                outcome.taken.append(statement)
            else:
                outcome.refused.append((statement, refusal))
        progress(done, len(seen))
    if step == Step.APPROVE:
        for month in sorted({statement.month for statement in outcome.taken}):
            outcome.locked = lock_if_complete(month=month, by=by, at=clock())
    return outcome


def _did(statement: Statement, *, step: str, by: Any, digest: str) -> bool:
    """Whether this person took this step over this digest before, in the round that counts."""
    return statement.approvals.filter(
        step=step, by=by, digest=digest, round=models.F("statement__round")
    ).exists()


def _approve_step(statement: Statement, *, step: str, state: str, now: Sums, by: Any, at: datetime) -> None:
    Approval.objects.create(
        statement=statement,
        step=step,
        round=statement.round,
        by=by,
        on_paper=step == Step.CONFIRM and by is not None and by.holds("bureau_clerk"),
        deemed=by is None,
        at=at,
        digest=statement.digest,
    )
    if step == Step.APPROVE:
        _stand(statement, now)
        statement.entry = _post(statement, at=at)
        RentCharge.objects.create(
            lease=statement.lease,
            month=statement.month,
            charge=statement.charge,
            applied=statement.applied,
            cash_due=statement.cash_due,
            entry=statement.entry,
        )
    statement.state = state
    statement.save()


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


def lock_if_complete(*, month: date, by: Any, at: datetime) -> bool:
    """This function will lock a month once every lease of it is approved; True when it is locked.

    In a transaction of its own: locking waits for postings in flight, which may wait for an approval.
    """
    if is_locked(month):
        return True
    statements = Statement.objects.filter(month=month)
    missing = (
        Lease.objects.filter(starts_on__lte=last_day(month), ends_on__gte=month)
        .exclude(statements__month=month)
        .exists()
    )
    if missing or not statements.exists() or statements.exclude(state=State.APPROVED).exists():
        return False
    if first_open_day() != month:
        return False
    lock_month(month=month, by=by, at=at)
    return True


def settle(
    *, month: date, people: Mapping[Any, Any], clock: Callable[[], datetime]
) -> list[tuple[Statement, CannotSettle | None]]:
    """This function will take the steps still open of every statement of a month, each as its person.

    Returns each statement as it stands afterwards, with the refusal at which it stopped.
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
        statement.refresh_from_db(fields=["state"])
        outcomes.append((statement, refusal))
    return outcomes


def find_review(key: str) -> Redemption | None:
    """The redemption of a key (of files) or number."""
    return (
        Redemption.objects.by_number(key).first()
        or Redemption.objects.filter(key_scope="files", key=key).first()
    )


def decide_review(*, redemption: Redemption, release: bool, by: Any, at: datetime, reason: str) -> None:
    """This function will let a redemption under review count, or reject it, which is a reversal.

    Raises CannotSettle: not_under_review, already_reversed, wrong_role.
    """
    with transaction.atomic():
        by = _as_now(by)
        if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
            raise CannotSettle("wrong_role")
        hold_journal_open()
        type(redemption.elder).objects.select_for_update(no_key=True).get(id=redemption.elder_id)
        case = ReviewCase.objects.select_for_update().filter(redemption=redemption, decision="")
        open_cases = list(case)
        if not open_cases:
            raise CannotSettle("not_under_review")
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
