"""For whom a card is printed."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from vouchers.elders.models import Elder


class CardForm(forms.Form):
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
        self.fields["code"].widget.attrs.update({"class": "form-control", "autocomplete": "off"})
        self.fields["lost"].widget.attrs["class"] = "form-check-input"
        if self.is_bound and "code" in self.errors:
            self.fields["code"].widget.attrs.update(
                {"aria-invalid": "true", "aria-describedby": "id_code_error"}
            )

    def clean_code(self) -> Elder:
        elder = self.elders.filter(code=self.cleaned_data["code"].strip().upper()).first()
        if elder is None:
            raise forms.ValidationError(_("No elder of yours has this code. Look it up and type it again."))
        return elder

    @property
    def first_field_id(self) -> str:
        return self["code"].id_for_label
