"""Sampled call-backs: drawn so that the draw can be made again, results by telephone, rates by operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.queries import day_of, next_month
from ledger.models import Head
from ledger.money import ZERO, to_fen
from ledger.refusals import Refusal
from providers.models import Operator
from vouchers.redemption.models import Redemption
from vouchers.review.models import CallBack, CallBackRound, RoundOperator
from vouchers.review.of_elders import denial
from vouchers.review.operations import open_case
from vouchers.review.sampling import Rate, rate, sample_size
from vouchers.settlement.models import ReviewCase

SENTENCES = {
    "wrong_role": _("Your role may not do this."),
    "nothing_to_ask": _("Nothing was redeemed in this month."),
    "drawn_before": _("This month was drawn with this seed before."),
    "out_of_range": _("Confidence lies between 50 % and 99.9 %, the margin between 1 and 49 points."),
    "answered_before": _("The result of this call was entered before."),
}


class CannotCall(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


# The population: what was served in the month, numbered up to a number and not reversed by the time of the draw.
POPULATION = """
    FROM vouchers_redemption r JOIN providers_lease l ON l.id = r.lease_id
    WHERE r.service_on >= %(start)s AND r.service_on < %(end)s AND r.id <= %(up_to)s AND NOT EXISTS (
        SELECT FROM vouchers_reversal b WHERE b.redemption_id = r.id AND b.recorded_at <= %(at)s)
"""
# The server ranks as sampling.rank does; one pass over the month for all operators.
DRAW = f"""
    SELECT x.operator_id, x.id FROM (
        SELECT l.operator_id, r.id, row_number() OVER (
            PARTITION BY l.operator_id ORDER BY sha256(convert_to(%(seed)s || ':' || r.id, 'UTF8'))) AS place
        {POPULATION}) x
    JOIN unnest(%(operators)s::bigint[], %(sizes)s::bigint[]) AS s(operator, size) ON s.operator = x.operator_id
    WHERE x.place <= s.size ORDER BY 1, x.place
"""  # noqa: S608 - the part is a constant


def check_draw(*, month: date, confidence: Decimal, margin: Decimal, seed: str, by: Any) -> None:
    """Raises CannotCall: wrong_role, out_of_range, drawn_before. A page asks it before the work begins."""
    if not any(by.holds(role, city=True) for role in ("bureau_clerk", "bureau_approver")):
        raise CannotCall("wrong_role")
    if not (Decimal("0.5") < confidence <= Decimal("0.999") and Decimal("0.01") <= margin < Decimal("0.5")):
        raise CannotCall("out_of_range")
    if CallBackRound.objects.filter(month=month, seed=seed).exists():
        raise CannotCall("drawn_before")


def draw_round(
    *,
    month: date,
    confidence: Decimal,
    margin: Decimal,
    seed: str,
    asked_at: datetime | None = None,
    by: Any,
    at: datetime,
) -> CallBackRound:
    """This function will draw, of each operator's redemptions of a month, as many as the figures ask for.

    1. Answer what this person asked for at `asked_at` and was drawn already: killed half-way it is drawn once.
    2. Note the draw with its seed, and with the published head where the seed is that: nobody chose it then.
       `drawn_again` proves the draw.
    3. Note what each operator had, and write the calls.

    Raises CannotCall: wrong_role, out_of_range, nothing_to_ask, drawn_before.
    """
    if asked_at is not None:
        before = CallBackRound.objects.filter(month=month, seed=seed, by=name_of(by), at__gte=asked_at)
        if drawn_before := before.first():
            return drawn_before
    check_draw(month=month, confidence=confidence, margin=margin, seed=seed, by=by)
    with transaction.atomic():
        top = Redemption.objects.order_by("-id").values_list("id", flat=True).first() or 0
        newest = published_head()
        round_ = CallBackRound.objects.create(
            month=month,
            confidence=confidence,
            margin=margin,
            seed=seed,
            head=newest if newest and newest.hash == seed else None,
            up_to=top,
            at=at,
            by=name_of(by),
        )
        sizes = population(round_)
        drawn = drawn_again(round_, sizes)
        if not drawn:
            raise CannotCall("nothing_to_ask")
        RoundOperator.objects.bulk_create(
            RoundOperator(round=round_, operator_id=operator, redemptions=count, value=value)
            for operator, count, value in sizes
        )
        CallBack.objects.bulk_create(
            CallBack(round=round_, operator_id=operator, redemption_id=number)
            for operator, numbers in sorted(drawn.items())
            for number in numbers
        )
        record(
            by=by,
            at=at,
            action="draw_call_backs",
            subject=f"{month:%Y-%m}",
            detail={
                "seed": seed,
                "head": round_.head.number if round_.head else None,
                "calls": sum(map(len, drawn.values())),
            },
        )
    return round_


def published_head() -> Head | None:
    """The end of the seals' chain as it was published last: known to all, and nobody's choice."""
    return Head.objects.order_by("-number").first()


def drawn_again(
    round_: CallBackRound, sizes: Sequence[tuple[int, int, Decimal]] | None = None
) -> dict[int, list[int]]:
    """By operator, the redemptions that this round draws: the same whenever it is asked.

    `sizes`: the population, where it is known already.
    """
    asked = {
        operator: sample_size(count, confidence=float(round_.confidence), margin=float(round_.margin))
        for operator, count, _value in sizes or population(round_)
    }
    found: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            DRAW,
            _of(round_) | {"seed": round_.seed, "operators": list(asked), "sizes": list(asked.values())},
        )
        for operator, number in cursor.fetchall():
            found.setdefault(operator, []).append(number)
    return found


def population(round_: CallBackRound) -> list[tuple[int, int, Decimal]]:
    """(operator, redemptions, voucher value in yuan) of the month as the draw saw it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.operator_id, count(*), sum(r.vouchers) {POPULATION} GROUP BY 1 ORDER BY 1",
            _of(round_),
        )
        return cursor.fetchall()


