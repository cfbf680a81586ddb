"""Sampled call-backs: drawn so that the draw can be made again, results by telephone, rates by operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.queries import next_month
from ledger.money import ZERO, to_fen
from ledger.refusals import Refusal
from providers.models import Operator
from vouchers.redemption.models import Redemption
from vouchers.review.models import CallBack, CallBackRound
from vouchers.review.sampling import Rate, rate, sample_size

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
# The server ranks as sampling.rank does.
DRAW = f"""
    SELECT r.id {POPULATION} AND l.operator_id = %(operator)s
    ORDER BY sha256(convert_to(%(seed)s || ':' || r.id, 'UTF8')) LIMIT %(size)s
"""


def draw_round(
    *, month: date, confidence: Decimal, margin: Decimal, seed: str, by: Any, at: datetime
) -> CallBackRound:
    """This function will draw, of each operator's redemptions of a month, as many as the figures ask for.

    The seed is chosen before anybody knows what it draws, and recorded: `drawn_again` proves the draw.
    Raises CannotCall: wrong_role, out_of_range, nothing_to_ask, drawn_before.
    """
    if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
        raise CannotCall("wrong_role")
    if not (Decimal("0.5") < confidence <= Decimal("0.999") and Decimal("0.01") <= margin < Decimal("0.5")):
        raise CannotCall("out_of_range")
    with transaction.atomic():
        if CallBackRound.objects.filter(month=month, seed=seed).exists():
            raise CannotCall("drawn_before")
        top = Redemption.objects.order_by("-id").values_list("id", flat=True).first() or 0
        round_ = CallBackRound.objects.create(
            month=month, confidence=confidence, margin=margin, seed=seed, up_to=top, at=at, by=name_of(by)
        )
        drawn = drawn_again(round_)
        if not drawn:
            raise CannotCall("nothing_to_ask")
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
            detail={"seed": seed, "calls": sum(map(len, drawn.values()))},
        )
    return round_


def drawn_again(round_: CallBackRound) -> dict[int, list[int]]:
    """By operator, the redemptions that this round draws: the same whenever it is asked."""
    return {
        operator: _rows(
            DRAW,
            _of(round_)
            | {
                "operator": operator,
                "seed": round_.seed,
                "size": sample_size(count, confidence=float(round_.confidence), margin=float(round_.margin)),
            },
        )
        for operator, count, _value in population(round_)
    }


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


def _rows(sql: str, values: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [number for (number,) in cursor.fetchall()]


def answer(*, call: CallBack, result: str, note: str, by: Any, at: datetime) -> CallBack:
    """This function will note what the elder said, or that nobody was reached; once.

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
    sizes = {id_: (count, value) for id_, count, value in population(round_)}
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
