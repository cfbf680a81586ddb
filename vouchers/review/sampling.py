"""How many to ask so that the answer says something, whom, and what the answers say. Pure.

Sample size for a share: Cochran, Sampling Techniques (3rd ed., 1977), sections 4.4 to 4.5: with z the normal
quantile of the confidence, n0 = z² p (1 - p) / margin², corrected for a finite population of N by
n = n0 / (1 + (n0 - 1) / N), p = 1/2 being the worst case; rounded up, so never less than was asked for.
Interval of a share: E. B. Wilson, JASA 22 (1927) 209-212.
"""

import hashlib
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

HALF = 0.5


def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def sample_size(population: int, *, confidence: float, margin: float, share: float = HALF) -> int:
    """How many of `population` to draw; `margin` is half the width of the interval, 0.05 for five points."""
    if population <= 0:
        return 0
    infinite = z_of(confidence) ** 2 * share * (1 - share) / margin**2
    # Rounding errors of the last places must not ask for one more.
    return min(population, ceil(round(infinite / (1 + (infinite - 1) / population), 6)))


def rank(seed: str, number: int) -> bytes:
    """Where a redemption stands in the draw of `seed`: as good as chance, and the same whoever reckons it."""
    return hashlib.sha256(f"{seed}:{number}".encode()).digest()


def draw(numbers: Iterable[int], size: int, *, seed: str) -> list[int]:
    """The `size` first of `numbers` by rank."""
    return sorted(numbers, key=lambda number: rank(seed, number))[:size]


class Rate(NamedTuple):
    """Of `asked` who were reached, `denied` did not have the service; the interval of that share."""

    asked: int
    denied: int
    share: float
    low: float
    high: float

    @property
    def proposed(self) -> Decimal:
        """The share of the operator's month proposed to be held back, in steps of a thousandth: what the
        answers prove at the round's confidence, the lower end of the interval, and nothing beyond it."""
        return (
            Decimal(str(round(self.low, 9))).quantize(Decimal("0.001"), ROUND_CEILING)
            if self.denied
            else Decimal(0)
        )


def rate(asked: int, denied: int, *, confidence: float) -> Rate | None:
    """What the answers say; None while nobody was reached."""
    if asked == 0:
        return None
    z = z_of(confidence)
    share = denied / asked
    middle = (share + z * z / (2 * asked)) / (1 + z * z / asked)
    half = z / (1 + z * z / asked) * sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked))
    low = 0.0 if denied == 0 else max(0.0, middle - half)
    high = 1.0 if denied == asked else min(1.0, middle + half)
    return Rate(asked, denied, share, low, high)
