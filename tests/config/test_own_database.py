"""DATABASE_URL, OWNER_DATABASE_URL and BROKER_URL in place of the embedded servers."""

import base64
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from marketplace.config import embedded
from tests import databases
from tests.config import processes

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def elsewhere(database_template) -> dict[str, str]:
    """An empty database of the tests' cluster, spoken to as if it were somebody's server."""
    name = databases.clone("template0")

    def url(user: str) -> str:
        return embedded.database_url(Path(settings.DATA_DIR), user=user, database=name)

    yield {
        "DATABASE_URL": url(embedded.APP),
        "OWNER_DATABASE_URL": url(embedded.OWNER),
        "BROKER_URL": "redis://127.0.0.1:9/0",
        "SECRET_KEY": "s" * 50,
        "FIELD_KEYS": f"k1:{KEY}",
        "LOOKUP_KEY": KEY,
        "TOKEN_KEYS": f"1:{KEY}",
    }
    databases.drop(name)


def test_migrated_by_its_owner_used_by_the_application_and_nothing_embedded(elsewhere, tmp_path):
    def manage(*arguments: str) -> str:
        return processes.ended(
            processes.python(tmp_path, "manage.py", *arguments, env=elsewhere), seconds=300
        )

    manage("migrate")
    manage("create_user", "wang", "--role", "bureau_clerk")
    assert list(tmp_path.iterdir()) == []
    with psycopg.connect(elsewhere["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT username FROM accounts_user").fetchall() == [("wang",)]
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        assert owners == [(embedded.OWNER,)]


def test_without_the_owners_login_it_is_not_migrated(elsewhere, tmp_path):
    del elsewhere["OWNER_DATABASE_URL"]
    done = processes.python(tmp_path, "manage.py", "migrate", env=elsewhere)
    said, _ = done.communicate(timeout=90)
    assert done.returncode == 1
    assert "OWNER_DATABASE_URL is not set" in said and "Traceback" not in said
