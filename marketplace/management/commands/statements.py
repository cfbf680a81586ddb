import csv
import json
from datetime import date

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.settlement.models import Statement
from vouchers.settlement.queries import of_month

COLUMNS = ("lease", "month", *Statement.FIGURES, "redemptions", "under_review", "state")


class Command(base.Command):
    help = gettext_noop("Print the statements of a month, one line a lease, as CSV, JSON or a table.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=base.month, metavar="YYYY-MM", help=_("the month"))
        parser.add_argument(
            "--format", choices=["csv", "json", "table"], default="table", help=_("default: table")
        )

    def handle(self, *, month: date, **options) -> None:
        rows = [[str(value) for value in _values(statement)] for statement in of_month(month)]
        if options["format"] == "json":
            text = json.dumps(
                [dict(zip(COLUMNS, row, strict=True)) for row in rows], ensure_ascii=False, indent=1
            )
            self.stdout.write(text)
        elif options["format"] == "csv":
            csv.writer(self.stdout, lineterminator="\n").writerows([COLUMNS, *rows])
        else:
            widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
            for row in [COLUMNS, *rows]:
                self.stdout.write(
                    "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                )


def _values(statement: Statement) -> list:
    return [
        statement.lease.code,
        f"{statement.month:%Y-%m}",
        *(getattr(statement, name) for name in Statement.FIGURES),
        statement.redemptions,
        statement.under_review,
        statement.state,
    ]
