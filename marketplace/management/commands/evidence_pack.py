"""`manage.py evidence_pack 2026-07 --into DIR`: what an auditor takes along, signed."""

from datetime import date
from pathlib import Path

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.evidence.operations import CannotPack, evidence_pack
from marketplace.management import base


class Command(base.Command):
    help = gettext_noop(
        "Write the evidence of a month into a directory: books, statements, approvals, receipts, payout lists, the "
        "head of the chain of seals, and a signed manifest of all of it. No elder's data and no officer's name."
    )
    refusals = (CannotPack, OSError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=base.month, metavar="MONTH", help=_("such as 2026-07"))
        parser.add_argument("--into", type=Path, required=True, metavar="DIR", help=_("made if missing"))

    def handle(self, *, month: date, into: Path, **options) -> None:
        manifest = evidence_pack(
            month=month, into=into, by=self.by, at=timezone.now(), progress=self.progress
        )
        self.end_progress()
        about = manifest["about"]["head"]
        self.stdout.write(f"files {len(manifest['files'])}, head {about['number']} {about['hash']}")
