"""Arithmetic of yuan and fen. Pure: Decimal in, Decimal out, never a float."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")
ZERO = Decimal("0.00")


def to_fen(amount: Decimal) -> Decimal:
    """Round to whole fen, half away from zero: the one rounding that rules.md allows."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def floor_fen(amount: Decimal) -> Decimal:
    """Cut what is below a fen, towards zero (for shares that a voucher may pay)."""
    return amount.quantize(FEN, ROUND_DOWN)


def split(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `total` yuan in proportion to `weights`, by largest remainder: the parts add up to the whole.

    Ties go to the earlier part. Raises ValueError when the weights do not add up to more than zero.
    """
    whole = sum(weights, Decimal(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be positive in sum and none below zero")
    exact = [total * weight / whole for weight in weights]
    parts = [floor_fen(share) for share in exact]
    missing = int((total - sum(parts, ZERO)) / FEN)
    step = FEN if missing >= 0 else -FEN
    by_remainder = sorted(range(len(parts)), key=lambda i: (-abs(exact[i] - parts[i]), i))
    for i in by_remainder[: abs(missing)]:
        parts[i] += step
    return parts