def _of(round_: CallBackRound) -> dict[str, Any]:
    return {
        "start": round_.month,
        "end": next_month(round_.month),
        "up_to": round_.up_to,
        "at": round_.at,
    }


def answer(*, call: CallBack, result: str, note: str, by: Any, at: datetime) -> CallBack:
    """This function will note what the elder said, or that nobody was reached; once. A no opens a case (`denied`).

    Raises CannotCall: wrong_role, answered_before.
    """
    if not any(by.holds(role) for role in ("hotline_agent", "bureau_clerk")):
        raise CannotCall("wrong_role")
    with transaction.atomic():
        told = CallBack.objects.filter(id=call.id, result="").update(
            result=CallBack.Result(result), note=note[:500], by=name_of(by), at=at
        )
        if not told:
            raise CannotCall("answered_before")
        if result == CallBack.Result.DENIED:
            open_case(
                redemption=call.redemption,
                rule=ReviewCase.Reason.DENIED,
                facts=denial(day_of(at)),
                at=at,
            )
        record(by=by, at=at, action="call_back", subject=call.redemption.number, detail={"result": result})
    call.refresh_from_db()
    return call


@dataclass(frozen=True, slots=True)
class OfOperator:
    """What a round says of one operator. `held` is the value that the proposed share of its month makes, yuan."""

    operator: Operator
    population: int
    value: Decimal
    drawn: int
    open: int
    unreached: int
    rate: Rate | None

    @property
    def held(self) -> Decimal:
        return to_fen(self.value * self.rate.proposed) if self.rate else ZERO


def results(round_: CallBackRound) -> Sequence[OfOperator]:
    """By operator in code order: drawn, reached, denied, the rate and what it proposes. Three queries."""
    kept = RoundOperator.objects.filter(round=round_).values_list("operator_id", "redemptions", "value")
    # Rounds drawn before this was kept are counted again.
    sizes = {id_: (count, value) for id_, count, value in kept or population(round_)}
    tallies: dict[int, dict[str, int]] = {}
    rows = CallBack.objects.filter(round=round_).values_list("operator_id", "result")
    for id_, result in rows:
        tally = tallies.setdefault(id_, {})
        tally[result] = tally.get(result, 0) + 1
    found = []
    for operator in Operator.objects.filter(id__in=tallies).order_by("code"):
        tally = tallies[operator.id]
        denied = tally.get(CallBack.Result.DENIED, 0)
        asked = denied + tally.get(CallBack.Result.CONFIRMED, 0)
        count, value = sizes.get(operator.id, (0, ZERO))
        found.append(
            OfOperator(
                operator,
                count,
                value,
                sum(tally.values()),
                tally.get("", 0),
                tally.get(CallBack.Result.UNREACHED, 0),
                rate(asked, denied, confidence=float(round_.confidence)),
            )
        )
    return found
