"""Which lease an incoming bank line pays (rules.md section 8). Pure: texts and amounts in, a verdict out.

A line bearing exactly one lease code is matched to that lease. One whose payer is an operator and whose
amount equals exactly one of that operator's open cash dues is proposed for a person to confirm. The rest
stays unmatched until someone decides.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# No ASCII letter or digit may touch a code, so a code is one whole run of them. re.ASCII matters not here:
# the class is spelt out, and full-width letters are not in it.
_RUN = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class OpenDue:
    """What a lease still owes in cash for one month: yuan, as the caller reckons it. `month` is its first day."""

    lease: str
    operator: str
    month: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Matched:
    """The line is that lease's receipt."""

    lease: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """The line looks like that lease's due of that month: a person confirms."""

    lease: str
    month: date


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody knows yet; the money waits in suspense."""


Verdict = Matched | Proposed | Unmatched


def lease_codes(text: str, known: Collection[str]) -> set[str]:
    """The known lease codes that stand in a text on their own; one code written twice is one.

    "房租LS008部分" bears LS008; "XLS008" and "LS0081" do not, nor does "ls008".
    """
    return {run for run in _RUN.findall(text) if run in known}


def match(
    *,
    summary: str,
    purpose: str,
    payer: str,
    amount: Decimal,
    known_codes: AbstractSet[str],
    operator_by_name: Mapping[str, str],
    open_dues: Iterable[OpenDue],
) -> Verdict:
    """This function will say what an incoming line pays.

    1. 摘要 (`summary`) and 用途 (`purpose`) together bear exactly one known lease code: Matched.
    2. The payer bears an operator's name, and the amount equals exactly one open due above zero of
       that operator's: Proposed. (Also where the text bears several codes: it is only a proposal.)
    3. Otherwise Unmatched.

    `operator_by_name` leads from a name to the operator's code; names that two operators share are left
    out of it by the caller, for they tell nothing. Amounts are yuan.
    """
    codes = lease_codes(summary, known_codes) | lease_codes(purpose, known_codes)
    if len(codes) == 1:
        return Matched(codes.pop())
    operator = operator_by_name.get(payer.strip())
    if operator is None:
        return Unmatched()
    equal = [due for due in open_dues if due.operator == operator and due.amount == amount and due.amount > 0]
    return Proposed(equal[0].lease, equal[0].month) if len(equal) == 1 else Unmatched()


def shared_out(dues: Iterable[OpenDue], amount: Decimal) -> list[tuple[str, Decimal]]:
    """What each lease would get of a sum (yuan) that pays these dues, the oldest month first, as far as it goes."""
    found: dict[str, Decimal] = {}
    for due in sorted(dues, key=lambda due: (due.month, due.lease)):
        part = min(due.amount, amount)
        if part > 0:
            found[due.lease] = found.get(due.lease, Decimal("0.00")) + part
            amount -= part
    return sorted(found.items())
