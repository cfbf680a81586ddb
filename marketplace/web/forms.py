"""What forms of all desks share."""

from datetime import date
from typing import Any, Self

from django import forms


class Marked(forms.Form):
    """A form whose fields look like all others (components/field.html, error_summary.html).

    That wrong fields say so to screen readers too, by aria-invalid and aria-describedby, is Django's doing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    @classmethod
    def refused(cls, sentence: Any) -> Self:
        """An empty form that says why something else on its page could not be done."""
        form = cls({})
        form.errors.clear()
        form.add_error(next(iter(form.fields)), str(sentence))
        return form

    @property
    def first_field_id(self) -> str:
        first = self[next(iter(self.fields))]
        return first.id_for_label or first.auto_id


def dress(field: forms.Field) -> forms.Field:
    """The field with the class that its widget is styled by; boxes and buttons to tick have none."""
    ticked = forms.RadioSelect | forms.CheckboxInput | forms.CheckboxSelectMultiple
    if not isinstance(field.widget, ticked):
        kind = "select" if isinstance(field.widget, forms.Select) else "control"
        field.widget.attrs.setdefault("class", f"form-{kind}")
    return field


def row_number(text: str) -> int:
    """The number of a row as a page sent it back; 0, which no row has, for whatever else is sent."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def asked_day(text: str | None) -> date | None:
    """The day that an address asks for; None for whatever is no day of these times."""
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None


def asked_month(text: str | None) -> date | None:
    """The first day of the month that an address asks for, written 2026-08; else None."""
    return asked_day(f"{text}-01")


class Files(forms.FileInput):
    """Several files at once."""

    allow_multiple_selected = True
