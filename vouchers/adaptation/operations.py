"""A home adaptation from the request to acceptance. The money goes the way of every order: the family's yes sets
vouchers aside, acceptance turns what was set aside into redemptions (rules.md sections 4 and 5).

Note [Locks]: the journal, then the project, then the elder (within placing and delivering), then vouchers.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from ledger.audit.operations import name_of, record
from ledger.journal.operations import hold_journal_open
from ledger.journal.queries import SHANGHAI, day_of
from ledger.money import ZERO
from providers.models import Lease, Premises
from vouchers.adaptation.models import Inspection, Plan, PlanLine, Project, ProjectPhoto
from vouchers.adaptation.quotes import Wanted, quote
from vouchers.adaptation.refusals import CannotAdapt
from vouchers.adaptation.terms import HOUSEHOLD_CAP, WARRANTY_MONTHS, Parts, over_cap, together
from vouchers.delegates.models import Delegation, OwnRecord
from vouchers.delegates.operations import CannotAct, count_against_cap
from vouchers.elders import sealing
from vouchers.elders.models import Elder
from vouchers.photos.cleaning import Clean
from vouchers.photos.operations import keep
from vouchers.redemption.operations import RedemptionOrder, deliver, place
from vouchers.redemption.refusals import CannotRedeem
from vouchers.wallets.operations import release

State, Answer = Project.State, Plan.Answer
KEYS = "adaptation"  # the scope of the keys of their redemptions


def request(
    *, elder: Elder, premises: Premises, wish: str, address: str, by: Any, at: datetime, channel: str = "web"
) -> Project:
    """This function will note that a family wants its home made safer, and by whom.

    Of one household, also at once, one request gets through.
    Raises: CannotAdapt not_alive, not_offered, household_had_one.
    """
    key = uuid.uuid4()
    with transaction.atomic():
        elder = Elder.objects.select_for_update(no_key=True).get(pk=elder.pk)
        if elder.died_on is not None or elder.erased_at is not None:
            raise CannotAdapt("not_alive")
        lease = _lease(premises, day_of(at))
        offers = premises.offers.filter(
            Q(ends_on=None) | Q(ends_on__gte=day_of(at)), service__adaptation__isnull=False
        )
        if lease is None or not offers.exists():
            raise CannotAdapt("not_offered")
        try:
            with transaction.atomic():
                project = Project.objects.create(
                    key=key,
                    elder=elder,
                    household=f"household:{elder.household}" if elder.household else f"elder:{elder.code}",
                    operator=lease.operator,
                    premises=premises,
                    wish=wish.strip()[:300],
                    address_sealed=sealing.seal(address.strip(), field="address", row=str(key)),
                    requested_at=at,
                    requested_by=name_of(by),
                )
        except IntegrityError as error:
            if "adaptation_once_a_household" not in str(error):
                raise
            raise CannotAdapt("household_had_one") from None
        _note(project, "request_adaptation", by=by, at=at, channel=channel, elder=elder.code)
    return project


def _lease(premises: Premises, day: date) -> Lease | None:
    in_force = Lease.objects.filter(premises=premises, starts_on__lte=day, ends_on__gte=day)
    return in_force.select_related("operator").first()


def assess(
    *,
    project: Project,
    visited_on: date,
    assessor: str,
    findings: str,
    photos: Sequence[Clean],
    by: Any,
    at: datetime,
) -> Project:
    """This function will note what was found at the home, with photos of how it is before the works.

    Raises: CannotAdapt wrong_role, not_open, photo_before_missing, in_the_future.
    """
    if not photos:
        raise CannotAdapt("photo_before_missing")
    if visited_on > day_of(at):
        raise CannotAdapt("in_the_future")
    with transaction.atomic():
        found = _at(project, State.REQUESTED, by=by, operators=True)
        found.visited_on, found.assessor, found.findings = visited_on, assessor[:60], findings[:1000]
        found.assessed_by = name_of(by)
        _move(found, State.ASSESSED, "visited_on", "assessor", "findings", "assessed_by")
        _keep(found, photos, ProjectPhoto.Shows.BEFORE, by=by, at=at)
        _note(found, "assess_adaptation", by=by, at=at, visited_on=visited_on.isoformat())
    return found


def propose(
    *,
    project: Project,
    wanted: Sequence[Wanted],
    due_on: date,
    warranty_months: int,
    by: Any,
    at: datetime,
) -> Plan:
    """This function will make a plan, each line a quote of the price rows and vouchers of the day it is due.

    A plan that waits for its answer is replaced. Nothing is set aside yet.
    Raises: CannotAdapt with one of its codes, or that of the line that cannot be paid; over_cap.
    """
    if due_on < day_of(at):
        raise CannotAdapt("too_early")
    if warranty_months not in WARRANTY_MONTHS:
        raise CannotAdapt("warranty")
    with transaction.atomic():
        found = _at(project, State.ASSESSED, State.PLANNED, by=by, operators=True)
        lines = quote(elder=found.elder, premises=found.premises, wanted=wanted, on=due_on)
        _check_cap(line.parts for line in lines)
        found.plans.filter(answer="").update(answer=Answer.REPLACED, answered_at=at, answered_by=name_of(by))
        plan = Plan.objects.create(
            project=found,
            ordinal=found.plans.count() + 1,
            due_on=due_on,
            warranty_months=warranty_months,
            made_at=at,
            made_by=name_of(by),
        )
        for line in lines:
            line.plan = plan
        PlanLine.objects.bulk_create(lines)
        _move(found, State.PLANNED)
        total = together(line.parts for line in lines)
        _note(found, "plan_adaptation", by=by, at=at, plan=plan.ordinal, list_price=str(total.list_price))
    return plan


def agree(
    *,
    plan: Plan,
    by: Any,
    at: datetime,
    channel: str = "web",
    delegation: Delegation | None = None,
) -> Project:
    """This function will note the family's yes and set aside the vouchers of each line, or nothing.

    1. Lock the project; the plan is the one that waits.
    2. Place an order for each line that public money pays; what it sets aside is no less than was quoted.
    3. Count a delegate's limit.

    Raises: CannotAdapt not_open, quote_changed, over_cap, or the code of what refused.
    """
    with transaction.atomic():
        hold_journal_open()
        found, plan = _waiting(plan)
        asked: list[Parts] = []
        due_at = datetime(plan.due_on.year, plan.due_on.month, plan.due_on.day, 12, tzinfo=SHANGHAI)
        for line in plan.lines.select_related("service"):
            if line.own:
                continue
            try:
                line.hold = place(order=_order(found, line, due_at), by=by, at=at)
            except CannotRedeem as refusal:
                raise CannotAdapt(refusal.code, what=line.item, cause=refusal) from refusal
            held = sum((one.amount for one in line.hold.lines.all()), ZERO)
            if held < line.vouchers:
                raise CannotAdapt("quote_changed", what=line.item)
            asked.append(line.parts._replace(vouchers=held))
            line.save(update_fields=["hold"])
        _check_cap(asked)
        if delegation is not None:
            try:
                amount = together(asked).vouchers
                count_against_cap(delegation=delegation, key=f"adaptation:{plan.pk}", amount=amount, at=at)
            except CannotAct as refusal:
                raise CannotAdapt(refusal.code, cause=refusal) from refusal
        _answer(plan, Answer.AGREED, by=by, at=at)
        found.agreed_at, found.agreed_by = at, name_of(by)
        _move(found, State.AGREED, "agreed_at", "agreed_by")
        _note(found, "agree_adaptation", by=by, at=at, channel=channel, plan=plan.ordinal)
    return found


def decline(*, plan: Plan, reason: str, by: Any, at: datetime, channel: str = "web") -> Project:
    """This function will note the family's no; the operator may make another plan. Raises: CannotAdapt not_open."""
    with transaction.atomic():
        found, plan = _waiting(plan)
        _answer(plan, Answer.DECLINED, by=by, at=at, reason=reason)
        _move(found, State.ASSESSED)
        _note(found, "decline_adaptation", by=by, at=at, channel=channel, plan=plan.ordinal)
    return found


