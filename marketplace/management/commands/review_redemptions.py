"""`manage.py review_redemptions`: run the review rules over all redemptions, or over one month."""

from datetime import date

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.fulfilment.queries import undelivered_lately
from marketplace.management import base
from vouchers.review.catalogue import RULES
from vouchers.review.operations import review_month
from vouchers.review.queries import months_of


class Command(base.Command):
    help = gettext_noop(
        "Run the review rules over all redemptions, month by month, and open a case for whatever they find that "
        "has none yet. Prints each rule with the cases opened. Running it again opens nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--month", type=base.month, metavar="YYYY-MM", help=_("only services of this month")
        )
        parser.add_argument(
            "--rule", choices=sorted(RULES), action="append", help=_("only this rule; may be repeated")
        )

    def handle(self, *, month: date | None, rule: list[str] | None, **options) -> None:
        for one in [month] if month else months_of():
            opened = review_month(
                month=one, rules=rule, by=self.by, at=timezone.now(), progress=self.progress
            )
            self.end_progress()
            found = ", ".join(f"{code} {count}" for code, count in sorted(opened.items()))
            told = found or _("nothing new")  # a sentence inside an f-string is not found by the translators
            self.stdout.write(f"{one:%Y-%m} {told}")
        if missing := undelivered_lately(timezone.now()).count():
            self.stdout.write(_("orders without a delivery: %(n)s") % {"n": missing})
