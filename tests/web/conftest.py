"""A city on the pages' own database, and clients signed in as each of its people."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.web.builder import City, build


@pytest.fixture
def city(db) -> City:
    return build()


@pytest.fixture
def as_(city: City) -> Callable[[str], Client]:
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
