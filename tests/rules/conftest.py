"""The town's database, made once for a process: histories are rolled back, or clone it."""

from collections.abc import Iterator

import pytest

from tests import databases
from tests.rules import ground


@pytest.fixture(scope="session")
def town_template(database_template: str, django_db_blocker) -> Iterator[str]:
    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            ground.build()
        yield name
    databases.drop(name)


@pytest.fixture
def town_db(town_template: str, django_db_blocker) -> Iterator[str]:
    """The database of the town, its name; whoever writes there rolls back."""
    with django_db_blocker.unblock(), databases.pointed_at(town_template):
        yield town_template
