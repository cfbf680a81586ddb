"""`manage.py compilemessages`, in Python alone: no machine needs GNU gettext to run the site."""

from pathlib import Path

import polib
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile the translations (.po) into what the site reads (.mo)."
    requires_system_checks = ()

    def handle(self, **options) -> None:
        for root in settings.LOCALE_PATHS:
            for source in sorted(Path(root).rglob("*.po")):
                target = source.with_suffix(".mo")
                draft = target.with_suffix(".mo.new")
                polib.pofile(str(source)).save_as_mofile(str(draft))
                draft.replace(target)
                if options["verbosity"]:
                    self.stdout.write(f"{target}")
