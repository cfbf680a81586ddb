"""Forms that enter rows of a register. What is right is told by the register's own columns and checks: a field
here is text, and every refusal comes back to the field that it names."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.files.draft import Draft
from ledger.files.problems import FileRefused
from ledger.journal.operations import Busy
from marketplace.web.forms import Marked
from vouchers.city.entry import Changed, Taken, digest, enter
from vouchers.city.operations import FILES, CannotLoad
from vouchers.city.tenancy import CannotChange

OPTIONAL = gettext_lazy("Optional.")


def text(label: Any, *, hint: Any = "", longest: int = 200, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=False,
        max_length=longest,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )


def number(label: Any, *, hint: Any = "") -> forms.CharField:
    return text(label, hint=hint, longest=24, inputmode="decimal")


def day(label: Any, *, hint: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"type": "date", "autocomplete": "off"}),
    )


def pick(label: Any, choices: Iterable[tuple[str, Any]] = (), *, hint: Any = "") -> forms.CharField:
    """One of a list that may be long: drawn as a select, checked by the register."""
    return forms.CharField(
        label=label, help_text=hint, required=False, widget=forms.Select(choices=[("", "—"), *choices])
    )


class Several(forms.CheckboxSelectMultiple):
    """Boxes to tick whose value is the register's own list: a;b;c."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        values = data.getlist(name) if hasattr(data, "getlist") else str(data.get(name, "")).split(";")
        return ";".join(value for value in values if value)

    def format_value(self, value: Any) -> list[str]:
        return [part for part in str(value or "").split(";") if part]


def several(label: Any, choices: Iterable[tuple[str, Any]], *, hint: Any = "") -> forms.CharField:
    field = forms.CharField(
        label=label, help_text=hint, required=False, widget=Several(choices=list(choices))
    )
    field.boxes = True  # type: ignore[attr-defined]
    return field


class EntryForm(Marked):
    """Fields are named as the register's columns. `base` is the row on record that the form changes."""

    register = ""
    seen = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"id": False}))

    def __init__(self, *args: Any, base: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        self.base = dict(base or {})
        kwargs["initial"] = {
            **self.base,
            **(kwargs.get("initial") or {}),
            "seen": digest(base) if base else "",
        }
        super().__init__(*args, **kwargs)
        columns = {column.name: column for column in FILES[self.register][0]} if self.register else {}
        for name, field in self.fields.items():
            column = columns.get(name)
            if column is None or column.required or name == "seen":
                continue
            field.help_text = f"{OPTIONAL} {field.help_text}" if field.help_text else OPTIONAL

    def clean(self) -> dict[str, Any]:
        """A row without anything in it is none to a file, which passes over it; here it was meant."""
        if self.register and not self.base and "code" in self.fields and not any(self.row.values()):
            self.add_error("code", _("Type the code."))
        return self.cleaned_data

    @property
    def row(self) -> dict[str, str]:
        """The row as it would stand in a file: what is on record, with what was typed."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        return {**self.base, **{name: str(value or "") for name, value in typed.items()}}

    def enter(self, *, by: Any, at: datetime, dry_run: bool = False) -> Draft | None:
        """This function will enter the row; None when it was refused, each reason at its field."""
        return self.attempt(
            lambda: enter(
                name=self.register,
                rows=[self.row],
                seen=self.cleaned_data["seen"],
                new=not self.base,
                by=by,
                at=at,
                dry_run=dry_run,
            )
        )

    def attempt(self, do: Callable[[], Any]) -> Any:
        """This function will do what the form asks for; None when that was refused, each reason at its field."""
        if not self.is_valid():
            return None
        try:
            return do()
        except FileRefused as refused:
            for problem in refused.problems:
                self.refuse(problem.column, _sentence(problem.sentence))
        except Taken as refusal:
            self.add_error("code", str(refusal))
        except (Changed, CannotChange, CannotLoad, Busy) as refusal:
            self.add_error(None, str(refusal))
        return None

    def refuse(self, column: str, sentence: str) -> None:
        if column in self.fields and column != "seen":
            self.add_error(column, sentence)
        else:
            self.add_error(None, f"{column}: {sentence}" if column and column != "-" else sentence)

    @property
    def first_field_id(self) -> str:
        first = self.visible[0]
        return str(first.id_for_label or first.auto_id)

    @property
    def visible(self) -> list[Any]:
        return [self[name] for name in self.fields if name != "seen"]


def _sentence(told: str) -> str:
    """What a file would say after the column's name, as a sentence at the field."""
    return told[:1].upper() + told[1:]


def reason(label: Any, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        min_length=4,
        max_length=200,
        error_messages={
            "required": gettext_lazy("Say why, in a sentence"),
            "min_length": gettext_lazy("Say a little more: at least four characters"),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
