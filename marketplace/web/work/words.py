"""How jobs and their results are written: each kind, count, column and word in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.jobs.models import Job
from providers.models import Receipt
from vouchers.redemption.refusals import SENTENCES as OF_REDEMPTIONS
from vouchers.review.catalogue import RULES
from vouchers.settlement.operations import SENTENCES as OF_STATEMENTS


@dataclass(frozen=True)
class About:
    """`about`: what this kind does; `check`, `do`: the verbs on its buttons."""

    label: Promise
    about: Promise
    check: Promise
    do: Promise
    icon: str


ABOUT = {
    Job.Kind.CITY: About(
        _("Load register files"),
        _("Divisions, operators, premises, leases, services, prices, programmes, elders. Everything is checked first; nothing is loaded if anything is wrong."),
        _("Upload and check"), _("Load"), "building",
    ),
    Job.Kind.ISSUE: About(
        _("Issue vouchers"),
        _("Whatever is due on a day, to all who are eligible and not yet served. A second run serves nobody twice."),
        _("See who would get what"), _("Issue"), "ticket-perforated",
    ),
    Job.Kind.REDEMPTIONS: About(
        _("Import redemptions"),
        _("A file of services delivered. Each row counts by itself; refused ones are listed with their reason."),
        _("Upload and check"), _("Import"), "receipt",
    ),
    Job.Kind.REVERSALS: About(
        _("Import reversals"),
        _("A file of redemptions to take back: the value returns to the voucher."),
        _("Upload and check"), _("Import"), "arrow-counterclockwise",
    ),
    Job.Kind.EXPIRE: About(
        _("Expire vouchers"),
        _("What is left of vouchers past their validity. Final: run it once terminals can no longer report."),
        _("See what would expire"), _("Expire"), "hourglass-split",
    ),
    Job.Kind.CLOSE: About(
        _("Draw up a month"),
        _("The statement of every lease. It can be drawn up again until it is approved."),
        _("Draw up"), _("Draw up"), "calendar-check",
    ),
    Job.Kind.BANK: About(
        _("Import a bank file"),
        _("Lines with one lease code pay its rent, those that equal one due are proposed, the rest wait for a person. Nothing is taken twice."),
        _("Upload and check"), _("Import"), "bar-chart",
    ),
    Job.Kind.STEPS: About(
        _("Steps of statements"), _("Confirmed, reviewed or approved together."), _("Check"), _("Do"), "check-lg",
    ),
    Job.Kind.REVIEW: About(
        _("Review a month"),
        _("The rules look again at all that was served in a month, as their parameters are now. What they find gets a case; nothing gets two."),
        _("Look"), _("Look"), "search",
    ),
    Job.Kind.DRAW: About(
        _("Draw call-backs"), _("Of each operator's redemptions of a month some are drawn by lot."), _("Draw"), _("Draw"), "telephone-fill",
    ),
}  # fmt: skip

COUNTS = {
    "rows": _("rows in the file"),
    "accepted": _("accepted"),
    "repeated": _("known already"),
    "refused": _("refused"),
    "new": _("new"),
    "matched": _("matched to a lease"),
    "proposed": _("proposed, to be confirmed"),
    "unmatched": _("unknown, in suspense"),
    "paid": _("outgoing, matched to payments"),
    "statements": _("statements"),
    "waiting": _("still to be approved"),
    "taken": _("done"),
    "gone": _("gone: nothing stood on them any more"),
    "calls": _("calls to make"),
}
COLUMNS = {
    "file": _("File"),
    "new": _("New"),
    "changed": _("Changed"),
    "unchanged": _("Unchanged"),
    "programme": _("Programme"),
    "elders": _("Elders"),
    "vouchers": _("Vouchers"),
    "value": _("Value in yuan"),
    "left_out": _("Left out by the budget"),
    "rule": _("Rule"),
    "cases": _("New cases"),
}
MARKS = {
    Job.State.WAITING: ("wait", "clock"),
    Job.State.WORKING: ("wait", "hourglass-split"),
    Job.State.CHECKED: ("due", "pencil-square"),
    Job.State.REFUSED: ("no", "x-octagon-fill"),
    Job.State.DONE: ("ok", "check-circle-fill"),
    Job.State.FAILED: ("no", "exclamation-triangle-fill"),
    Job.State.DROPPED: ("wait", "dash-circle"),
}


def cell(column: str, value: Any) -> Any:
    """What stands in a cell of a result's table: a rule by its name, all else as it is."""
    return RULES[value].label if column == "rule" and value in RULES else value


def word(code: str) -> str:
    """The sentence of a refusal's code, or how a bank line stands."""
    known: Mapping[str, Any] = {
        **OF_STATEMENTS,
        **OF_REDEMPTIONS,
        "repeated": COUNTS["repeated"],
        "balance_gap": _(
            "The balance does not follow from the line before: a line is missing, or stands there twice."
        ),
        "suspense": COUNTS["unmatched"],
        "new": COUNTS["new"],
        "changed": _("changed"),
        **{str(state): COUNTS[str(state)] for state in (Receipt.State.MATCHED, Receipt.State.PROPOSED)},
    }
    return str(known.get(code, code))


def problem(one: dict[str, Any]) -> str:
    """The sentence of a stored problem in the reader's language; its values may be sentences themselves."""
    values = {name: told(v) if isinstance(v, str) else v for name, v in one["values"].items()}
    message = told(one["message"])
    return message % values if values else message


def told(text: str) -> str:
    """A sentence kept in English, in the reader's language."""
    return gettext(text) if text else ""
