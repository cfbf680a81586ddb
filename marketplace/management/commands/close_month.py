from datetime import date

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.settlement.operations import CannotSettle, close_month


class Command(base.Command):
    help = gettext_noop(
        "Draw up the statement of every lease for a month. Statements that are not approved yet are drawn up "
        "again; the first month ever closed locks all months before it."
    )
    refusals = (CannotSettle,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=base.month, metavar="YYYY-MM", help=_("the month to draw up"))

    def handle(self, *, month: date, **options) -> None:
        drawn = close_month(month=month, by=self.by, at=timezone.now())
        for statement in drawn:
            self.stdout.write(
                f"{statement.lease.code} charge {statement.charge} applied {statement.applied} "
                f"cash_due {statement.cash_due} {statement.state}"
            )
        self.stdout.write(
            _("%(count)s statements of %(month)s.") % {"count": len(drawn), "month": f"{month:%Y-%m}"}
        )
