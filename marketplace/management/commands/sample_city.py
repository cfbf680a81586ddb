"""`manage.py sample_city`: a made-up town to look at, in an empty embedded database."""

from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from marketplace.sample.generate import ELDERS
from marketplace.sample.player import Player, Progress, database_is_empty


class Command(base.Command):
    help = gettext_noop(
        "Fill an empty embedded database with a made-up town: elders, premises, operators, leases, vouchers and "
        "four months of redemptions up to yesterday. Made once; a run that was interrupted goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--today", type=base.day, metavar="DATE", help=_("the day the town is made for; without: today")
        )
        parser.add_argument(
            "--elders",
            type=int,
            default=ELDERS,
            metavar="N",
            help=_("how many elders; everything else is in proportion"),
        )

    def handle(self, *, today: date | None, elders: int, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise base.Refused(_("A sample city is made on the embedded database only; DATABASE_URL is set."))
        if today and today > timezone.localdate():
            raise base.Refused(
                _("A sample city is made for a day that has come: its registers count from it.")
            )
        folder = sample_folder()
        begun = Progress.read(folder)
        empty = database_is_empty()
        if begun and begun.finished and not empty:
            self.stdout.write(_("The sample city of %(day)s is there already.") % {"day": begun.today})
            return
        if begun and empty and begun.done:  # files of a database that is gone
            begun = None
            (folder / "state.json").unlink()
        if not begun and not empty:
            raise base.Refused(_("The database is not empty. A sample city is made in an empty one only."))
        if begun and today and str(today) != begun.today:
            raise base.Refused(
                _("A sample city of %(day)s was begun; it can only be finished for that day.")
                % {"day": begun.today}
            )
        player = Player(
            folder=folder,
            passwords=settings.DATA_DIR / "demo-users.json",
            by=self.by,
            tell=lambda line: self.stdout.write(f"  {line}"),
        )
        progress = player.play(today=today or timezone.localdate(), elders=elders)
        self.stdout.write(_("The sample city of %(day)s is ready.") % {"day": progress.today})


def sample_folder() -> Path:
    return settings.DATA_DIR / "sample"
