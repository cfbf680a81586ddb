"""Redeeming a delivered service, placing and delivering an order, and reversing a redemption (rules.md sections 4 and 5)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from ledger.audit.operations import name_of, record
from ledger.journal.operations import Move, hold_journal_open, mirror, post
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.wire import Transaction
from vouchers.elders.models import Elder
from vouchers.redemption import statements, terms
from vouchers.redemption.judge import Judged, Split, VoucherFacts, judge
from vouchers.redemption.models import Claim, Redemption, Reversal
from vouchers.redemption.refusals import CannotRedeem, UnderWay
from vouchers.settlement.models import ReviewCase
from vouchers.wallets.models import Hold, HoldLine, Movement, Voucher
from vouchers.wallets.operations import Return, put_back, set_aside, take_from_hold

FILES = "files"  # the one scope of keys that all files share


@dataclass(frozen=True, slots=True)
class RedemptionOrder:
    """What was served to whom where, as codes; `happened_at` is aware. `key` is the caller's own."""

    key: str
    happened_at: datetime
    premises: str
    service: str
    elder: str
    quantity: int
    channel: str = ""
    request: bytes = b""

    def digest(self) -> bytes:
        """SHA-256 of the request as parsed: the instant, not its spelling; what is not given stays so.

        A face whose requests say more or less than these fields gives the digest of its own as `request`.
        """
        if self.request:
            return self.request
        content = [
            self.happened_at.astimezone(UTC).isoformat(),
            self.premises,
            self.service,
            self.elder,
            self.quantity,
            self.channel,
            "",
        ]
        return hashlib.sha256(json.dumps(content).encode()).digest()


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The receipt. `spent` is (voucher id, programme code, amount, remaining afterwards) in paying order;
    `elder` the code, `name` the elder's name."""

    id: int
    elder: str
    name: str
    split: Split
    spent: list[tuple[int, str, Decimal, Decimal]]
    repeated: bool = False

    @property
    def number(self) -> str:
        return f"RD-{self.id:09d}"


class _Ordered(Exception):
    """What is redeemed was ordered: carries the id of the hold that waits for it."""


def redeem(
    *,
    order: RedemptionOrder,
    by: Any,
    at: datetime,
    key_scope: str = FILES,
    wait: bool = True,
    ordered: bool = False,
) -> Redeemed:
    """This function will spend an elder's vouchers on one delivered service.

    1. Lock the elder, then read in one statement the key's first result and what the rules need,
       with the elder's spendable vouchers locked.
    2. Answer a repeated key from the first result.
    3. Check, price and allocate (judge.py).
    4. Write everything in one statement: vouchers lowered, redemption, claims, entry, audit record.

    `at` is when the program learns of it. Amounts are yuan. Rules: rules.md section 4. With `ordered`, an open
    order of the same elder, service, day and premises is what is delivered (section 5), the earliest of several.
    Raises: CannotRedeem with one of its codes; nothing is written. Without `wait`, UnderWay while the same key
    is being redeemed by another.
    """
    known = terms.kept() or terms.current()
    key_lock = None if wait else statements.lock_of_key(key_scope, order.key)
    for last_try in (False, False, True):
        try:
            with Transaction() as opened:
                redeemed = _redeem_under(
                    opened,
                    known,
                    order=order,
                    by=by,
                    at=at,
                    key_scope=key_scope,
                    key_lock=key_lock,
                    ordered=ordered,
                )
        except _Ordered as found:
            try:
                return deliver(
                    hold=Hold.objects.get(id=found.args[0]), order=order, by=by, at=at, key_scope=key_scope
                )
            except CannotRedeem as refusal:
                # Delivered or cancelled since it was found: look again.
                if last_try or refusal.code != "not_held":
                    raise
        except IntegrityError:
            # The same key arrived twice at once for two elders: the other one is there now.
            if last_try:
                raise
        else:
            if redeemed is not None:
                return redeemed
        known = terms.current()
    raise RuntimeError("terms kept changing while a redemption was judged")


