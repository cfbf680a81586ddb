"""What a terminal or partner may do: ask for a price, redeem, take back within ten minutes (rules.md section 4).

Note [Key first]: a key that was used is answered before premises, time or code are looked at, so that a late
retry still gets its receipt. Only then is the code examined, which notes its use; what is refused after that
leaves the key free.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from ledger.journal.queries import day_of
from vouchers.codes.operations import identify
from vouchers.redemption import terms
from vouchers.redemption.models import Redemption, Reversal
from vouchers.redemption.operations import (
    AlreadyReversed,
    Quoted,
    Redeemed,
    RedemptionOrder,
    quote_receipt,
    receipt_again,
    redeem,
    reverse,
)
from vouchers.redemption.refusals import CannotRedeem
from vouchers.redemption.statements import First
from vouchers.terminals.asking import Asked
from vouchers.terminals.queries import Caller

AHEAD = timedelta(minutes=5)
BACK = timedelta(hours=72)
TAKE_BACK = timedelta(minutes=10)


class NotYours(Exception):
    """It belongs to another: to the caller it is as if it were not there."""

    def __str__(self) -> str:
        return str(_("There is nothing of this name here for you."))


class TooLate(Exception):
    """The ten minutes in which a terminal may take back are over."""

    def __str__(self) -> str:
        return str(
            _("A terminal can take back within ten minutes only. Call the bureau: it can do so at any time.")
        )


def serve(*, caller: Caller, key: str, asked: Asked, first: First | None, at: datetime) -> Redeemed:
    """This function will redeem one serving at the caller's premises.

    1. Answer a key that was used before from its first result.
    2. Refuse what the caller may not serve, or tell of at that time.
    3. Find out whom the code shows; that is noted, whatever comes of it.
    4. Redeem; what was ordered there for that day is delivered.

    Call it outside any transaction. Raises: NotYours, CannotRedeem, CannotIdentify, UnderWay.
    """
    digest = asked.digest()
    if first is not None:
        return receipt_again(first, request=digest)
    order = order_for(caller=caller, key=key, asked=asked, at=at, digest=digest)
    return redeem(order=order, by=caller.scope, at=at, key_scope=caller.scope, wait=False, ordered=True)


def ask_price(*, caller: Caller, asked: Asked, at: datetime) -> Quoted:
    """The split that `serve` would make now; nothing is spent. Raises: NotYours, CannotRedeem, CannotIdentify."""
    order = order_for(caller=caller, key="", asked=asked, at=at, digest=b"-")
    return quote_receipt(order=order, ordered=True)


def order_for(*, caller: Caller, key: str, asked: Asked, at: datetime, digest: bytes) -> RedemptionOrder:
    happened_at = asked.happened_at or at
    check_time(caller=caller, happened_at=happened_at, at=at)
    check_place(caller=caller, premises=asked.premises, happened_at=happened_at)
    # A partner's past days are shown codes of those days.
    past = asked.happened_at if caller.may_tell_past else None
    elder = identify(credential=asked.credential, terminal_key=caller.scope, at=at, taken_at=past)
    return RedemptionOrder(
        key=key,
        happened_at=happened_at,
        premises=asked.premises,
        service=asked.service,
        elder=elder,
        quantity=asked.quantity,
        channel=asked.way,
        request=digest,
    )


def check_time(*, caller: Caller, happened_at: datetime, at: datetime) -> None:
    """Raises CannotRedeem: out_of_time."""
    if happened_at > at + AHEAD or (happened_at < at - BACK and not caller.may_tell_past):
        raise CannotRedeem("out_of_time")


def check_place(*, caller: Caller, premises: str, happened_at: datetime) -> None:
    """A terminal serves its own premises, a partner those its operators rent on that day.

    Premises that nobody knows, or that nobody rents, are refused by the rules themselves. Raises NotYours.
    """
    if premises == caller.premises:
        return
    place = (terms.kept() or terms.current()).premises.get(premises) or terms.current().premises.get(premises)
    if place is None:
        raise CannotRedeem("unknown_reference")
    if caller.is_terminal:
        raise NotYours
    lease = place.lease_on(day_of(happened_at))
    if lease is not None and lease.operator.code not in caller.operators:
        raise NotYours


def take_back(*, caller: Caller, number: str, reason: str, at: datetime) -> tuple[Reversal, bool]:
    """This function will reverse a redemption that this caller made within the last ten minutes.

    The second value is True where it was reversed before. Raises: NotYours, TooLate; nothing is written.
    """
    redemption = Redemption.objects.by_number(number).filter(key_scope=caller.scope).first()
    if redemption is None:
        raise NotYours
    if redemption.reversed_on is None and at > redemption.recorded_at + TAKE_BACK:
        raise TooLate
    return reverse_once(redemption=redemption, reason=reason, by=caller.scope, at=at)


def reverse_once(*, redemption: Redemption, reason: str, by: object, at: datetime) -> tuple[Reversal, bool]:
    """This function will reverse a redemption, or find the reversal that was made before."""
    try:
        return reverse(
            redemption=redemption, reversed_at=at, reason=reason, by=by, at=at, channel="api"
        ), False
    except AlreadyReversed:
        return Reversal.objects.get(redemption=redemption), True
