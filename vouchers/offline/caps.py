"""How much may be served without a network before the network is asked again. Pure.

A terminal that hears nothing cannot know what was spent elsewhere meanwhile: what it serves may turn out to be
unpaid. So it serves up to a cap and then stops; and since it may tell of the last 72 hours only, a cap over any
72 hours bounds what it can have served unheard. The worst loss is terminals x TERMINAL.

Amounts are yuan at the elder's price, the most that vouchers could pay.
"""

from datetime import timedelta
from decimal import Decimal

PERIOD = timedelta(hours=72)
TERMINAL = Decimal("3000.00")
ELDER = Decimal("120.00")
ELDER_BY_PAPER = Decimal("60.00")  # three days of two meals: who has no telephone must eat
# A terminal counts servings too, and stops at whichever comes first; here only the yuan are judged.
TERMINAL_SERVINGS, ELDER_SERVINGS, ELDER_SERVINGS_BY_PAPER = 300, 12, 6


def over(*, amount: Decimal, terminal: Decimal, elder: Decimal, elder_by_paper: Decimal, paper: bool) -> bool:
    """Whether this serving lies beyond a cap, given what was served in the period before it."""
    return (
        terminal + amount > TERMINAL
        or elder + amount > ELDER
        or (paper and elder_by_paper + amount > ELDER_BY_PAPER)
    )


def worst_loss(terminals: int) -> Decimal:
    """The most, in yuan, that can have been served without a network and turn out to be unpaid."""
    return terminals * TERMINAL