def _redeem_under(
    opened: Transaction,
    known: terms.Terms,
    *,
    order: RedemptionOrder,
    by: Any,
    at: datetime,
    key_scope: str,
    key_lock: int | None,
    ordered: bool,
) -> Redeemed | None:
    """One try under the terms in memory; None where these are out of date."""
    service_on = day_of(order.happened_at)
    context = statements.lock_and_read(
        opened,
        key_scope=key_scope,
        key=order.key,
        elder=order.elder,
        service_id=known.service_id(order.service),
        service_on=service_on,
        premises_id=known.premises_id(order.premises) if ordered else None,
        key_lock=key_lock,
    )
    if not context.mine:
        raise UnderWay
    if context.first is not None:
        return receipt_again(context.first, request=order.digest())
    if context.terms_version != known.version:
        return None
    if context.ordered is not None:
        raise _Ordered(context.ordered)
    judged = judge(
        terms=known,
        premises=order.premises,
        service=order.service,
        quantity=order.quantity,
        service_on=service_on,
        elder=context.elder,
        vouchers=context.vouchers,
    )
    remaining = statements.write(
        opened,
        order=order,
        service_on=service_on,
        key_scope=key_scope,
        judged=judged,
        context=context,
        known=known,
        by=name_of(by),
        at=at,
    )
    return _receipt(context, order.elder, judged, remaining)


class Quoted(NamedTuple):
    """What `redeem` would answer now. `remaining` is what each voucher would hold afterwards, by id."""

    name: str
    judged: Judged
    remaining: dict[int, Decimal]


def quote(*, order: RedemptionOrder) -> Judged:
    """The same split as `redeem`, spending nothing. Raises CannotRedeem."""
    return quote_receipt(order=order).judged


def quote_receipt(*, order: RedemptionOrder, ordered: bool = False) -> Quoted:
    """The same with what would remain, and for whom. Raises CannotRedeem."""
    known = terms.current()
    service_on = day_of(order.happened_at)
    with Transaction() as opened:
        read = partial(
            statements.read,
            opened,
            elder=order.elder,
            service_id=known.service_id(order.service),
            service_on=service_on,
        )
        context = read(premises_id=known.premises_id(order.premises) if ordered else None)
        vouchers = context.vouchers
        held = {voucher.id: voucher.spendable for voucher in vouchers}
        if context.ordered is not None:
            vouchers = _set_aside_for(context.ordered, service_on)
            for voucher in vouchers:
                held[voucher.id] = held.get(voucher.id, ZERO) + voucher.spendable
            context = read(hold_id=context.ordered)
        judged = judge(
            terms=known,
            premises=order.premises,
            service=order.service,
            quantity=order.quantity,
            service_on=service_on,
            elder=context.elder,
            vouchers=vouchers,
        )
    remaining = {line.voucher_id: held[line.voucher_id] - line.amount for line in judged.lines}
    return Quoted(context.name, judged, remaining)


def _set_aside_for(hold_id: int, service_on: date) -> list[VoucherFacts]:
    """What an order set aside and may be spent on this day, by voucher."""
    lines = HoldLine.objects.filter(
        hold=hold_id, voucher__valid_from__lte=service_on, voucher__valid_until__gte=service_on
    ).select_related("voucher")
    return [
        VoucherFacts(line.voucher_id, line.voucher.programme_id, line.voucher.valid_until, line.amount)
        for line in lines.order_by("voucher_id")
    ]


def receipt_again(first: statements.First, *, request: bytes) -> Redeemed:
    """The receipt of a redemption made before, as it was then. Raises CannotRedeem: key_reused when it was
    asked for otherwise."""
    if first.request != request:
        raise CannotRedeem("key_reused")
    redemption = Redemption.objects.select_related("elder").get(id=first.id)
    paid = list(
        redemption.movements.filter(kind__in=Movement.SPENDING)
        .select_related("voucher__programme")
        .order_by("id")
    )
    remaining = _remaining_then(redemption, paid)
    spent = [
        (
            movement.voucher_id,
            movement.voucher.programme.code,
            movement.amount,
            remaining[movement.voucher_id],
        )
        for movement in paid
    ]
    split = Split(**{part: getattr(redemption, part) for part in Split.__dataclass_fields__})
    return Redeemed(redemption.id, redemption.elder.code, redemption.elder.name, split, spent, repeated=True)


# What each kind of movement does to what remains; spending from a hold leaves it alone.
TO_REMAINING = {
    Movement.Kind.REDEEM: -1,
    Movement.Kind.REDEEM_HELD: 0,
    Movement.Kind.GIVE_BACK: 1,
    Movement.Kind.HOLD: -1,
    Movement.Kind.RELEASE: 1,
    Movement.Kind.EXPIRE: -1,
    Movement.Kind.VOID: -1,
    Movement.Kind.UNVOID: 1,
}


