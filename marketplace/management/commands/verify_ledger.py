"""`manage.py verify_ledger`: prove that what must always hold does hold."""

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from marketplace.management import base
from vouchers.proof.queries import prove


class Command(base.Command):
    help = gettext_noop(
        "Prove on the whole database that what must always hold does: every entry balances, no voucher is spent "
        "beyond its value or offset twice, every figure follows from what lies behind it. Prints each invariant "
        "with how often it is violated, and a few of the documents concerned. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds", action="store_true", help=_("also print how long each invariant took to prove")
        )

    def handle(self, *, seconds: bool, **options) -> None:
        proved = prove(self.progress)
        self.end_progress()
        for one in proved:
            took = f"{one.seconds:7.2f} s  " if seconds else ""
            line = f"{one.violations:>6}  {took}{one.sentence} [{one.name}]"
            if one.violations:
                line += "\n" + "".join(f"        {example}\n" for example in one.examples).rstrip("\n")
                if one.violations > len(one.examples):
                    line += "\n        ..."
            self.stdout.write(line)
        violated = sum(1 for one in proved if one.violations)
        violations = sum(one.violations for one in proved)
        summary = _("%(invariants)s invariants, %(violations)s violations") % {
            "invariants": len(proved),
            "violations": violations,
        }
        self.stdout.write(summary)
        if violated:
            raise base.Refused(
                ngettext(
                    "%(violated)s invariant does not hold: see above.",
                    "%(violated)s invariants do not hold: see above.",
                    violated,
                )
                % {"violated": violated}
            )
