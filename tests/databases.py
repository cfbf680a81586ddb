"""Databases for tests: one template per state of the code, cloned for whoever needs one.

Nothing is ever truncated (the ledger refuses it): a clone is dropped whole. The cluster under .data/test may
serve several test runs at once; names carry the number of the process that made them.
"""

import contextlib
import fcntl
import hashlib
import itertools
import os
import shutil
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


# Note [Clones in memory]: a clone is two thousand small files. Made on a disk they cost more than most tests do, so
# they stand in a tablespace of this process's own in memory, where the machine has such a place with room.
MEMORY, ROOM = Path("/dev/shm"), 2 << 30


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    with embedded.servers(settings.DATA_DIR, overrides=HURRIED):
        try:
            yield
        finally:
            with superuser() as connection:
                _forget_space(connection, _space())


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
        _sweep(connection)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        _forget_templates(connection)
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
        _create(connection, name, like=source, where=_in_memory(connection))
    return name


def drop(name: str) -> None:
    with superuser() as connection:
        _drop(connection, name)


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


def _space() -> str:
    return f"test_{os.getpid()}"


def _in_memory(connection: psycopg.Connection) -> sql.Composable:
    """Where a clone goes: see Note [Clones in memory]."""
    space = _space()
    clause = sql.SQL("TABLESPACE {} STRATEGY FILE_COPY").format(sql.Identifier(space))
    if connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname = %s", [space]).fetchone():
        return clause
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM):
        return sql.SQL("")
    place = _place(connection, space)
    place.mkdir(mode=0o700)
    account = embedded.server_account(settings.DATA_DIR)
    if account:
        os.chown(place, account.pw_uid, account.pw_gid)
    connection.execute(
        sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(space), sql.Literal(str(place)))
    )
    return clause


def _place(connection: psycopg.Connection, space: str) -> Path:
    # Process numbers are this machine's only: two containers may share the memory, but no cluster.
    row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    assert row is not None
    return MEMORY / f"yiquan-{row[0]}-{space}"


def _forget_space(connection: psycopg.Connection, space: str) -> None:
    with contextlib.suppress(psycopg.errors.UndefinedObject):
        connection.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(space)))
    shutil.rmtree(_place(connection, space), ignore_errors=True)


def _create(
    connection: psycopg.Connection, name: str, *, like: str, where: sql.Composable | None = None
) -> None:
    for statement in (
        "CREATE DATABASE {name} TEMPLATE {like} OWNER {owner} {where}",
        "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}",
    ):
        connection.execute(
            sql.SQL(statement).format(
                name=sql.Identifier(name),
                like=sql.Identifier(like),
                owner=sql.Identifier(embedded.OWNER),
                app=sql.Identifier(embedded.APP),
                where=where or sql.SQL(""),
            )
        )


def _sweep(connection: psycopg.Connection) -> None:
    """Drop what runs that ended hard left behind."""
    for name in _names(connection):
        if name.startswith(("test_", "draft_")) and _is_dead(name):
            _drop(connection, name)
    spaces = connection.execute("SELECT spcname FROM pg_tablespace WHERE spcname ~ '^test_'").fetchall()
    for (space,) in spaces:
        if _is_dead(space):
            _forget_space(connection, space)


def _forget_templates(connection: psycopg.Connection) -> None:
    """Drop all but the newest, with room for one more."""
    templates = [name for name in _names(connection) if name.startswith("template_")]
    for name in templates[TEMPLATES_KEPT - 1 :]:
        _drop(connection, name)


def _names(connection: psycopg.Connection) -> list[str]:
    """Of all databases, the newest first."""
    return [n for (n,) in connection.execute("SELECT datname FROM pg_database ORDER BY oid DESC").fetchall()]


def _is_dead(name: str) -> bool:
    return not Path(f"/proc/{name.split('_')[1]}").exists()


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
