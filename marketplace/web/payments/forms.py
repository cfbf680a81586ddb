"""The questions of these pages."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ledger.journal.queries import previous_month
from marketplace.web.forms import Marked

REASON_ERRORS = {"required": _("Say why"), "min_length": _("Say a little more: at least four characters")}


def _text(label: Any, missing: Any, *, longest: int, shortest: int = 1, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        min_length=shortest,
        max_length=longest,
        error_messages={"required": missing, "min_length": REASON_ERRORS["min_length"]},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", **attrs}),
    )


def _yuan(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        error_messages={
            "required": _("Enter the amount"),
            "invalid": _("Write yuan with at most two decimals, such as 120.50"),
            "min_value": _("The amount is at least zero"),
        },
        widget=forms.TextInput(
            attrs={"class": "form-control num", "inputmode": "decimal", "autocomplete": "off"}
        ),
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={"required": _("Choose a day"), "invalid": _("Write the day as 2026-07-01")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )


class MonthForm(Marked):
    month = forms.RegexField(
        r"^20\d{2}-(0[1-9]|1[0-2])$",
        label=_("Month"),
        error_messages={"required": _("Choose a month"), "invalid": _("Write the month as 2026-07")},
        widget=forms.TextInput(attrs={"type": "month", "class": "form-control"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].initial = lambda: f"{previous_month(timezone.localdate().replace(day=1)):%Y-%m}"

    def clean_month(self) -> date:
        return date.fromisoformat(f"{self.cleaned_data['month']}-01")


class PayeeForm(Marked):
    holder = _text(_("Account holder"), _("Enter the account holder"), longest=120)
    number = forms.RegexField(
        r"^\s*[0-9A-Za-z -]{5,40}\s*$",
        label=_("Account number"),
        error_messages={
            "required": _("Enter the account number"),
            "invalid": _("An account number has digits or letters, at least five"),
        },
        widget=forms.TextInput(
            attrs={"class": "form-control num", "autocomplete": "off", "inputmode": "numeric"}
        ),
    )
    bank = _text(_("Bank and branch"), _("Enter the bank"), longest=120)

    def clean_number(self) -> str:
        return str(self.cleaned_data["number"]).replace(" ", "").replace("-", "")


class RefundForm(Marked):
    amount = _yuan(_("Amount in yuan"))
    reason = _text(_("Why?"), REASON_ERRORS["required"], longest=200, shortest=4)


class BudgetForm(Marked):
    starts_on = _day(_("From"))
    ends_on = _day(_("Until"))
    amount = _yuan(_("Amount in yuan"))
    reason = _text(_("Why?"), REASON_ERRORS["required"], longest=200, shortest=4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].initial = lambda: timezone.localdate().replace(month=1, day=1)
        self.fields["ends_on"].initial = lambda: timezone.localdate().replace(month=12, day=31)


class HandoverForm(Marked):
    until = _day(_("What came in up to"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = lambda: timezone.localdate().replace(day=1) - timedelta(days=1)


class TreasuryForm(Marked):
    treasury_no = _text(
        _("The treasury's number (缴款书号)"),
        _("Enter the number that stands on the treasury's paper"),
        longest=40,
    )
