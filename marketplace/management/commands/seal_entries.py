"""`manage.py seal_entries`: seal what is not sealed yet, and publish the head of the chain."""

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.seals.operations import HeadNow, broken, head, publish_head, seal_entries
from marketplace.management import base
from vouchers.settlement.papers import heads_on_paper

LISTED = 100


class Command(base.Command):
    help = gettext_noop(
        "Seal every entry of the journal that is not sealed yet into the chain, and publish its head. With --check, "
        "look whether everything sealed is as it was, and seal nothing. Runs every night by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help=_("name everything that was changed or taken away")
        )
        parser.add_argument(
            "--head",
            metavar="NUMBER:HASH",
            help=_("with --check: a head kept from elsewhere (the public page, a paper, an evidence pack)"),
        )

    def handle(self, **options) -> None:
        if options["check"]:
            self._check(options["head"])
            return
        at = timezone.now()
        sealed = seal_entries(at=at)
        publish_head(at=at)
        now = head()
        self.stdout.write(f"sealed {sealed}, head {now.number} {now.hash}")

    def _check(self, text: str | None) -> None:
        known = heads_on_paper()
        if text:
            number, _colon, mark = text.partition(":")
            if not number.isdecimal() or not mark:
                raise base.Refused(_("A head is written NUMBER:HASH."))
            known.append(HeadNow(int(number), mark))
        found = list(broken(heads=known))
        for one in found[:LISTED]:
            self.stdout.write(f"{one.what}: {one.why}")
        now = head()
        self.stdout.write(f"links {now.number}, not as sealed {len(found)}")
        if found:
            raise base.Refused(_("The chain does not hold: see above."))
