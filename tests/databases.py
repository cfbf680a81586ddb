"""Databases for tests: one template per state of the code, cloned for whoever needs one.

Nothing is ever truncated (the ledger refuses it): a clone is dropped whole. The cluster under .data/test may
serve several test runs at once; names carry the number of the process that made them.
"""

import contextlib
import fcntl
import hashlib
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from marketplace.config import embedded

# A test cluster is thrown away after a crash, so it need not wait for the disk.
HURRIED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "1h",
}
# Note [One set of connections]: Playwright keeps an event loop running in the thread of the tests, and Django's
# connections would be kept once for the loop and once without it. Whoever closes those of one would leave those of the
# other behind, open to a database that is dropped under them. A thread has one set here, whatever runs in it.
connections._connections = threading.local()

TEMPLATES_KEPT = 4
_numbers = itertools.count(1)


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    with embedded.servers(settings.DATA_DIR, overrides=HURRIED):
        yield


def superuser(database: str = "postgres") -> psycopg.Connection:
    url = embedded.database_url(settings.DATA_DIR, user=embedded.SUPERUSER, database=database)
    return psycopg.connect(url, autocommit=True)


def fingerprint() -> str:
    """Changes with anything that shapes the tables: models, migrations, rights, library versions."""
    root = Path(settings.BASE_DIR)
    digest = hashlib.sha256()
    paths = [root / "requirements.txt", root / "marketplace/rights.py"]
    for package in ("ledger", "providers", "vouchers", "marketplace"):
        paths += (root / package).rglob("models.py")
        paths += (root / package).rglob("migrations/**/*.*")
    # What migrations are made of.
    paths += [root / "ledger/journal/guards.py", root / "providers/services/versions.py"]
    for path in sorted(path for path in set(paths) if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def template() -> str:
    """The name of the migrated template database, built if this state of the code has none yet."""
    name = f"template_{fingerprint()}"
    with open(settings.DATA_DIR / "template.lock", "a") as lock, superuser() as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        _sweep(connection)
        draft = f"draft_{os.getpid()}"
        _create(connection, draft, like="template1")
        with pointed_at(draft):
            call_command("migrate", verbosity=0, interactive=False)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
        )
    return name


def clone(source: str) -> str:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with superuser() as connection:
        _create(connection, name, like=source)
    return name


def drop(name: str) -> None:
    with superuser() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Both logins, in every thread, use database `name` inside the block."""
    before = {alias: connections.settings[alias]["NAME"] for alias in connections.settings}
    try:
        _point(dict.fromkeys(before, name))
        yield
    finally:
        _point(before)


@contextlib.contextmanager
def as_superuser() -> Iterator[None]:
    """This thread's default connection is the superuser's inside the block."""
    before = connections["default"].settings_dict["USER"]
    connections["default"].close()
    connections["default"].settings_dict["USER"] = embedded.SUPERUSER
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"].settings_dict["USER"] = before


def unprotect(name: str) -> None:
    """Take every trigger and every constraint but the primary keys out of a database."""
    with superuser(name) as connection:
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype IN ('f', 'c', 'u', 'x') "
            "ORDER BY contype = 'u'"
        ).fetchall()
        tables = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for table, constraint in constraints:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE")
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def _point(names: dict[str, str]) -> None:
    for alias, name in names.items():
        connections[alias].close()
        # One dictionary for all threads: a connection made later anywhere goes there too.
        connections.settings[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def _create(connection: psycopg.Connection, name: str, *, like: str) -> None:
    for statement in (
        "CREATE DATABASE {name} TEMPLATE {like} OWNER {owner}",
        "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}",
    ):
        connection.execute(
            sql.SQL(statement).format(
                name=sql.Identifier(name),
                like=sql.Identifier(like),
                owner=sql.Identifier(embedded.OWNER),
                app=sql.Identifier(embedded.APP),
            )
        )


def _sweep(connection: psycopg.Connection) -> None:
    """Drop what runs that ended hard left behind, and all but the newest templates."""
    names = [n for (n,) in connection.execute("SELECT datname FROM pg_database ORDER BY oid DESC").fetchall()]
    templates = [name for name in names if name.startswith("template_")]
    dead = [
        name
        for name in names
        if name.startswith(("test_", "draft_")) and not Path(f"/proc/{name.split('_')[1]}").exists()
    ]
    for name in templates[TEMPLATES_KEPT - 1 :] + dead:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
