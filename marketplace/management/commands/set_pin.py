import sys

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.codes.operations import set_pin
from vouchers.codes.refusals import CannotSetPin
from vouchers.elders.models import Elder


class Command(base.Command):
    help = gettext_noop("Set an elder's six-digit PIN, read from the first line of input.")
    refusals = (CannotSetPin,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", metavar="CODE", help=_("the elder's code"))

    def handle(self, *, code: str, **options) -> None:
        elder = Elder.objects.known().filter(code=code).first()
        if elder is None:
            raise base.Refused(_("There is no elder with the code %(code)s.") % {"code": code})
        set_pin(elder=elder, pin=sys.stdin.readline().strip(), by=self.by, at=timezone.now())
        self.stdout.write(_("%(code)s: the PIN is set.") % {"code": code})
