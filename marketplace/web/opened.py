"""Where the lines stand that make a figure: one answer for every page that shows it (experience.md, check 13).

Each function gives an address, or nothing where this reader's desk does not hold those lines; templates ask by the tag
`opens`, and write the figure by `amount`, which is a link exactly where there is an address.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from marketplace.web import scope
from marketplace.web.access import BUREAU, STATEMENT_READERS, plays


def month(user: Any, of: date, figure: str) -> str:
    """The statements whose figures make a sum of a month, the greatest first."""
    if plays(user, BUREAU):
        return f"{reverse('bureau:month', args=[of])}?sort=-{figure}#list"
    return f"{reverse('statements')}?month={of:%Y-%m}&sort=-{figure}#list"


def statement(user: Any, lease: str, of: date, figure: str) -> str:
    """The lines of one figure of one statement."""
    return reverse("lines", args=[lease, of, figure])


def cash(user: Any, of: date | None, lease: str = "") -> str:
    """The bank lines that brought cash in a month, or ever; of all leases or of one."""
    if not plays(user, BUREAU):
        return ""
    asked = {"show": "paid", "month": f"{of:%Y-%m}" if of else "", "q": lease}
    return _asking("bureau:receipts", asked)


def redemptions(user: Any, first: date, last: date, **rest: Any) -> str:
    """What was served from day to day, both included; `rest`: service, lease, part."""
    if not plays(user, STATEMENT_READERS):
        return ""
    return _asking("redemptions", {"from": first, "until": last, **rest})


def vouchers(user: Any, show: str, **rest: Any) -> str:
    """The vouchers behind an amount: `show` one of their list's choices; `rest`: programme, division."""
    return _asking("vouchers", {"show": show, **rest})


def journal(user: Any, account: str, of: date | None = None) -> str:
    """The lines of an account, or of several where a star stands for the rest of a part of the name; of a month."""
    if not (plays(user, BUREAU) and scope.sees_whole_city(user)):
        return ""
    return _asking("journal", {"account": account, "month": f"{of:%Y-%m}" if of else ""})


def arrears(user: Any, **rest: Any) -> str:
    """What is owed: `age` the place among the ages, `lease` one alone."""
    return _asking("bureau:arrears", rest)


def payouts(user: Any, of: date | None = None, show: str = "") -> str:
    """The payout lists of a month, or those that wait to be paid."""
    return _asking("payments:payouts", {"month": f"{of:%Y-%m}" if of else "", "show": show})


OPENED: dict[str, Callable[..., str]] = {
    one.__name__: one for one in (month, statement, cash, redemptions, vouchers, journal, arrears, payouts)
}


def _asking(view: str, asked: dict[str, Any]) -> str:
    given = {name: value for name, value in asked.items() if value not in ("", None)}
    return f"{reverse(view)}?{urlencode(given)}#list" if given else f"{reverse(view)}#list"
