"""Forms of one question: what is typed is taken in any spelling, what is wrong is said at the field.

Full-width digits, spaces, dashes and +86 are no mistakes.
"""

import re
import unicodedata
from ipaddress import ip_address
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Marked

MOBILE = re.compile(r"1[3-9]\d{9}")


def plain(text: str) -> str:
    """Half-width, without the spaces and dashes that people put between digits."""
    return re.sub(r"[\s\-–—·.]", "", unicodedata.normalize("NFKC", text))


def address_of(request: HttpRequest) -> str:
    """Whence a request comes. Behind TLS it is what our own proxy saw: the last entry of the header.

    Everything that counts by address asks here: sign-ins, codes, enrolments, the log. Entries before the last are
    whatever the caller wrote. One that is no address counts as the proxy's own.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.HTTPS_HOSTS else ""
    return _plain_address(forwarded.rsplit(",", 1)[-1].strip()) or request.META.get("REMOTE_ADDR", "")


def _plain_address(text: str) -> str:
    """One spelling for one address, without the port that some proxies write; nothing where it is none."""
    host = re.fullmatch(r"\[(.+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+", text)
    try:
        found = ip_address((next(filter(None, host.groups())) if host else text).partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)


def _digits(label: Any, missing: Any, autocomplete: str, *, longest: int) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        error_messages={"required": missing},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": autocomplete, "autocapitalize": "off"}
        ),
    )


class PhoneQuestion(Marked):
    phone = _digits(_("Mobile phone"), _("Type the number of your mobile phone."), "tel", longest=30)

    def clean_phone(self) -> str:
        phone = plain(self.cleaned_data["phone"]).removeprefix("+86")
        if not MOBILE.fullmatch(phone):
            raise forms.ValidationError(_("A mobile phone has 11 digits, the first is 1. Check each digit."))
        return phone


class CodeQuestion(Marked):
    code = _digits(_("Six digits from the message"), _("Type the six digits."), "one-time-code", longest=20)

    def clean_code(self) -> str:
        code = plain(self.cleaned_data["code"])
        if not re.fullmatch(r"\d{6}", code, re.ASCII):
            raise forms.ValidationError(_("The code has six digits. Check each digit."))
        return code
