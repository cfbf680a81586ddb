"""`manage.py add_terminal PREMISES --name N`: one redemption terminal; its token is printed once."""

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from providers.models import Premises
from vouchers.terminals.operations import CannotEnrol, add_terminal


class Command(base.Command):
    help = gettext_noop(
        "Register a redemption terminal at one premises and print its token. The token is shown this once and kept "
        "nowhere: whoever loses it registers another terminal."
    )
    refusals = (CannotEnrol,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("premises", metavar="PREMISES", help=_("code of the premises it serves"))
        parser.add_argument(
            "--name", required=True, metavar="N", help=_("what people call it, such as counter 1")
        )

    def handle(self, *, premises: str, name: str, **options) -> None:
        place = Premises.objects.filter(code=premises).first()
        if place is None:
            raise base.Refused(_("There are no premises with the code %(code)s.") % {"code": premises})
        enrolled = add_terminal(premises=place, name=name, by=self.by, at=timezone.now())
        self.stdout.write(enrolled.token)
