from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.codes.operations import elder_token
from vouchers.elders.models import Elder


class Command(base.Command):
    help = gettext_noop("Print the code that this elder's phone shows now; it changes every 30 seconds.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", metavar="CODE", help=_("the elder's code"))

    def handle(self, *, code: str, **options) -> None:
        elder = Elder.objects.known().filter(code=code).first()
        if elder is None:
            raise base.Refused(_("There is no elder with the code %(code)s.") % {"code": code})
        self.stdout.write(elder_token(elder=elder, at=timezone.now()))
