"""Signing in by phone, one's own record, asking to act, answering, ending, and the hotline, in a real browser: on
each page checks 1, 2, 4, 5, 7, 8 and 11 of experience.md, Chinese and English, with scripts and without."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.accounts.models import OneTimeCode, Try
from marketplace.messages.models import Message
from tests import databases, story
from tests.journeys.conftest import PASSWORD, Site
from tests.journeys.test_every_page import AXE, STANDARDS, faults, sideways
from tests.journeys.test_family import MEASURED
from vouchers.delegates.models import Delegation, OwnRecord
from vouchers.elders.models import Elder
from vouchers.elders.search import learn_names

PHONES = count(13800000100)


@pytest.fixture(scope="module")
def site(database_template: str, django_db_blocker) -> Iterator[Site]:
    """The town of the stories, with an agent who has a password."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        story.town()
        learn_names(Elder.objects.values_list("name", flat=True))
        agent = story.user("agent", "hotline_agent")
        agent.set_password(PASSWORD)
        agent.save()
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        yield Site(f"http://127.0.0.1:{server.port}", None, {})
        server.terminate()
        server.join()
    databases.drop(name)


@pytest.fixture(autouse=True)
def codes_can_be_asked_for_again(site) -> None:
    OneTimeCode.objects.all().delete()
    Try.objects.all().delete()


def last_code() -> str:
    return Message.objects.exclude(secret_sealed=None).latest("id").secret()["code"]


# Everything that experience.md asks of a page for the old, in one run: WCAG A and AA, and contrast of 7:1.
FAULTS = """standards => axe.run(document, {
  runOnly: {type: 'tag', values: standards}, rules: {'color-contrast-enhanced': {enabled: true}}
}).then(found => found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target}: ${n.failureSummary.slice(0, 160)}`)))"""


def troubles(page: Page) -> list[str]:
    """What is wrong on a phone: faults, small or crowded things, sideways scrolling at 320 px."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(FAULTS, STANDARDS) + page.evaluate(MEASURED, 20)
    page.set_viewport_size({"width": 320, "height": 900})
    found += [f"320 px: {wide}" for wide in sideways(page)]
    page.set_viewport_size({"width": 390, "height": 900})
    return found


class Walk:
    """A person's way through the pages; what is wrong with each is noted under its heading."""

    def __init__(self, context: BrowserContext, *, look: bool) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.look, self.found = look, {}

    def at(self, heading: str) -> Page:
        expect(self.page.locator("h1")).to_contain_text(heading)
        if self.look:
            self.found[heading] = troubles(self.page)
        return self.page

    def press(self) -> None:
        self.page.click("main form button.btn-primary")

    def sign_in(self, phone: str, words: dict[str, str]) -> None:
        self.page.goto("/my/wallet/")
        self.at(words["phone"]).fill("#id_phone", phone)
        self.press()
        page = self.at(words["code"])
        page.fill("#id_code", last_code())
        self.press()

    def no_trouble(self) -> None:
        assert {name: wrong for name, wrong in self.found.items() if wrong} == {}


ZH = {"phone": "您的手机号", "code": "您收到的六位数字"}
EN = {"phone": "your mobile phone number", "code": "six digits did you get"}


def test_grandma_li_without_scripts(site, visit: Callable[..., BrowserContext]):
    li = story.elder_named("LI")
    walk = Walk(visit("", width=390, scripts=False), look=False)
    walk.sign_in(li.phone(), ZH)
    walk.at("为谁办理")
    walk.page.click("text=我本人")
    walk.at("您的身份证号").fill("#id_id_number", li.id_number())
    walk.press()
    page = walk.at("您同意吗")
    page.check("#id_notice")
    walk.press()
    expect(page.locator("#errors")).to_contain_text("请勾选")
    expect(page.locator("#id_notice")).to_be_checked()  # kept
    page.check("#id_sensitive")
    walk.press()
    walk.at("这是您的档案")
    page.click("text=看我的消费券")
    expect(page.locator("main")).to_contain_text("我的消费券")
    assert OwnRecord.objects.get().elder == li


