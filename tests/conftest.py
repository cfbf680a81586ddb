"""What every test stands on: a real database, and a suite that takes nothing lightly.

- `db`: a database of this run; the test's changes are rolled back. The application's login.
- `fresh_db`: a database of the test's own, for threads, commits and other processes; dropped afterwards.
- `story_db`: the same, with the story of tests/story.py told in it.
- `bare`: the story without triggers and constraints, and a superuser's cursor on it; rolled back.
- Warnings are errors (pyproject.toml), an unexpected ERROR in the log fails the test, a skip is a failure.
"""

import logging
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import databases

# A loaded machine is no defect: what a property says is not about time.
hypothesis_settings.register_profile(
    "yiquan", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("yiquan")


@pytest.fixture(scope="session")
def database_template(django_db_blocker) -> Iterator[str]:
    with databases.cluster(), django_db_blocker.unblock():
        yield databases.template()


@pytest.fixture(scope="session")
def django_db_setup(database_template: str, django_db_blocker) -> Iterator[None]:
    """In place of pytest-django's own: a clone of the template for this process's run."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            yield
        databases.drop(name)


@pytest.fixture
def fresh_db(request: pytest.FixtureRequest, database_template: str, django_db_blocker) -> Iterator[str]:
    """A database of this test's own, its name; both logins point there, in every thread.

    Other processes reach it by `databases.url(...)`. Not together with `db`: nothing here is rolled back.
    """
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        pytest.fail("fresh_db and db exclude each other")
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        yield name
    databases.drop(name)


@pytest.fixture(scope="session")
def story_template(database_template: str, django_db_blocker) -> Iterator[str]:
    """A database in which the whole story of tests/story.py has been told, to be cloned."""
    from tests import story

    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            story.tell()
        yield name
    databases.drop(name)


@pytest.fixture
def story_db(request: pytest.FixtureRequest, story_template: str, django_db_blocker) -> Iterator[str]:
    """A database of this test's own in which the story has been told, its name."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        pytest.fail("story_db and db exclude each other")
    name = databases.clone(story_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        yield name
    databases.drop(name)


@pytest.fixture(scope="session")
def bare_story(story_template: str) -> Iterator[str]:
    """The story with every trigger disabled and every constraint gone but the primary keys: a database that
    takes any damage. For controls."""
    name = databases.clone(story_template)
    databases.unprotect(name)
    yield name
    databases.drop(name)


@pytest.fixture
def bare(bare_story: str, django_db_blocker) -> Iterator[CursorWrapper]:
    """A cursor of the superuser's on the bare story, on Django's own connection; rolled back."""
    with (
        django_db_blocker.unblock(),
        databases.pointed_at(bare_story),
        databases.as_superuser(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        yield cursor
        transaction.set_rollback(True)


@pytest.fixture
def transactional_db() -> None:
    pytest.fail("transactional_db empties tables, which the ledger refuses: use fresh_db")


# A hostile suite


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A page that an earlier test asked for leaves its language behind."""
    translation.deactivate()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    errors = _Errors()
    root = logging.getLogger()
    root.addHandler(errors)
    try:
        result = yield
    finally:
        root.removeHandler(errors)
    expected = [name for mark in item.iter_markers("error_logs") for name in mark.args]
    surprises = [
        record
        for record in errors.records
        if not any(record.name == name or record.name.startswith(f"{name}.") for name in expected)
    ]
    if surprises:
        lines = "\n".join(f"{record.name}: {record.getMessage()}" for record in surprises)
        pytest.fail(f"unexpected ERROR in the log:\n{lines}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped: {call.excinfo and call.excinfo.value}. Nothing is skipped here."
        )
    return report