def cancel(*, project: Project, reason: str, by: Any, at: datetime, channel: str = "web") -> Project:
    """This function will end a project and set its vouchers free; the household may ask again.

    The family may until the works begin; the operator and the bureau until they are accepted.
    Raises: CannotAdapt wrong_role, too_late, not_open.
    """
    with transaction.atomic():
        hold_journal_open()
        found = _locked(project)
        firm = by.holds("operator_manager", operator=found.operator)
        bureau = by.holds("bureau_clerk") or by.holds("bureau_approver")
        if not (firm or bureau) and by.role and not by.holds("hotline_agent"):
            raise CannotAdapt("wrong_role")
        if not found.is_open:
            raise CannotAdapt("not_open")
        if not (firm or bureau) and found.state not in Project.BEFORE_WORKS:
            raise CannotAdapt("too_late")
        for line in PlanLine.objects.filter(plan__project=found, hold__isnull=False).select_related("hold"):
            assert line.hold is not None
            release(hold=line.hold, by=by, at=at, reason="adaptation cancelled")
        found.plans.filter(answer="").update(answer=Answer.DECLINED, answered_at=at, answered_by=name_of(by))
        found.cancelled_at, found.cancelled_by, found.cancelled_for = at, name_of(by), reason.strip()[:300]
        _move(found, State.CANCELLED, "cancelled_at", "cancelled_by", "cancelled_for")
        _note(found, "cancel_adaptation", by=by, at=at, channel=channel)
    return found


