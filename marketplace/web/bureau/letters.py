"""Reminders as one PDF: a page for each letter, in the order of leases."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.templatetags.yiquan import full_day, money, month_name
from marketplace.web import typeset
from providers.models import Reminder, ReminderLine

TEMPLATE = Path(__file__).with_name("letters.typ")
Letter = tuple[Reminder, Sequence[ReminderLine]]


def pdf(letters: Sequence[Letter], *, language: str, at: datetime, draft: bool = False) -> bytes:
    """This function will set these letters; a draft says that it is one. Raises NoChineseFont."""
    with translation.override(language):
        told = {
            "lang": "zh" if translation.get_language() == "zh-hans" else "en",
            "title": _("Reminder of rent"),
            "issuer": _("Civil affairs bureau"),
            "draft": _("Draft, not sent") if draft else "",
            "headings": [_("Month of rent"), _("Open, in yuan")],
            "sum": _("Sum"),
            "letters": [_told(letter, lines) for letter, lines in letters],
        }
    return typeset.pdf(TEMPLATE, told, at=at)


def _told(letter: Reminder, lines: Sequence[ReminderLine]) -> dict[str, Any]:
    content = letter.content
    words = {
        "lease": letter.lease.code,
        "premises": content["premises"],
        "address": content["address"],
        "amount": money(letter.amount),
        "day": full_day(letter.dated_on),
        "until": full_day(letter.pay_until),
    }
    return {
        "title": _("Reminder of rent"),
        "grade": str(letter.get_grade_display()),
        "number": letter.number,
        "to": _("To %(operator)s:") % {"operator": content["operator"]},
        "says": [
            _(
                "You rent %(premises)s (%(address)s) under lease %(lease)s. As of %(day)s the rent of these months is not paid in full; %(amount)s yuan are open:"
            )
            % words,
            *_before(content["before"]),
        ],
        "rows": [[month_name(line.month), money(line.amount)] for line in lines],
        "amount": money(letter.amount),
        "asks": [
            _(
                "Please pay until %(until)s to the account that the lease names, and write the lease %(lease)s in the purpose. If you have paid meanwhile, this letter needs no answer; objections are to be made in writing within the same term."
            )
            % words,
            *_warning(letter),
        ],
        "day": full_day(letter.dated_on),
    }


def _before(before: list[str] | None) -> list[str]:
    if not before:
        return []
    number, day = before
    return [
        _("Our letter %(number)s of %(day)s reminded you of this already.")
        % {"number": number, "day": full_day(date.fromisoformat(day))}
    ]


def _warning(letter: Reminder) -> list[str]:
    if letter.grade < Reminder.Grade.THIRD:
        return []
    return [_("If it is not paid by then, the bureau will proceed as the lease provides.")]
