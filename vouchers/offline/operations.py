"""Taking in what was served without a network, and deciding what of it could not be paid."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.operations import hold_journal_open
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.models import Operator
from vouchers.codes.operations import identify
from vouchers.codes.refusals import CannotIdentify
from vouchers.elders.eligibility import age_on
from vouchers.elders.models import Elder
from vouchers.offline import caps, evidence
from vouchers.offline.models import Serving, SignedRecord
from vouchers.redemption import terms
from vouchers.redemption.models import Redemption
from vouchers.redemption.operations import Redeemed, RedemptionOrder, receipt_again, redeem
from vouchers.redemption.refusals import CannotRedeem
from vouchers.redemption.statements import First
from vouchers.terminals.asking import Asked
from vouchers.terminals.models import Partner, Terminal
from vouchers.terminals.queries import Caller
from vouchers.terminals.serving import AHEAD, BACK, check_place
from vouchers.terminals.signing import Signature

SENTENCES = {
    "over_cap": _(
        "More was served without a network than the cap allows. The bureau decides whether it is paid."
    ),
    "paid_short": _(
        "Less was left on the vouchers than the counter had promised. The bureau decides about the rest."
    ),
    "signature_wrong": _(
        "What the tablet sent is not what it signed. Nothing is paid by itself; the bureau looks into it."
    ),
    "signature_missing": _(
        "This tablet signs what it serves without a network, and this was not signed. The bureau looks into it."
    ),
    "not_open": _("This case was decided before, or never was one."),
    "wrong_role": _("Only the bureau decides this."),
}
# A code that is genuine shows that somebody was served, even where its use is refused; these may pass by themselves.
TRY_AGAIN = {"pin_locked"}


class Taken(NamedTuple):
    """What became of a serving: `receipt` where it is paid, `case` where it is not, both where paid in part."""

    receipt: Redeemed | None
    case: Serving | None
    repeated: bool = False


class CannotDecide(Refusal):
    """Refused; nothing is written. `code` is not_open, wrong_role, or that of a refused redemption."""

    sentences = SENTENCES

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(code)
        self._sentence = sentence

    def __str__(self) -> str:
        return self._sentence or super().__str__()


def take(
    *,
    caller: Caller,
    key: str,
    asked: Asked,
    promised: Decimal | None = None,
    signature: Signature | None = None,
    at: datetime,
) -> Taken:
    """This function will take in one serving that was made without a network, once for its key.

    1. Answer a key that was used before with what became of it then.
    2. Refuse what cannot have been: premises of another, a time to come, a code that is not genuine.
    3. Lock terminal, journal and elder, so that caps and value are judged in one order.
    4. Redeem; where a rule, a cap or value spent elsewhere forbids that, keep it as a case for the bureau. So too
       where a terminal that signs has not signed it, or not this. What it signed is kept as evidence.

    So who was served is never lost and never paid twice. Call it outside any transaction.
    Raises: NotYours, CannotRedeem, CannotIdentify, UnderWay; nothing is written.
    """
    assert asked.happened_at is not None
    digest = asked.digest()
    signed = evidence.check(
        caller=caller, key=key, asked=asked, promised=promised, signature=signature, at=at
    )
    known = _before(caller.scope, key, digest)
    if known is not None:
        return _with(signed, known)
    if asked.happened_at > at + AHEAD:
        raise CannotRedeem("out_of_time")
    check_place(caller=caller, premises=asked.premises, happened_at=asked.happened_at)
    service_id = terms.current().service_id(asked.service)
    if service_id is None:
        raise CannotRedeem("unknown_reference")
    code = evidence.why_not(signed)
    if asked.happened_at < at - BACK and not caller.may_tell_past:
        code = "out_of_time"
    try:
        who = identify(
            credential=asked.credential, terminal_key=caller.scope, at=at, taken_at=asked.happened_at
        )
    except CannotIdentify as refusal:
        if not refusal.elder or refusal.code in TRY_AGAIN:
            raise
        who, code = refusal.elder, code or refusal.code
    with transaction.atomic():
        _lock(caller)
        hold_journal_open()
        elder = Elder.objects.select_for_update(no_key=True).get(code=who)
        known = _before(caller.scope, key, digest)
        if known is not None:
            return _with(signed, known)
        amount = _amount(asked, elder)
        paper = "token" not in asked.credential
        if not code and _over_cap(caller, elder, asked.happened_at, amount, paper):
            code = "over_cap"
        receipt = None
        if not code:
            try:
                receipt = redeem(
                    order=_order(asked, key=key, elder=who, digest=digest),
                    by=caller.scope,
                    at=at,
                    key_scope=caller.scope,
                    wait=False,
                    ordered=True,
                )
            except CannotRedeem as refusal:
                code = refusal.code
        unpaid = promised if promised is not None else amount
        if receipt is not None:
            unpaid = max(ZERO, promised - receipt.split.vouchers) if promised is not None else ZERO
            code = "paid_short" if unpaid else ""
        loser = _loser(asked) if code else None
        if code and loser is None:  # the first of the checks, whatever else was wrong with it
            code = "no_lease"
        serving = Serving.objects.create(
            key_scope=caller.scope,
            key=key,
            request=digest,
            happened_at=asked.happened_at,
            recorded_at=at,
            premises_id=terms.current().premises[asked.premises].id,
            service_id=service_id,
            elder=elder,
            quantity=asked.quantity,
            channel=asked.channel or Redemption.Channel.OFFLINE,
            paper=paper,
            amount=amount,
            promised=promised,
            unpaid=unpaid,
            redemption_id=receipt.id if receipt else None,
            code=code,
            loser=loser,
            rival=_rival(caller, elder, asked.happened_at) if code else None,
        )
        evidence.keep(signed, serving=serving, redemption_id=serving.redemption_id)
        if code:
            record(
                by=caller.scope,
                at=at,
                action="serve_unpaid",
                subject=serving.number,
                detail={"code": code, "unpaid": str(unpaid)},
                channel="api",
            )
    return Taken(receipt, serving if code else None)


def decide_serving(*, serving: Serving, pay: bool, by: Any, at: datetime, reason: str) -> Serving:
    """This function will pay a serving that could not be paid, from what the elder's vouchers hold now, or leave
    it with the operator for good.

    Paying spends by the rules as they stand, caps left aside; what was paid in part can only be borne.
    Raises CannotDecide; nothing is written.
    """
    with transaction.atomic():
        if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
            raise CannotDecide("wrong_role")
        hold_journal_open()
        Elder.objects.select_for_update(no_key=True).get(id=serving.elder_id)
        serving = (
            Serving.objects.select_for_update(of=["self"])
            .select_related("elder", "premises", "service")
            .get(id=serving.id)
        )
        if not serving.code or serving.decision or (pay and serving.redemption_id):
            raise CannotDecide("not_open")
        if pay:
            order = RedemptionOrder(
                key=serving.key,
                happened_at=serving.happened_at,
                premises=serving.premises.code,
                service=serving.service.code,
                elder=serving.elder.code,
                quantity=serving.quantity,
                channel=serving.channel,
                request=bytes(serving.request),
            )
            try:
                receipt = redeem(order=order, by=by, at=at, key_scope=serving.key_scope, ordered=True)
            except CannotRedeem as refusal:
                raise CannotDecide(refusal.code, str(refusal)) from None
            serving.redemption_id = receipt.id
        serving.decision = Serving.Decision.PAID if pay else Serving.Decision.BORNE
        serving.decided_at, serving.decided_by, serving.note = at, name_of(by), reason[:500]
        serving.save(update_fields=["redemption", "decision", "decided_at", "decided_by", "note"])
        record(
            by=by,
            at=at,
            action="pay_serving" if pay else "bear_serving",
            subject=serving.number,
            detail={"reason": reason, "unpaid": str(serving.unpaid)},
        )
    return serving


def worst_loss() -> Decimal:
    """The most, in yuan, that the terminals now in use can have served without a network and turn out unpaid."""
    return caps.worst_loss(Terminal.objects.filter(revoked_at=None).count())


def _before(scope: str, key: str, digest: bytes) -> Taken | None:
    """What became of this key before. Raises CannotRedeem: key_reused."""
    serving = Serving.objects.filter(key_scope=scope, key=key).first()
    first = Redemption.objects.filter(key_scope=scope, key=key).values_list("id", "request").first()
    receipt = receipt_again(First(first[0], bytes(first[1])), request=digest) if first else None
    if serving is not None and bytes(serving.request) != digest:
        raise CannotRedeem("key_reused")
    if receipt is None and serving is None:
        return None
    return Taken(receipt, serving if serving is not None and serving.code else None, repeated=True)


def _with(signed: SignedRecord | None, known: Taken) -> Taken:
    """What was told before, and now with a signature: of a first try whose answer was lost there is none yet."""
    evidence.keep(signed, serving=known.case, redemption_id=known.receipt.id if known.receipt else None)
    return known


def _lock(caller: Caller) -> None:
    """One delivery of a terminal after another: its cap is reckoned over what came before."""
    model = Terminal if caller.is_terminal else Partner
    model.objects.select_for_update(no_key=True).get(id=caller.id)


def _order(asked: Asked, *, key: str, elder: str, digest: bytes) -> RedemptionOrder:
    assert asked.happened_at is not None
    return RedemptionOrder(
        key=key,
        happened_at=asked.happened_at,
        premises=asked.premises,
        service=asked.service,
        elder=elder,
        quantity=asked.quantity,
        channel=asked.channel or Redemption.Channel.OFFLINE,
        request=digest,
    )


def _amount(asked: Asked, elder: Elder) -> Decimal:
    """The elder's price of the whole quantity; nothing where there is none, which a rule will refuse."""
    assert asked.happened_at is not None
    day = day_of(asked.happened_at)
    row = terms.current().services[asked.service].price_on(day, age_on(elder.birth_on, day))
    return row.elder_price * asked.quantity if row else ZERO


