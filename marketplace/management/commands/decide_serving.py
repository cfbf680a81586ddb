from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.offline.models import Serving
from vouchers.offline.operations import CannotDecide, decide_serving


class Command(base.Command):
    help = gettext_noop(
        "Decide on a serving made without a network that could not be paid: pay it from what the elder's vouchers hold "
        "now, or let the operator bear it. Without a number: list those that wait."
    )
    refusals = (CannotDecide,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="?", metavar="NUMBER", help=_("as listed: OS-000000007"))
        parser.add_argument("decision", nargs="?", choices=["pay", "bear"])
        parser.add_argument("--by", metavar="U", help=_("the bureau user who decides"))
        parser.add_argument("--reason", default="", metavar="R", help=_("why, in a sentence"))

    def handle(
        self, *, number: str | None, decision: str | None, by: str | None, reason: str, **options
    ) -> None:
        if number is None:
            for case in Serving.objects.open_cases().select_related("loser", "premises"):
                loser = case.loser.code if case.loser else "-"
                self.stdout.write(f"{case.number} {case.premises.code} {case.code} {case.unpaid} {loser}")
            return
        if not (decision and by and reason):
            raise base.Refused(_("Say what is decided (pay or bear), by whom (--by) and why (--reason)."))
        serving = Serving.objects.by_number(number).first()
        if serving is None:
            raise base.Refused(_("There is no serving with the number %(number)s.") % {"number": number})
        decide_serving(
            serving=serving, pay=decision == "pay", by=base.user(by), at=timezone.now(), reason=reason
        )
        self.stdout.write(f"{serving.number} {decision}")
