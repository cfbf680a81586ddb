from datetime import date

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.journal.operations import exclusive
from marketplace.management import base
from vouchers.settlement.models import Approval
from vouchers.settlement.operations import CannotSettle, lock_if_complete, settle


class Command(base.Command):
    help = gettext_noop(
        "Rehearse the three approvals of every statement of a month as three different users; the month is locked "
        "when all are approved. What a user may not confirm stays a draft. Only on the embedded database: in an "
        "installation people sign in and look."
    )
    refusals = (CannotSettle,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=base.month, metavar="YYYY-MM", help=_("the month"))
        parser.add_argument(
            "--confirmed-by",
            required=True,
            metavar="U",
            help=_("an operator manager, or a bureau clerk with the operator's signed paper"),
        )
        parser.add_argument("--reviewed-by", required=True, metavar="U", help=_("a street officer"))
        parser.add_argument("--approved-by", required=True, metavar="U", help=_("a bureau approver"))

    def handle(self, *, month: date, **options) -> None:
        if not settings.EMBEDDED:
            raise base.Refused(
                _("Approvals are rehearsed on the embedded database only: here people sign in and look.")
            )
        people = {
            Approval.Step.CONFIRM: base.user(options["confirmed_by"]),
            Approval.Step.REVIEW: base.user(options["reviewed_by"]),
            Approval.Step.APPROVE: base.user(options["approved_by"]),
        }
        if len(set(people.values())) < len(people):
            raise base.Refused(_("The three approvals need three different users."))
        with exclusive("settle_month"):
            outcomes = settle(month=month, people=people, clock=timezone.now)
            locked = lock_if_complete(month=month, by=people[Approval.Step.APPROVE], at=timezone.now())
        for statement, refusal in outcomes:
            self.stdout.write(
                f"{statement.lease.code} {statement.state}" + (f": {refusal}" if refusal else "")
            )
        self.stdout.write(
            _("%(month)s is locked.") % {"month": f"{month:%Y-%m}"}
            if locked
            else _("%(month)s stays open.") % {"month": f"{month:%Y-%m}"}
        )
