"""Asking to be erased, deciding it, and doing it: one transaction over the register, orders, messages and the account."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, record
from ledger.journal.operations import exclusive
from ledger.refusals import Refusal
from marketplace.accounts.models import Invitation, Passkey, RecoveryCode, Role, SecondFactor, User
from marketplace.models import ElderBasket, Erasure, Message, StandingOrder, WorkOrder
from marketplace.offerings.models import Wish
from marketplace.privacy.copies import records_of
from vouchers.elders import erasing
from vouchers.elders.sealing import CannotOpen
from vouchers.models import Delegation, Elder, OwnRecord, Voucher

WAIT_SECONDS = 20  # for a load or an issue that is under way
State = Erasure.State
# Of these the words name the elder to others, or others to the elder.
NAMES_THE_ELDER = ("spent_by", "delegate_agreed", "delegate_refused", "delegate_ended")
NAMES_THE_DELEGATE = ("acted_for", "delegate_asks", "delegate_may_act")

SENTENCES = {
    **erasing.SENTENCES,
    "asked": _("This was asked for already and waits for a decision."),
    "not_open": _("This was decided or taken back meanwhile."),
    "wrong_role": _("An approver of the bureau decides this."),
    "same_person": _("Whoever asked cannot decide: another approver does."),
    "why_missing": _("Say why, in a sentence."),
    "staff": _("Accounts of staff are ended by the administrators."),
    "in_office": _("The person's account has an office now. The administrators end that first."),
}


class CannotErase(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def vouchers_left(records: Sequence[Elder], today: date) -> Decimal:
    """Yuan that nobody can spend any more once the person is erased."""
    open_ = Voucher.objects.filter(elder__in=records, expired_on=None, voided_on=None)
    return open_.filter(valid_until__gte=today).aggregate(sum=Sum("remaining"))["sum"] or Decimal("0.00")


def sentences_of_open(records: Sequence[Elder]) -> list[str]:
    """What keeps the person from being erased now, in plain words."""
    return [str(SENTENCES[code]) for code in erasing.what_is_open(records)] if records else []


def ask(
    *,
    elder: Elder | None = None,
    user: User | None = None,
    by: User,
    at: datetime,
    reason: str = "",
    at_desk: bool = False,
) -> Erasure:
    """This function will note that somebody asks to be erased. Nothing is erased by that.

    Exactly one of `elder` and `user`; at a desk with a reason. Raises CannotErase asked, erased, staff, why_missing.
    """
    if at_desk and not reason.strip():
        raise CannotErase("why_missing")
    if user is not None and user.role:
        raise CannotErase("staff")
    with transaction.atomic():
        if elder is not None:
            records = records_of(elder)
            elder = next(one for one in records if one.same_as_id is None)  # the one that counts
            if elder.erased_at is not None:
                raise CannotErase("erased")
        try:
            with transaction.atomic():
                erasure = Erasure.objects.create(
                    elder=elder,
                    user=user,
                    at_desk=at_desk,
                    reason=reason.strip()[:200],
                    asked_by=by,
                    asked_at=at,
                )
        except IntegrityError:
            raise CannotErase("asked") from None
        detail = {"desk": at_desk, **({"reason": reason} if reason else {})}
        record(by=by, at=at, action="ask_erasure", subject=erasure.subject, detail=detail)
    return erasure


def withdraw(*, erasure: Erasure, by: User, at: datetime) -> Erasure:
    """This function will take a request back. Raises CannotErase not_open."""
    with transaction.atomic():
        erasure = _locked(erasure)
        _move(erasure, State.WITHDRAWN)
        record(by=by, at=at, action="withdraw_erasure", subject=erasure.subject)
    return erasure


def decline(*, erasure: Erasure, by: User, at: datetime, why: str) -> Erasure:
    """This function will refuse a request, with the reason that the person is shown. Raises CannotErase."""
    if not why.strip():
        raise CannotErase("why_missing")
    with transaction.atomic():
        erasure = _locked(erasure)
        _may_decide(erasure, by)
        _move(erasure, State.DECLINED, by=by, at=at, answer=why.strip()[:200])
        record(by=by, at=at, action="decline_erasure", subject=erasure.subject, detail={"reason": why})
    return erasure


def erase(*, erasure: Erasure, by: User, at: datetime) -> Erasure:
    """This function will erase the person who asked. It cannot be undone.

    1. Keep loads and issues out; lock the request, so that of two who decide at once one is refused.
    2. Erase the register's records (vouchers/elders/erasing.py), which refuses while something is open.
    3. Empty orders' addresses and the words of messages; close the account where it serves nobody else.
    4. Note who asked and who decided, and nothing of the person.

    Raises CannotErase; ledger.journal.operations.Busy while a load or issue is under way.
    """
    with exclusive("erase", wait_seconds=WAIT_SECONDS), transaction.atomic():
        erasure = _locked(erasure)
        _may_decide(erasure, by)
        left = Decimal("0.00")
        if erasure.elder is not None:
            left = _erase_elder(erasure.elder, by=by, at=at)
        else:
            assert erasure.user is not None
            _erase_account(erasure.user, at)
        _move(erasure, State.ERASED, by=by, at=at)
        detail = {
            "asked_by": erasure.asked_by.get_username(),
            "asked_at": erasure.asked_at.isoformat(),
            "left": str(left),
        }
        record(by=by, at=at, action="erase_person", subject=erasure.subject, detail=detail)
    return erasure


def _locked(erasure: Erasure) -> Erasure:
    rows = Erasure.objects.select_for_update(of=["self"]).select_related("elder", "user", "asked_by")
    found = rows.get(pk=erasure.pk)
    if found.state != State.ASKED:
        raise CannotErase("not_open")
    return found


def _may_decide(erasure: Erasure, by: User) -> None:
    if not as_now(by).holds(Role.BUREAU_APPROVER):
        raise CannotErase("wrong_role")
    if erasure.asked_by_id == by.pk:
        raise CannotErase("same_person")


def _move(
    erasure: Erasure, state: str, *, by: User | None = None, at: datetime | None = None, answer: str = ""
) -> None:
    assert State(state) in Erasure.MOVES[State(erasure.state)]
    erasure.state, erasure.decided_by, erasure.decided_at, erasure.answer = state, by, at, answer
    erasure.save(update_fields=["state", "decided_by", "decided_at", "answer"])


# The elder


def _erase_elder(elder: Elder, *, by: User, at: datetime) -> Decimal:
    records = records_of(elder)
    left, names = vouchers_left(records, timezone.localdate(at)), {one.name for one in records}
    accounts = list(
        User.objects.filter(own_records__elder__in=records, own_records__ended_at=None).distinct()
    )
    if any(one.role for one in accounts):
        raise CannotErase("in_office")
    others = User.objects.filter(delegations__elder__in=records).distinct()
    _empty_naming(Message.objects.filter(user__in=others, kind__in=NAMES_THE_ELDER), names)
    try:
        records = erasing.erase(elder=elder, at=at)
    except erasing.CannotErase as refusal:
        raise CannotErase(refusal.code) from None
    mine = Q(elder__in=records)
    StandingOrder.objects.filter(mine, stopped_at=None).update(stopped_at=at)
    StandingOrder.objects.filter(mine).update(address_sealed=None)
    WorkOrder.objects.filter(order__elder__in=records).update(address_sealed=None)
    _forget_baskets(ElderBasket.objects.filter(mine))
    _empty_messages(Message.objects.filter(mine))
    for account in accounts:
        if not _serves_another(account, at):
            _erase_account(account, at)
    return left


def _serves_another(account: User, at: datetime) -> bool:
    """Whether the account is tied to another's record still, or acts for somebody: then it goes on."""
    return (
        OwnRecord.objects.filter(user=account, ended_at=None).exists()
        or Delegation.objects.live(timezone.localdate(at)).filter(user=account).exists()
    )


