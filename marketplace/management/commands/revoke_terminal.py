"""`manage.py revoke_terminal TOKEN-OWNER`: a lost tablet stops at once."""

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.management import base
from vouchers.terminals.models import Partner, Terminal
from vouchers.terminals.operations import revoke


class Command(base.Command):
    help = gettext_noop(
        "Take the right to redeem away from a terminal or partner, at once and for good. Without a number: list them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "which", nargs="?", metavar="WHICH", help=_("as listed: terminal:12 or partner:3")
        )

    def handle(self, *, which: str | None, **options) -> None:
        if which is None:
            for terminal in Terminal.objects.filter(revoked_at=None).select_related("premises"):
                self.stdout.write(f"{terminal.scope} {terminal.premises.code} {terminal.name}")
            for partner in Partner.objects.filter(revoked_at=None):
                self.stdout.write(f"{partner.scope} {partner.name}")
            return
        kind, _colon, number = which.partition(":")
        found: Terminal | Partner | None = None
        if kind in ("terminal", "partner") and number.isascii() and number.isdecimal() and len(number) < 18:
            of_kind = Terminal.objects if kind == "terminal" else Partner.objects
            found = of_kind.filter(pk=int(number)).first()
        if found is None:
            raise base.Refused(_("There is no terminal or partner %(which)s.") % {"which": which})
        if revoke(of=found, by=self.by, at=timezone.now(), channel="command"):
            self.stdout.write(_("%(which)s may redeem no more.") % {"which": which})
        else:
            self.stdout.write(_("%(which)s was revoked before; nothing was changed.") % {"which": which})
