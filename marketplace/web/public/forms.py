"""The sign-in form: its errors are sentences that say what can be done now."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import dress


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("User name and password do not fit together. Check both and try again."),
        "inactive": _("This account is closed. Your administrator can open it again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].error_messages["required"] = _("Enter your user name")
        self.fields["password"].label = _("Password")
        self.fields["password"].error_messages["required"] = _("Enter your password")
        for field in self.fields.values():
            dress(field).widget.attrs.pop("autofocus", None)

    @property
    def first_field_id(self) -> str:
        return self["username"].id_for_label

    username: forms.Field