def _over_cap(caller: Caller, elder: Elder, happened_at: datetime, amount: Decimal, paper: bool) -> bool:
    near = Q(happened_at__gt=happened_at - caps.PERIOD, happened_at__lt=happened_at + caps.PERIOD)
    served = Serving.objects.filter(near).filter(redemption__reversed_on=None)
    of_terminal = served.filter(key_scope=caller.scope).aggregate(sum=Sum("amount"))["sum"]
    of_elder = served.filter(elder=elder).aggregate(
        sum=Sum("amount"), paper=Sum("amount", filter=Q(paper=True))
    )
    return not caller.may_tell_past and caps.over(
        amount=amount,
        terminal=of_terminal or ZERO,
        elder=of_elder["sum"] or ZERO,
        elder_by_paper=of_elder["paper"] or ZERO,
        paper=paper,
    )


def _loser(asked: Asked) -> Operator | None:
    """The operator that served: it bears what is not paid, until the bureau decides."""
    assert asked.happened_at is not None
    lease = terms.current().premises[asked.premises].lease_on(day_of(asked.happened_at))
    return Operator.objects.get(code=lease.operator.code) if lease else None


def _rival(caller: Caller, elder: Elder, happened_at: datetime) -> Redemption | None:
    """What the elder had elsewhere from that day on, the latest of it: that may be after midnight."""
    return (
        Redemption.objects.filter(elder=elder, service_on__gte=day_of(happened_at), reversed_on=None)
        .exclude(key_scope=caller.scope)
        .order_by("-id")
        .first()
    )
