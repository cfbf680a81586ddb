"""Tying an account to an elder, letting somebody in, and ending it.

What proves that the elder agrees (a code, a PIN, a call) is checked by the caller, who says which it was.
Messages are the caller's too (marketplace/families/operations.py): this layer knows no phones to send to.
"""

import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.refusals import Refusal
from vouchers.delegates.models import (
    CALL_LASTS,
    Call,
    Consent,
    DelegateAct,
    Delegation,
    OwnRecord,
    PaperCode,
)
from vouchers.elders import sealing
from vouchers.elders.models import Elder

NOTICE_VERSION = "2026-11"
LONGEST = timedelta(days=366)  # a delegation is agreed anew at least once a year
MOST_CAP = Decimal("2000.00")  # yuan a month
PAPER_DAYS = 30
PAPER_DIGITS = 10

SENTENCES = {
    "not_alive": _("The register says that this person has died. Call the hotline if this is wrong."),
    "own_record": _("This is your own record: you need nobody's leave."),
    "asked_already": _("You act for this person already. To change what was agreed, end it first."),
    "too_long": _("Choose an end within a year from today."),
    "cap_wrong": _("Choose a monthly limit between 1 and 2,000 yuan."),
    "name_missing": _("Say your name as the elder knows you."),
    "not_open": _("This is no longer open: it was answered, ended, or has run out."),
    "cap_reached": _(
        "This goes beyond the monthly limit that was agreed. The elder can order in person, or agree to a higher limit."
    ),
    "may_not_order": _("You may see the vouchers here, not order. The elder can change that."),
    "paper_unknown": _(
        "This code does not fit. Check each digit; a paper code works once and for 30 days. Your community prints a new one."
    ),
    "consent_missing": _("Both boxes are needed: without them the record cannot be shown on a phone."),
    "call_open": _("Another call is open. End it first."),
}


