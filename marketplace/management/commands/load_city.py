"""`manage.py load_city DIR`: a city's files into the register."""

from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from marketplace.offerings.operations import publish_loaded
from vouchers.city.operations import FILES, CannotLoad, load_city


class Command(base.Command):
    help = gettext_noop(
        "Load a city's files: whichever of divisions, operators, premises, leases, services, offers, "
        "service_prices, programmes and elders the directory holds, as .csv or .xlsx. Everything is checked "
        "first; if anything is wrong in any file, each place is listed as file:line: column: what is wrong, and "
        "nothing is loaded. The same files again change nothing; a later file updates what may change. A day "
        "of death in elders voids that person's vouchers."
    )
    refusals = (CannotLoad,)

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "directory", type=Path, metavar="DIR", help=_("the directory that holds the files")
        )
        parser.add_argument(
            "--dry-run", action="store_true", help=_("check, show what would change, and write nothing")
        )

    def handle(self, *, directory: Path, dry_run: bool, **options) -> None:
        loaded = load_city(
            directory=directory, by=self.by, at=timezone.now(), dry_run=dry_run, progress=self.progress
        )
        self.end_progress()
        if not dry_run:
            publish_loaded(loaded=loaded, by=self.by, at=timezone.now())
        for name in loaded.left_out:
            self.stderr.write(
                _("%(file)s is left out: the files are named %(names)s.")
                % {"file": name, "names": ", ".join(FILES)},
                str,
            )
        for draft in loaded.files:
            self.stdout.write(str(draft))
        if loaded.nothing_changed:
            self.stdout.write(_("Everything was on record already; nothing changed."))
        elif dry_run:
            self.stdout.write(_("This was a dry run: nothing was written."))
