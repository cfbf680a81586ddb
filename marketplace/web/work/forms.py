"""What each kind of work asks before it can be checked: a day, a month, files."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.banking.layouts import LAYOUTS
from ledger.journal.queries import first_open_day, previous_month
from ledger.models import BankMapping
from marketplace.jobs.models import Job
from marketplace.web.forms import Files, Marked
from vouchers.city.operations import FILES, SUFFIXES
from vouchers.review.catalogue import RULES


class WorkForm(Marked):
    """`args` and `files` are what the job is started with."""

    @property
    def args(self) -> dict[str, Any]:
        return {}

    @property
    def uploads(self) -> list[tuple[str, Iterable[bytes]]]:
        return []


class DayForm(WorkForm):
    on = forms.DateField(
        label=gettext_lazy("Day"),
        error_messages={
            "required": gettext_lazy("Choose a day"),
            "invalid": gettext_lazy("Write the day as 2026-07-01"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate

    @property
    def args(self) -> dict[str, Any]:
        return {"on": self.cleaned_data["on"].isoformat()}


class MonthForm(WorkForm):
    month = forms.RegexField(
        r"^20\d{2}-(0[1-9]|1[0-2])$",
        label=gettext_lazy("Month"),
        error_messages={
            "required": gettext_lazy("Choose a month"),
            "invalid": gettext_lazy("Write the month as 2026-07"),
        },
        widget=forms.TextInput(attrs={"type": "month"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].initial = lambda: (
            f"{first_open_day() or previous_month(timezone.localdate().replace(day=1)):%Y-%m}"
        )

    @property
    def args(self) -> dict[str, Any]:
        return {"month": date.fromisoformat(f"{self.cleaned_data['month']}-01").isoformat()}


class ReviewForm(MonthForm):
    rule = forms.ChoiceField(label=gettext_lazy("Rule"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = [(rule.code, rule.label) for rule in RULES.values()]
        self.fields["rule"].choices = [("", _("all")), *rules]  # type: ignore[attr-defined]

    @property
    def args(self) -> dict[str, Any]:
        return {**super().args, "rule": self.cleaned_data["rule"]}


class FilesField(forms.FileField):
    """Several files; each is checked as one would be."""

    widget = Files(attrs={"multiple": True, "accept": ".csv,.xlsx"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = [super(FilesField, self).clean(one, initial) for one in data or []]
        return given or [super().clean(None, initial)]


ASKED = {
    "required": gettext_lazy("Choose a file"),
    "empty": gettext_lazy("This file is empty: choose the one that holds the rows"),
}


class CityForm(WorkForm):
    files = FilesField(  # type: ignore[assignment]
        label=gettext_lazy("Register files"),
        help_text=gettext_lazy(
            "One or several of: divisions, operators, premises, leases, services, offers, service_prices, "
            "programmes, elders; as .csv or .xlsx. Leave the names as they are."
        ),
        error_messages=ASKED,
    )

    def clean_files(self) -> list[UploadedFile]:
        known = {name + suffix for name in FILES for suffix in SUFFIXES}
        for file in self.cleaned_data["files"]:
            if file.name not in known:
                raise forms.ValidationError(
                    _("“%(name)s” is none of the register files: %(names)s")
                    % {"name": file.name, "names": ", ".join(FILES)}
                )
        return list(self.cleaned_data["files"])

    @property
    def uploads(self) -> list[tuple[str, Iterable[bytes]]]:
        return [(file.name, file.chunks()) for file in self.cleaned_data["files"]]


class RowsForm(WorkForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX"),
        error_messages=ASKED,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    @property
    def uploads(self) -> list[tuple[str, Iterable[bytes]]]:
        file = self.cleaned_data["file"]
        path = Path(file.name)
        return [(f"{path.stem[:80]}{path.suffix[:8]}", file.chunks())]


class BankForm(RowsForm):
    layout = forms.ChoiceField(
        label=gettext_lazy("Bank"),
        help_text=gettext_lazy(
            "A bank that is not listed: map the columns of its files once, under bank layouts."
        ),
        error_messages={"required": gettext_lazy("Choose the bank")},
    )
    field_order = ["layout", "file"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {  # the layouts of ledger/banking
            "icbc": _("Industrial and Commercial Bank (ICBC)"),
            "ccb": _("Construction Bank (CCB)"),
        }
        choices = [(name, names.get(name, name)) for name in LAYOUTS]
        choices += [(one.layout_name, str(one)) for one in BankMapping.objects.all()]
        self.fields["layout"].choices = choices  # type: ignore[attr-defined]

    @property
    def args(self) -> dict[str, Any]:
        return {"layout": self.cleaned_data["layout"]}


FORMS: dict[str, type[WorkForm]] = {
    Job.Kind.CITY: CityForm,
    Job.Kind.ISSUE: DayForm,
    Job.Kind.REDEMPTIONS: RowsForm,
    Job.Kind.REVERSALS: RowsForm,
    Job.Kind.EXPIRE: DayForm,
    Job.Kind.CLOSE: MonthForm,
    Job.Kind.BANK: BankForm,
    Job.Kind.REVIEW: ReviewForm,
}
