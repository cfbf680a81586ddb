from pathlib import Path

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.banking.continuity import Break
from ledger.banking.layouts import LAYOUTS, read_bank
from ledger.banking.mappings import find_layout
from ledger.journal.operations import exclusive
from ledger.journal.queries import day_of
from marketplace.management import base
from providers.leases.receipts import breaks_of, import_bank
from vouchers.payments.operations import pay_what_bears_numbers


class Command(base.Command):
    help = gettext_noop(
        "Import the lines of a bank's file: those with one lease code are matched to its rent, those that equal "
        "one open due are proposed, the rest wait in suspense. Files may overlap; nothing is taken twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=_("CSV or XLSX file of the bank"))
        parser.add_argument(
            "--format",
            required=True,
            metavar="LAYOUT",
            help=_("the bank's layout: %(names)s, or mapped:NUMBER as the page of bank layouts names it")
            % {"names": ", ".join(sorted(LAYOUTS))},
        )

    def handle(self, *, file: Path, **options) -> None:
        try:
            layout = find_layout(options["format"])
        except KeyError:
            raise base.Refused(_("There is no layout %(name)s.") % {"name": options["format"]}) from None
        rows = read_bank(file, layout)
        with exclusive("import_bank"):
            for one in breaks_of(rows):
                self._warn(one)
            done = import_bank(
                rows=rows, name=file.name, layout=options["format"], by=self.by, at=timezone.now()
            )
        pay_what_bears_numbers(by=self.by, at=timezone.now())
        self.stdout.write(
            f"new {done.new}, repeated {done.repeated}, matched {done.matched}, "
            f"proposed {done.proposed}, unmatched {done.unmatched}"
        )

    def _warn(self, one: Break) -> None:
        """What is missing is told; the lines that came are taken."""
        self.stderr.write(
            _("Account %(account)s: balances break between %(from)s and %(until)s; %(missing)s yuan missing.")
            % {
                "account": one.after.account[-4:],
                "from": day_of(one.before.booked_at),
                "until": day_of(one.after.booked_at),
                "missing": one.missing,
            }
        )
