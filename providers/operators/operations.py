"""Loading operators, their safety checks and suspensions."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from ledger.journal.operations import account_ids
from providers.known import Known, is_referred_to
from providers.operators.models import Operator, SafetyCheck, Suspension

COLUMNS = [
    Column("code", kinds.CODE),
    Column("name", kinds.text(120)),
    Column("uscc", kinds.text(18), required=False),
    Column("phone", kinds.text(24), required=False),
    Column("filing_no", kinds.text(60), required=False),
    Column("safety_checked_on", kinds.DATE, required=False),
    Column("stars", kinds.integer(0, 5), required=False),
    Column("suspended_on", kinds.DATE, required=False),
]
OWN = ("name", "uscc", "phone", "filing_no", "stars")


def plan_operators(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what operators.csv changes; an empty cell changes nothing.

    1. Name, phone, filing number and stars may change, the credit code only until something refers to the
       operator: another firm is another operator.
    2. A safety check later than those known is added, and a day of suspension that is not covered yet.
    3. Its payable account is opened.
    """
    rows = draft.once(rows, "code")
    fresh, checks, suspensions = [], [], []
    for row in rows:
        given = {name: row[name] for name in OWN if row[name] is not None}
        operator = known.operators.get(row["code"])
        changes: list[str] = []
        if new := operator is None:
            operator = Operator(code=row["code"], **given)
            known.operators[operator.code] = operator
            fresh.append(operator)
        else:
            changes = draft.revise(
                row,
                operator,
                given,
                free={"name", "phone", "filing_no", "stars"} | ({"uscc"} if not operator.uscc else set()),
                in_use=partial(is_referred_to, [operator], besides=(SafetyCheck, Suspension)),
                advice=_("Another firm gets a row and a code of its own."),
            )
            draft.update(operator, changes)
        check = _check_to_add(operator, row["safety_checked_on"], new)
        suspension = _suspension_to_add(operator, row["suspended_on"], new)
        if check:
            draft.note("safety_checked_on", None, check.checked_on)
        if suspension:
            draft.note("suspended_on", None, suspension.starts_on)
        checks += [check] if check else []
        suspensions += [suspension] if suspension else []
        draft.tally(operator.code, new=new, changed=bool(changes or check or suspension))
    draft.create(fresh)
    draft.create(checks)
    draft.create(suspensions)
    draft.then(lambda: account_ids(chart.payable(row["code"]) for row in rows))


def _check_to_add(operator: Operator, day: date | None, new: bool) -> SafetyCheck | None:
    """A check after all that are known. An earlier day is an older copy of the register: it adds nothing."""
    if day is None or (not new and any(check.checked_on >= day for check in operator.safety_checks.all())):
        return None
    return SafetyCheck(operator=operator, checked_on=day)


def _suspension_to_add(operator: Operator, day: date | None, new: bool) -> Suspension | None:
    """A suspension from `day`, unless that day lies in one; it reaches to the next one known, or stays open."""
    if day is None:
        return None
    later = []
    for known in [] if new else operator.suspensions.all():
        if known.starts_on <= day and (known.reinstated_on is None or day < known.reinstated_on):
            return None
        if known.starts_on > day:
            later.append(known.starts_on)
        elif known.starts_on == day:
            return None
    return Suspension(operator=operator, starts_on=day, reinstated_on=min(later, default=None))
