"""`manage.py export_books DIR`: the books as Beancount files."""

from pathlib import Path

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.books.export import export
from marketplace.management import base


class Command(base.Command):
    help = gettext_noop(
        "Write the books to a directory: accounts, one file for each month, and main.beancount, which includes "
        "them. Any Beancount tool reads them. Written again with nothing new, no file changes."
    )
    refusals = (OSError,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", metavar="DIR", type=Path, help=_("where to write; made if missing"))

    def handle(self, *, directory: Path, **options) -> None:
        done = export(directory, progress=self.progress)
        self.end_progress()
        self.stdout.write(
            f"months {len(done.months)}, accounts {done.accounts}, entries {done.entries}, "
            f"files written {len(done.written)}"
        )
