"""A city on the pages' own database, and clients signed in as each of its people.

A module's city is built once and committed; each test is rolled back and gets the objects anew.
"""

import pickle
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from tests import databases
from tests.web.addresses import all_pages, visitor
from tests.web.builder import City, build


@pytest.fixture(scope="module")
def built_city(database_template: str, django_db_blocker) -> Iterator[tuple[str, bytes]]:
    """The name of the database in which the city stands, and the city."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            city = pickle.dumps(build())
        yield name, city
    databases.drop(name)


@pytest.fixture
def in_the_city(built_city: tuple[str, bytes]) -> Iterator[bytes]:
    """What is asked for after this, `db` above all, happens in the city's database."""
    assert not connection.in_atomic_block, "ask for the city before db"
    name, city = built_city
    with databases.pointed_at(name):
        yield city


@pytest.fixture
def city(in_the_city: bytes, db) -> City:
    return pickle.loads(in_the_city)


@pytest.fixture
def as_(city: City) -> Callable[[str], Client]:
    return signing_in(city)


def signing_in(city: City) -> Callable[[str], Client]:
    """as_("clerk").get(...): a client signed in as one of the builder's people; "" is nobody."""

    def sign_in(name: str, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        if name:
            client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
        if name == "daughter":  # who acts for two
            session = client.session
            session["acting_for"] = city.delegations[0].elder.code
            session.save()
        return client

    return sign_in


class Page(NamedTuple):
    text: str
    policy: str


@pytest.fixture(scope="module")
def read(built_city: tuple[str, bytes], django_db_blocker) -> Callable[[str], dict[str, Page]]:
    """read("en"): every page that is opened by GET, by its name, as its visitor meets it in this language.

    Opened once for all tests of a module.
    """

    @cache
    def read(language: str) -> dict[str, Page]:
        name, kept = built_city
        with django_db_blocker.unblock(), databases.pointed_at(name), transaction.atomic():
            city = pickle.loads(kept)
            as_ = cache(signing_in(city))
            visits = [(page, visitor(page), url) for page, url in all_pages(city).items()]
            pages = {}
            for page, person, url in [*visits, ("sign_in:nobody", "", reverse("sign_in"))]:
                answer = as_(person, language).get(url)
                pages[page] = Page(answer.content.decode(), answer["Content-Security-Policy"])
            transaction.set_rollback(True)
        return pages

    return read
