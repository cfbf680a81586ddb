"""The other questions of these pages: closed days, how a service is ordered, who is taken on."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.web.forms import Marked
from marketplace.web.provider.supply.weeks import day_field, number_field
from providers.models import OrderTerms

BEFORE_MINUTES = (0, 30, 60, 90, 120, 240, 720, 1440, 2880)
USUAL = {"order_until_minutes": 60, "cancel_until_minutes": 60, "days_ahead": 14}
MOST_DAYS_AHEAD = 90
LONGEST_MINUTES = 600


class ClosedForm(Marked):
    starts_on = day_field(gettext_lazy("First day closed"))
    ends_on = day_field(gettext_lazy("Last day closed"))
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("A few words that elders read, such as repairs."),
        max_length=60,
        error_messages={"required": gettext_lazy("Say why, in a few words")},
    )

    def __init__(self, *args: Any, today: date, closed: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.closed = today, list(closed)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and first < self.today:
            self.add_error("starts_on", _("Choose today or a later day."))
        elif first and last:
            if last < first:
                self.add_error("ends_on", _("The last day lies before the first."))
            elif any(one.starts_on <= last and first <= one.ends_on for one in self.closed):
                self.add_error("starts_on", _("Some of these days are closed already."))
        return data


def before(minutes: int) -> str:
    """How long before it begins: in minutes, hours or days."""
    if not minutes:
        return _("until it begins")
    if minutes % 1440 == 0:
        days = minutes // 1440
        return ngettext("%(n)s day before", "%(n)s days before", days) % {"n": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%(n)s hour before", "%(n)s hours before", hours) % {"n": hours}
    return ngettext("%(n)s minute before", "%(n)s minutes before", minutes) % {"n": minutes}


class TermsForm(Marked):
    """How one offer is ordered. What it is, a sitting or an appointment, is asked once."""

    manner = forms.ChoiceField(label=gettext_lazy("How is it had?"), choices=OrderTerms.Manner.choices)
    where = forms.ChoiceField(label=gettext_lazy("Where?"), choices=OrderTerms.Where.choices)
    order_until_minutes = forms.TypedChoiceField(label=gettext_lazy("Can be ordered"), coerce=int)
    cancel_until_minutes = forms.TypedChoiceField(
        label=gettext_lazy("Can be changed or cancelled"), coerce=int
    )
    days_ahead = number_field(gettext_lazy("How many days ahead"), MOST_DAYS_AHEAD)
    minutes = number_field(gettext_lazy("Minutes that it takes, the way included"), LONGEST_MINUTES)
    needs = forms.ChoiceField(label=gettext_lazy("Who may be sent"), choices=OrderTerms.Needs.choices)

    def __init__(self, *args: Any, terms: OrderTerms | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("order_until_minutes", "cancel_until_minutes"):
            kept = {getattr(terms, name)} if terms else set()
            field = self.fields[name]
            field.choices = [(n, before(n)) for n in sorted({*BEFORE_MINUTES, *kept})]  # type: ignore[attr-defined]
        for name in self.fields:
            self.fields[name].initial = getattr(terms, name, None)
        if terms is not None:
            del self.fields["manner"]
            if terms.manner == OrderTerms.Manner.SITTING:
                del self.fields["minutes"], self.fields["needs"]
        else:
            # What only an appointment says: for a sitting it is not read.
            self.fields["minutes"].required = self.fields["needs"].required = False
            for name, usual in USUAL.items():
                self.fields[name].initial = usual
        self.known = terms.manner if terms else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["manner"] = manner = self.known or data.get("manner", "")
        if manner == OrderTerms.Manner.SITTING:
            data |= {"minutes": None, "needs": ""}
        elif manner and not {"minutes", "needs"} & self.errors.keys():
            if not data.get("minutes"):
                self.add_error("minutes", _("Say how long an appointment takes."))
            if not data.get("needs"):
                self.add_error("needs", _("Say who may be sent."))
        return data


class CertificateForm(Marked):
    kind = forms.ChoiceField(label=gettext_lazy("Certificate"), choices=OrderTerms.Needs.choices)
    number = forms.CharField(
        label=gettext_lazy("Number of the certificate"),
        max_length=60,
        error_messages={"required": gettext_lazy("Type the number that stands on it")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    valid_from = day_field(gettext_lazy("Good from"))
    valid_until = day_field(gettext_lazy("Good until"), gettext_lazy("Leave it empty where it has no end."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["valid_until"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("A certificate ends after it begins."))
        return data


class TakeOnForm(CertificateForm):
    name = forms.CharField(
        label=gettext_lazy("Full name"),
        max_length=60,
        error_messages={"required": gettext_lazy("Type the name")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name",)


class LeavingForm(Marked):
    left_on = day_field(gettext_lazy("First day on which no longer"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_left_on(self) -> date:
        day = self.cleaned_data["left_on"]
        if day < self.today:
            raise forms.ValidationError(_("Choose today or a later day."))
        return day
