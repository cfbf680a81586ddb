"""A counter in a town that is built once: what a test does there is rolled back."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from marketplace.api import limits
from tests import databases
from tests.api import ground
from tests.api.ground import Counter


@pytest.fixture(autouse=True)
def full_buckets():
    """Buckets of callers are kept in memory, and numbers of terminals begin anew with each test's database."""
    for limit in (limits.TERMINALS, limits.PARTNERS, limits.ELDERS, limits.ENROLMENTS):
        limit.forget()


@pytest.fixture(scope="module")
def town(database_template: str, django_db_blocker) -> Iterator[str]:
    """The name of a database in which the town of ground.py stands."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            ground.town()
        yield name
        databases.drop(name)


@pytest.fixture
def counter(town: str, django_db_blocker) -> Iterator[Counter]:
    """A terminal at PM01, in a transaction of the test's own."""
    around = transaction.atomic()
    around._from_testcase = True  # what must be outermost in the code may stand inside this one
    with django_db_blocker.unblock(), databases.pointed_at(town), around:
        yield Counter(ground.terminal())
        transaction.set_rollback(True)
