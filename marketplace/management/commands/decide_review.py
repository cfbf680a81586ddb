from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.settlement.operations import CannotSettle, decide_review, find_review


class Command(base.Command):
    help = gettext_noop(
        "Decide on a redemption that is held back for review: release lets it count, reject reverses it."
    )
    refusals = (CannotSettle,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY", help=_("the redemption's key or its number (RD-...)"))
        parser.add_argument("decision", choices=["release", "reject"])
        parser.add_argument("--by", required=True, metavar="U", help=_("the bureau user who decides"))
        parser.add_argument("--reason", required=True, metavar="R", help=_("why, in a sentence"))

    def handle(self, *, key: str, decision: str, by: str, reason: str, **options) -> None:
        redemption = find_review(key)
        if redemption is None:
            raise base.Refused(_("There is no redemption with the key or number %(key)s.") % {"key": key})
        decide_review(
            redemption=redemption,
            release=decision == "release",
            by=base.user(by),
            at=timezone.now(),
            reason=reason,
        )
        self.stdout.write(f"{redemption.number} {decision}")