def begin(*, project: Project, by: Any, at: datetime) -> Project:
    """This function will note that the works begin. Raises: CannotAdapt wrong_role, not_open."""
    with transaction.atomic():
        found = _at(project, State.AGREED, by=by, operators=True)
        found.begun_at = at
        _move(found, State.WORKS, "begun_at")
        _note(found, "begin_adaptation", by=by, at=at)
    return found


def finish(*, project: Project, photos: Sequence[Clean], by: Any, at: datetime) -> Project:
    """This function will note that the works are done, with photos of them; a third person is to look.

    Raises: CannotAdapt wrong_role, not_open, photo_after_missing.
    """
    if not photos:
        raise CannotAdapt("photo_after_missing")
    with transaction.atomic():
        found = _at(project, State.WORKS, by=by, operators=True)
        found.done_at, found.done_by = at, name_of(by)
        _move(found, State.DONE, "done_at", "done_by")
        _keep(found, photos, ProjectPhoto.Shows.AFTER, by=by, at=at)
        _note(found, "finish_adaptation", by=by, at=at, photos=len(photos))
    return found


def inspect(*, project: Project, missing: Sequence[str], note: str, by: Any, at: datetime) -> Project:
    """This function will note what a third person found: with nothing missing the works are accepted and paid.

    1. Lock journal and project. Whoever had a part in it, or acts for the family, is not a third person.
    2. `missing` are codes of items: with any, the works go on, and the note says what is to be put right.
    3. Else each line's order is delivered, dated the moment when the works were done: value is redeemed by the
       same operation as every other service. The warranty begins.

    Raises: CannotAdapt wrong_role, had_a_part, not_open, say_why, or the code of the line that cannot be paid.
    """
    with transaction.atomic():
        hold_journal_open()
        found = _at(project, State.DONE, by=by)
        if not may_inspect(found, by):
            raise CannotAdapt("wrong_role")
        if had_a_part(found, by, at):
            raise CannotAdapt("had_a_part")
        plan = found.plans.get(answer=Answer.AGREED)
        lines = list(plan.lines.select_related("service", "hold"))
        missing = [line.code for line in lines if line.code in set(missing)]
        if missing and not note.strip():
            raise CannotAdapt("say_why")
        Inspection.objects.create(
            project=found, at=at, by=name_of(by), missing=missing, note=note.strip()[:500]
        )
        if missing:
            _move(found, State.WORKS)
        else:
            _redeem(found, lines, by=by, at=at)
            found.accepted_at, found.accepted_by = at, name_of(by)
            found.warranty_until = months_later(day_of(at), plan.warranty_months)
            _move(found, State.ACCEPTED, "accepted_at", "accepted_by", "warranty_until")
        _note(found, "inspect_adaptation", by=by, at=at, missing=missing)
    return found


