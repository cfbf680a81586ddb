"""For whom a card is printed."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Marked
from vouchers.elders.models import Elder


class CardForm(Marked):
    code = forms.CharField(
        label=_("The elder's code"),
        max_length=12,
        error_messages={"required": _("Type the elder's code, such as EL000123.")},
    )
    lost = forms.BooleanField(
        label=_("The old card is lost: make it worthless, with its digits"), required=False
    )

    def __init__(self, *args: Any, elders: QuerySet[Elder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.elders = elders
        self.fields["code"].widget.attrs["autocomplete"] = "off"
        self.fields["lost"].widget.attrs["class"] = "form-check-input"

    def clean_code(self) -> Elder:
        elder = self.elders.filter(code=self.cleaned_data["code"].strip().upper()).first()
        if elder is None:
            raise forms.ValidationError(_("No elder of yours has this code. Look it up and type it again."))
        return elder
