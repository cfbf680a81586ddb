"""`manage.py link_caregiver USER CODE`: the account by which a caregiver tells of visits."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.accounts.models import User, canonical
from marketplace.management import base
from providers.caregivers.operations import CannotAssign, give_account
from providers.models import Caregiver


class Command(base.Command):
    help = gettext_noop(
        "Let a caregiver tell of visits by this account (role caregiver, of the same operator). "
        "The same again changes nothing."
    )
    refusals = (CannotAssign,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help=_("the name the person signs in with"))
        parser.add_argument("code", help=_("the caregiver's code on the operator's register"))

    def handle(self, *, user: str, code: str, **options: Any) -> None:
        account = User.objects.filter(username_key=canonical(user)).first()
        if account is None:
            raise base.Refused(_("Nobody signs in as “%(name)s”.") % {"name": user})
        caregiver = Caregiver.objects.filter(code=code).first()
        if caregiver is None:
            raise base.Refused(_("There is no caregiver with the code %(code)s.") % {"code": code})
        give_account(caregiver=caregiver, user=account, by=self.by, at=timezone.now())
        self.stdout.write(f"{account.username}: {caregiver.code}")
