"""Who people are to one another, on their telephones: an elder claims her record, her daughter asks to act, the elder
agrees (by the code that came, or by typing the PIN) and ends it in three taps."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.messages.models import Message
from tests.journeys import test_market
from tests.journeys.test_family import troubles
from tests.shop.ground import NOW
from vouchers.codes.operations import set_pin
from vouchers.delegates.models import Delegation, OwnRecord

site = test_market.site  # the same street on the same Monday
DAUGHTERS = {
    "code": "13800000081",
    "pin": "13800000082",
    "": "13800000083",
}  # a code a minute, and time stands still


def last_code() -> str:
    return Message.objects.exclude(secret_sealed=None).latest("id").secret()["code"]


@pytest.fixture
def look(site):
    """look(page, name): what is wrong with what this page shows now is told at the end."""
    wrong: list[str] = []

    def check(page: Page, name: str) -> None:
        page.wait_for_load_state()
        width = page.viewport_size
        # At its end nothing lies under the bar of help, which covers a part of what stands lower than the window.
        page.set_viewport_size({"width": 390, "height": 900})
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        wrong.extend(f"{name}: {one}" for one in troubles(page, large=False, widths=(390,)))
        page.set_viewport_size(width)

    yield check
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def telephone(visit: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """telephone("138…"): signed in by the code that came by short message."""

    def open_(number: str, **how) -> Page:
        page = visit("", **{"width": 390, **how}).new_page()
        page.goto("/sign-in/phone/")
        page.fill("#id_phone", number)
        page.locator("main .btn-primary").click()
        page.wait_for_url("**/code/**")
        page.fill("#id_code", last_code())
        page.locator("main .btn-primary").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    return open_


@pytest.mark.parametrize(
    ("how", "language", "scripts"), [("code", "zh-hans", True), ("pin", "en", False)], ids=["code", "pin"]
)
def test_grandma_claims_her_record_lets_her_daughter_act_and_ends_it(
    site, telephone, look, how, language, scripts
):
    elder = {"code": site.city.li, "pin": site.city.wang}[how]
    with_scripts = {"language": language, "scripts": scripts}
    hers = telephone(elder.phone(), **with_scripts)
    seen = scripts  # axe needs scripts
    hers.goto("/my/start/")
    if seen:
        look(hers, "who is it about")
    hers.locator("main .btn-primary").click()
    hers.fill("#id_id_number", elder.id_number())
    if seen:
        look(hers, "ID number")
    hers.locator("main .btn-primary").click()
    hers.locator("#id_notice").check()
    hers.locator("#id_sensitive").check()
    if seen:
        look(hers, "consent")
    hers.locator("main .btn-primary").click()
    expect(hers.locator("main .good")).to_be_visible()
    assert OwnRecord.objects.filter(elder=elder, ended_at=None).exists()

    daughter = telephone(DAUGHTERS[how], **with_scripts)
    daughter.goto("/my/ask/")
    daughter.fill("#id_elder", elder.name)
    daughter.fill("#id_phone", elder.phone())
    if seen:
        look(daughter, "whom")
    daughter.locator("main .btn-primary").click()
    daughter.fill("#id_name", "李小红")
    daughter.locator("[name=relation]").first.check()
    if seen:
        look(daughter, "who are you")
    daughter.locator("main .btn-primary").click()
    daughter.locator("[name=may]").first.check()
    daughter.locator("[name=months]").first.check()
    if seen:
        look(daughter, "what for")
    daughter.locator("main .btn-primary").click()
    daughter.wait_for_url("**/ask/code/")
    if how == "code":
        look(daughter, "the code")
        daughter.fill("#id_code", last_code())
    else:
        set_pin(elder=elder, pin="730514", by="test", at=NOW)
        daughter.locator("a[href$='/ask/pin/']").click()
        daughter.fill("#id_pin", "111222")
        daughter.locator("main .btn-primary").click()
        expect(daughter.locator("#errors")).to_contain_text("This PIN does not fit")
        daughter.fill("#id_pin", "730514")
    daughter.locator("main .btn-primary").click()
    expect(daughter.locator("main .good")).to_be_visible()
    one = Delegation.objects.get(elder=elder, user__phone_tail=DAUGHTERS[how][-4:], state="agreed")
    assert one.agreed_by == how
    daughter.goto("/my/wallet/")
    expect(daughter.locator(".acting")).to_contain_text(elder.name)

    hers.goto("/my/")
    hers.locator("main a[href='/my/people/']").click()  # one tap
    if seen:
        look(hers, "who acts")
    hers.locator(f"main a[href='/my/people/{one.pk}/end/']").click()  # two
    if seen:
        look(hers, "end it?")
    hers.locator("main .btn-danger").click()  # three
    expect(hers.locator("main .good").first).to_be_visible()
    daughter.goto("/my/wallet/")
    daughter.wait_for_url(lambda url: "/my/wallet" not in url)


def test_a_pin_page_can_be_read_and_pressed(site, telephone, look):
    page = telephone(DAUGHTERS[""])
    li = site.city.li
    page.goto("/my/ask/")
    page.fill("#id_elder", li.name)
    page.fill("#id_phone", "13800000077")
    page.locator("main .btn-primary").click()
    page.fill("#id_name", "李小红")
    page.locator("[name=relation]").first.check()
    page.locator("main .btn-primary").click()
    page.locator("[name=may]").first.check()
    page.locator("[name=months]").first.check()
    page.locator("main .btn-primary").click()
    page.goto("/my/ask/pin/")
    look(page, "PIN")
    page.locator("main .btn-primary").click()
    expect(page.locator("#errors")).to_be_focused()
    look(page, "PIN, wrong")
