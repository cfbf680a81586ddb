"""What import_redemptions and import_reversals share: check the file whole, then row by row, then a tally."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from ledger.files.table import Column, Table
from ledger.journal.operations import exclusive
from marketplace.management import base
from vouchers.redemption.files import Outcome


class ImportCommand(base.Command):
    columns: tuple[Column, ...]
    run: Callable[..., Iterator[Outcome]]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=_("CSV or XLSX file"))

    def handle(self, *, file: Path, **options) -> None:
        table = Table(file, self.columns)
        total = table.check()
        tally: Counter[str] = Counter()
        with exclusive(str(self.__module__).rpartition(".")[2]):
            outcomes = type(self).run(table=table, by=self.by, clock=timezone.now)
            for done, outcome in enumerate(outcomes, 1):
                if outcome.refused:
                    tally["refused"] += 1
                    self.stdout.write(f"{file.name}:{outcome.line}: {outcome.word}")
                else:
                    tally[outcome.word] += 1
                self.progress(done, total, file.name)
        self.end_progress()
        self.stdout.write(
            f"accepted {tally['accepted']}, repeated {tally['repeated']}, refused {tally['refused']}"
        )
