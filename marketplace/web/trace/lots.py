"""The credit of a lease by the month that earned it: what is carried in, lapses, and is carried on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vouchers.models import Statement
from vouchers.settlement.queries import history
from vouchers.settlement.reckon import Layer, LeaseFacts, Month, carry


@dataclass(frozen=True)
class Lot:
    """`left` of the `credit` that `month` earned, in yuan."""

    month: date
    credit: Decimal
    left: Decimal


def of_figure(statement: Statement, facts: LeaseFacts, figure: str) -> list[Lot]:
    """The lots that make `carry_in`, `lapsed`, `available`, `applied` or `carry_out` of a statement, oldest first.

    This month's own credit stands last; one that is below zero takes away. One query.
    """
    past = history(statement.month, of=[statement.lease_id]).get(statement.lease_id, [])
    this = Month(statement.month, statement.credit, statement.applied)
    layers, _lapsed = carry(facts, past, statement.month)
    if figure == "lapsed":
        before = carry(facts, past, past[-1].month)[0] if past else []
        kept = {layer.month: layer.left for layer in layers}
        layers = [Layer(x.month, x.left - kept.get(x.month, Decimal(0))) for x in before]
    elif figure != "carry_in":
        after = {x.month: x.left for x in carry(facts, [*past, this], statement.month)[0]}
        layers = [*layers, Layer(statement.month, statement.credit)]
        if figure == "applied":
            layers = [Layer(x.month, x.left - after.get(x.month, Decimal(0))) for x in layers]
        elif figure == "carry_out":
            layers = [Layer(x.month, after.get(x.month, Decimal(0))) for x in layers]
    credits = {month.month: month.credit for month in [*past, this]}
    return [Lot(layer.month, credits[layer.month], layer.left) for layer in layers if layer.left]