def test_every_step_of_the_record_is_readable_and_wrong_forms_help(site, visit):
    """The long way, from a phone that is not on file, with every page looked at."""
    zhang = story.elder_named("ZHANG")
    walk = Walk(visit("", width=390, language="en"), look=True)
    page = walk.page
    page.goto("/my/wallet/")
    walk.at(EN["phone"])
    page.fill("#id_phone", "12")
    walk.press()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#id_phone")).to_have_value("12")
    page.click("#errors a")
    expect(page.locator("#id_phone")).to_be_focused()
    walk.at(EN["phone"])  # as it looks with an error
    page.fill("#id_phone", str(next(PHONES)))
    walk.press()
    page = walk.at(EN["code"])
    expect(page.locator("#id_code")).to_have_attribute("autocomplete", "one-time-code")
    page.fill("#id_code", last_code())
    walk.press()
    walk.at("Who is it about")
    page.click("text=This is about me")
    walk.at("your ID number").fill("#id_id_number", zhang.id_number())
    page.click("text=I have a paper code")
    walk.at("ten digits stand")
    page.go_back()
    page.fill("#id_id_number", zhang.id_number())
    walk.press()
    walk.at("your community have on file").fill("#id_phone", zhang.phone())
    walk.press()
    walk.at("six digits came to that phone").fill("#id_code", last_code())
    walk.press()
    walk.at("Do you agree")
    walk.press()
    walk.at("Do you agree")
    page.check("#id_notice")
    page.check("#id_sensitive")
    walk.press()
    walk.at("this is your record")
    page.goto("/my/privacy/")
    walk.at("My data and my consent")
    page.goto("/my/told/")
    walk.at("Messages sent to me")
    expect(page.locator("main")).to_contain_text("Your record is now open")
    walk.no_trouble()


def test_the_daughter_asks_and_grandma_ends_it_in_three_taps(site, visit):
    wang = story.elder_named("WANG")
    walk = Walk(visit("", width=390), look=True)
    page = walk.page
    walk.sign_in(str(next(PHONES)), ZH)
    walk.at("为谁办理")
    page.click("text=帮家人或他人")
    walk.at("您帮哪位长者").fill("#id_elder", wang.name)
    page.fill("#id_phone", wang.phone())
    walk.press()
    walk.at("您是谁").fill("#id_name", "王小红")
    walk.press()  # who one is to her is not said yet
    walk.at("您是谁")
    page.click("text=子女")
    walk.press()
    walk.at("您想替长者办什么")
    page.click("text=每月最多 300 元")
    page.click("text=6 个月")
    walk.press()
    walk.at("长者同意吗").fill("#id_code", last_code())
    walk.press()
    walk.at("长者已同意")
    expect(page.locator(".acting")).to_contain_text("正在替 王秀英 办理")
    page.click(".acting a")
    walk.at("为谁办理")
    walk.no_trouble()

    grandma = Walk(visit("", width=390), look=True)
    at_home = grandma.page
    OneTimeCode.objects.all().delete()
    grandma.look = False
    grandma.sign_in(wang.phone(), ZH)
    at_home.click("text=我本人")
    at_home.fill("#id_id_number", wang.id_number())
    grandma.press()
    at_home.check("#id_notice")
    at_home.check("#id_sensitive")
    grandma.press()
    at_home.goto("/my/")
    grandma.look = True
    at_home.click("main >> text=谁在替我代办")
    grandma.at("谁在替我代办")
    at_home.click("main >> text=停止 王小红 代办")
    grandma.at("不再让 王小红 替您代办")
    at_home.click("main >> text=马上停止")
    expect(at_home.locator("[role=status]")).to_contain_text("不再替您代办")
    assert Delegation.objects.get(elder=wang).state == "ended"
    grandma.no_trouble()
    page.goto("/my/wallet/")
    expect(page.locator("h1")).to_contain_text("为谁办理")  # shut out
    expect(page.locator(".acting")).to_have_count(0)


@pytest.mark.parametrize(("language", "scripts"), [("zh-hans", False), ("en", True)])
def test_the_agent_does_it_all_by_telephone(site, visit, language, scripts):
    context = visit("agent", language=language, scripts=scripts)
    page = context.new_page()
    found = {}

    def looked(name: str) -> None:
        if scripts:
            found[name] = faults(page)

    page.goto("/hotline/")
    page.fill("#q", "zyz" if scripts else "zhaoyuzhen")
    page.click("main form button")
    looked("search")
    page.click("tbody a")
    looked("card")
    page.click("main form button.btn-primary")
    looked("call")
    page.click("main form button.btn-primary")  # rung back
    expect(page.locator(".acting")).to_contain_text("赵玉珍")
    looked("call, rung back")
    page.click("main a.btn-primary")
    expect(page.locator(".acting")).to_contain_text("赵玉珍")
    page.goto("/hotline/call/")
    page.click("main form button >> nth=-1")
    expect(page.locator(".acting")).to_have_count(0)
    page.goto("/hotline/?q=nobody")
    looked("nobody found")
    page.goto("/hotline/call/")
    looked("no call")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
