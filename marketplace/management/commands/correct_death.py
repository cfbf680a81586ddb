from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.elders.deaths import NoSuchDeath, correct_death
from vouchers.elders.models import Elder


class Command(base.Command):
    help = gettext_noop(
        "Undo a death that was entered by mistake: vouchers that it voided come back, reviews that it opened are lifted."
    )
    refusals = (NoSuchDeath,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", metavar="CODE", help=_("the elder's code"))
        parser.add_argument("--by", required=True, metavar="U", help=_("the user who decides"))
        parser.add_argument("--reason", required=True, metavar="R", help=_("why, in a sentence"))

    def handle(self, *, code: str, by: str, reason: str, **options) -> None:
        elder = Elder.objects.known().filter(code=code).first()
        if elder is None:
            raise base.Refused(_("There is no elder with the code %(code)s.") % {"code": code})
        correct_death(elder=elder, by=base.user(by), at=timezone.now(), reason=reason)
        self.stdout.write(_("%(code)s: the death is undone.") % {"code": code})
