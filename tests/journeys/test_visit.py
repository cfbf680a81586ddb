"""One visit in a real browser on a phone: the network goes at the door and comes back in the street; nothing told in
between is lost, each has its receipt, and it is paid once. The same pages read well by large text, and hold no fault."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from marketplace.fulfilment import dispatch
from tests import databases
from tests.journeys.conftest import CHROMIUM, FLAGS, PATIENCE, Site, serving
from tests.journeys.film import filmed
from tests.journeys.test_every_page import faults, sideways
from tests.shop.ground import BATH, NOW
from tests.shop.visits import BATH_LATER, MEAL, Homes, code_of, tell
from tests.vouchers.test_photos import photo
from vouchers.models import Redemption, Visit, VisitReport

PHOTO = {"name": "bath.jpg", "mimeType": "image/jpeg", "buffer": photo(800, 600)}


@pytest.fixture(scope="module")
def site(database_template: str, django_db_blocker) -> Iterator[Site]:
    """The homes of tests/shop/visits.py, on the Tuesday of the baths at eight."""
    name = databases.clone(database_template)
    with (
        django_db_blocker.unblock(),
        databases.pointed_at(name),
        patch("django.utils.timezone.now", lambda: BATH),
    ):
        ground = Homes()
        with serving() as address:
            yield Site(address, ground, {})
    databases.drop(name)


@pytest.fixture
def desk(site: Site, visit: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """desk(user): a browser in which this user has signed in; its clock stands as the server's."""

    def open_(user, **how) -> Page:
        context = visit("", **{"width": 390, **how})
        context.grant_permissions(["geolocation"])
        context.set_geolocation({"latitude": 27.8302, "longitude": 113.1301})
        return signed_in(context, site, user)

    return open_


def signed_in(context: BrowserContext, site: Site, user, at: datetime = BATH) -> Page:
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.create()
    context.add_cookies([{"name": "sessionid", "value": store.session_key, "url": site.address}])
    context.clock.set_fixed_time(at)
    return context.new_page()


@contextmanager
def launched(browser: Browser, flags: list[str]) -> Iterator[Browser]:
    """Another browser beside the module's, with flags of its own."""
    another = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
    yield another
    another.close()


def test_a_visit_without_a_network_in_the_middle(site, desk):
    ground = site.city
    work, other = ground.bath_of(), ground.bath_of(ground.wang, BATH_LATER)
    page = desk(ground.wu_user)
    page.goto(reverse("visits:today"))
    expect(page.get_by_text("李桂兰")).to_be_visible()
    page.locator("html[data-kept=yes]").wait_for(state="attached")
    page.get_by_role("link", name="李桂兰").click()
    expect(page.get_by_role("button", name="我到了")).to_be_visible()
    page.locator("html[data-kept=yes]").wait_for(state="attached")
    page.get_by_role("button", name="我到了").click()
    expect(page.get_by_text("您已到")).to_be_visible()  # the page anew, as the server knows it
    assert float(VisitReport.objects.get(kind="arrived").latitude) == 27.8302
    page.locator("html[data-kept=yes]").wait_for(state="attached")

    page.context.set_offline(True)
    page.get_by_label("卡上的数字，或手工输入").fill(code_of(ground.li, BATH)["token"])
    page.get_by_role("button", name="确认", exact=True).click()
    told = page.locator("[data-told] li")
    expect(told).to_have_count(1)
    expect(page.get_by_text("没有网络。请照常操作")).to_be_visible()
    expect(page.get_by_label("密码，由老人自己输入")).to_be_hidden()  # confirmed: not asked again
    page.get_by_label("拍照或选照片").set_input_files(PHOTO)
    page.get_by_role("button", name="保存这张照片").click()
    expect(told).to_have_count(2)
    page.reload()  # the phone was off for a while: the page opens from what it keeps
    expect(told).to_have_count(2)
    page.get_by_role("button", name="做完了，离开").click()
    expect(told).to_have_count(3)
    expect(page.get_by_role("button", name="做完了，离开")).to_be_hidden()
    expect(page.locator("[data-unsent]")).to_contain_text("3 条未发送")
    page.get_by_role("link", name="我的入户").first.click()
    expect(page.locator("[data-pending]").first).to_contain_text("未发送")
    assert not Redemption.objects.exists()

    page.context.set_offline(False)
    expect(page.get_by_text("已完成").first).to_be_visible()
    expect(page.locator("[data-unsent]")).to_be_hidden()
    assert Visit.objects.get().grade == "proven"
    assert Redemption.objects.count() == 1
    assert list(VisitReport.objects.filter(hold=work.hold).values_list("kind", "refusal")) == [
        ("arrived", ""), ("confirmed", ""), ("photo", ""), ("left", ""),
    ]  # fmt: skip
    # The next one: refused at the door, and the phone says why.
    page.get_by_role("link", name="王大明").click()
    page.locator("html[data-kept=yes]").wait_for(state="attached")
    page.get_by_role("button", name="我到了").click()
    expect(page.get_by_text("您已到")).to_be_visible()
    page.locator("html[data-kept=yes]").wait_for(state="attached")
    page.get_by_label("卡上的数字，或手工输入").fill("000000000000")
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.locator("[data-told] .no")).to_contain_text("未采纳")
    assert VisitReport.objects.filter(hold=other.hold).exclude(refusal="").count() == 1


