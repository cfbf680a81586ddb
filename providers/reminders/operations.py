"""Reminding operators of rent they owe, in writing: the first letter, the second, the third.

The oldest month that is open counts: how many letters have named it tells which one is next. While the term of
the last one runs, no other is sent.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from providers.leases.arrears import Arrears, arrears
from providers.models import Lease, Reminder, ReminderLine, ReminderRun

TERM = timedelta(days=15)  # to pay, or to object

SENTENCES = {
    "wrong_role": _("A clerk of the bureau sends reminders."),
    "nobody": _("Choose at least one lease that owes rent."),
    "term_runs": _("The term of the last letter has not passed yet."),
    "changed": _("Payments or letters came in meanwhile. Look at the list again."),
}


class CannotRemind(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


@dataclass(frozen=True, slots=True)
class Draft:
    """The letter that a lease would get on a day; `last`: the one before on the same debt."""

    debt: Arrears
    grade: Reminder.Grade
    dated_on: date
    last: Reminder | None

    @property
    def lease(self) -> str:
        return self.debt.lease

    @property
    def pay_until(self) -> date:
        return self.dated_on + TERM

    @property
    def term_runs(self) -> bool:
        return self.last is not None and self.last.pay_until >= self.dated_on


def drafts(today: date, *, of: Iterable[str] | None = None) -> list[Draft]:
    """The letter that each lease in arrears would get today, in lease order; `of` are codes of leases, None all."""
    debts = arrears(today, of=of)
    named: dict[tuple[str, date], list[Reminder]] = {}
    lines = ReminderLine.objects.filter(reminder__lease__code__in=[one.lease for one in debts])
    for line in lines.select_related("reminder__lease", "reminder__run").order_by("reminder_id"):
        named.setdefault((line.reminder.lease.code, line.month), []).append(line.reminder)
    found = []
    for debt in debts:
        before = named.get((debt.lease, min(due.month for due in debt.dues)), [])
        grade = Reminder.Grade(min(len(before) + 1, max(Reminder.Grade.values)))
        found.append(Draft(debt, grade, today, before[-1] if before else None))
    return found


def digest(draft: Draft) -> str:
    """What a person looked at: the lease with its grade, its months and amounts, and the day."""
    months = [[str(due.month), str(due.amount)] for due in draft.debt.dues]
    told = [draft.lease, draft.grade, draft.dated_on.isoformat(), months]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def digest_of(letter: Reminder) -> str:
    """SHA-256 over what stands on a letter that was sent."""
    months = [[str(line.month), str(line.amount)] for line in letter.lines.order_by("month")]
    told = [letter.number, letter.grade, str(letter.pay_until), str(letter.amount), letter.content, months]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def remind(*, seen: Mapping[str, str], by: Any, at: datetime) -> ReminderRun:
    """This function will write one letter to each of these leases, and note it as sent.

    `seen`: by lease code, the digest of the draft that the person looked at.

    1. Lock the leases, so that two clerks take turns.
    2. Give the letters of today again when that is all there is to do.
    3. Refuse when what is owed, or was sent, is not what was seen.
    4. Write the letters with their months.

    Raises CannotRemind: wrong_role, nobody, term_runs, changed.
    """
    with transaction.atomic():
        if not as_now(by).holds("bureau_clerk"):
            raise CannotRemind("wrong_role")
        rows = Lease.objects.filter(code__in=seen).order_by("code").select_for_update(of=["self"])
        found = {one.code: one for one in rows.select_related("premises", "operator")}
        today = day_of(at)
        chosen = drafts(today, of=found)
        if not chosen or len(chosen) < len(seen):
            raise CannotRemind("changed" if chosen or found else "nobody")
        sent = [one.last for one in chosen if one.last is not None and one.last.dated_on == today]
        if len(sent) == len(chosen):
            return sent[-1].run
        if any(one.term_runs for one in chosen):
            raise CannotRemind("term_runs")
        if any(digest(one) != seen[one.lease] for one in chosen):
            raise CannotRemind("changed")
        run = ReminderRun.objects.create(dated_on=today, by=name_of(by), at=at)
        for draft in chosen:
            _write(draft, run, found[draft.lease])
        record(
            by=by,
            at=at,
            action="remind",
            subject=f"reminders {run.pk}",
            detail={one.lease: [int(one.grade), str(one.debt.total)] for one in chosen},
        )
    return run


def letter_of(draft: Draft, lease: Lease) -> Reminder:
    """The letter as it would be written; not kept."""
    return Reminder(
        lease=lease,
        number=f"CJ-{lease.code}-{draft.dated_on:%Y%m%d}",
        grade=draft.grade,
        dated_on=draft.dated_on,
        pay_until=draft.pay_until,
        amount=draft.debt.total,
        content={
            "premises": lease.premises.name,
            "address": lease.premises.address,
            "operator": lease.operator.name,
            "before": [draft.last.number, draft.last.dated_on.isoformat()] if draft.last else None,
        },
    )


def lines_of(draft: Draft) -> list[ReminderLine]:
    """Its months; not kept."""
    return [ReminderLine(month=due.month, amount=due.amount) for due in draft.debt.dues]


def _write(draft: Draft, run: ReminderRun, lease: Lease) -> None:
    letter = letter_of(draft, lease)
    letter.run = run
    letter.save(force_insert=True)
    lines = lines_of(draft)
    for line in lines:
        line.reminder = letter
    ReminderLine.objects.bulk_create(lines)
