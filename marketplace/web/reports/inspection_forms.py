"""The forms of inspections: a visit with what it found, what else it found, and the look again."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.web.forms import Marked
from providers.inspections.operations import Found
from providers.models import Finding, Lease


def _day(label: Any, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={
            "required": gettext_lazy("Choose a day"),
            "invalid": gettext_lazy("Write the day as 2026-07-01"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
        **kwargs,
    )


def _note(label: Any, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        **kwargs,
    )


class FindingsForm(Marked):
    """Up to three findings, of which only those with words count."""

    PLACES = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for n in range(1, self.PLACES + 1):
            self.fields[f"area_{n}"] = forms.ChoiceField(
                label=_("Finding %(number)s: of what kind") % {"number": n},
                choices=Finding.Area.choices,
                required=False,
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.fields[f"text_{n}"] = _note(
                _("Finding %(number)s: what is wrong") % {"number": n},
                help_text=_("Leave it empty if nothing was found."),
            )
            self.fields[f"until_{n}"] = _day(
                _("Finding %(number)s: to be mended until") % {"number": n}, required=False
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n in range(1, self.PLACES + 1):
            said = data.get(f"text_{n}", "").strip()
            if said and not data.get(f"until_{n}") and f"until_{n}" not in self.errors:
                self.add_error(f"until_{n}", _("Say until when it is to be mended"))
        return data

    @property
    def found(self) -> list[Found]:
        data = self.cleaned_data
        return [
            Found(data[f"area_{n}"] or Finding.Area.OTHER, data[f"text_{n}"], data[f"until_{n}"])
            for n in range(1, self.PLACES + 1)
            if data[f"text_{n}"].strip()
        ]


class InspectionForm(FindingsForm):
    """One visit; more than three findings are added on the page of the inspection."""

    lease = forms.ModelChoiceField(
        Lease.objects.none(),
        empty_label=gettext_lazy("Choose"),
        label=gettext_lazy("Which place?"),
        to_field_name="code",
        error_messages={
            "required": gettext_lazy("Choose the place"),
            "invalid_choice": gettext_lazy("Choose one of the places"),
        },
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    on = _day(gettext_lazy("Inspected on"))
    note = _note(
        gettext_lazy("Note"), help_text=gettext_lazy("What was looked at, and with whom; no elder's name.")
    )

    def __init__(self, *args: Any, leases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["lease"]
        field.queryset = leases
        field.label_from_instance = lambda lease: f"{lease.code} {lease.premises.name}"
        self.fields["on"].initial = timezone.localdate


class ReCheckForm(Marked):
    on = _day(gettext_lazy("Looked at on"))
    until = _day(gettext_lazy("If it is not mended: until when"), required=False)
    note = _note(gettext_lazy("Note"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate


class ReopenForm(Marked):
    """Found mended, and is not after all."""

    on = _day(gettext_lazy("Looked at on"))
    until = _day(gettext_lazy("To be mended until"))
    note = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=500,
        error_messages={"required": gettext_lazy("Say why it is not mended after all.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate
