"""Passkeys on pages: the question goes out with the page and is kept in the session, the answer comes in a form.

A form holds everything (static/js/passkey.js fills it and sends it), so there is no address that only scripts use.
"""

import json
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import passkeys
from marketplace.accounts.models import User
from marketplace.accounts.passkeys import CannotUsePasskey, Question
from marketplace.web.forms import Marked

ASKED = "passkey_asked"  # in the session: the one question that can be answered


class PasskeyName(Marked):
    name = forms.CharField(
        label=_("Name of the passkey"),
        max_length=60,
        error_messages={"required": _("Give the passkey a name.")},
        help_text=_("So that you know it again, such as: office computer, my phone"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def host_of(request: HttpRequest) -> str:
    """The host name by which the page was asked for; Django let in only those of the settings."""
    return split_domain_port(request.get_host())[0]


def asks_new(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """What the browser needs to make a passkey; None where none can be made."""
    try:
        options, question = passkeys.ask_new(user=user, host=host_of(request), at=timezone.now())
    except CannotUsePasskey:
        return None
    request.session[ASKED] = question
    return options


def asks_use(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """What the browser needs to have a passkey of this person sign; None when there is none for this address."""
    host = host_of(request)
    if not passkeys.of(user, host):
        return None
    options, question = passkeys.ask_use(user=user, host=host, at=timezone.now())
    request.session[ASKED] = question
    return options


def answered(request: HttpRequest) -> tuple[Any, Question | None]:
    """The browser's answer, and the question, which is gone with this. An answer that is no JSON is None."""
    question = request.session.pop(ASKED, None)
    sent = request.POST.get("passkey", "")
    if len(sent) > passkeys.LONGEST:
        return None, question
    try:
        return json.loads(sent), question
    except ValueError:
        return None, question
