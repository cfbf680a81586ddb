"""Signing in and out, errors that help, the language that stays on the page."""

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts.models import Role
from marketplace.web.access import FINDERS
from marketplace.web.navigation import SHOWN, home_items
from tests.web.builder import OF_A_STREET, PASSWORD, PEOPLE


def test_signing_in_leads_to_where_one_wanted_to_go(client, city):
    wanted = reverse("bureau:month", args=[city.month])
    asked = client.get(wanted)
    assert asked.status_code == 302
    done = client.post(asked.url, {"username": "CLERK", "password": PASSWORD})  # names know no case
    assert (done.status_code, done.url) == (302, wanted)
    assert client.get(wanted).status_code == 200


def test_signing_in_never_leads_away(client, city):
    done = client.post(
        reverse("sign_in") + "?next=https://elsewhere.example/", {"username": "clerk", "password": PASSWORD}
    )
    assert (done.status_code, done.url) == (302, reverse("home"))


def test_a_wrong_form_says_what_and_where_and_keeps_what_was_typed(client, city):
    page = client.post(
        reverse("sign_in"), {"username": "clerk", "password": "wrong"}, headers={"accept-language": "en"}
    )
    text = page.content.decode()
    assert "do not fit together" in text and 'href="#id_username"' in text
    assert 'value="clerk"' in text and "data-focus" in text
    assert "wrong" not in text.replace('class="wrong"', "")  # never the password
    empty = client.post(reverse("sign_in"), {}, headers={"accept-language": "en"}).content.decode()
    for field, sentence in (("id_username", "Enter your user name"), ("id_password", "Enter your password")):
        assert f'href="#{field}"' in empty
        assert empty.count(sentence) == 2  # in the summary and at the field, the same words
        assert f'aria-describedby="{field}_error"' in empty


def test_five_wrong_tries_lock_this_name_here(client, city):
    for _ in range(5):
        page = client.post(
            reverse("sign_in"), {"username": "clerk", "password": "wrong"}, headers={"accept-language": "en"}
        )
    assert "Too many tries" in page.content.decode()
    still = client.post(reverse("sign_in"), {"username": "clerk", "password": PASSWORD})
    assert still.status_code in (403, 429)
    other = client.post(reverse("sign_in"), {"username": "auditor", "password": PASSWORD})
    assert other.status_code == 302  # somebody else at the same address


GUESSER, OFFICE = "203.0.113.7", "198.51.100.20"


def _tries_from(address, password, times=1):
    """The last answer to so many sign-ins that our proxy saw come from here, whatever the caller wrote before it."""
    for number in range(times):
        said = f"10.0.0.{number}, {address}"
        page = Client(headers={"x-forwarded-for": said}).post(
            reverse("sign_in"), {"username": "approver", "password": password}
        )
    return page.status_code


@pytest.mark.parametrize("hosts", [["vouchers.example.org"], []])
def test_behind_tls_a_guesser_locks_nobody_out_elsewhere(city, settings, hosts):
    """Control: without TLS of our own the header is whatever a caller likes to write, and counts for nothing."""
    settings.HTTPS_HOSTS = hosts
    assert _tries_from(GUESSER, "wrong", times=5) == 429
    assert _tries_from(f"{GUESSER}:41000", PASSWORD) == 429  # a port makes no other caller
    assert _tries_from(OFFICE, PASSWORD) == (302 if hosts else 429)


@pytest.mark.parametrize("said", ["unknown", "", "1.2.3.4.5", "fe80::1%eth0", "::ffff:192.0.2.9"])
def test_whatever_a_proxy_writes_a_sign_in_is_counted(city, settings, said):
    settings.HTTPS_HOSTS = ["vouchers.example.org"]
    assert _tries_from(said, "wrong", times=5) == 429


def test_signing_out_is_a_post_and_ends_the_session(as_, city):
    client = as_("clerk")
    assert client.get(reverse("sign_out")).status_code == 405
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("sign_out"))
    assert client.get(reverse("home")).status_code == 302


def test_the_language_switch_stays_on_the_page(as_, city):
    client = as_("clerk", "zh-hans")
    here = reverse("bureau:month", args=[city.month]) + "?state=draft"
    assert "应收租金" in client.get(here).content.decode()
    switched = client.post(reverse("set_language"), {"language": "en", "next": here})
    assert switched.url == here
    assert "Rent charged" in client.get(here).content.decode()
    away = client.post(reverse("set_language"), {"language": "en", "next": "https://elsewhere.example/"})
    assert "elsewhere" not in away.url


BUREAU = {"bureau:overview", "bureau:months", "bureau:receipts", "bureau:reviews", "work", "statements"}
FIRST_PAGE = {
    Role.BUREAU_CLERK: BUREAU | {"steps"},
    Role.BUREAU_APPROVER: BUREAU | {"steps", "bureau:audit"},
    Role.AUDITOR: BUREAU | {"bureau:audit"},
    Role.STREET_OFFICER: {"bureau:overview", "steps", "statements"},
    Role.OPERATOR_MANAGER: {"office:today", "steps", "counter", "statements"},
    Role.CASHIER: {"counter"},
    Role.HOTLINE_AGENT: {"bureau:calls"},
    Role.ADMINISTRATOR: {"bureau:audit"},
}


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_has_a_first_page(as_, name):
    page, role = as_(name).get(reverse("home")), PEOPLE[name]
    if role == "":  # elders and families have one of their own
        assert (page.status_code, page.url) == (302, reverse("family:home"))
        assert as_(name).get(page.url).status_code == 200
        return
    hrefs = {item.href for item in page.context["items"]}
    of_the_city = {"work", "bureau:audit"} if name in OF_A_STREET else set()
    assert not hrefs & {reverse(desk) for desk in of_the_city}
    finds = {"hotline:search"} if role in FINDERS else set()
    assert hrefs >= {reverse(wanted) for wanted in (FIRST_PAGE.get(role, set()) | finds) - of_the_city}
    if not hrefs:
        assert "Nothing to do here yet" in page.content.decode()
    for href in hrefs:
        assert as_(name).get(href).status_code == 200


@pytest.mark.parametrize("name", ["clerk", "approver", "street", "manager", "cashier"])
def test_the_header_shows_a_few_desks_and_keeps_the_rest_at_hand(as_, city, name):
    page = as_(name).get("/").content.decode()
    header, body = page.split("</header>")
    desks = home_items(city.people[name])
    assert all(f'href="{desk.href}"' in header and f'href="{desk.href}"' in body for desk in desks)
    assert header.count("<summary") == (len(desks) > SHOWN + 1)
    shown, _rest, _kept = header.partition("<summary")
    assert shown.count("<li>") == (SHOWN if len(desks) > SHOWN + 1 else len(desks))


def test_a_desk_behind_the_rest_is_named_where_one_is(as_):
    header = as_("clerk").get(reverse("registers:hub")).content.decode().split("</header>")[0]
    assert 'class="here"><span class="visually-hidden">More: </span>Registers</summary>' in header
