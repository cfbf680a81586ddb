"""Buckets of callers are kept in memory, and numbers of terminals begin anew with each test's database."""

import pytest

from marketplace.api import limits


@pytest.fixture(autouse=True)
def full_buckets():
    for limit in (limits.TERMINALS, limits.PARTNERS, limits.ELDERS, limits.ENROLMENTS):
        limit.forget()
