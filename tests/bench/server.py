"""The bench's own PostgreSQL: the embedded one, as the product runs it - fsync and synchronous_commit on.

State lives in its own DATA_DIR (TEST_DATA_DIR, by default .data/bench). Databases that take long to make are
kept there under a name that changes with the tables and with the code that fills them; runs work on clones.
"""

import contextlib
import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql

from marketplace.config import embedded
from tests import databases

MAKERS = ("ground.py", "history.py")  # what shapes the kept databases beside the tables


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    with embedded.servers(settings.DATA_DIR):
        with databases.superuser() as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                if connection.execute(f"SHOW {name}").fetchone() != ("on",):
                    raise SystemExit(
                        f"{name} is off on the bench's PostgreSQL: what it measures would not count."
                    )
            _drop_all(connection, "run_")
        yield


def program(name: str) -> Path:
    """A program that came with the embedded PostgreSQL."""
    return embedded._program(name)


def fingerprint() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256(databases.fingerprint().encode())
    for name in MAKERS:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()[:8]


def kept(kind: str, fill: Callable[[str], None], *, like: str | None = None) -> str:
    """The name of a database that `fill` has filled, starting from a clone of `like` (the empty one if none)."""
    name = f"kept_{kind}_{fingerprint()}"
    with databases.superuser() as connection:
        if _exists(connection, name):
            return name
        draft = f"run_draft_{kind}"
        create(draft, like=like or databases.template())
        began = time.monotonic()
        with databases.pointed_at(draft):
            fill(draft)
        connection.execute(_rename(draft, name))
        say(f"  made {kind} in {time.monotonic() - began:.0f} s")
    return name


@contextlib.contextmanager
def clone(source: str, label: str) -> Iterator[str]:
    """A database of one measurement's own; the project's settings point there inside the block."""
    name = f"run_{label}"
    create(name, like=source)
    try:
        with databases.pointed_at(name):
            yield name
    finally:
        drop(name)


def create(name: str, *, like: str = "template1") -> None:
    app, owner = sql.Identifier(embedded.APP), sql.Identifier(embedded.OWNER)
    with databases.superuser() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for statement in (
            "CREATE DATABASE {name} TEMPLATE {like} OWNER {owner} STRATEGY FILE_COPY",
            "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
            "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}",
        ):
            connection.execute(
                sql.SQL(statement).format(
                    name=sql.Identifier(name), like=sql.Identifier(like), owner=owner, app=app
                )
            )


def drop(name: str) -> None:
    databases.drop(name)


def drop_stale(*, everything: bool = False) -> None:
    """Forget kept databases of another state of the code, or all."""
    with databases.superuser() as connection:
        for name in _names(connection):
            if name.startswith("kept_") and (everything or not name.endswith(fingerprint())):
                drop(name)


def settle_down(*names: str) -> None:
    """Before a measurement: statistics are fresh and what was written before is on disk."""
    for name in names:
        with databases.superuser(name) as connection:
            analyze(connection)
    with databases.superuser() as connection:
        connection.execute("CHECKPOINT")
    subprocess.run(["sync"], check=True)


def analyze(connection: psycopg.Connection) -> None:
    """Fresh statistics of every table that holds rows.

    A table counted as empty would be planned for as empty: foreign keys to it are then checked by reading it from
    end to end for as long as the session lasts. In a new city nothing is counted before it is filled.
    """
    filled = connection.execute(
        "SELECT format('%I.%I', schemaname, relname) FROM pg_stat_user_tables WHERE pg_relation_size(relid) > 0"
    ).fetchall()
    connection.execute(f"VACUUM (ANALYZE) {', '.join(table for (table,) in filled)}")


def checkpoint() -> None:
    with databases.superuser() as connection:
        connection.execute("CHECKPOINT")


def say(text: str) -> None:
    print(text, flush=True)


def _names(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()]


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return name in _names(connection)


def _drop_all(connection: psycopg.Connection, prefix: str) -> None:
    for name in _names(connection):
        if name.startswith(prefix):
            drop(name)


def _rename(old: str, new: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