def _remaining_then(redemption: Redemption, paid: list[Movement]) -> dict[int, Decimal]:
    """What remained of each voucher once this redemption was done and the rest of its hold released, whatever
    became of it since. One query."""
    remaining = {movement.voucher_id: movement.voucher.face_value for movement in paid}
    then = dict(remaining)
    for movement in Movement.objects.filter(voucher__in=list(remaining)).order_by("id"):
        remaining[movement.voucher_id] += TO_REMAINING[Movement.Kind(movement.kind)] * movement.amount
        spent = movement.redemption_id == redemption.id and movement.kind in Movement.SPENDING
        held = redemption.hold_id is not None and movement.hold_id == redemption.hold_id
        if spent or held:
            then[movement.voucher_id] = remaining[movement.voucher_id]
    return then


def _receipt(
    context: statements.Context, elder: str, judged: Judged, remaining: dict[int, Decimal]
) -> Redeemed:
    spent = [
        (line.voucher_id, line.programme, line.amount, remaining[line.voucher_id]) for line in judged.lines
    ]
    return Redeemed(context.redemption_id, elder, context.name, judged.split, spent)


def place(*, order: RedemptionOrder, by: Any, at: datetime) -> Hold:
    """This function will set aside the vouchers that an order will use.

    1. Lock the elder and read, as a redemption does.
    2. Answer a key that was used before with its hold; refuse it for another order.
    3. Check, price and choose vouchers for the day of service.
    4. Write the hold and what it set aside; post Outstanding to Held, dated the day of `at`.

    `order.happened_at` is when the service is due. Where no voucher fits, the hold takes a serving from the
    daily limit and nothing else, without an entry. Rules: rules.md section 5. Raises CannotRedeem.
    """
    known = terms.current()
    service_on = day_of(order.happened_at)
    with transaction.atomic():
        with Transaction() as reading:
            context = statements.lock_and_read(
                reading,
                key_scope="",
                key="",
                elder=order.elder,
                service_id=known.service_id(order.service),
                service_on=service_on,
                last=True,
            )
        first = Hold.objects.select_related("premises", "service", "elder").filter(key=order.key).first()
        if first is not None:
            return _placed_before(order, first)
        if context.terms_version != known.version:
            known = terms.current()
        judged = judge(
            terms=known,
            premises=order.premises,
            service=order.service,
            quantity=order.quantity,
            service_on=service_on,
            elder=context.elder,
            vouchers=context.vouchers,
        )
        assert context.elder is not None
        hold = Hold.objects.create(
            key=order.key,
            elder_id=context.elder.id,
            premises_id=known.premises[order.premises].id,
            service_id=judged.service.id,
            quantity=order.quantity,
            service_on=service_on,
            placed_at=at,
        )
        set_aside(hold=hold, lines=judged.lines, at=at)
        record(by=by, at=at, action="place", subject=hold.key, detail={"held": str(judged.split.vouchers)})
    return hold


def _placed_before(order: RedemptionOrder, hold: Hold) -> Hold:
    asked = (order.elder, order.premises, order.service, order.quantity, day_of(order.happened_at))
    placed = (hold.elder.code, hold.premises.code, hold.service.code, hold.quantity, hold.service_on)
    if asked != placed:
        raise CannotRedeem("key_reused")
    return hold


