"""Ordering in a real browser, on a phone: lunch in six pages, again in three taps, for two parents, cancelled to the
fen; with and without scripts; every page readable and pressable by old eyes and hands."""

import gzip
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from playwright.sync_api import BrowserContext, Page, Response, expect

from marketplace.fulfilment.models import CareOrder, WorkOrder
from marketplace.fulfilment.operations import cancel
from marketplace.fulfilment.standing import place_standing
from marketplace.messages.models import Message
from marketplace.offerings.models import Story
from tests import databases, story
from tests.journeys.conftest import Site, serving
from tests.journeys.test_family import troubles
from tests.shop.ground import BATH, LATE_LUNCH, LUNCH, NOW, Ground, purse
from tests.story import day, moment, yuan
from tests.web.builder import PASSWORD
from vouchers.elders.search import learn_names


@pytest.fixture(scope="module")
def site(database_template: str, django_db_blocker) -> Iterator[Site]:
    """The ground of the shop's tests, on a Monday morning at eight."""
    name = databases.clone(database_template)
    with (
        django_db_blocker.unblock(),
        databases.pointed_at(name),
        patch("django.utils.timezone.now", lambda: NOW),
    ):
        ground = Ground(capacity=20)
        for elder in (ground.li, ground.wang):
            ground.agree(elder)
        Story.objects.create(premises=ground.place, words="织布机停了三十年，如今每天中午坐满来吃饭的老人。")
        ground.firm.stars = 4
        ground.firm.save()
        with serving() as address:
            yield Site(address, ground, {})
    databases.drop(name)


