"""Why a masked name is revealed: one question, and the answer is recorded."""

from django import forms
from django.utils.translation import gettext_lazy as _


class RevealForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you need the name?"),
        help_text=_("Your reason, your account and the time are recorded."),
        min_length=4,
        max_length=200,
        error_messages={
            "required": _("Say why you need the name"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def is_valid(self) -> bool:
        valid = super().is_valid()
        if not valid:
            self.fields["reason"].widget.attrs["aria-invalid"] = "true"
        return valid

    @property
    def first_field_id(self) -> str:
        return self["reason"].id_for_label
