"""Setting the six-digit PIN: by the elder alone, as nobody else may know it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.web.family.acting import elder_of, for_elder
from vouchers.codes.operations import codes_of, set_pin
from vouchers.codes.pins import is_six_digits
from vouchers.codes.refusals import PIN_SENTENCES, CannotSetPin


class PinForm(forms.Form):
    """Two fields, as what is typed is hidden. Digits of any width are taken."""

    pin = forms.CharField(
        label=gettext_lazy("Six digits"), error_messages={"required": gettext_lazy("Type six digits.")}
    )
    again = forms.CharField(
        label=gettext_lazy("The same six digits again"),
        error_messages={"required": gettext_lazy("Type the same six digits again.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wrong = self.errors if self.is_bound else {}
        for name, field in self.fields.items():
            field.widget = forms.PasswordInput(
                attrs={
                    "class": "form-control pin",
                    "inputmode": "numeric",
                    "autocomplete": "new-password",
                    **(
                        {"aria-invalid": "true", "aria-describedby": f"id_{name}_error"}
                        if name in wrong
                        else {}
                    ),
                }
            )

    def clean_pin(self) -> str:
        pin = _plain(self.cleaned_data["pin"])
        if not is_six_digits(pin):
            raise forms.ValidationError(PIN_SENTENCES["not_six_digits"])
        return pin

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("pin") and cleaned.get("again") and cleaned["pin"] != _plain(cleaned["again"]):
            self.add_error("again", _("These are not the same digits as above. Type both again."))
        return cleaned

    @property
    def first_field_id(self) -> str:
        return self["pin"].id_for_label


def _plain(text: str) -> str:
    """１２３ and 1 2 3 are meant as 123."""
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text if not sign.isspace())


@sensitive_post_parameters()
@for_elder(own=True)
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: HttpRequest) -> HttpResponse:
    """This page will set the PIN that goes with the card and the typed code."""
    elder = elder_of(request)
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_pin(elder=elder, pin=form.cleaned_data["pin"], by=request.user, at=timezone.now())
        except CannotSetPin as refused:
            form.add_error("pin", str(refused))
        else:
            messages.success(
                request, _("The PIN is set. You need it with your card, never on the telephone.")
            )
            return redirect("family:pin")
    return render(request, "family/pin.html", {"form": form, "codes": codes_of(elder)})
