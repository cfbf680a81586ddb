"""`manage.py migrate`: as the owner of the tables, then hand the application its rights."""

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from marketplace.rights import grant_rights


class Command(migrate.Command):
    help = (
        "Update the database to this version of the code, as its owner, and grant the application its rights."
    )

    def add_arguments(self, parser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def execute(self, *args, **options):
        if options["database"] not in connections:
            raise CommandError("OWNER_DATABASE_URL is not set: migrations run as the owner of the tables.")
        return super().execute(*args, **options)

    def handle(self, *args, **options) -> None:
        super().handle(*args, **options)
        if options["database"] == "owner" and not (options["plan"] or options["check_unapplied"]):
            grant_rights(connections["owner"], application=connections["default"].settings_dict["USER"])
