from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.accounts import second
from marketplace.management import base


class Command(base.Command):
    help = gettext_noop(
        "Let a person whose phone, passkeys and recovery codes are lost set up a new second step at the next sign-in."
    )

    refusals = (second.CannotForget,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help=_("the user name"))
        parser.add_argument("--by", required=True, metavar="U", help=_("the administrator who decides"))

    def handle(self, *, name: str, by: str, **options) -> None:
        there = second.forget(user=base.user(name), by=base.user(by), at=timezone.now())
        if not there:
            raise base.Refused(_("%(name)s has no second factor.") % {"name": name})
        self.stdout.write(_("%(name)s sets up a new second step at the next sign-in.") % {"name": name})