def _redeem(project: Project, lines: Sequence[PlanLine], *, by: Any, at: datetime) -> None:
    assert project.done_at is not None
    for line in lines:
        if line.hold is None:
            continue
        try:
            deliver(
                hold=line.hold,
                order=_order(project, line, project.done_at),
                by=by,
                at=at,
                key_scope=KEYS,
            )
        except CannotRedeem as refusal:
            raise CannotAdapt(refusal.code, what=line.item, cause=refusal) from refusal


def may_inspect(project: Project, by: Any) -> bool:
    """Whether this person's office is to look at works at this elder's home."""
    return by.holds("street_officer", division=project.elder.division) or by.holds("bureau_clerk")


def had_a_part(project: Project, by: Any, at: datetime) -> bool:
    """Whether somebody acted in this project, or may act for this family: then not a third person."""
    acted = {project.requested_by, project.assessed_by, project.agreed_by, project.done_by}
    return (
        by.get_username() in acted
        or OwnRecord.objects.filter(user=by, elder=project.elder, ended_at=None).exists()
        or Delegation.objects.filter(user=by, elder=project.elder).live(day_of(at)).exists()  # type: ignore[attr-defined]
    )


def months_later(day: date, months: int) -> date:
    """The last day of a warranty that begins on `day`: the day before the same day, `months` later."""
    years, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            later = date(day.year + years, month + 1, last)
        except ValueError:
            continue
        return date.fromordinal(later.toordinal() - 1)
    raise AssertionError("every month has 28 days")


# Steps that the operations share


def _locked(project: Project) -> Project:
    rows = Project.objects.select_for_update(of=["self"]).select_related(
        "elder__division", "operator", "premises"
    )
    return rows.get(pk=project.pk)


def _at(project: Project, *states: str, by: Any, operators: bool = False) -> Project:
    """The project, locked, in one of these states; `operators`: only its operator's manager may."""
    found = _locked(project)
    if operators and not by.holds("operator_manager", operator=found.operator):
        raise CannotAdapt("wrong_role")
    if found.state not in states:
        raise CannotAdapt("not_open")
    return found


def _waiting(plan: Plan) -> tuple[Project, Plan]:
    """The project of the plan, locked, and the plan, which waits for its answer."""
    found = _locked(plan.project)
    plan = Plan.objects.get(pk=plan.pk)
    if found.state != State.PLANNED or plan.answer:
        raise CannotAdapt("not_open")
    return found, plan


def _move(project: Project, state: str, *fields: str) -> None:
    if state not in Project.MOVES[State(project.state)]:
        raise CannotAdapt("not_open")
    project.state = state
    project.save(update_fields=["state", *fields])


def _answer(plan: Plan, answer: str, *, by: Any, at: datetime, reason: str = "") -> None:
    plan.answer, plan.answered_at, plan.answered_by, plan.reason = answer, at, name_of(by), reason[:300]
    plan.save(update_fields=["answer", "answered_at", "answered_by", "reason"])


def _check_cap(parts: Any) -> None:
    over = over_cap(parts)
    if over:
        sentence = _(
            "This asks for %(over)s yuan more than the %(cap)s yuan that a household gets. Let the family pay "
            "an item wholly, or leave one out."
        ) % {"over": over, "cap": HOUSEHOLD_CAP}
        raise CannotAdapt("over_cap", sentence=sentence)


def _order(project: Project, line: PlanLine, happened_at: datetime) -> RedemptionOrder:
    return RedemptionOrder(
        key=f"{project.number}:{line.pk}",
        happened_at=happened_at,
        premises=project.premises.code,
        service=line.service.code,
        elder=project.elder.code,
        quantity=line.quantity,
    )


def _keep(project: Project, photos: Sequence[Clean], shows: str, *, by: Any, at: datetime) -> None:
    for photo in photos:
        ProjectPhoto.objects.create(project=project, photo=keep(photo=photo, by=by, at=at), shows=shows)


def _note(
    project: Project, action: str, *, by: Any, at: datetime, channel: str = "web", **detail: Any
) -> None:
    record(by=by, at=at, action=action, subject=project.number, detail=detail, channel=channel)
