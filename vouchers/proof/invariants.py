"""What a proof is made of: named invariants, each one question that an intact database answers with nothing.

The SQL of invariants may use, besides the tables, three that queries.py lays for the time of a proof:

    proof_account (role, owner, account)    the account that plays a role for a programme, operator or lease (its
                                            id; 0 for the city's own); account is NULL where it was never opened
    proof_balance (account, amount)         debits less credits of each account, yuan
    proof_moved (entry_id, redemption_id, programme_id, kind, amount, fits)
                                            movements summed up; `fits`: where spent, by the voucher's own elder while
                                            it was valid

A query returns one column of subjects: numbers of documents, serials or account names, never a person's data.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Invariant:
    """`name` is for programs and tests, `sentence` says to people what holds. One of `sql` and `find`."""

    name: str
    sentence: Promise
    sql: str = ""
    find: Callable[[], Iterable[str]] | None = None


class Proved(NamedTuple):
    """How often an invariant is violated, up to some subjects, and how long it took to see."""

    name: str
    sentence: str
    violations: int
    examples: list[str]
    seconds: float
