"""How much of everything: the whole size and a tenth of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`redemptions` is also the number of vouchers issued, `desk` the redemptions of the month the bureau's pages show;
    `rounds` of `seconds` each.

    What grows is measured at this size and at a tenth of it.
    """

    name: str
    redemptions: int
    desk: int
    rounds: int
    seconds: int
    slow_rounds: int  # of what takes minutes

    @property
    def both(self) -> tuple[int, int]:
        return self.redemptions // 10, self.redemptions


FULL = Size("full", 1_000_000, desk=5_000_000, rounds=7, seconds=4, slow_rounds=3)
TENTH = Size("quick", 100_000, desk=500_000, rounds=3, seconds=2, slow_rounds=3)
TINY = Size("tiny", 10_000, desk=10_000, rounds=1, seconds=1, slow_rounds=1)  # does it run at all?
