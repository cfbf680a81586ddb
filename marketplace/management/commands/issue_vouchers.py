from datetime import date

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.journal.operations import exclusive
from marketplace.management import base
from vouchers.programmes.operations import issue


class Command(base.Command):
    help = gettext_noop(
        "Issue the vouchers of every programme whose period begins on a day, to all who are eligible and "
        "not yet served. Running it again issues only to those who were not served before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", type=base.day, required=True, metavar="DATE", help=_("the day of issue, YYYY-MM-DD")
        )

    def handle(self, *, on: date, **options) -> None:
        with exclusive("issue_vouchers"):
            issued = issue(on=on, by=self.by, at=timezone.now(), progress=self.progress)
        self.end_progress()
        for line in issued:
            left_out = (
                _(", %(count)s left out by the budget") % {"count": line.left_out} if line.left_out else ""
            )
            self.stdout.write(
                f"{line.programme} elders {line.elders} vouchers {line.vouchers} value {line.value}{left_out}"
            )
        if not issued:
            self.stdout.write(_("No programme issues on %(day)s.") % {"day": on})
