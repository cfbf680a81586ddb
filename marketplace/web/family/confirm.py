"""A fresh code to the account's own phone, before something that a borrowed phone must not do."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from marketplace.accounts.codes import MINUTES, check_code, send_code
from marketplace.accounts.models import OneTimeCode
from marketplace.messages.operations import tell
from marketplace.web.family.acting import person
from marketplace.web.questions import address_of

CONFIRM = OneTimeCode.Purpose.CONFIRM


class Confirmation:
    """One matter (`name`) that a code confirms; `what` says it to the person. Who has no phone on the account
    needs none."""

    def __init__(self, request: HttpRequest, name: str, what: Any) -> None:
        self.request, self.key, self.what = request, f"confirm_{name}", what
        self.user = person(request)

    @property
    def needed(self) -> bool:
        return self.user.phone_lookup is not None

    @property
    def sent(self) -> bool:
        return self.key in self.request.session

    def send(self) -> None:
        """Raises CannotSendCode."""
        now = timezone.now()
        sent = send_code(
            purpose=CONFIRM,
            subject=f"{self.key} {self.user.pk}",
            address=address_of(self.request),
            phone="",
            deliver=lambda digits: tell(
                kind="confirm_code",
                user=self.user,
                language=get_language() or "zh-hans",
                at=now,
                code=digits,
                what=self.what,
                minutes=MINUTES,
            ),
            at=now,
        )
        self.request.session[self.key] = str(sent.number)

    def check(self, code: str) -> None:
        """The code is used up. Raises WrongCode."""
        check_code(
            number=self.request.session[self.key],
            purpose=CONFIRM,
            code=code,
            address=address_of(self.request),
            at=timezone.now(),
        )
        del self.request.session[self.key]
