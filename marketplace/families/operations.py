"""Acts for an elder, told to the elder. The rules are those of vouchers/delegates/operations.py."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from marketplace.accounts.codes import MINUTES, forgive, one_more_try, send_code
from marketplace.accounts.models import OneTimeCode, User
from marketplace.messages.operations import tell
from vouchers.codes import pins
from vouchers.codes.operations import check_pin, codes_of
from vouchers.codes.refusals import CannotIdentify
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import Call, Delegation, OwnRecord
from vouchers.elders import sealing
from vouchers.elders.models import Elder

SALT_AND_HASH = pins.SALT_BYTES + 32  # bytes of a PIN that is kept


@dataclass(frozen=True)
class Acting:
    """For which elder this request acts, and by what right: the elder's own account (neither delegation nor
    call), a delegation, or a call of the hotline."""

    elder: Elder
    user: Any
    delegation: Delegation | None = None
    call: Call | None = None

    @property
    def for_another(self) -> bool:
        return self.delegation is not None or self.call is not None

    @property
    def may_order(self) -> bool:
        return self.delegation is None or self.delegation.scope == Delegation.Scope.ORDER

    @property
    def channel(self) -> str:
        """How the audit, and a redemption, call the way."""
        return "hotline" if self.call is not None else "web"

    @property
    def who(self) -> Any:
        """The one who acts, as the elder knows them."""
        if self.call is not None:
            return _("The hotline")
        return self.delegation.name() if self.delegation is not None else ""


@transaction.atomic
def acted(*, acting: Acting, action: str, what: Any, at: datetime, once: str = "", subject: str = "") -> None:
    """This function will note an act for another in the audit and tell the elder of it.

    Call it in the transaction of the act. Nothing happens when the elder acts in person. `action` is the
    audit's short name, `what` the words that the elder reads (a lazy text comes in the elder's language);
    with `once` the elder hears of it once.
    """
    if not acting.for_another:
        return
    record(
        by=acting.user,
        at=at,
        action=action,
        subject=subject or acting.elder.code,
        detail={"for": acting.elder.code, "by": "hotline" if acting.call else "delegate"},
        channel=acting.channel,
    )
    tell(kind="acted_for", elder=acting.elder, at=at, once=once, who=acting.who, what=what)


def count_order(*, acting: Acting, key: str, amount: Decimal, at: datetime) -> None:
    """This function will check that the one who acts may order, and count `amount` against a delegate's cap.

    In the transaction of the order, after its vouchers are known; negative when an order is cancelled.
    Raises: vouchers.delegates.operations.CannotAct with may_not_order, not_open or cap_reached.
    """
    if acting.delegation is not None:
        delegates.count_against_cap(delegation=acting.delegation, key=key, amount=amount, at=at)


# The elder's own account


def elder_by_id(id_number: str) -> Elder | None:
    """The elder on the register with this ID number, alive."""
    digest = sealing.lookup(id_number, field="id_number")
    return Elder.objects.filter(id_number_lookup=digest, died_on=None).first()


def has_phone(elder: Elder, phone: str) -> bool:
    return elder.phone_lookup is not None and bytes(elder.phone_lookup) == sealing.lookup(
        phone, field="phone"
    )


def send_record_code(*, id_number: str, phone: str, address: str, at: datetime) -> OneTimeCode:
    """This function will send a code to the phone on file, if ID number and phone belong together.

    Whoever asks is answered the same in any case. Raises: CannotSendCode.
    """
    elder = elder_by_id(id_number)
    fits = elder is not None and has_phone(elder, phone)
    return send_code(
        purpose=OneTimeCode.Purpose.RECORD,
        subject=sealing.lookup(id_number, field="id_number").hex(),
        address=address,
        phone="",
        deliver=(lambda code: tell(kind="record_code", elder=elder, at=at, code=code, minutes=MINUTES))
        if fits
        else None,
        at=at,
    )


@transaction.atomic
def claim(*, user: User, elder: Elder, notice: bool, sensitive: bool, at: datetime) -> OwnRecord:
    """This function will tie the account to the record, after the phone on file was proven; the elder hears of it."""
    own = delegates.claim_record(
        user=user, elder=elder, proof=OwnRecord.Proof.PHONE, notice=notice, sensitive=sensitive, at=at
    )
    _tell_of_claim(own, at)
    return own


@transaction.atomic
def claim_by_paper(*, user: User, code: str, notice: bool, sensitive: bool, at: datetime) -> OwnRecord:
    """The same by a paper code, which is used up."""
    own = delegates.claim_by_paper(user=user, code=code, notice=notice, sensitive=sensitive, at=at)
    _tell_of_claim(own, at)
    return own


def _tell_of_claim(own: OwnRecord, at: datetime) -> None:
    tell(
        kind="record_claimed",
        elder=own.elder,
        at=at,
        once=f"record_claimed:{own.pk}",
        tail=own.user.phone_tail,
    )


# Family


@dataclass(frozen=True)
class Terms:
    """What somebody asks for: who they are to the elder, what they may do, how much a month, until when."""

    name: str
    relation: str
    scope: str
    cap: Decimal | None
    until: date

    @property
    def in_words(self) -> Any:
        label = Delegation.Scope(self.scope).label
        return (
            label
            if self.cap is None
            else format_lazy(
                _("{scope}, at most {cap} yuan a month"), scope=label, cap=f"{self.cap:f}".removesuffix(".00")
            )
        )


def terms_of(delegation: Delegation) -> Terms:
    return Terms(delegation.name(), delegation.relation, delegation.scope, delegation.cap, delegation.until)


def elder_by_name_and_phone(name: str, phone: str) -> Elder | None:
    """The one elder of this name with this phone on file, alive. Households share phones, so the name counts."""
    found = Elder.objects.filter(phone_lookup=sealing.lookup(phone, field="phone"), name=name, died_on=None)[
        :2
    ]
    return found[0] if len(found) == 1 else None


@transaction.atomic
def ask_to_act(
    *, user: User, name: str, phone: str, terms: Terms, address: str, at: datetime
) -> tuple[OneTimeCode, Delegation | None]:
    """This function will ask an elder to let this account act, by a code to the phone on file.

    The elder is found by name and phone; when nobody fits, the one who asks is answered the same.
    Raises: CannotSendCode; CannotAct, for what is wrong with the terms or known to the asker anyway.
    """
    elder = elder_by_name_and_phone(name, phone)
    asked = None
    if elder is not None:
        asked = delegates.ask(
            user=user,
            elder=elder,
            name=terms.name,
            relation=terms.relation,
            scope=terms.scope,
            cap=terms.cap,
            until=terms.until,
            at=at,
        )
    code = send_code(
        purpose=OneTimeCode.Purpose.DELEGATE,
        subject=sealing.lookup(f"{name} {phone}", field="asked").hex(),
        address=address,
        phone="",
        deliver=(
            lambda digits: tell(
                kind="delegate_asks", elder=elder, at=at, who=terms.name, scope=terms.in_words, code=digits
            )
        )
        if elder is not None
        else None,
        at=at,
    )
    return code, asked


@transaction.atomic
def agree(*, delegation: Delegation, how: str, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will let the delegate in; both hear of it. What proves it was checked by the caller.

    Raises: CannotAct not_open.
    """
    done = delegates.agree(delegation=delegation, how=how, by=by, at=at, channel=channel)
    terms = terms_of(done)
    tell(
        kind="delegate_may_act",
        elder=done.elder,
        at=at,
        who=terms.name,
        scope=terms.in_words,
        until=done.until,
    )
    tell(
        kind="delegate_agreed",
        user=done.user,
        at=at,
        who=done.elder.name,
        scope=terms.in_words,
        until=done.until,
    )
    return done


