"""A real browser (Debian's Chromium) on a real server and database, one city for each module."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from marketplace.config.install import BROWSERS
from tests import databases
from tests.journeys import pieces
from tests.web.addresses import all_pages
from tests.web.builder import PASSWORD, City, build

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "")
PATIENCE = 60_000  # milliseconds: machines that do other things at the same time are slow, not wrong
expect.set_options(timeout=PATIENCE)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """`address` without a slash at the end; `pages`: names and paths, as in tests/web/addresses.py."""

    address: str
    city: City
    pages: dict[str, str]


@pytest.fixture(scope="module")
def site(database_template: str, django_db_blocker) -> Iterator[Site]:
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        city = build()
        pages = all_pages(city)
        with serving() as address:
            yield Site(address, city, pages)
    databases.drop(name)


@contextmanager
def serving() -> Iterator[str]:
    """The pages as they stand on this thread's database; their address, without a slash at the end."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    with override_settings(MIDDLEWARE=pieces.middleware(settings.MIDDLEWARE)):
        server.start()
        server.is_ready.wait()
    if server.error:
        raise server.error
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()
    server.join()


@contextmanager
def playing() -> Iterator[Playwright]:
    """Playwright, for as long as the block lasts; its loop runs in this thread, where Django is used too."""
    if not CHROMIUM:
        pytest.fail(f"Browser tests need Debian's Chromium: apt install {BROWSERS[0]} fonts-noto-cjk")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield playwright


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    with playing() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


Visit = Callable[..., BrowserContext]


@contextmanager
def visiting(site: Site, browser: Browser) -> Iterator[Visit]:
    """visit("clerk", language="en", width=390): a browser context, signed in; "" is nobody. Closed at the end."""
    opened: list[BrowserContext] = []

    def open_as(
        person: str, *, language: str = "zh-hans", width: int = 1280, scripts: bool = True
    ) -> BrowserContext:
        context = browser.new_context(
            base_url=site.address,
            locale="zh-CN" if language == "zh-hans" else "en-GB",
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        opened.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": "django_language", "value": language, "url": site.address}])
        if person:
            page = context.new_page()
            page.goto("/sign-in/")
            page.fill("#id_username", person)
            page.fill("#id_password", PASSWORD)
            page.click("main button")
            page.wait_for_url(lambda url: "/sign-in" not in url)  # families land elsewhere than staff
            page.close()
        return context

    yield open_as
    for context in opened:
        context.close()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    with visiting(site, browser) as visit:
        yield visit
