"""`manage.py publish_catalogue`: the register's services and offers into the shop's catalogue."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from marketplace.offerings.operations import publish


class Command(base.Command):
    help = gettext_noop(
        "Bring the shop's catalogue up to what the register says today: services, where they are offered, by "
        "whom. Run again it changes nothing. The nightly run does it too."
    )

    def handle(self, **options: Any) -> None:
        done = publish(on=timezone.localdate(), by=self.by, at=timezone.now())
        self.stdout.write(
            _(
                "%(offers)s offers stand in the catalogue: new %(new)s, changed %(changed)s, withdrawn %(withdrawn)s."
            )
            % {
                "offers": done.offers,
                "new": done.new,
                "changed": done.changed,
                "withdrawn": done.withdrawn,
            }
        )