# The account


def _erase_account(user: User, at: datetime) -> None:
    user = User.objects.select_for_update().get(pk=user.pk)
    for delegation in Delegation.objects.filter(user=user).exclude(name_sealed=b"").select_related("elder"):
        try:
            name = delegation.name()
        except CannotOpen:
            continue
        _empty_naming(Message.objects.filter(elder=delegation.elder, kind__in=NAMES_THE_DELEGATE), {name})
    Delegation.objects.filter(user=user, state__in=Delegation.OPEN).update(
        state=Delegation.State.ENDED, ended_at=at
    )
    Delegation.objects.filter(user=user).update(name_sealed=b"")
    OwnRecord.objects.filter(user=user, ended_at=None).update(ended_at=at)
    StandingOrder.objects.filter(user=user, stopped_at=None).update(stopped_at=at)
    _forget_baskets(ElderBasket.objects.filter(user=user))
    _empty_messages(Message.objects.filter(user=user))
    for secrets in (Passkey, SecondFactor, RecoveryCode, Invitation):
        secrets.objects.filter(user=user).delete()
    user.username = f"erased-{user.pk}"
    user.phone_sealed = user.phone_lookup = None
    user.phone_tail, user.is_active, user.erased_at = "", False, at
    user.set_unusable_password()  # ends every session
    user.save()


# What both have


def _forget_baskets(baskets: QuerySet[ElderBasket]) -> None:
    """What was not ordered goes; of what was, the address."""
    Wish.objects.filter(line__basket__care__in=baskets).update(address_sealed=None)
    for care in baskets.filter(basket__status="Open").select_related("basket"):
        care.basket.delete()


def _empty_messages(messages: QuerySet[Message]) -> None:
    messages.filter(outcome=Message.Outcome.WAITING).update(
        outcome=Message.Outcome.TOO_LATE, secret_sealed=None
    )
    messages.update(facts_sealed=b"")


def _empty_naming(messages: QuerySet[Message], names: Iterable[str]) -> None:
    """The words of those messages that name one of these people."""
    wanted = set(names)
    found = []
    for one in messages.exclude(facts_sealed=b""):
        try:
            if one.facts().get("who") in wanted:
                found.append(one.pk)
        except CannotOpen:
            continue
    Message.objects.filter(pk__in=found).update(facts_sealed=b"")
