"""The figures of a statement: what each is called, and how it comes about."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Figure:
    """`about` says in one sentence what stands in it (rules.md section 7)."""

    name: str
    label: Promise
    about: Promise


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("charge", _("Rent charged"), _("The monthly rent for the days of this month on which rent is due.")),
        Figure("earned", _("Earned this month"), _("Voucher value of this lease's programmes, served in this month, neither held for review nor reversed.")),
        Figure("late", _("Late"), _("Served in an earlier month, on no statement until now.")),
        Figure("reversed", _("Reversed"), _("Stood on an earlier statement and has been reversed since.")),
        Figure("credit", _("Credit"), _("Earned plus late less reversed, each value times the rate in force on its service date; rounded once.")),
        Figure("carry_in", _("Carried in"), _("What is left of earlier months' credit after lapsing, oldest first.")),
        Figure("lapsed", _("Lapsed"), _("What was left of a month's credit when its term ran out.")),
        Figure("available", _("Available"), _("What was carried in, with the credit of this month.")),
        Figure("cap", _("Cap"), _("The share of the rent charged that services may offset at most.")),
        Figure("applied", _("Offset"), _("The lesser of what is available and the cap, the oldest month's credit used up first; below zero it adds to the rent.")),
        Figure("cash_due", _("Cash due"), _("What of the rent is left to be paid in cash.")),
        Figure("carry_out", _("Carried on"), _("What is left of each month's credit after this month's offset, oldest used up first.")),
        Figure("under_review", _("Held for review"), _("Redemptions held back until someone decides; they are on no statement.")),
    )
}  # fmt: skip

OF_LOTS = ("carry_in", "lapsed", "available", "applied", "carry_out")