@pytest.fixture
def phone(site: Site, visit: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """phone("LI"): the daughter's telephone, signed in, acting for this elder."""

    def open_(elder: str = "LI", **how) -> Page:
        user = site.city.daughter
        store = SessionStore()
        store["_auth_user_id"] = str(user.pk)
        store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
        store["_auth_user_hash"] = user.get_session_auth_hash()
        store["acting_for"] = elder
        store.create()
        context = visit("", **{"width": 390, **how})
        context.add_cookies([{"name": "sessionid", "value": store.session_key, "url": site.address}])
        return context.new_page()

    return open_


LONG = pytest.mark.long  # the other crossings of language and scripts

# Characters of a page that stand before what is pressed, with that itself: whoever reads from the top reads so many.
READ = """target => {
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  let read = 0;
  while (texts.nextNode()) {
    const text = texts.currentNode, inside = target.contains(text);
    if (!inside && target.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING) break;
    if (text.parentElement.checkVisibility() && !text.parentElement.closest('.visually-hidden'))
      read += text.textContent.trim().replace(/\\s+/g, ' ').length;
  }
  return read;
}"""
# Characters a second. On average people read 390 characters of Chinese a minute, or 240 words of English (Brysbaert
# 2019, Journal of Memory and Language 109); a slow reader here is one who reads 70 of a hundred of that.
SLOW = {"zh-hans": 390 * 0.7 / 60, "en": 240 * 0.7 * 6 / 60}
PRESS = 2  # seconds


CROSSED = pytest.mark.parametrize(
    ("language", "scripts"), [("en", True), pytest.param("zh-hans", False, marks=LONG)], ids=["en", "zh"]
)


def speaking(language: str) -> Callable[[str], str]:
    """What a page says in this language."""

    def said(words: str) -> str:
        with translation.override(language):
            return _(words)

    return said


@pytest.mark.parametrize(
    ("language", "scripts"),
    [
        ("zh-hans", False),
        ("en", True),
        pytest.param("zh-hans", True, marks=LONG),
        pytest.param("en", False, marks=LONG),
    ],
)
def test_lunch_in_six_pages_again_in_three_taps_and_every_fen_back(site, phone, language, scripts):
    ground = site.city
    before = purse(ground.li)
    page = phone(scripts=scripts, language=language)
    with translation.override(language):
        pages = [
            ("link", _("canteen").capitalize()),  # 2: near ones first
            ("link", "长者餐厅午餐"),  # 3: who pays what
            ("link", _("Order this")),  # 4: when
            ("button", "11:30"),  # 5: is this right
            ("button", _("Order now")),  # 6: done
        ]
        ordered, again, end = map(_, ("Ordered", "Order the same again", "Cancel this"))
        back = _("Cancelled. Your vouchers are free again.")
    page.goto("/services/")  # 1: what do you need
    seconds = 0.0
    for role, words in pages:
        button = page.get_by_role(role, name=words).first
        seconds += button.evaluate(READ) / SLOW[language] + PRESS
        button.click()
    assert seconds <= 60, "of a slow reader's time"
    expect(page.get_by_role("heading", name=ordered)).to_be_visible()
    assert purse(ground.li)[1] - before[1] == yuan(8)
    first = CareOrder.objects.filter(elder=ground.li).latest("id")

    page.goto("/my/")
    page.get_by_role("button", name=again).click()  # one tap
    page.get_by_role("button", name=pages[-1][1]).click()  # two
    expect(page.get_by_role("heading", name=ordered)).to_be_visible()
    assert CareOrder.objects.filter(elder=ground.li).latest("id") != first

    for work in WorkOrder.objects.filter(order__elder=ground.li, state="placed"):
        page.goto(reverse("market:order", args=[work.order.order.number]))
        page.get_by_role("button", name=end).click()
        expect(page.get_by_text(back).first).to_be_visible()
    assert purse(ground.li) == before


@CROSSED
def test_a_daughter_orders_for_two_parents_and_each_wallet_shows_its_own(site, phone, language, scripts):
    ground = site.city
    said = speaking(language)
    before = {who.code: purse(who) for who in (ground.li, ground.wang)}
    for elder in ("LI", "WANG"):
        page = phone(elder, language=language, scripts=scripts)
        expect_for = {"LI": "李桂兰", "WANG": "王大明"}[elder]
        page.goto("/services/PR01/SV01/")
        expect(page.locator(".acting")).to_contain_text(expect_for)
        page.get_by_role("link", name=said("Order this")).click()
        expect(page.locator(".acting")).to_contain_text(expect_for)
        page.get_by_role("button", name="12:30").click()
        page.get_by_role("button", name=said("Order now")).click()
        expect(page.get_by_role("heading", name=said("Ordered"))).to_be_visible()
        page.goto("/my/wallet/")
        expect(page.locator(".left strong")).to_have_text(f"{purse(getattr(ground, elder.lower()))[0]:.0f}")
    for who in (ground.li, ground.wang):
        assert purse(who)[1] - before[who.code][1] == yuan(8)
        work = CareOrder.objects.filter(elder=who).latest("id").work.get()
        assert work.starts_at == LATE_LUNCH
        cancel(work=work, placer=ground.placer(who), at=NOW)  # two lunches a day, for those who come after


@CROSSED
def test_lunch_monday_to_friday_for_a_week(site, phone, language, scripts):
    """Ordered once more, then again and again: five lunches, on their days, until it is ended."""
    ground = site.city
    said = speaking(language)
    code = {"en": "ZHAO", "zh-hans": "QIAN"}[language]
    elder = story.elder(code, "赵大娘", "1946-05-06", ground.community)
    story.issue_on("2026-01-01")
    ground.agree(elder)
    page = phone(code, language=language, scripts=scripts)
    ground.order((ground.lunch, LUNCH), elder=elder)
    page.goto("/services/orders/")
    page.get_by_role("link", name="长者餐厅午餐").click()
    page.get_by_role("link", name=said("Order this again and again")).click()
    page.get_by_role("button", name=said("Monday to Friday")).click()
    expect(
        page.get_by_text(said("It is ordered for you every night. When it cannot be, you are told."))
    ).to_be_visible()
    for night in range(6, 10):  # from Tuesday on
        place_standing(today=day(f"2026-01-{night:02}"), at=moment(f"2026-01-{night:02} 00:10"))
    works = WorkOrder.objects.filter(order__elder=elder).order_by("starts_at")
    assert [timezone.localtime(one.starts_at).day for one in works] == [5, 6, 7, 8, 9]
    assert purse(elder) == (yuan(10), yuan(40)), "five lunches of 8 yuan"
    page.goto("/services/orders/")
    expect(page.locator(".rows").first.get_by_role("heading", name="长者餐厅午餐")).to_have_count(5)
    page.get_by_role("button", name=said("End this")).click()
    expect(
        page.get_by_text(said("Ended. What is ordered already stays; it can be cancelled one by one."))
    ).to_be_visible()
    assert place_standing(today=day("2026-01-10"), at=moment("2026-01-10 00:10")).orders == 0


@CROSSED
def test_the_hotline_does_it_all(site, visit, language, scripts):
    """Found by letters and the phone's tail, rung back, lunch ordered and cancelled, told to the elder."""
    ground = site.city
    said = speaking(language)
    name = f"hotline-{language}"
    agent = story.user(name, "hotline_agent")
    agent.set_password(PASSWORD)
    agent.save()
    learn_names([ground.wang.name])
    before = purse(ground.wang)
    told = Message.objects.filter(elder=ground.wang, kind="acted_for")
    heard = told.count()
    page = visit(name, language=language, scripts=scripts).new_page()
    page.goto("/hotline/")
    page.fill("#q", f"wdm {ground.wang.phone_tail}")
    page.get_by_role("button", name=said("Find")).click()
    page.get_by_role("link", name="王大明").click()
    page.get_by_role("button", name=said("Open a call")).click()
    page.get_by_role("button", name=said("I rang back and spoke with them")).click()
    page.get_by_role("link", name=said("Vouchers and orders")).click()
    expect(page.locator(".acting")).to_contain_text("王大明")
    page.get_by_role("link", name=said("Order a service")).click()
    page.get_by_role("link", name=said("canteen").capitalize()).click()
    page.get_by_role("link", name="长者餐厅午餐").click()
    page.get_by_role("link", name=said("Order this")).click()
    page.get_by_role("button", name="11:30").click()
    expect(page.locator(".acting")).to_contain_text("王大明")
    page.get_by_role("button", name=said("Order now")).click()
    expect(page.get_by_role("heading", name=said("Ordered"))).to_be_visible()
    assert purse(ground.wang)[1] - before[1] == yuan(8)
    assert CareOrder.objects.filter(elder=ground.wang).latest("id").channel == "hotline"
    page.get_by_role("button", name=said("Cancel this")).click()
    expect(page.get_by_text(said("Cancelled. Your vouchers are free again."))).to_be_visible()
    assert purse(ground.wang) == before
    assert told.count() == heard + 2, "the elder is told of each act"
    page.goto("/hotline/call/")
    page.get_by_role("button", name=said("End the call")).click()
    page.goto("/my/")
    expect(page.get_by_role("heading", name=said("Find an elder"))).to_be_visible()


@pytest.mark.parametrize(
    ("language", "large"),
    [("zh-hans", False), pytest.param("en", False, marks=LONG), pytest.param("zh-hans", True, marks=LONG)],
)
def test_every_page_can_be_read_and_pressed_by_old_eyes_and_hands(site, phone, language, large):
    page = phone(language=language)
    if large:
        page.context.add_cookies([{"name": "text_size", "value": "large", "url": site.address}])
    ground = site.city
    day = {"zh-hans": 7, "en": 8}[language] + 2 * large
    ground.order((ground.lunch, moment(f"2026-01-{day:02} 11:30")), (ground.bath, BATH.replace(day=day)))
    number = CareOrder.objects.latest("id").order.number
    lunch = WorkOrder.objects.filter(booking__isnull=False).latest("id")
    widths = (390, 1280) if language == "zh-hans" and not large else (390,)
    found = {}

    def look(name: str) -> None:
        found[name] = troubles(page, large=large, widths=widths)

    for name, address in {
        "kinds": "/services/",
        "list": "/services/?kind=canteen",
        "nothing found": "/services/?q=xyz&open=1",
        "service": "/services/PR01/SV01/",
        "bath": "/services/PR01/SV04/",
        "when": "/services/PR01/SV01/when/",
        "order": f"/services/orders/{number}/",
        "change": f"/services/orders/{number}/{lunch.pk}/time/",
        "days": f"/services/orders/{number}/{lunch.pk}/days/",
        "orders": "/services/orders/",
    }.items():
        page.goto(address)
        look(name)
    page.goto(f"/services/PR01/SV04/when/?day=2026-01-{day + 5:02}")  # one caregiver: a day for each run
    page.locator(".time").first.click()
    page.locator("#id_address").fill(" ")
    page.locator("main .btn-primary").click()
    expect(page.locator("#errors")).to_be_focused()
    look("where, wrong")
    page.locator("#id_address").fill("湖滨路 8 号")
    page.locator("main .btn-primary").click()
    expect(page.locator(".left")).to_be_visible()
    look("check")
    page.locator(".left button").click()
    expect(page.locator(".done")).to_be_visible()
    look("done")
    wrong = [f"{name}: {one}" for name, those in found.items() for one in those]
    assert not wrong, "\n".join(wrong)


def test_the_first_load_is_at_most_150_kb_compressed(site, phone):
    """Everything that a telephone fetches for its first page, from an empty cache. Our server sends files compressed
    and pages as they are, as a page holds secrets."""

    def sent(answer: Response) -> int:
        page = "text/html" in answer.headers.get("content-type", "")
        return len(answer.body() if page else gzip.compress(answer.body(), 6))

    for address in ("/my/", "/services/?kind=canteen", "/services/PR01/SV01/", "/my/wallet/"):
        page = phone()
        sizes: dict[str, int] = {}
        page.on("response", lambda answer, sizes=sizes: sizes.__setitem__(answer.url, sent(answer)))
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert any("bootstrap" in url for url in sizes) and len(sizes) > 5, "control: all of it is counted"
        assert sum(sizes.values()) <= 150_000, (address, sizes)
        page.context.close()
