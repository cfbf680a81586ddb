"""`manage.py check_books [DIR]`: Beancount and the database must agree to the fen."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.books.operations import CannotCheck, Difference, check_books
from marketplace.management import base
from vouchers.proof.balances import witnesses

# The names of what the books are set against (vouchers/proof/balances.py), for the reader's language.
SOURCES = {
    "journal": gettext_noop("journal"),
    "vouchers": gettext_noop("vouchers"),
    "redemptions": gettext_noop("redemptions"),
    "statements": gettext_noop("statements"),
    "bank lines": gettext_noop("bank lines"),
    "handings over": gettext_noop("handings over"),
    "movements": gettext_noop("movements of vouchers"),
    "issue runs": gettext_noop("issue runs"),
    "open holds": gettext_noop("open holds"),
    "rent charges": gettext_noop("rent charges"),
    "carry": gettext_noop("last carry-out"),
}


class Command(base.Command):
    help = gettext_noop(
        "Load the books with Beancount and compare every balance with the database: with the journal, and with "
        "what vouchers, redemptions, statements and bank lines say. Months that are as they were when they were "
        "last checked are not loaded again."
    )
    refusals = (CannotCheck, OSError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "directory",
            metavar="DIR",
            type=Path,
            nargs="?",
            help=_("books written by export_books; without it they are written to a temporary place"),
        )
        parser.add_argument(
            "--export", action="store_true", help=_("write the books to DIR first, as export_books does")
        )

    def handle(self, *, directory: Path | None, **options) -> None:
        found = check_books(
            directory=directory,
            write=options["export"],
            cache=Path(settings.DATA_DIR) / "books-cache",
            witnesses=witnesses,
            progress=self.progress,
        )
        self.end_progress()
        for error in found.errors:
            self.stdout.write(error)
        for difference in found.differences:
            self.stdout.write(_sentence(difference))
        self.stdout.write(
            f"accounts {found.checked.accounts}, entries {found.checked.entries}, "
            f"differences {len(found.differences)}, errors {found.error_count}"
        )
        if not found.agrees:
            raise base.Refused(_("The books and the database do not agree; the lines above say where."))


def _sentence(difference: Difference) -> str:
    if not difference.source:
        return _("%(account)s: the books hold %(books)s; nothing in the database accounts for it") % (
            difference._asdict()
        )
    return _("%(account)s: the books hold %(books)s, by %(source)s it is %(told)s") % {
        **difference._asdict(),
        "source": _(SOURCES.get(difference.source, difference.source)),
    }