def test_the_camera_reads_the_elders_code(site, browser, tmp_path):
    """Where the browser has no reader of its own: ours is fetched, allowed by this page alone, and kept on the phone."""
    ground = site.city
    begins = BATH + timedelta(days=1)
    work = ground.bath_of(ground.wang, begins, caregiver=ground.he)
    tell(work, ground.he, "arrived", begins)
    with (
        patch("django.utils.timezone.now", lambda: begins),
        launched(browser, filmed(code_of(ground.wang, begins)["token"], tmp_path)) as filming,
    ):
        context = filming.new_context(
            base_url=site.address, locale="zh-CN", viewport={"width": 390, "height": 844}
        )
        context.set_default_timeout(PATIENCE)
        page = signed_in(context, site, ground.he_user, at=begins)
        said = []
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        answer = page.goto(reverse("visits:visit", args=[work.pk]))
        assert "script-src 'self' 'wasm-unsafe-eval'" in answer.headers["content-security-policy"]
        assert "wasm" not in page.request.get(reverse("visits:today")).headers["content-security-policy"]
        page.locator("html[data-kept=yes]").wait_for(state="attached")
        assert not page.evaluate("'BarcodeDetector' in window")  # control: it is our own that reads
        page.get_by_role("button", name="扫老人的幸福码").click()
        expect(page.get_by_label("密码，由老人自己输入")).to_be_hidden()  # confirmed
        both = re.compile(r"^\S+ \S+$")  # the page anew: the server knows the arrival and this
        expect(page.locator("#visit")).to_have_attribute("data-known", both)
        page.wait_for_function(KEPT)
        assert said == []
    report = VisitReport.objects.get(hold=work.hold, kind="confirmed")
    assert (report.refusal, report.happened_at >= begins - timedelta(minutes=1)) == ("", True)
    tell(work, ground.he, "left", begins)


KEPT = """async () => {
  for (const name of await caches.keys())
    for (const kept of await (await caches.open(name)).keys()) if (kept.url.endsWith('zxing_reader.wasm')) return true;
  return false;
}"""


def test_every_page_of_visits_is_without_fault(site, desk):
    ground = site.city
    begins = BATH + timedelta(days=2)
    work = ground.bath_of(ground.li, begins, caregiver=ground.he)
    tell(work, ground.he, "arrived", begins)
    tell(work, ground.he, "left", begins)
    meals = [ground.bring(ground.meals, MEAL, elder) for elder in (ground.li, ground.wang)]
    open_ = ground.bring(ground.bath, BATH + timedelta(days=1), ground.wang)
    dispatch.assign(work=meals[0], caregiver=ground.he, by=ground.manager, at=NOW)
    looks = {
        ground.he_user: [
            reverse("visits:today"), *(reverse("visits:visit", args=[one.pk]) for one in (work, meals[0])),
        ],
        ground.manager: [
            reverse("office:work") + "?day=2026-01-06&span=week", reverse("office:rounds") + "?day=2026-01-06",
            *(reverse("office:order", args=[one.pk]) for one in (work, open_)),
        ],
        ground.agent: [reverse("hotline:visits"), reverse("hotline:visit", args=[work.pk])],
    }  # fmt: skip
    found = {}
    for user, urls in looks.items():
        page = desk(user)
        for url in urls:
            for width in (390, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(url)
                found[url, width] = faults(page)
            page.set_viewport_size({"width": 320, "height": 900})
            found[url, 320] = sideways(page)
    assert {where: what for where, what in found.items() if what} == {}
