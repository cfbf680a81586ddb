"""`manage.py create_user NAME --role ROLE`: one person, one account."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.accounts.models import Role
from marketplace.accounts.operations import CannotCreateUser, create_user
from marketplace.management import base
from providers.models import Division, Operator


class Command(base.Command):
    help = gettext_noop(
        "Make one person's account. The same name again changes nothing; with another role it is refused. "
        "Without --password-stdin the person cannot sign in until a password is set."
    )
    refusals = (CannotCreateUser,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help=_("the name the person signs in with"))
        parser.add_argument(
            "--role", required=True, choices=Role.values, metavar="ROLE", help=", ".join(Role.values)
        )
        parser.add_argument("--operator", metavar="OP", help=_("code of the operator the person works for"))
        parser.add_argument(
            "--division",
            metavar="CODE",
            help=_("code of the division the person answers for; without: the whole city"),
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help=_("read the password from the first line of input")
        )

    def handle(
        self, *, name: str, role: str, operator: str | None, division: str | None, **options: Any
    ) -> None:
        employer = Operator.objects.filter(code=operator).first()
        if operator and not employer:
            raise base.Refused(_("There is no operator with the code %(code)s.") % {"code": operator})
        area = Division.objects.filter(code=division).first()
        if division and not area:
            raise base.Refused(_("There is no division with the code %(code)s.") % {"code": division})
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        user, made = create_user(
            username=name,
            role=role,
            operator=employer,
            division=area,
            password=password,
            by=self.by,
            at=timezone.now(),
        )
        if made:
            self.stdout.write(_("%(name)s: %(role)s") % {"name": user.username, "role": role})
        else:
            self.stdout.write(_("%(name)s is there already; nothing was changed.") % {"name": user.username})
