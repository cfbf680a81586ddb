"""Which parameters of a rule hold in a month: what was set last for it or an earlier month, else the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.queries import first_open_day
from ledger.refusals import Refusal
from vouchers.review.catalogue import RULES, Rule
from vouchers.review.models import RuleTerms


@dataclass(frozen=True, slots=True)
class Terms:
    """`since` is the first month in which these hold; None: from the beginning, by default."""

    rule: Rule
    active: bool
    holds: bool
    values: Mapping[str, int]
    since: date | None = None


def in_force(month: date) -> dict[str, Terms]:
    """By rule, what holds for services of `month` (its first day). One query."""
    found = {
        rule.code: Terms(rule, active=True, holds=rule.holds, values=rule.defaults) for rule in RULES.values()
    }
    for row in RuleTerms.objects.filter(valid_from__lte=month).order_by("valid_from", "id"):
        rule = RULES[row.rule]
        found[row.rule] = Terms(
            rule,
            active=row.active,
            holds=row.holds,
            values={**rule.defaults, **{k: v for k, v in row.values.items() if k in rule.defaults}},
            since=row.valid_from,
        )
    return found


SENTENCES = {
    "wrong_role": _("Only an approver of the bureau sets the parameters of rules."),
    "month_locked": _("Parameters change from the first of a month that is not locked."),
    "out_of_range": _("A parameter lies outside what this rule can work with."),
    "no_reason": _("Say why the parameters change."),
}


class CannotSetTerms(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def set_terms(
    *,
    rule: str,
    valid_from: date,
    active: bool,
    holds: bool,
    values: Mapping[str, int],
    reason: str,
    by: Any,
    at: datetime,
) -> RuleTerms:
    """This function will set the parameters of a rule for services from `valid_from`, a first of month, on.

    Cases that stand are not touched. Raises CannotSetTerms: wrong_role, month_locked, out_of_range, no_reason.
    """
    known = {one.name: one for one in RULES[rule].parameters}
    if not by.holds("bureau_approver"):
        raise CannotSetTerms("wrong_role")
    if not reason.strip():
        raise CannotSetTerms("no_reason")
    if set(values) - set(known) or any(
        not known[name].least <= value <= known[name].most for name, value in values.items()
    ):
        raise CannotSetTerms("out_of_range")
    first_open = first_open_day()
    if valid_from.day != 1 or (first_open is not None and valid_from < first_open):
        raise CannotSetTerms("month_locked")
    with transaction.atomic():
        made = RuleTerms.objects.create(
            rule=rule,
            valid_from=valid_from,
            active=active,
            holds=holds,
            values=dict(values),
            reason=reason[:500],
            by=name_of(by),
            at=at,
        )
        record(
            by=by,
            at=at,
            action="set_rule",
            subject=rule,
            detail={
                "valid_from": valid_from.isoformat(),
                "active": active,
                "holds": holds,
                "values": dict(values),
                "reason": reason,
            },
        )
    return made