def deliver(*, hold: Hold, order: RedemptionOrder, by: Any, at: datetime, key_scope: str = FILES) -> Redeemed:
    """This function will turn an order's hold into a redemption.

    1. Lock the elder and read, the hold's own serving left out of the daily limit.
    2. Check and price on the day of delivery; only what the hold set aside may be spent.
    3. Write the redemption, spending from the hold; release what is left of it.

    Raises CannotRedeem: `not_held` when the hold was delivered or released before; nothing is written.
    """
    known = terms.current()
    service_on = day_of(order.happened_at)
    with transaction.atomic():
        with Transaction() as reading:
            context = statements.lock_and_read(
                reading,
                key_scope=key_scope,
                key=order.key,
                elder=order.elder,
                service_id=known.service_id(order.service),
                service_on=service_on,
                hold_id=hold.id,
                last=True,
            )
        if context.first is not None:
            return receipt_again(context.first, request=order.digest())
        hold = Hold.objects.select_for_update().get(id=hold.id)
        if hold.state != Hold.State.OPEN or context.elder is None or hold.elder_id != context.elder.id:
            raise CannotRedeem("not_held")
        if context.terms_version != known.version:
            known = terms.current()
        judged = judge(
            terms=known,
            premises=order.premises,
            service=order.service,
            quantity=order.quantity,
            service_on=service_on,
            elder=context.elder,
            vouchers=_set_aside_for(hold.id, service_on),
        )
        with Transaction() as writing:
            remaining = statements.write(
                writing,
                order=order,
                service_on=service_on,
                key_scope=key_scope,
                judged=judged,
                context=context,
                known=known,
                by=name_of(by),
                at=at,
                hold_id=hold.id,
            )
        take_from_hold(hold=hold, used={line.voucher_id: line.amount for line in judged.lines}, by=by, at=at)
        remaining = dict(Voucher.objects.filter(id__in=remaining).values_list("id", "remaining"))
        return _receipt(context, order.elder, judged, remaining)


class AlreadyReversed(Exception):
    """The redemption was reversed before: whatever the time or reason, this says it again."""


def reverse(
    *,
    redemption: Redemption,
    reversed_at: datetime,
    reason: str,
    by: Any,
    at: datetime,
    decision: str = "reversed",
    channel: str = "file",
) -> Reversal:
    """This function will undo one whole redemption, once.

    1. Lock the elder, then the redemption; refuse one that was reversed before.
    2. Post the mirror entry, dated the day of reversal, and write the reversal.
    3. Give the value back to the same vouchers; what is voided or past its validity closes at once.
    4. Take it off its claims and out of review.

    Raises AlreadyReversed.
    """
    day = day_of(reversed_at)
    with transaction.atomic():
        hold_journal_open()
        Elder.objects.select_for_update(no_key=True).get(id=redemption.elder_id)
        redemption = (
            Redemption.objects.select_for_update(no_key=True, of=["self"])
            .select_related("entry")
            .get(id=redemption.id)
        )
        if redemption.reversed_on is not None:
            raise AlreadyReversed
        entry = post(
            key=f"reverse:{redemption.number}",
            kind="reversal",
            dated_on=day,
            at=at,
            moves=_mirror(redemption),
            link=redemption.number,
            reverses=redemption.entry,
        )
        reversal = Reversal.objects.create(
            redemption=redemption,
            reversed_at=reversed_at,
            recorded_at=at,
            by=name_of(by),
            reason=reason,
            entry=entry,
        )
        paid = redemption.movements.filter(kind__in=Movement.SPENDING)
        put_back(
            returns=[Return(movement.voucher_id, movement.amount) for movement in paid],
            kind=Movement.Kind.GIVE_BACK,
            day=day,
            at=at,
            entry=entry,
            key=f"close:{redemption.number}",
            link=redemption.number,
            redemption=redemption,
        )
        redemption.reversed_on = day
        redemption.save(update_fields=["reversed_on"])
        Claim.objects.filter(redemption=redemption).update(reversed_on=day)
        ReviewCase.objects.filter(redemption=redemption, decision="").update(
            decision=decision, decided_at=at, decided_by=name_of(by), note=reason[:500]
        )
        record(
            by=by,
            at=at,
            action="reverse",
            subject=redemption.number,
            detail={
                "reversed_at": reversed_at.isoformat(),
                "reason": reason,
                "value": str(redemption.vouchers),
            },
            channel=channel,
        )
    return reversal


def _mirror(redemption: Redemption) -> list[Move]:
    """The mirror of a redemption's entry; what was spent from a hold goes back to Outstanding, not to Held."""
    return [
        Move(move.debit, move.credit.replace(":Held", ":Outstanding"), move.amount)
        for move in mirror(redemption.entry)
    ]


__all__ = [
    "FILES",
    "AlreadyReversed",
    "CannotRedeem",
    "Quoted",
    "Redeemed",
    "RedemptionOrder",
    "UnderWay",
    "deliver",
    "place",
    "quote",
    "quote_receipt",
    "receipt_again",
    "redeem",
    "reverse",
]
