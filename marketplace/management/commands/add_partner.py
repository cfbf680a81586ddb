"""`manage.py add_partner NAME --operator OP [--operator OP2]`: another firm's system; its token is printed once."""

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from providers.models import Operator
from vouchers.terminals.operations import CannotEnrol, add_partner


class Command(base.Command):
    help = gettext_noop(
        "Register another firm's system that redeems for one or more operators, and print its token. The token is "
        "shown this once and kept nowhere."
    )
    refusals = (CannotEnrol,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help=_("what people call it"))
        parser.add_argument(
            "--operator",
            action="append",
            required=True,
            metavar="OP",
            help=_("code of an operator it serves; may be given again"),
        )
        parser.add_argument(
            "--may-tell-past",
            action="store_true",
            help=_("it may tell of any past day, as a file may; without: of the last 72 hours"),
        )

    def handle(self, *, name: str, operator: list[str], may_tell_past: bool, **options) -> None:
        served = {one.code: one for one in Operator.objects.filter(code__in=operator)}
        for code in operator:
            if code not in served:
                raise base.Refused(_("There is no operator with the code %(code)s.") % {"code": code})
        _partner, token = add_partner(
            name=name,
            operators=list(served.values()),
            may_tell_past=may_tell_past,
            by=self.by,
            at=timezone.now(),
        )
        self.stdout.write(token)
