"""What the application's login may do: use the tables, own none.

Append-only tables (a model with `append_only = True`) can be read and added to, never changed, but for the columns
that its `emptied` names: a trigger lets them be emptied and nothing else. Nobody truncates. The register of migrations is read only.
"""

from typing import LiteralString

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

READ_ONLY = {"django_migrations"}


def append_only_tables() -> set[str]:
    return {model._meta.db_table for model in _models() if getattr(model, "append_only", False)}


def emptied_columns() -> dict[str, tuple[str, ...]]:
    """Of append-only tables, the columns that may be emptied (ledger/journal/guards.py: emptied)."""
    return {
        model._meta.db_table: columns
        for model in _models()
        if (columns := getattr(model, "emptied", ())) and getattr(model, "append_only", False)
    }


def _models() -> list[type[models.Model]]:
    return apps.get_models(include_auto_created=True)


def grant_rights(connection: BaseDatabaseWrapper, *, application: str) -> None:
    """This function will give the login `application` exactly its rights on every table of the public schema.

    Everything is taken away first, so that a table that becomes append-only loses what it had.
    """
    role = sql.Identifier(application)
    append_only = append_only_tables()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall()]
        statements: list[LiteralString] = [
            "GRANT USAGE ON SCHEMA public TO {role}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        ]
        for text in statements:
            cursor.execute(_text(connection, sql.SQL(text).format(role=role)))
        granted: list[tuple[LiteralString, list[str]]] = [
            ("SELECT", [name for name in tables if name in READ_ONLY]),
            ("SELECT, INSERT", [name for name in tables if name in append_only]),
            (
                "SELECT, INSERT, UPDATE, DELETE",
                [name for name in tables if name not in READ_ONLY and name not in append_only],
            ),
        ]
        for rights, names in granted:
            if names:
                listed = sql.SQL(", ").join(sql.Identifier("public", name) for name in names)
                statement = sql.SQL("GRANT {rights} ON {names} TO {role}")
                cursor.execute(
                    _text(connection, statement.format(rights=sql.SQL(rights), names=listed, role=role))
                )
        for name, columns in emptied_columns().items():
            if name in tables:
                cursor.execute(
                    _text(
                        connection,
                        sql.SQL("GRANT UPDATE ({columns}) ON {name} TO {role}").format(
                            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                            name=sql.Identifier("public", name),
                            role=role,
                        ),
                    )
                )


def _text(connection: BaseDatabaseWrapper, statement: sql.Composed) -> str:
    return statement.as_string(connection.connection)
