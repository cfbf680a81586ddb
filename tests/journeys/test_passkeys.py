"""A clerk's passkey in a real browser, with Chromium's own virtual device: made, used, refused, removed."""

import re

import pytest
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Passkey
from tests.accounts.device import Device
from tests.journeys.test_every_page import troubles
from tests.web.builder import PASSWORD

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def desk(site, browser):
    """A browser at the site's name (passkeys know names, no numbers), with a device that keeps keys."""
    context = browser.new_context(
        base_url=site.address.replace("127.0.0.1", "localhost"),
        locale="en-GB",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    device = line.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def verified(whether: bool) -> None:
        line.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": whether})

    yield page, verified
    context.close()
    assert wrong == []  # the strict policy stopped nothing


def password(page: Page, person: str) -> None:
    page.goto("/sign-in/")
    page.fill("#id_username", person)
    page.fill("#id_password", PASSWORD)
    page.click("main button")


def signed_out(page: Page) -> None:
    page.click("header button:has-text('Sign out')")
    expect(page.locator("#id_username")).to_be_visible()


def add(page: Page, name: str) -> None:
    page.get_by_label("Name of the passkey").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_a_clerk_makes_a_passkey_signs_in_by_it_and_removes_it(desk, site, settings):
    settings.SECOND_FACTOR_REQUIRED = True  # the server is a thread of this process
    page, verified = desk
    password(page, "clerk")
    expect(page.get_by_role("heading", name="Set up the second step")).to_be_visible()
    assert troubles(page) == []
    add(page, "office computer")
    expect(page.locator(".paper-codes li")).to_have_count(8)
    code = page.locator(".paper-codes li").first.inner_text()
    page.click("text=I have kept them")
    expect(page.locator("header .who")).to_contain_text("clerk")
    signed_out(page)

    password(page, "clerk")
    expect(page.get_by_role("button", name="Use the passkey")).to_be_visible()
    assert troubles(page) == []
    verified(False)  # a finger that is not the owner's
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_text("The passkey did not answer.")).to_be_visible()
    verified(True)
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.locator("header .who")).to_contain_text("clerk")

    page.click("header a.who")
    add(page, "tablet")  # the same device again: it says itself that it has one
    expect(page.get_by_text("No passkey was made.")).to_be_visible()
    expect(page.locator("main b", has_text="office computer")).to_be_visible()
    expect(page.get_by_text(re.compile("last used"))).to_be_visible()
    assert troubles(page) == []
    page.get_by_role("button", name="Remove office computer").click()
    expect(page.get_by_text("This is your only second step.")).to_be_visible()
    signed_out(page)

    # The same device in the hands of the approver, for whom another key is registered under its number.
    made = Passkey.objects.get()
    approver, key = site.city.people["approver"], Device(credential_id=bytes(made.credential_id))
    made.credential_id = b"elsewhere"
    made.save()
    Passkey.objects.create(
        user=approver,
        name="own",
        host="localhost",
        credential_id=key.credential_id,
        credential=bytes(key.credential),
        added_at=made.added_at,
    )
    password(page, "approver")
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_text("The passkey did not answer this question.")).to_be_visible()

    # A code from paper is as good, and then a key may go, as the role here needs none any more.
    settings.SECOND_FACTOR_REQUIRED = False
    password(page, "clerk")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.click("header a.who")
    page.get_by_role("button", name="Remove office computer").click()
    expect(page.get_by_text("is removed")).to_be_visible()
    signed_out(page)
    password(page, "clerk")
    expect(page.locator("header .who")).to_contain_text("clerk")
