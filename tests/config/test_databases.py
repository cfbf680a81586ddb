"""The ground of the tests themselves."""

import threading

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError

User = get_user_model()


def make(name: str):
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    return user


@pytest.mark.parametrize("turn", [1, 2])
def test_an_ordinary_test_is_rolled_back(db, turn):
    assert not User.objects.exists()
    make("grandma-li")


def test_a_fresh_database_is_shared_by_threads_and_seen_after_commit(fresh_db):
    seen = []
    make("grandma-li")

    def look():
        seen.append((User.objects.count(), connection.settings_dict["NAME"]))
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(1, fresh_db)]


def test_the_next_fresh_database_is_empty(fresh_db):
    assert not User.objects.exists()


def test_two_logins_on_one_database(fresh_db):
    with connections["default"].cursor() as app, connections["owner"].cursor() as owner:
        app.execute("SELECT current_user, current_database()")
        owner.execute("SELECT current_user, current_database()")
        assert app.fetchone() == ("yiquan_app", fresh_db)
        assert owner.fetchone() == ("yiquan_owner", fresh_db)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE django_session",
        "DROP TABLE accounts_user",
        "ALTER TABLE accounts_user DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
        "DELETE FROM django_migrations",
        "SET session_replication_role = replica",
        "SET ROLE yiquan_owner",
    ],
)
def test_the_application_may_not(db, statement):
    with pytest.raises(ProgrammingError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_control_the_owner_may(fresh_db):
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")
        cursor.execute("TRUNCATE django_session")


def test_chinese_has_trigrams_and_sorts_by_code_point(fresh_db):
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute(
            "SELECT cardinality(show_trgm('颐养之家')), datcollate, datctype FROM pg_database "
            "WHERE datname = current_database()"
        )
        trigrams, collate, ctype = cursor.fetchone()
    assert trigrams > 0
    assert (collate, ctype) == ("C.UTF-8", "C.UTF-8")
