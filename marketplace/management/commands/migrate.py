"""`manage.py migrate`: as the owner of the tables, then hand the application its rights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from marketplace.rights import grant_rights


class Command(migrate.Command):
    help = (
        "Update the database to this version of the code, as its owner, and grant the application its rights."
    )

    def add_arguments(self, parser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="Do nothing where every migration is applied: no checks, no rights granted anew.",
        )
        parser.set_defaults(database="owner")

    def execute(self, *args, **options):
        if options["database"] not in connections:
            raise CommandError("OWNER_DATABASE_URL is not set: migrations run as the owner of the tables.")
        return super().execute(*args, **options)

    def handle(self, *args, **options) -> None:
        if options["if_needed"] and _is_up_to_date(options["database"]):
            return
        with _all_as(options["database"]), _light_states():
            super().handle(*args, **options)
        if options["database"] == "owner" and not (options["plan"] or options["check_unapplied"]):
            grant_rights(connections["owner"], application=connections["default"].settings_dict["USER"])


def _is_up_to_date(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def _all_as(alias: str) -> Iterator[None]:
    """Inside the block the default connection is this one too: migrations of others that move data ask for the
    default, which has no rights yet and does not see what this transaction made."""
    default = connections["default"]
    connections["default"] = connections[alias]
    try:
        yield
    finally:
        connections["default"] = default


@contextmanager
def _light_states() -> Iterator[None]:
    """Inside the block a change of a model makes Django render anew the models next to it, not all that can be
    reached; an index or a constraint more, none at all.

    Django does the first for plain fields (`delay`), and RunPython asks for the rest by itself. It saves most of the
    time of a first migration, which the shop's hundred tables would take.
    """
    state: Any = ProjectState
    kept = state.reload_model, state._append_option
    reload_model = state.reload_model

    def reload_lightly(state: ProjectState, label: str, name: str, delay: bool = False) -> None:
        reload_model(state, label, name, True)

    def append_lightly(state: ProjectState, label: str, name: str, option: str, added: Any) -> None:
        options = state.models[label, name].options
        options[option] = [*options[option], added]
        if "apps" in state.__dict__:  # rendered before
            setattr(state.apps.get_model(label, name)._meta, option, list(options[option]))

    state.reload_model, state._append_option = reload_lightly, append_lightly
    try:
        yield
    finally:
        state.reload_model, state._append_option = kept
