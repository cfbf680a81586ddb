from datetime import date

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.journal.operations import exclusive
from marketplace.management import base
from vouchers.wallets.operations import expire


class Command(base.Command):
    help = gettext_noop(
        "Expire what is left of vouchers whose validity ended before a day. Final: run it after the "
        "terminals' time to report has passed. Running it again finds nothing more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", type=base.day, required=True, metavar="DATE", help=_("the day of the run, YYYY-MM-DD")
        )

    def handle(self, *, on: date, **options) -> None:
        with exclusive("expire_vouchers"):
            done = expire(on=on, by=self.by, at=timezone.now())
        for programme, (vouchers, value) in done.items():
            self.stdout.write(f"{programme} vouchers {vouchers} value {value}")
        if not done:
            self.stdout.write(_("Nothing to expire."))
