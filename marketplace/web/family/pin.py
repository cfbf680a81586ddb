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
from marketplace.web.forms import Marked
from vouchers.codes.operations import codes_of, set_pin
from vouchers.codes.pins import is_six_digits
from vouchers.codes.refusals import PIN_SENTENCES, CannotSetPin


def pin_field(label: Any, missing: Any, autocomplete: str) -> forms.CharField:
    """A field for six digits that nobody shall read over a shoulder."""
    attrs = {"class": "form-control pin", "inputmode": "numeric", "autocomplete": autocomplete}
    return forms.CharField(
        label=label, error_messages={"required": missing}, widget=forms.PasswordInput(attrs=attrs)
    )


class PinForm(Marked):
    """Two fields, as what is typed is hidden. Digits of any width are taken."""

    pin = pin_field(gettext_lazy("Six digits"), gettext_lazy("Type six digits."), "new-password")
    again = pin_field(
        gettext_lazy("The same six digits again"),
        gettext_lazy("Type the same six digits again."),
        "new-password",
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