def agree_by_pin(
    *, user: User, delegation: Delegation | None, asked: OneTimeCode, pin: str, address: str, at: datetime
) -> Delegation:
    """This function will let the delegate in, when the elder types the PIN on the delegate's phone.

    1. Count the try: five in a quarter of an hour at what was asked for, whether there is such an elder or not.
    2. Examine the PIN, which is counted for the elder too, wherever it is typed.
    3. Agree.

    Not inside a transaction: tries stay counted. Whoever asked for somebody who is not there (`delegation` None)
    is answered the same. Raises: WrongCode; NotAgreed; CannotAct not_open.
    """
    subject = f"PIN for {bytes(asked.subject).hex()}"
    one_more_try(subject=subject, address=address, at=at)
    try:
        if delegation is None:
            pins.matches(pin, bytes(SALT_AND_HASH), elder="")  # takes as long
            raise NotAgreed
        check_pin(codes=codes_of(delegation.elder), pin=pin, terminal_key="family", at=at)
    except CannotIdentify:
        raise NotAgreed from None
    forgive(subject=subject)
    return agree(delegation=delegation, how=Delegation.Agreed.PIN, by=user, at=at)


class NotAgreed(Exception):
    """The PIN is not the elder's, or the elder has none, or there is no such elder: all told in the same words."""

    def __str__(self) -> str:
        return str(_("This PIN does not fit. The elder can tell you the code instead, or call the hotline."))


@transaction.atomic
def refuse(*, delegation: Delegation, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will note the elder's no; the one who asked hears of it. Raises: CannotAct not_open."""
    done = delegates.refuse(delegation=delegation, by=by, at=at, channel=channel)
    tell(kind="delegate_refused", user=done.user, at=at, who=done.elder.name)
    return done


@transaction.atomic
def end(*, delegation: Delegation, by: Any, at: datetime, channel: str = "web") -> Delegation:
    """This function will shut the delegate out, at once; the delegate hears of it. Raises: CannotAct not_open."""
    done = delegates.end(delegation=delegation, by=by, at=at, channel=channel)
    tell(kind="delegate_ended", user=done.user, at=at, who=done.elder.name)
    return done
