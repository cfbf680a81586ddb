"""Who sends a token, and what the key that came with it was used for before: one statement, nothing kept in memory.

So a token that was revoked anywhere is refused by the next request everywhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ledger.wire import Prepared, ask, words
from vouchers.redemption.statements import First
from vouchers.terminals.tokens import PARTNER, TERMINAL, digest, kind_of


@dataclass(frozen=True, slots=True)
class Caller:
    """A terminal (`premises` is the code of its own) or a partner (`operators` are the codes of its own)."""

    kind: str
    id: int
    name: str
    premises: str = ""
    operators: frozenset[str] = frozenset()
    may_tell_past: bool = False

    @property
    def scope(self) -> str:
        """Whose its keys are, and the name under which it acts."""
        return f"{'terminal' if self.kind == TERMINAL else 'partner'}:{self.id}"

    @property
    def is_terminal(self) -> bool:
        return self.kind == TERMINAL


class Known(NamedTuple):
    caller: Caller
    first: First | None


# Through the wire, as the redemption itself: each request of each counter asks this first.
FIND_TERMINAL = Prepared(
    "terminal_find",
    """
    SELECT t.id, t.name, p.code, r.id, r.request
    FROM vouchers_terminal t
    JOIN providers_premises p ON p.id = t.premises_id
    LEFT JOIN vouchers_redemption r ON r.key_scope = 'terminal:' || t.id AND r.key = %(key)s
    WHERE t.token_digest = %(digest)s AND t.revoked_at IS NULL
    """,
)

FIND_PARTNER = Prepared(
    "partner_find",
    """
    SELECT t.id, t.name, t.may_tell_past,
        (SELECT array_agg(o.code ORDER BY o.code) FROM vouchers_partner_operators m
            JOIN providers_operator o ON o.id = m.operator_id WHERE m.partner_id = t.id),
        r.id, r.request
    FROM vouchers_partner t
    LEFT JOIN vouchers_redemption r ON r.key_scope = 'partner:' || t.id AND r.key = %(key)s
    WHERE t.token_digest = %(digest)s AND t.revoked_at IS NULL
    """,
)


def find_caller(*, token: str, key: str = "") -> Known | None:
    """Whose token this is, with what its `key` did before; None for one that is unknown or revoked."""
    kind = kind_of(token)
    if kind is None:
        return None
    found = ask(FIND_PARTNER if kind == PARTNER else FIND_TERMINAL, {"key": key, "digest": digest(token)})
    if not found:
        return None
    *about, first, request = found[0]
    if kind == PARTNER:
        id_, name, may_tell_past, operators = about
        mine = frozenset(words(operators))
        caller = Caller(kind, int(id_ or 0), name or "", operators=mine, may_tell_past=may_tell_past == "t")
    else:
        id_, name, premises = about
        caller = Caller(kind, int(id_ or 0), name or "", premises=premises or "")
    return Known(caller, First(int(first), bytes.fromhex(request[2:])) if first and request else None)
