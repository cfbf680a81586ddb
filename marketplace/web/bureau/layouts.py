"""Bank files of other banks: a person maps their columns once for an account, and sees how they will be read.

What was looked at travels in the form, signed: nothing of a file is kept before its mapping is.
"""

import csv
import io
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.banking.layouts import BankRow, read_bank
from ledger.banking.mappings import (
    PLACES,
    CannotMap,
    Look,
    drop_mapping,
    guess,
    layout_from,
    look,
    save_mapping,
)
from ledger.files.problems import FileRefused
from ledger.models import BankFile, BankMapping
from marketplace.accounts.models import Role
from marketplace.web.access import BUREAU, role_of, roles, whole_city
from marketplace.web.forms import Marked, row_number

SALT = "bank sample"
LARGEST = 8 * 1024 * 1024

LABELS = {
    "booked_at": gettext_lazy("Day or time of booking"),
    "account": gettext_lazy("Own account"),
    "signed": gettext_lazy("Amount with its sign"),
    "debit": gettext_lazy("Money out (借)"),
    "credit": gettext_lazy("Money in (贷)"),
    "side": gettext_lazy("借 or 贷"),
    "balance": gettext_lazy("Balance"),
    "counterparty_name": gettext_lazy("Payer or payee"),
    "counterparty_account": gettext_lazy("Account of payer or payee"),
    "summary": gettext_lazy("Summary (摘要)"),
    "purpose": gettext_lazy("Purpose (用途)"),
    "currency": gettext_lazy("Currency"),
}


class SampleForm(Marked):
    file = forms.FileField(
        label=gettext_lazy("A file of this bank"),
        help_text=gettext_lazy(
            "CSV or XLSX, as the bank gives it. Only its headings and first rows are looked at."
        ),
        error_messages={
            "required": gettext_lazy("Choose a file"),
            "empty": gettext_lazy("This file is empty: choose the one that holds the rows"),
        },
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx", "class": "form-control"}),
    )
    header_line = forms.IntegerField(
        label=gettext_lazy("Line of the headings"),
        help_text=gettext_lazy("1, unless the bank writes a title above them."),
        min_value=1,
        max_value=50,
        initial=1,
        error_messages={
            "required": gettext_lazy("Enter a number from 1 to 50"),
            "invalid": gettext_lazy("Enter a number from 1 to 50"),
            "min_value": gettext_lazy("Enter a number from 1 to 50"),
            "max_value": gettext_lazy("Enter a number from 1 to 50"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("For mapping, take a smaller file: at most 8 MB"))
        return file


class PlacesForm(Marked):
    """Which heading holds what; `sample` is what was looked at, signed."""

    bank = forms.CharField(
        label=gettext_lazy("Bank"),
        max_length=60,
        error_messages={"required": gettext_lazy("Name the bank")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    own = forms.RegexField(
        r"^\s*[0-9A-Za-z*_-]{1,40}\s*$",
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("The bureau's account whose lines these files hold."),
        error_messages={
            "required": gettext_lazy("Enter the account"),
            "invalid": gettext_lazy("An account has at most 40 digits or letters"),
        },
        widget=forms.TextInput(attrs={"class": "form-control num", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, headings: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("not in the file")), *((heading, heading) for heading in headings)]
        for place in PLACES:
            self.fields[place] = forms.ChoiceField(
                label=LABELS[place],
                choices=choices,
                required=False,
                widget=forms.Select(attrs={"class": "form-select"}),
            )

    @property
    def places(self) -> dict[str, str]:
        return {place: self.cleaned_data[place] for place in PLACES if self.cleaned_data.get(place)}


def _signed(seen: Look, header_line: int) -> str:
    return signing.dumps([seen.headings, seen.rows, header_line], salt=SALT, compress=True)


def _opened(text: str) -> tuple[Look, int] | None:
    try:
        headings, rows, header_line = signing.loads(text, salt=SALT, max_age=86_400)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Look(headings, rows), header_line


def _read(seen: Look, account: str, places: dict[str, str]) -> list[BankRow]:
    """The sample's rows as lines of the bank. Raises CannotMap, FileRefused."""
    layout = layout_from(account=account, headings=seen.headings, places=places)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([seen.headings, *seen.rows])
    return read_bank(text.getvalue().encode(), layout, name=_("sample"))


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def layouts(request: HttpRequest) -> HttpResponse:
    """This page will list the mapped layouts, and lead through a new one: look at a file, say what its columns
    hold, see its first lines as they will be read, save."""
    mapping = role_of(request.user) == Role.BUREAU_CLERK
    sample, places = SampleForm(), None
    seen: Look | None = None
    lines: list[BankRow] = []
    refusal: Any = None
    problems: list[Any] = []
    text = ""
    if request.method == "POST":
        if not mapping:
            raise PermissionDenied
        act: dict[str, Any] = {"by": request.user, "at": timezone.now()}
        do = request.POST.get("do")
        try:
            if do == "look":
                sample = SampleForm(request.POST, request.FILES)
                if sample.is_valid():
                    file, header_line = sample.cleaned_data["file"], sample.cleaned_data["header_line"]
                    seen = look(file, header_line=header_line, name=file.name[:80])
                    text = _signed(seen, header_line)
                    places = PlacesForm(headings=seen.headings, initial=guess(seen.headings))
            elif do == "drop":
                found = get_object_or_404(BankMapping, pk=row_number(request.POST.get("mapping", "")))
                drop_mapping(mapping=found, **act)
                messages.success(request, _("The mapping is gone."))
                return redirect("bureau:layouts")
            elif (opened := _opened(text := request.POST.get("sample", ""))) is None:
                refusal = _("What was looked at is too old. Choose the file again.")
            else:
                seen, header_line = opened
                places = PlacesForm(request.POST, headings=seen.headings)
                if places.is_valid():
                    account = places.cleaned_data["own"].strip()
                    lines = _read(seen, account, places.places)
                    if do == "save":
                        made = save_mapping(
                            account=account,
                            bank=places.cleaned_data["bank"],
                            headings=seen.headings,
                            places=places.places,
                            header_line=header_line,
                            **act,
                        )
                        messages.success(
                            request, _("Saved. Choose “%(name)s” when you upload a file.") % {"name": made}
                        )
                        return redirect("bureau:layouts")
        except CannotMap as refused:
            refusal = refused
        except FileRefused as refused:
            problems = refused.problems
    used = set(BankFile.objects.values_list("layout", flat=True))
    wrong = next((form for form in (sample, places) if form is not None and form.errors), None)
    return render(
        request,
        "bureau/layouts.html",
        {
            "mappings": [
                (one, [(LABELS[p], h) for p, h in one.places.items()], one.layout_name in used)
                for one in BankMapping.objects.all()
            ],
            "mapping": mapping,
            "sample": sample,
            "places": places,
            "seen": seen,
            "text": text,
            "lines": lines,
            "refusal": refusal,
            "problems": problems,
            "wrong": wrong,
            "trail": [(_("Bank lines"), reverse("bureau:receipts")), (_("Bank layouts"), None)],
        },
        status=422 if wrong or problems else 409 if refusal else 200,
    )
