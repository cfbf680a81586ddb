"""What forms of all desks share."""

from django import forms


class Marked(forms.Form):
    """A form whose wrong fields say so to screen readers too."""

    def is_valid(self) -> bool:
        valid = super().is_valid()
        for name in self.errors:
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs |= {"aria-invalid": "true", "aria-describedby": f"{self[name].id_for_label}_error"}
        return valid

    @property
    def first_field_id(self) -> str:
        return self[next(iter(self.fields))].id_for_label


class Files(forms.FileInput):
    """Several files at once."""

    allow_multiple_selected = True
