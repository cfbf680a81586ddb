"""`manage.py verify_manifest DIR`: whether a signed folder is as it was signed."""

from pathlib import Path

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.books.manifest import public_key, wrong
from marketplace.evidence.operations import signing_secret
from marketplace.management import base


class Command(base.Command):
    help = gettext_noop(
        "Tell whether a folder that this city signed (evidence, books) is as it was: the signature and every file. "
        "Needs no database."
    )
    refusals = (OSError, ValueError)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")
        parser.add_argument(
            "--key", type=Path, metavar="PEM", help=_("the public key; without it, this city's own")
        )

    def handle(self, *, directory: Path, key: Path | None, **options) -> None:
        pem = key.read_text() if key else public_key(signing_secret())
        found = list(wrong(directory, key=pem))
        for name in found:
            self.stdout.write(name)
        if found:
            raise base.Refused(_("These are not as they were signed: %(n)s. See above.") % {"n": len(found)})
        self.stdout.write(_("Everything is as it was signed."))
