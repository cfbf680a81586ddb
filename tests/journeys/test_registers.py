"""A clerk puts an old cinema to use: on the register, leased, with a programme designed for it."""

from playwright.sync_api import Page, expect

from providers.models import Lease, Premises
from tests.journeys.test_every_page import troubles
from vouchers.models import Programme


def fill(page: Page, **typed: str) -> None:
    for name, value in typed.items():
        field = page.locator(f"#id_{name}")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def test_from_an_empty_hall_to_a_programme(site, visit):
    page = visit("clerk").new_page()
    page.goto(site.pages["registers:hub"])
    page.locator("main .tile", has_text="场所").click()
    page.get_by_role("link", name="登记场所").click()
    hall = {
        "code": "PR9000", "former_use": "hall", "owner": "样例产权单位", "owner_kind": "government",
        "division": "430211001", "condition": "ready", "market_rent": "3000", "stage": "listed",
    }  # fmt: skip
    fill(page, **hall)
    press(page, "登记")  # without a name
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#id_market_rent")).to_have_value("3000")
    assert troubles(page) == []
    page.locator("#errors a").first.click()
    expect(page.locator("#id_name")).to_be_focused()
    fill(page, name="老电影院")
    press(page, "登记")
    expect(page.get_by_role("heading", level=1)).to_contain_text("老电影院")

    page.get_by_role("link", name="新租约").click()
    lease = {
        "operator": "OP02", "code": "LS9000", "starts_on": "2026-10-10", "ends_on": "2035-09-30",
        "monthly_rent": "3100", "rent_free_until": "2026-10-31", "offset_rate": "0.8", "offset_cap": "0.5",
        "carry_months": "1",
    }  # fmt: skip
    fill(page, **lease)
    press(page, "查看结果")
    expect(page.locator("#plan")).to_contain_text("1,550.00")
    assert not Lease.objects.filter(code="LS9000").exists()
    assert troubles(page) == []
    press(page, "登记租约")
    expect(page.locator("main")).to_contain_text("没有依据和决定文号")
    fill(page, basis="relief", decision_no="样例决字〔2026〕9号")
    press(page, "保存")
    expect(page.locator("main")).not_to_contain_text("没有依据和决定文号")

    page.get_by_role("link", name="老电影院").click()
    fill(page, stage="retired")  # as of today
    press(page, "进入下一阶段")
    expect(page.locator("#errors")).to_contain_text("租约在该日之后仍有效")  # a lease waits for it
    fill(page, stage="leased")
    press(page, "进入下一阶段")
    expect(page.locator("main .head")).to_contain_text("已出租")

    page.goto(f"{site.pages['registers:programme']}")
    page.get_by_role("link", name="仿此新设计").click()
    fill(page, code="PG9000", name="电影院餐券", per_elder="2")
    press(page, "预览效果")
    expect(page.locator("main")).to_contain_text("会发给谁")
    expect(page.locator("main")).to_contain_text("按这些条款重算上季度")
    assert troubles(page) == []
    assert not Programme.objects.filter(code="PG9000").exists()
    press(page, "登记项目")
    expect(page.get_by_role("heading", level=1)).to_contain_text("电影院餐券")

    assert Premises.objects.get(code="PR9000").stage == "leased"
    assert Lease.objects.get(code="LS9000").terms.get().monthly_rent == 3100
    assert Programme.objects.get(code="PG9000").per_elder == 2
