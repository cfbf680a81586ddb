"""What stands on a paper beside its QR code."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Marked

TYPED = {"class": "form-control", "autocomplete": "off", "autocapitalize": "characters"}


class VerifyForm(Marked):
    number = forms.RegexField(
        r"^\s*(DZ|PZ|JK)-[A-Z][A-Z0-9]{1,11}-20\d{4}(-\d{1,2})?\s*$",
        label=_("Number of the paper"),
        help_text=_("Below the title, such as PZ-LS001-202607"),
        error_messages={
            "required": _("Enter the number of the paper"),
            "invalid": _("Enter the number as it stands on the paper"),
        },
        widget=forms.TextInput(attrs=TYPED),
    )
    code = forms.RegexField(
        r"^\s*[0-9A-Za-z]{10}\s*$",
        label=_("Code"),
        help_text=_("The last ten letters and digits of the address on the paper"),
        error_messages={
            "required": _("Enter the code"),
            "invalid": _("The code has ten letters and digits"),
        },
        widget=forms.TextInput(attrs=TYPED),
    )

    def clean_number(self) -> str:
        return str(self.cleaned_data["number"]).strip()

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip().upper()