class CannotAct(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, `str()` the sentence for a person."""

    sentences = SENTENCES


# The elder's own account


@transaction.atomic
def claim_record(
    *, user: Any, elder: Elder, proof: str, notice: bool, sensitive: bool, at: datetime
) -> OwnRecord:
    """This function will tie an account to the elder's own record, with the two consents that it needs.

    Twice is once. Raises: CannotAct not_alive, consent_missing.
    """
    if not (notice and sensitive):
        raise CannotAct("consent_missing")
    _alive(elder)
    try:
        with transaction.atomic():
            own = OwnRecord.objects.create(user=user, elder=elder, proof=proof, claimed_at=at)
    except IntegrityError:
        return OwnRecord.objects.get(user=user, elder=elder, ended_at=None)
    Consent.objects.bulk_create(
        Consent(user=user, elder=elder, matter=matter, version=NOTICE_VERSION, given=True, at=at)
        for matter in (Consent.Matter.NOTICE, Consent.Matter.SENSITIVE)
    )
    record(by=user, at=at, action="claim_record", subject=elder.code, detail={"proof": proof})
    return own


@transaction.atomic
def leave_record(*, own: OwnRecord, by: Any, at: datetime) -> bool:
    """This function will untie an account from the elder's record and note the consents as withdrawn."""
    if not OwnRecord.objects.filter(pk=own.pk, ended_at=None).update(ended_at=at):
        return False
    Consent.objects.bulk_create(
        Consent(user=own.user, elder=own.elder, matter=matter, version=NOTICE_VERSION, given=False, at=at)
        for matter in (Consent.Matter.NOTICE, Consent.Matter.SENSITIVE)
    )
    record(by=by, at=at, action="leave_record", subject=own.elder.code)
    return True


@transaction.atomic
def print_paper_code(*, elder: Elder, by: Any, at: datetime) -> tuple[str, PaperCode]:
    """This function will make a code that ties one account to this elder's record; the code is not kept.

    An earlier one of the elder that was not used yet is void from now on. Raises: CannotAct not_alive.
    """
    _alive(elder)
    PaperCode.objects.filter(elder=elder, used_at=None, voided_at=None).update(voided_at=at)
    code = "".join(secrets.choice("0123456789") for _ in range(PAPER_DIGITS))
    made = PaperCode.objects.create(
        elder=elder,
        code_lookup=sealing.lookup(code, field="paper_code"),
        made_by=by,
        made_at=at,
        until=timezone.localdate(at) + timedelta(days=PAPER_DAYS),
    )
    record(by=by, at=at, action="print_paper_code", subject=elder.code)
    return code, made


def elder_of_paper(*, code: str, at: datetime) -> Elder:
    """The elder whom an open paper code belongs to; it is not used up. Raises: CannotAct paper_unknown."""
    found = PaperCode.objects.filter(**_open_paper(code, at)).select_related("elder").first()
    if found is None:
        raise CannotAct("paper_unknown")
    return found.elder


@transaction.atomic
def claim_by_paper(*, user: Any, code: str, notice: bool, sensitive: bool, at: datetime) -> OwnRecord:
    """This function will tie an account to the record that a paper code names, and use the code up.

    Raises: CannotAct paper_unknown, not_alive, consent_missing.
    """
    found = PaperCode.objects.select_for_update().filter(**_open_paper(code, at)).first()
    if found is None:
        raise CannotAct("paper_unknown")
    own = claim_record(
        user=user,
        elder=found.elder,
        proof=OwnRecord.Proof.PAPER,
        notice=notice,
        sensitive=sensitive,
        at=at,
    )
    found.used_at, found.used_by = at, user
    found.save(update_fields=["used_at", "used_by"])
    return own


def _open_paper(code: str, at: datetime) -> dict[str, Any]:
    return {
        "code_lookup": sealing.lookup(code, field="paper_code"),
        "used_at": None,
        "voided_at": None,
        "until__gte": timezone.localdate(at),
    }


# Family


@transaction.atomic
def ask(
    *,
    user: Any,
    elder: Elder,
    name: str,
    relation: str,
    scope: str,
    cap: Decimal | None,
    until: date,
    at: datetime,
) -> Delegation:
    """This function will note that somebody asks to act for an elder. It lets nobody in.

    Asking again takes the place of what was asked before and not answered.
    Raises: CannotAct not_alive, own_record, asked_already, too_long, cap_wrong, name_missing.
    """
    _alive(elder)
    if not name.strip():
        raise CannotAct("name_missing")
    today = timezone.localdate(at)
    if not today <= until <= today + LONGEST:
        raise CannotAct("too_long")
    cap = cap if scope == Delegation.Scope.ORDER else None
    if scope == Delegation.Scope.ORDER and (cap is None or not 1 <= cap <= MOST_CAP):
        raise CannotAct("cap_wrong")
    if OwnRecord.objects.filter(user=user, elder=elder, ended_at=None).exists():
        raise CannotAct("own_record")
    # One that waits or has run out makes room for a new one.
    Delegation.objects.filter(user=user, elder=elder).filter(
        Q(state=Delegation.State.ASKED) | Q(state=Delegation.State.AGREED, until__lt=today)
    ).update(state=Delegation.State.ENDED, ended_at=at)
    asked = Delegation(
        user=user, elder=elder, relation=relation, scope=scope, cap=cap, until=until, asked_at=at
    )
    asked.seal_name(name.strip())
    try:
        with transaction.atomic():
            asked.save()
    except IntegrityError:
        raise CannotAct("asked_already") from None
    record(
        by=user,
        at=at,
        action="ask_to_act",
        subject=elder.code,
        detail={"scope": scope, "cap": str(cap) if cap else None, "until": until.isoformat()},
    )
    return asked


def agree(*, delegation: Delegation, how: str, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will let the delegate in. `how` is one of Delegation.Agreed. Raises: CannotAct not_open."""
    return _answer(
        delegation,
        Delegation.State.AGREED,
        by=by,
        at=at,
        channel=channel,
        agreed_at=at,
        agreed_by=how,
    )


def refuse(*, delegation: Delegation, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will note that the elder does not agree. Raises: CannotAct not_open."""
    return _answer(delegation, Delegation.State.REFUSED, by=by, at=at, channel=channel, ended_at=at)


def end(*, delegation: Delegation, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will shut the delegate out, at once. Ending twice raises CannotAct not_open."""
    return _answer(delegation, Delegation.State.ENDED, by=by, at=at, channel=channel, ended_at=at)


@transaction.atomic
def _answer(
    delegation: Delegation, state: str, *, by: Any, at: datetime, channel: str, **fields: Any
) -> Delegation:
    """Move it to `state`, by compare and set: of two at once one is answered not_open."""
    row = Delegation.objects.select_for_update().select_related("elder", "user").get(pk=delegation.pk)
    if state not in Delegation.MOVES[Delegation.State(row.state)] or (
        state == Delegation.State.AGREED and row.until < timezone.localdate(at)
    ):
        raise CannotAct("not_open")
    if state == Delegation.State.AGREED:
        _alive(row.elder)
    row.state = state
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=["state", *fields])
    record(
        by=by,
        at=at,
        action=f"delegation_{state}",
        subject=row.elder.code,
        detail={"delegate": row.user.get_username(), "how": row.agreed_by},
        channel=channel,
    )
    return row


@transaction.atomic
def count_against_cap(*, delegation: Delegation, key: str, amount: Decimal, at: datetime) -> None:
    """This function will count vouchers that a delegate sets aside against the month's limit.

    In the transaction of the order. The same key again counts once. A negative amount gives back what an
    order of the same month had taken (use a key of its own).
    Raises: CannotAct may_not_order, not_open, cap_reached; nothing is written.
    """
    row = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if DelegateAct.objects.filter(key=key).exists():
        return
    if amount > 0:
        if not row.is_live(timezone.localdate(at)):
            raise CannotAct("not_open")
        if row.scope != Delegation.Scope.ORDER or row.cap is None:
            raise CannotAct("may_not_order")
        if row.used(at) + amount > row.cap:
            raise CannotAct("cap_reached")
    month = timezone.localdate(at).replace(day=1)
    DelegateAct.objects.create(delegation=row, key=key, month=month, amount=amount, at=at)


# The telephone


@transaction.atomic
def open_call(*, agent: Any, elder: Elder, at: datetime) -> Call:
    """This function will note that an agent serves this elder now. One call an agent, an hour at most.

    Raises: CannotAct call_open.
    """
    Call.objects.filter(agent=agent, ended_at=None, opened_at__lte=at - CALL_LASTS).update(ended_at=at)
    open_now = Call.objects.filter(agent=agent, ended_at=None).first()
    if open_now is not None and open_now.elder_id == elder.pk:
        return open_now
    try:
        with transaction.atomic():
            call = Call.objects.create(agent=agent, elder=elder, opened_at=at)
    except IntegrityError:
        raise CannotAct("call_open") from None
    record(by=agent, at=at, action="open_call", subject=elder.code, channel="hotline")
    return call


@transaction.atomic
def called_back(*, call: Call, at: datetime) -> Call:
    """This function will note that the agent rang the phone on file and spoke with the elder.

    From now on the agent may act for the elder. Raises: CannotAct not_open.
    """
    row = Call.objects.select_for_update().select_related("elder", "agent").get(pk=call.pk)
    if row.ended_at is not None or at - row.opened_at >= CALL_LASTS:
        raise CannotAct("not_open")
    if row.called_back_at is None:
        row.called_back_at = at
        row.save(update_fields=["called_back_at"])
        record(by=row.agent, at=at, action="called_back", subject=row.elder.code, channel="hotline")
    return row


@transaction.atomic
def end_call(*, call: Call, at: datetime) -> bool:
    """This function will end a call: from now on the agent acts for nobody."""
    if not Call.objects.filter(pk=call.pk, ended_at=None).update(ended_at=at):
        return False
    record(by=call.agent, at=at, action="end_call", subject=call.elder.code, channel="hotline")
    return True


def _alive(elder: Elder) -> None:
    """Locked: until the transaction ends nobody erases the person."""
    living = Elder.objects.select_for_update(no_key=True).filter(pk=elder.pk, died_on=None, erased_at=None)
    if not list(living.values_list("pk")):
        raise CannotAct("not_alive")
