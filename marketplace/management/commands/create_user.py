"""`manage.py create_user NAME --role ROLE`: one person, one account."""

import sys

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from marketplace.accounts.models import Role
from marketplace.accounts.operations import CannotCreateUser, create_user
from providers.models import Division, Operator


class Command(BaseCommand):
    help = (
        "Make one person's account. The same name again changes nothing; with another role it is refused. "
        "Without --password-stdin the person cannot sign in until a password is set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name the person signs in with")
        parser.add_argument(
            "--role", required=True, choices=Role.values, metavar="ROLE", help=", ".join(Role.values)
        )
        parser.add_argument("--operator", metavar="OP", help="code of the operator the person works for")
        parser.add_argument(
            "--division",
            metavar="CODE",
            help="code of the division the person answers for; without: the whole city",
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first input line"
        )

    def handle(self, *, name: str, role: str, operator: str | None, division: str | None, **options) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        try:
            user, made = create_user(
                username=name,
                role=role,
                operator=_named(Operator, operator),
                division=_named(Division, division),
                password=password,
                by="command",
                at=timezone.now(),
            )
        except CannotCreateUser as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{user.username}: {role}" + ("" if made else ", there already, nothing changed"))


def _named(model, code: str | None):
    if code is None:
        return None
    try:
        return model.objects.get(code=code)
    except model.DoesNotExist:
        raise CommandError(f"There is no {model._meta.verbose_name} with the code {code}.") from None
